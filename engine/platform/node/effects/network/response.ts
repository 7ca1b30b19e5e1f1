import type { Response as WireResponse } from 'undici';
import { NetworkRefusal, tooLarge } from './network-refusal.ts';

/** Statuses whose responses have no body (fetch standard). */
const NULL_BODY = new Set([204, 205, 304]);

const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A response as a `Response` of Node.js itself, so that any library knows it, with its body cut off
 * after `maxBytes` bytes, counted once decompressed.
 * @throws {NetworkRefusal} for a status outside of 200 to 599.
 */
export function boundedResponse(
  response: WireResponse,
  url: URL,
  isRedirected: boolean,
  maxBytes: number,
): Response {
  const { status, statusText } = response;
  if (status < 200 || status > 599) {
    throw new NetworkRefusal('invalid-response', `there is no status ${status}`, true);
  }
  const body = NULL_BODY.has(status) ? null : boundedBody(response, maxBytes);
  const bounded = new Response(body, {
    status,
    statusText: REASON_PHRASE.test(statusText) ? statusText : '',
    headers: [...response.headers],
  });
  Object.defineProperties(bounded, {
    url: { value: url.href },
    redirected: { value: isRedirected },
  });
  return bounded;
}

function boundedBody(response: WireResponse, maxBytes: number): ReadableStream<Uint8Array> | null {
  const reader = response.body?.getReader();
  if (reader === undefined) return null;
  let count = 0;
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          return;
        }
        count += value.length;
        if (count > maxBytes) throw tooLarge('response', maxBytes, true);
        controller.enqueue(value);
      } catch (error) {
        controller.error(refusalWithin(error));
        await reader.cancel().catch(() => undefined);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** The library hands a refusal of the wire on as the cause of its own error. */
function refusalWithin(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof NetworkRefusal ? error.cause : error;
}
