import { InputError } from '../engine/encoding/input-error.ts';
import { MAX_DOCUMENT_BYTES } from '../engine/platform/node/files.ts';

/**
 * Everything on standard input.
 * @throws {InputError} `too-large` beyond {@link MAX_DOCUMENT_BYTES}.
 */
export async function readStandardInput(): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of process.stdin) {
    length += piece.length;
    if (length > MAX_DOCUMENT_BYTES) {
      throw new InputError(
        'too-large',
        `standard input has more than ${MAX_DOCUMENT_BYTES.toLocaleString('en-US')} bytes; no document is that large`,
      );
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
