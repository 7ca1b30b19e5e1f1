import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { Cursor } from './cursor.ts';
import { SECTION } from './sections.ts';
import type { SectionEntry } from './types.ts';

/** V8 ends each of its messages with the byte offset: `… @+37`. */
const OFFSET = /\s*@\+(\d+)$/;
const EXPERIMENTAL = /\s*[,(]?\s*(?:enable with|enable via) (--experimental-[a-z0-9-]+)\)?/;
/** V8's prefix names the JavaScript call, which is no concern of the reader. */
const PREFIX = /^WebAssembly\.Module\(\): /;
const MAX_REASON = 300;

/**
 * V8 (seen in 11.3, of Node 20) compares each new type with all others of its hash, and they are easily
 * made to share one, so that it needs the number of types times their bytes. At this bound the
 * worst that was tried took 0.9 seconds; the largest real module tried lies at a third of it.
 */
const MAX_TYPE_WORK = 2 ** 30;

/**
 * Has V8 decide whether the bytes are a valid module. Nothing is compiled for a valid one.
 * @param sections as the walker read them.
 * @throws {InputError} `invalid-module` with V8's reason on one line and its byte offset, or
 *   `too-large` for more types than V8 could compare in seconds.
 */
export function requireValid(bytes: Uint8Array, sections: readonly SectionEntry[]): void {
  if (typeof WebAssembly === 'undefined') {
    throw new InputError(
      'invalid-module',
      'this runtime has no WebAssembly, so it cannot decide whether the module is valid',
    );
  }
  requireFewTypes(bytes, sections);
  // The types of the platform exclude shared buffers, which V8 copies like any other.
  const source = bytes as Uint8Array<ArrayBuffer>;
  if (WebAssembly.validate(source)) return;
  throw invalid(reasonOf(source));
}

/**
 * Refuses a module whose types V8 would take seconds to read, before it is given to V8.
 * @throws {InputError} `too-large`.
 */
export function requireFewTypes(bytes: Uint8Array, sections: readonly SectionEntry[]): void {
  const section = sections.find(({ id }) => id === SECTION.type);
  if (section === undefined) return;
  const { offset, size } = section;
  const count = new Cursor(bytes, offset, offset + size).u32();
  if (count * size <= MAX_TYPE_WORK) return;
  throw new InputError(
    'too-large',
    `${count} types in ${size} bytes are more than can be checked in reasonable time, at byte ${offset}`,
    { offset },
  );
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
