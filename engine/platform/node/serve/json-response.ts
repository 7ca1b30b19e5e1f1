import type { ServerResponse } from 'node:http';
import { errorBody } from '../../../attestation/exchange.ts';
import type { ServiceRefusal } from './service-refusal.ts';

/** Sends JSON, and nothing that a cache or a browser would make something of. */
export function sendJson(response: ServerResponse, status: number, body: Uint8Array): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** Says why something was not done, where somebody is there to be told. */
export function sendRefusal(
  response: ServerResponse,
  { status, code, message, retryAfter }: ServiceRefusal,
): void {
  if (response.destroyed || response.headersSent) return;
  if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
  if (status === 405) response.setHeader('allow', 'POST');
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  // What is left of a body that was not read is nobody's request.
  if (!response.req.complete) response.setHeader('connection', 'close');
  sendJson(response, status, errorBody(code, message));
}

/** Waits until a response has gone out or its connection has, which is ended after `ms` milliseconds. */
export function flushed(response: ServerResponse, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed || response.closed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => response.destroy(), ms);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
