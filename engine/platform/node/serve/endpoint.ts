import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import {
  MACHINES_PATH,
  parseCallRequest,
  parseOfferRequest,
  serializeCallAnswer,
} from '../../../attestation/exchange.ts';
import { attestationHash, serializeAttestation } from '../../../attestation/record.ts';
import type { Crypto, Sha256 } from '../../../crypto/crypto.ts';
import { InputError } from '../../../encoding/input-error.ts';
import { createTokenCheck } from './bearer-token.ts';
import { flushed, sendJson, sendRefusal } from './json-response.ts';
import type { MachineService } from './machine-service.ts';
import { createRateLimit } from './rate-limit.ts';
import { readJsonBody } from './request-body.ts';
import { ServiceRefusal } from './service-refusal.ts';

/** What requests are let through by. */
export interface EndpointOptions {
  readonly crypto: Crypto;
  readonly service: MachineService;
  /** The bearer token that callers must have; none unless given. */
  readonly token?: string | undefined;
  /** The hosts that requests may name; all unless given. Against web pages that rebind a name. */
  readonly hosts?: ReadonlySet<string> | undefined;
  readonly limits: EndpointLimits;
  /** Is told of each request once it is answered. */
  readonly onAnswered?: ((answered: AnsweredRequest) => void) | undefined;
  /** Is told of what nobody foresaw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface EndpointLimits {
  /** Bytes that the body of a call may have. */
  readonly callBytes: number;
  /** Requests of one peer within a minute; a call takes two. */
  readonly requestsPerMinute: number;
  /** Milliseconds that a caller may take to read an answer. */
  readonly answerMs: number;
}

export const DEFAULT_ENDPOINT_LIMITS: EndpointLimits = Object.freeze({
  callBytes: 1_048_576,
  requestsPerMinute: 240,
  answerMs: 60_000,
});

/** One request, for a log: nothing of its input is in it. */
export interface AnsweredRequest {
  /** The peer's address. */
  readonly peer: string;
  readonly what: 'offer' | 'call' | 'other';
  /** As it stands in the path. */
  readonly machine: string | undefined;
  /** Of HTTP. */
  readonly status: number;
  /** The code of the refusal, or the status that the run ended with. */
  readonly outcome: string;
  /** The hash of the attestation record that went out. */
  readonly attestation?: Sha256;
  /** Milliseconds. */
  readonly took: number;
}

/** Answers requests over HTTP. */
export interface Endpoint {
  readonly listener: RequestListener;
  /**
   * From here on requests are refused. Resolves when those under way are answered; once `signal`
   * aborts, calls under way are cancelled, and recorded as such.
   */
  drain(signal: AbortSignal): Promise<void>;
}

/** Bytes that the body of a request for an offer may have. */
const OFFER_BYTES = 1_024;

/** What is answered. */
interface Answer {
  readonly body: Uint8Array;
  readonly outcome: string;
  readonly attestation: Sha256;
}

/** What a path asks for. */
interface Target {
  readonly machine: string;
  readonly what: 'offer' | 'calls';
}

