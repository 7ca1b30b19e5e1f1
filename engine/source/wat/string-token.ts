import type { TextRange } from '../../project/json-document.ts';
import type { Scanner } from './scanner.ts';
import { decodeString } from './strings.ts';

/** A string as it is written. */
export interface StringToken {
  /** What it stands for; `undefined` where its bytes are no UTF-8. */
  readonly name: string | undefined;
  /** What stands between its quotes. */
  readonly contents: TextRange;
  /** The contents; where they are empty, the string with its quotes. */
  readonly mark: TextRange;
  /** Whether its second quote is there. */
  readonly isClosed: boolean;
}

/** The string that a scanner stands on. */
export function stringToken({ text, start, end, isClosed }: Scanner): StringToken {
  const offset = start + 1;
  const contents = { offset, length: end - offset - (isClosed ? 1 : 0) };
  return {
    name: decodeString(text.slice(offset, offset + contents.length)),
    contents,
    mark: contents.length === 0 ? { offset: start, length: end - start } : contents,
    isClosed,
  };
}
