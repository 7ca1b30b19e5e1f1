import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { errorBody } from '../../../attestation/exchange.ts';
import { displayText } from '../../../encoding/display.ts';
import { InputError } from '../../../encoding/input-error.ts';

/** Where to listen. */
export interface ListenOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Certificate chain and private key in PEM. Without them only this machine is listened to. */
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
  /** Milliseconds that a request may take to come in; 30,000 unless given. */
  readonly requestMs?: number;
}

/** A server that listens. */
export interface Listening {
  /** `https://HOST:PORT` or `http://…`. */
  readonly url: string;
  /** Takes no more connections. */
  close(): void;
  /** Ends those that are there, once it was closed; resolves when they are gone. */
  end(): Promise<void>;
}

const REQUEST_MS = 30_000;

const MAX_CONNECTIONS = 256;

/** Addresses that nobody but this machine reaches. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '::1']);

/** What requests over them call their host: a web page that rebinds a name of its own calls it so. */
export const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Listens for requests, over TLS 1.2 or later, or else on a loopback address alone. Requests that come
 * in too slowly or with too large a head are refused, and so are connections beyond some hundred.
 * @throws {InputError} `usage` for another address without TLS, a certificate or key that cannot be
 *   used, or an address that cannot be listened to.
 */
export async function listen(
  { host, port, tls, requestMs = REQUEST_MS }: ListenOptions,
  listener: RequestListener,
): Promise<Listening> {
  if (tls === undefined && !LOOPBACK_HOSTS.has(host)) {
    throw new InputError(
      'usage',
      `"${displayText(host)}" is served over TLS alone: give --tls-cert and --tls-key, or listen on 127.0.0.1 or ::1`,
    );
  }
  const server = createPlainOrTls(tls, {
    maxHeaderSize: 16_384,
    headersTimeout: Math.min(10_000, requestMs),
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, requestMs),
    keepAliveTimeout: 5_000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', listener);
  server.on('clientError', answerBadRequest);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(cannotListen(host, port, cause)));
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  let closed: Promise<void> | undefined;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shownHost}:${bound.port}`,
    close: () => {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
    end: async () => {
      server.closeAllConnections();
      await closed;
    },
  };
}

function createPlainOrTls(tls: ListenOptions['tls'], options: ServerOptions): Server {
  if (tls === undefined) return createServer(options);
  try {
    return createTlsServer({
      ...options,
      cert: Buffer.from(tls.cert),
      key: Buffer.from(tls.key),
      minVersion: 'TLSv1.2',
      handshakeTimeout: 10_000,
    });
  } catch (cause) {
    const message =
      'the TLS certificate and key cannot be used: both in PEM, one made for the other';
    throw new InputError('usage', message, { cause });
  }
}

/** Answers what is no request of HTTP, or came too slowly, as other refusals are answered. */
function answerBadRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = BAD_REQUESTS[error.code ?? ''] ?? ['400 Bad Request', 'invalid-request'];
  const body = errorBody(code, 'the request could not be read');
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${Buffer.from(body)}`,
    () => socket.destroy(),
  );
}

const BAD_REQUESTS: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'too-large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
};

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): InputError {
  const why =
    cause.code === 'EADDRINUSE' ? 'something else listens there' : (cause.code ?? 'it fails');
  return new InputError('usage', `cannot listen on ${displayText(host)}, port ${port}: ${why}`, {
    cause,
  });
}
