import { visit } from 'jsonc-parser';
import { InputError } from './input-error.ts';
import { parseJson } from './json.ts';
import { decodeUtf8 } from './utf8.ts';

/** The greatest unsigned integer of 64 bits. */
export const MAX_U64 = 2n ** 64n - 1n;

/** How a whole number from 0 up is written, and nothing else. */
const WHOLE_NUMBER = /^(?:0|[1-9]\d*)$/;
const MOST_DIGITS = 20;

/**
 * Parses a document whose every number is an unsigned integer of at most 64 bits, as programs in
 * languages that have such integers write it, exactly: a number beyond 2^53 − 1, which a double would
 * round, comes as a `bigint` in its place. What RFC 8785 refuses (`parseJson`) is refused here too.
 * @param what names the document in the message.
 * @throws {InputError} `invalid-json` or `invalid-utf8`; also for a number written with a sign, a
 * fraction or an exponent, or beyond 64 bits.
 */
export function parseU64Json(source: string | Uint8Array, what: string): unknown {
  const text = typeof source === 'string' ? source : decodeUtf8(source, what);
  const root: object = { value: parseJson(text, what) };
  visit(
    text,
    {
      onLiteralValue: (value: unknown, offset, length, line, column, path) => {
        if (typeof value !== 'number') return;
        const written = text.slice(offset, offset + length);
        const exact =
          length <= MOST_DIGITS && WHOLE_NUMBER.test(written) ? BigInt(written) : undefined;
        if (exact === undefined || exact > MAX_U64) {
          throw new InputError(
            'invalid-json',
            `${what}: a number is not a whole one of at most 64 bits, line ${line + 1} column ${column + 1}`,
            { offset },
          );
        }
        if (exact > BigInt(Number.MAX_SAFE_INTEGER)) place(root, ['value', ...path()], exact);
      },
    },
    { disallowComments: true },
  );
  return Reflect.get(root, 'value');
}

function place(root: object, path: readonly (string | number)[], value: bigint): void {
  let at: object = root;
  for (const step of path.slice(0, -1)) at = Object(Reflect.get(at, step));
  const last = path.at(-1);
  if (last !== undefined) Reflect.set(at, last, value);
}
