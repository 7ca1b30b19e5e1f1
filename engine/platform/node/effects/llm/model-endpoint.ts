import { setTimeout as sleep } from 'node:timers/promises';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../../../encoding/json.ts';
import type { RemoteProvider } from '../../../../governance/agency.ts';
import type { SecretReference, Secrets } from '../../../../governance/secret.ts';
import { describeFailure } from '../network/failure.ts';
import type { GuardedClient } from '../network/guarded-client.ts';
import { ModelFailure, type ModelRequest } from './model-provider.ts';

/** Where a provider's API lies, with what every request to it carries. */
export interface ModelEndpoint {
  /**
   * Posts JSON, and answers once the provider does so with success. What it refuses for the moment
   * (429, 503) is asked again, twice at most, when it says, where that is within the deadline.
   * @param path below the endpoint.
   * @throws {ModelFailure}
   */
  post(path: string, body: JsonObject, request: ModelRequest, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

/** An answer that has begun. */
export interface Answer {
  /** The provider, for messages. */
  readonly provider: string;
  /** In lower case, without parameters; empty for none. */
  readonly mediaType: string;
  /** Its body, as it comes. Read once. Throws {@link ModelFailure}. */
  texts(): AsyncIterable<string>;
}

/** How often a provider that refuses for the moment is asked again. */
const RETRIES = 2;

/** How long to wait where a provider does not say, in milliseconds; twice as long the second time. */
const PAUSE = 500;

/** Bytes of an error's body that are read. */
const ERROR_BYTES = 65_536;

export function createModelEndpoint(
  provider: RemoteProvider,
  client: GuardedClient,
  secrets: Secrets,
): ModelEndpoint {
  const attempt = async (
    url: string,
    body: Uint8Array<ArrayBuffer>,
    request: ModelRequest,
    signal: AbortSignal,
  ): Promise<Response> => {
    const headers = await headersOf(provider, secrets);
    const meter = client.meter(request.bytesLeft(), request.onBytes);
    try {
      return await client.send(
        { url: client.judge(url), method: 'POST', headers, body },
        { redirect: 'manual', signal, meter },
      );
    } catch (error) {
      throw networkFailure(provider.name, error, meter.wasSent);
    }
  };
  return {
    post: async (path, body, request, signal) => {
      const url = `${provider.endpoint}${path}`;
      const bytes = new Uint8Array(Buffer.from(JSON.stringify(body)));
      for (let retries = 0; ; retries++) {
        const response = await attempt(url, bytes, request, signal);
        if (response.ok) return answerOf(provider.name, response, request);
        const reason = await reasonOf(response);
        const pause = pauseOf(response, retries);
        if (
          retries === RETRIES ||
          pause === undefined ||
          reason === 'insufficient_quota' ||
          Date.now() + pause >= request.deadline
        ) {
          throw statusFailure(provider.name, response.status, reason);
        }
        await sleep(pause, undefined, { signal });
      }
    },
    close: () => client.close(),
  };
}

/**
 * Bytes that may come over the wire for an answer. A letter may be written as six; streamed, a token
 * of a letter or two comes in a frame of some hundred bytes.
 */
export function wireBytes({ isStreamed, responseBytes }: ModelRequest): number {
  return (isStreamed ? 64 : 6) * responseBytes + ERROR_BYTES;
}

/** Reads the JSON of an answer, or of a piece of one. */
export function readJsonObject(text: string, answer: Answer): JsonObject {
  try {
    const value = parseJson(text, 'an answer');
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  throw malformed(answer, 'what is no JSON object');
}

/** An answer that is not what the provider's API is. */
export function malformed({ provider }: Answer, found: string): ModelFailure {
  return new ModelFailure(
    'malformed-answer',
    `the answer of "${displayText(provider)}" cannot be read: ${found}`,
  );
}

/** An error that a provider tells in the midst of an answer. */
export function providerError({ provider }: Answer, document: JsonObject): ModelFailure {
  return new ModelFailure(
    'provider-failed',
    `"${displayText(provider)}" broke its answer off${told(knownReason(document))}`,
  );
}

async function headersOf(provider: RemoteProvider, secrets: Secrets): Promise<Headers> {
  const headers = new Headers({ 'content-type': 'application/json' });
  const add = async (name: string, value: string | SecretReference, prefix = '') => {
    const text = typeof value === 'string' ? value : await secretOf(value, provider, secrets);
    try {
      headers.set(name, prefix + text);
    } catch {
      // What is thrown repeats the value.
      throw new ModelFailure(
        'secret-unusable',
        `the secret in the header "${name}" of "${displayText(provider.name)}" holds what no header can hold, a line break perhaps: set it again`,
        true,
      );
    }
  };
  for (const [name, value] of Object.entries(provider.headers)) await add(name, value);
  if (provider.apiKey !== undefined) await add('authorization', provider.apiKey, 'Bearer ');
  return headers;
}

async function secretOf(
  { secret }: SecretReference,
  { name }: RemoteProvider,
  secrets: Secrets,
): Promise<string> {
  const value = await secrets.get(secret).catch(() => undefined);
  if (value !== undefined) return value;
  throw new ModelFailure(
    'secret-missing',
    `the secret "${secret}", which "${displayText(name)}" needs, has no value: set it and run again`,
    true,
  );
}

function answerOf(provider: string, response: Response, request: ModelRequest): Answer {
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  const answer: Answer = {
    provider,
    mediaType,
    texts: async function* () {
      const decoder = new TextDecoder('utf-8', { fatal: true });
      let left = wireBytes(request);
      for await (const chunk of chunksOf(response, provider)) {
        left -= chunk.byteLength;
        if (left < 0) throw tooLarge(provider);
        yield decoded(() => decoder.decode(chunk, { stream: true }), answer);
      }
      yield decoded(() => decoder.decode(), answer);
    },
  };
  return answer;
}

async function* chunksOf(response: Response, provider: string): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  try {
    for await (const chunk of response.body) yield chunk;
  } catch (error) {
    throw networkFailure(provider, error, true);
  }
}

function decoded(decode: () => string, answer: Answer): string {
  try {
    return decode();
  } catch {
    throw malformed(answer, 'what is no UTF-8');
  }
}

/** How the network failed, in words that hold nothing of a header or a body. */
function networkFailure(provider: string, error: unknown, wasSent: boolean): ModelFailure {
  const { code, message } = describeFailure(error);
  if (code === 'too-large') return tooLarge(provider);
  return new ModelFailure(
    code === 'timeout' || code === 'bytes-exhausted' ? code : 'provider-failed',
    `"${displayText(provider)}": ${message}`,
    !wasSent,
  );
}

function tooLarge(provider: string): ModelFailure {
  return new ModelFailure(
    'too-large',
    `the answer of "${displayText(provider)}" is larger than "responseBytes" allows`,
  );
}

/**
 * Reasons that providers give as a word of their own. Only these are repeated: the texts beside them
 * repeat keys and prompts.
 */
const REASONS: ReadonlySet<unknown> = new Set([
  'context_length_exceeded',
  'content_filter',
  'content_policy_violation',
  'insufficient_quota',
  'invalid_api_key',
  'invalid_request_error',
  'model_not_found',
  'rate_limit_exceeded',
  'unsupported_parameter',
  'unsupported_value',
]);

/** Reads why a provider refused, as far as it is one of the known words, and frees the connection. */
async function reasonOf(response: Response): Promise<string | undefined> {
  let body = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      body += decoder.decode(chunk, { stream: true });
      if (body.length > ERROR_BYTES) return undefined;
    }
    const document = parseJson(body, 'an error');
    return isJsonObject(document) ? knownReason(document) : undefined;
  } catch {
    return undefined; // the status says enough
  }
}

function knownReason({ error }: JsonObject): string | undefined {
  if (!isJsonObject(error)) return undefined;
  const known = [error.code, error.type].find((word) => REASONS.has(word));
  return typeof known === 'string' ? known : undefined;
}

function told(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}

function statusFailure(provider: string, status: number, reason: string | undefined): ModelFailure {
  return new ModelFailure(
    status === 429 ? 'rate-limited' : 'provider-failed',
    `"${displayText(provider)}" answered with status ${status}${told(reason)}`,
    true,
  );
}

/** How long to wait before asking again, in milliseconds; `undefined` where that would not help. */
function pauseOf({ status, headers }: Response, retries: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const after = headers.get('retry-after');
  if (after === null) return PAUSE * 2 ** retries;
  if (/^\d{1,9}$/.test(after)) return Number(after) * 1_000;
  const at = Date.parse(after);
  return Number.isNaN(at) ? PAUSE * 2 ** retries : Math.max(0, at - Date.now());
}
