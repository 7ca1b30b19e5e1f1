import type { IncomingMessage } from 'node:http';
import { ServiceRefusal } from './service-refusal.ts';

/**
 * Reads the JSON body of a request, as bytes.
 * @param maxBytes that it may have; not many more are read.
 * @throws {ServiceRefusal} `unsupported-media-type` or `too-large`; the reason of `signal`; what the
 *   connection breaks off with.
 */
export async function readJsonBody(
  request: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const {
    'content-type': type = '',
    'content-encoding': encoding,
    'content-length': length,
  } = request.headers;
  if (!JSON_TYPE.test(type) || encoding !== undefined) {
    const message = 'the body of a request is application/json, not compressed';
    throw new ServiceRefusal(415, 'unsupported-media-type', message);
  }
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const stop = () => request.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await readBounded(request, maxBytes);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset=utf-8)?$/i;

async function readBounded(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  // Leaving the loop early must not end the connection, over which the refusal goes.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    length += piece.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function tooLarge(maxBytes: number): ServiceRefusal {
  const message = `the body of this request may have ${maxBytes.toLocaleString('en')} bytes at most`;
  return new ServiceRefusal(413, 'too-large', message);
}
