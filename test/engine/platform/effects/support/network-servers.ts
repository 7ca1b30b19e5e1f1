import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { after } from 'node:test';
import type { Identity } from './tls-certificates.ts';

/** A server on 127.0.0.1 that ends with the tests of its file. */
export interface Running {
  readonly port: number;
  /** Connections that were made to it. */
  readonly connections: () => number;
}

export interface RunningHttp extends Running {
  /** Requests that reached it, in order. */
  readonly requests: readonly IncomingMessage[];
}

/** An HTTP server; with an identity an HTTPS server. */
export async function serveHttp(
  listener: RequestListener,
  identity?: Identity,
): Promise<RunningHttp> {
  const requests: IncomingMessage[] = [];
  const record: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const server: HttpServer =
    identity === undefined ? createHttpServer(record) : createHttpsServer({ ...identity }, record);
  const running = await listen(server);
  return { ...running, requests };
}

/** A server that speaks no protocol by itself: whatever `onSocket` writes. */
export function serveRaw(onSocket: (socket: Socket) => void): Promise<Running> {
  return listen(createTcpServer(onSocket));
}

/** A raw server that answers every request head with the same bytes. */
export function serveBytes(answer: string, isEnd = true): Promise<Running> {
  return serveRaw((socket) => {
    socket.once('data', () => {
      socket.write(answer);
      if (isEnd) socket.end();
    });
  });
}

async function listen(server: Server): Promise<Running> {
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return { port: address.port, connections: () => connections };
}

/** A port of 127.0.0.1 at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