/** Serves `POST /v1/machines/NAME/offer` and `…/calls` (engine/attestation/exchange.ts). */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { crypto, service, limits, hosts, onAnswered, onError } = options;
  const isAllowed = options.token === undefined ? () => true : createTokenCheck(options.token);
  const countRequest = createRateLimit(limits.requestsPerMinute, () => performance.now());
  const stopping = new AbortController();
  /** What cancels each request under way. */
  const cancels = new Set<AbortController>();
  const underWay = new Set<Promise<void>>();

  const admit = (request: IncomingMessage): Target => {
    const { method, headers, socket } = request;
    if (stopping.signal.aborted) throw stoppingNow();
    countRequest(socket.remoteAddress ?? '');
    if (hosts !== undefined && !hosts.has(hostOf(headers.host))) {
      throw new ServiceRefusal(421, 'wrong-host', 'nothing is served under this host');
    }
    const target = targetOf(request);
    if (target === undefined) {
      throw new ServiceRefusal(404, 'not-found', 'there is nothing at this path');
    }
    if (method !== 'POST') {
      throw new ServiceRefusal(405, 'method-not-allowed', 'only POST is answered here');
    }
    if (!isAllowed(headers.authorization)) {
      throw new ServiceRefusal(401, 'unauthorized', 'a bearer token is needed that is known here');
    }
    return target;
  };

  const offer = async (request: IncomingMessage, machine: string): Promise<Answer> => {
    const body = await readJsonBody(request, OFFER_BYTES, stopping.signal);
    const record = await service.offer(machine, parsed(parseOfferRequest, body));
    const attestation = attestationHash(crypto, record);
    return { body: serializeAttestation(record), outcome: 'offered', attestation };
  };

  const call = async (
    request: IncomingMessage,
    machine: string,
    signal: AbortSignal,
  ): Promise<Answer> => {
    const body = await readJsonBody(request, limits.callBytes, stopping.signal);
    const answer = await service.call(machine, parsed(parseCallRequest, body), signal);
    const attestation = attestationHash(crypto, answer.attestation);
    return { body: serializeCallAnswer(answer), outcome: answer.status, attestation };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const cancel = new AbortController();
    cancels.add(cancel);
    response.on('close', () => {
      cancels.delete(cancel);
      cancel.abort(); // where its caller hung up
    });
    const told = { peer: request.socket.remoteAddress ?? '', machine: targetOf(request)?.machine };
    let what: AnsweredRequest['what'] = 'other';
    let result: Omit<AnsweredRequest, 'peer' | 'machine' | 'what' | 'took'>;
    try {
      const target = admit(request);
      what = target.what === 'offer' ? 'offer' : 'call';
      const { body, outcome, attestation } =
        what === 'offer'
          ? await offer(request, target.machine)
          : await call(request, target.machine, cancel.signal);
      if (stopping.signal.aborted) response.setHeader('connection', 'close');
      sendJson(response, 200, body);
      result = { status: 200, outcome, attestation };
    } catch (error) {
      const refusal = toRefusal(error, onError);
      sendRefusal(response, refusal);
      result = { status: refusal.status, outcome: refusal.code };
    }
    onAnswered?.({ ...told, what, ...result, took: performance.now() - began });
    await flushed(response, limits.answerMs);
  };

  return {
    listener: (request, response) => {
      const answered = answer(request, response)
        .catch((error) => onError?.(error))
        .finally(() => underWay.delete(answered));
      underWay.add(answered);
    },
    drain: async (signal) => {
      stopping.abort(stoppingNow());
      const cancelAll = () => {
        for (const cancel of cancels) cancel.abort();
      };
      signal.addEventListener('abort', cancelAll, { once: true });
      if (signal.aborted) cancelAll();
      await Promise.all(underWay);
      signal.removeEventListener('abort', cancelAll);
    },
  };
}

/** The machine that a path names; `undefined` for any other path. */
function targetOf({ url = '' }: IncomingMessage): Target | undefined {
  if (!url.startsWith(MACHINES_PATH)) return undefined;
  const [name = '', what, ...more] = url.slice(MACHINES_PATH.length).split('/');
  if ((what !== 'offer' && what !== 'calls') || more.length > 0) return undefined;
  try {
    const machine = decodeURIComponent(name);
    return machine === '' ? undefined : { machine, what };
  } catch {
    return undefined;
  }
}

/** The host of a `Host` header, without its port. */
function hostOf(header = ''): string {
  return header.replace(/:\d+$/, '').toLowerCase();
}

function parsed<Request>(parse: (body: Uint8Array) => Request, body: Uint8Array): Request {
  try {
    return parse(body);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new ServiceRefusal(400, 'invalid-request', error.message);
  }
}

function stoppingNow(): ServiceRefusal {
  return new ServiceRefusal(503, 'stopping', 'this server is about to stop', 30);
}

function toRefusal(error: unknown, onError: EndpointOptions['onError']): ServiceRefusal {
  if (error instanceof ServiceRefusal) return error;
  if (isBrokenOff(error)) return new ServiceRefusal(400, 'broken-off', 'the request broke off');
  onError?.(error);
  return new ServiceRefusal(500, 'internal', 'the call could not be made or recorded here');
}

/** Whether the caller has gone. */
function isBrokenOff(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AbortError' || ('code' in error && error.code === 'ECONNRESET');
}
