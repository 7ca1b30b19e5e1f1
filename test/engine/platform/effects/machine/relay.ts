import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { serveHttp } from '../support/network-servers.ts';
import type { Identity } from '../support/tls-certificates.ts';

/** A request as it came to a {@link relay}. */
export interface Relayed {
  /** The last part of the path: `offer` or `calls`. */
  readonly what: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface RelayedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface PostedAnswer extends RelayedAnswer {
  readonly headers: IncomingHttpHeaders;
}

/** Somebody between a caller and a server. */
export interface Relay {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly Relayed[];
  /** All that callers have sent, as one text. */
  sent(): string;
}

/**
 * Passes requests on, and keeps them.
 * @param answer answers in place of the server; `pass` asks it, with another body if there is one.
 */
export async function relay(
  target: string,
  answer: (
    request: Relayed,
    pass: (body?: string) => Promise<RelayedAnswer>,
  ) => Promise<RelayedAnswer> = (_request, pass) => pass(),
  identity?: Identity,
): Promise<Relay> {
  const seen: Relayed[] = [];
  const { port } = await serveHttp((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece) => pieces.push(piece));
    incoming.on('end', async () => {
      const { url: path = '', headers } = incoming;
      const relayed = {
        what: path.split('/').at(-1) ?? '',
        ...{ path, headers, body: Buffer.concat(pieces) },
      };
      seen.push(relayed);
      const { status, body } = await answer(relayed, async (other) =>
        post(`${target}${path}`, other ?? relayed.body.toString()),
      );
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    });
  }, identity);
  return {
    url: `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    seen,
    sent: () =>
      seen.map(({ path, headers, body }) => `${path}${JSON.stringify(headers)}${body}`).join('\n'),
  };
}

/** Posts a body over a connection of its own. */
export function post(
  url: string,
  body: string | Uint8Array,
  headers: OutgoingHttpHeaders = {},
  method = 'POST',
): Promise<PostedAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      ...{ method, agent: false },
      headers: { 'content-type': 'application/json', ...headers },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => {
        const { statusCode: status = 0 } = response;
        resolve({ status, headers: response.headers, body: Buffer.concat(pieces) });
      });
    });
    asked.end(body);
  });
}
