import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';

/** V8 ends each of its messages with the byte offset: `… @+37`. */
const OFFSET = /\s*@\+(\d+)$/;
const EXPERIMENTAL = /\s*[,(]?\s*(?:enable with|enable via) (--experimental-[a-z0-9-]+)\)?/;
/** V8's prefix names the JavaScript call, which is no concern of the reader. */
const PREFIX = /^WebAssembly\.Module\(\): /;
const MAX_REASON = 300;

/**
 * Has V8 decide whether the bytes are a valid module. Nothing is compiled for a valid one.
 * @throws {InputError} `invalid-module` with V8's reason on one line and its byte offset.
 */
export function requireValid(bytes: Uint8Array): void {
  if (typeof WebAssembly === 'undefined') {
    throw new InputError(
      'invalid-module',
      'this runtime has no WebAssembly, so it cannot decide whether the module is valid',
    );
  }
  // The types of the platform exclude shared buffers, which V8 copies like any other.
  const source = bytes as Uint8Array<ArrayBuffer>;
  if (WebAssembly.validate(source)) return;
  throw invalid(reasonOf(source));
}

function reasonOf(source: Uint8Array<ArrayBuffer>): string {
  try {
    new WebAssembly.Module(source);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'V8 gives no reason';
}

function invalid(message: string): InputError {
  const offset = OFFSET.exec(message)?.[1];
  const feature = EXPERIMENTAL.exec(message);
  // A function's name from the file may be part of the message, so it is shown as untrusted text.
  const reason = displayText(
    message.replace(PREFIX, '').replace(OFFSET, '').replace(EXPERIMENTAL, ''),
    MAX_REASON,
  );
  const where = offset === undefined ? '' : `, at byte ${offset}`;
  const hint =
    feature === null
      ? ''
      : `; this runtime does not know the feature (V8 has it behind ${feature[1]}), a newer one may`;
  return new InputError(
    'invalid-module',
    `not a valid WebAssembly module: ${reason}${where}${hint}`,
    {
      ...(offset !== undefined && { offset: Number(offset) }),
    },
  );
}
