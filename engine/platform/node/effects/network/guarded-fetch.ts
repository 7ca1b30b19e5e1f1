import { CONNECTION_HEADERS } from '../../../../governance/grants/http.ts';
import {
  createGuardedClient,
  type GuardedClient,
  type NetworkOptions,
  type NetworkRules,
} from './guarded-client.ts';
import { tooLarge } from './network-refusal.ts';

export type { NetworkRules } from './guarded-client.ts';
export { NetworkRefusal } from './network-refusal.ts';
export type { Resolver } from './resolver.ts';

/** The `fetch` of the WHATWG standard, so that libraries take it as theirs. */
export type GuardedFetch = ((
  input: string | URL | Request,
  init?: RequestInit,
) => Promise<Response>) & {
  /** Ends every connection, also those in use. */
  close(): Promise<void>;
};

export interface GuardedFetchOptions extends NetworkOptions {
  /** Is told of bytes as they go out and come in: heads and bodies, compressed where they are. */
  readonly onBytes?: (count: number) => void;
}

/**
 * Makes a `fetch` that keeps to `rules`, each redirect judged like a first request. The name of a host
 * is resolved once for a connection, every address that it has is judged, and no other is connected
 * to. There are no cookies, no cache, no proxies, whatever the environment says; a request's body is
 * read whole before it is sent.
 *
 * It rejects, and the body of a response breaks off, with a {@link NetworkRefusal} for what the rules
 * do not let through, with the reason of an aborted signal, and else as the standard says: with a
 * `TypeError` whose cause `describeFailure` explains.
 * @throws {TypeError} for a host or a block of addresses in `rules` that is none.
 */
export function createGuardedFetch(
  rules: NetworkRules,
  { onBytes, ...options }: GuardedFetchOptions = {},
): GuardedFetch {
  const client = createGuardedClient(rules, options);
  const guardedFetch = (input: string | URL | Request, init?: RequestInit) =>
    send(client, rules, input, init, onBytes);
  return Object.assign(guardedFetch, { close: client.close });
}

async function send(
  client: GuardedClient,
  rules: NetworkRules,
  input: string | URL | Request,
  init: RequestInit | undefined,
  onBytes: ((count: number) => void) | undefined,
): Promise<Response> {
  // Before the standard's own reading, whose messages repeat a password that stands in a URL.
  const url = client.judge(input instanceof Request ? input.url : input);
  const request = new Request(input, init);
  const body = await readBody(request, rules.requestBytes);
  const headers = new Headers(request.headers);
  for (const name of CONNECTION_HEADERS) headers.delete(name);
  return client.send(
    { url, method: request.method, headers, body },
    {
      redirect: request.redirect,
      signal: request.signal,
      meter: client.meter(undefined, onBytes),
    },
  );
}

async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (request.body === null) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge('request', maxBytes, false);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
