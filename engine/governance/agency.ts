import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { addresses, headers, timeoutMs } from './grants/common.ts';
import { secretReference } from './secret.ts';

const name = z.string().min(1).max(200);

/** Headers that carry a key, whoever serves the models: their values are never written down. */
const KEY_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-auth-token',
]);

/** Headers that belong to the request itself. */
const OWN_HEADERS = new Set([
  'accept',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'transfer-encoding',
]);

const providerHeaders = headers
  .superRefine((written, context) => {
    for (const [header, value] of Object.entries(written)) {
      const lower = header.toLowerCase();
      const problem = OWN_HEADERS.has(lower)
        ? 'this header is set by the request itself'
        : KEY_HEADERS.has(lower) && typeof value === 'string'
          ? 'this header holds a key: name the secret instead, { "secret": "NAME" }'
          : undefined;
      if (problem !== undefined) {
        context.addIssue({ code: 'custom', path: [header], message: problem });
      }
    }
  })
  .default({})
  .describe('Headers that go with every request; a key by the name of its secret.');

const endpoint = z
  .string()
  .max(2_000)
  .superRefine((text, context) => {
    const problem = describeEndpoint(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

const remote = {
  name: name.describe('What models refer to.'),
  apiKey: secretReference
    .exactOptional()
    .describe('The secret that goes along as `Authorization: Bearer`.'),
  addresses,
  headers: providerHeaders,
};

const provider = z.discriminatedUnion('kind', [
  z.strictObject({
    ...remote,
    kind: z.literal('openai').describe('The chat completions of OpenAI, which many servers speak.'),
    endpoint: endpoint.describe(
      'Where `/chat/completions` lies: `https://api.openai.com/v1`. Without a path `/v1` is meant.',
    ),
    tokenLimit: z
      .enum(['max_tokens', 'max_completion_tokens'])
      .default('max_tokens')
      .describe('What the endpoint calls `maxTokens`.'),
  }),
  z.strictObject({
    ...remote,
    kind: z.literal('ollama').describe('The API of Ollama.'),
    endpoint: endpoint.describe('Where `/api/chat` lies: `http://127.0.0.1:11434`.'),
  }),
  z.strictObject({
    name: remote.name,
    kind: z.literal('editor').describe('The models that the editor itself offers.'),
  }),
]);

const tokens = z.int().min(1).max(100_000_000);
const price = z.number().min(0).max(1_000_000);

const model = z.strictObject({
  name: name.describe('What directives call it.'),
  provider: name.describe('The provider that serves it.'),
  model: name.describe('What the provider calls it.'),
  parameters: z
    .strictObject({
      temperature: z.number().min(0).max(10).exactOptional().describe('0 for the likeliest text.'),
      topP: z
        .number()
        .min(0)
        .max(1)
        .exactOptional()
        .describe('Share of likely tokens to choose among.'),
      maxTokens: tokens.exactOptional().describe('Tokens that an answer may have.'),
      seed: z
        .int()
        .min(0)
        .exactOptional()
        .describe('Asks the provider for the same answer to the same prompt.'),
      stop: z
        .array(z.string().min(1).max(200))
        .min(1)
        .max(16)
        .exactOptional()
        .describe('Texts at which an answer ends.'),
    })
    .default({})
    .describe('How answers are made.'),
  timeoutMs: timeoutMs(120_000).exactOptional(),
  price: z
    .strictObject({
      input: price.describe('Money units for 1,000 tokens of a prompt.'),
      output: price.describe('Money units for 1,000 tokens of an answer.'),
    })
    .exactOptional()
    .describe(
      'What it costs. Needs `maxTokens` or `contextTokens`, for a bound to be told before.',
    ),
  contextTokens: tokens.exactOptional().describe('Tokens of prompt and answer together.'),
});

/**
 * The schema of `agency.json`, the one local registry of model providers, endpoints, models and
 * parameters (REFERENCE 3). Keys stand in it by the names of their secrets.
 */
export const agencySchema = z
  .strictObject({
    format: z.literal('agency/1').describe('Always `agency/1`.'),
    providers: z.array(provider).max(100).describe('Who serves models, and where.'),
    models: z.array(model).max(1_000).describe('The models that directives may name.'),
    default: name.exactOptional().describe('The model that is asked where a directive names none.'),
  })
  .superRefine(({ providers, models, default: fallback }, context) => {
    const report = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    reportTwins(providers, 'providers', report);
    reportTwins(models, 'models', report);
    providers.forEach((each, i) => {
      if (each.kind === 'editor') return;
      each.addresses.forEach((block, j) => {
        if (!ipaddr.isValidCIDR(block)) {
          report(['providers', i, 'addresses', j], 'no block of addresses such as 10.0.0.0/8');
        }
      });
      if (isOpenlyReadable(each.endpoint, each.addresses)) {
        report(
          ['providers', i, 'endpoint'],
          'plain http: leads to this machine, or to an IP address that "addresses" covers; write https:',
        );
      }
    });
    const known = new Set(providers.map((each) => each.name));
    models.forEach((each, i) => {
      if (!known.has(each.provider)) {
        report(['models', i, 'provider'], `no provider is named "${displayText(each.provider)}"`);
      }
      if (each.price !== undefined && outputTokens(each) === undefined) {
        report(
          ['models', i, 'price'],
          'a price needs "parameters.maxTokens" or "contextTokens" too',
        );
      }
    });
    if (fallback !== undefined && !models.some((each) => each.name === fallback)) {
      report(['default'], `no model is named "${displayText(fallback)}"`);
    }
  })
  .meta({
    title: 'Agency',
    description: 'The language models that may be asked: who serves them, where, and how.',
  });

type AgencyDocument = z.output<typeof agencySchema>;

/** Who serves models. `endpoint` is normalised, without a slash at its end, and never `localhost`. */
export type AgencyProvider = AgencyDocument['providers'][number];

/** A provider that is reached over HTTP. */
export type RemoteProvider = Exclude<AgencyProvider, { readonly kind: 'editor' }>;

/** A model: what directives call it, who serves it under what name, with what parameters. */
export type AgencyModel = AgencyDocument['models'][number];

/** The providers and models of an `agency.json`, by their names. */
export interface Agency {
  readonly providers: ReadonlyMap<string, AgencyProvider>;
  readonly models: ReadonlyMap<string, AgencyModel>;
  /** The name of the model that is asked where a directive names none. */
  readonly default: string | undefined;
}

/**
 * Parses an `agency.json`. Every model has its provider, and an endpoint on this machine is written
 * as an address, so that no name is resolved for it.
 * @param what names the document in the message.
 * @throws {InputError} `invalid-json` or `invalid-agency`, naming the field at fault, never a value
 *   that stands where a secret must be named.
 */
export function parseAgency(source: string | Uint8Array, what: string): Agency {
  const parsed = agencySchema.safeParse(parseJson(source, what));
  if (!parsed.success) {
    throw new InputError(
      'invalid-agency',
      `${what} is not an agency: ${describeIssues(parsed.error)}`,
    );
  }
  const { providers, models, default: fallback } = parsed.data;
  return Object.freeze({
    providers: new Map(providers.map((each) => [each.name, normalised(each)])),
    models: new Map(models.map((each) => [each.name, each])),
    default: fallback,
  });
}

/** The most tokens that an answer of a model can have; `undefined` where nothing bounds them. */
export function outputTokens({ parameters, contextTokens }: AgencyModel): number | undefined {
  return parameters.maxTokens ?? contextTokens;
}

/** Whether a host of a URL is this machine by its name or its address. */
export function isLoopback(hostname: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname) || isLocalName(hostname);
}

/** `localhost` and what is below it (RFC 6761 section 6.3). */
function isLocalName(hostname: string): boolean {
  return /^(?:.+\.)?localhost$/.test(hostname);
}

function normalised(each: AgencyProvider): AgencyProvider {
  if (each.kind === 'editor') return each;
  const url = new URL(each.endpoint);
  if (isLocalName(url.hostname)) url.hostname = '127.0.0.1';
  if (each.kind === 'openai' && url.pathname === '/') url.pathname = '/v1';
  return { ...each, endpoint: url.href.replace(/\/+$/, '') };
}

/** What is wrong with an endpoint, in words that do not repeat it: it may hold a key. */
function describeEndpoint(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return 'an endpoint is a URL such as https://api.example.com/v1';
  }
  if (url.username !== '' || url.password !== '') {
    return 'an endpoint holds no user or password: name the secret in "apiKey" or "headers"';
  }
  return url.search === '' && url.hash === '' ? undefined : 'an endpoint has no "?" and no "#"';
}

/** Whether keys and prompts would go over a network without TLS, and not to a granted address. */
function isOpenlyReadable(text: string, granted: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  if (protocol !== 'http:' || isLoopback(hostname)) return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!ipaddr.isValid(host)) return true;
  const address = ipaddr.parse(host);
  return !granted.some((text) => {
    if (!ipaddr.isValidCIDR(text)) return false;
    const [block, bits] = ipaddr.parseCIDR(text);
    return block.kind() === address.kind() && address.match(block, bits);
  });
}

function reportTwins(
  list: readonly { readonly name: string }[],
  field: string,
  report: (path: (string | number)[], message: string) => void,
): void {
  const seen = new Set<string>();
  list.forEach((each, i) => {
    if (seen.has(each.name)) {
      report([field, i, 'name'], `"${displayText(each.name)}" is listed twice`);
    }
    seen.add(each.name);
  });
}
