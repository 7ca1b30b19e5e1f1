import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Position, Range } from 'vscode-languageserver-types';
import type { TextRange } from '../../engine/project/json-document.ts';
import { utf16LengthOf } from './utf8-columns.ts';

/** Between offsets in a text and the positions of the protocol. */
export interface Lines {
  positionAt(offset: number): Position;
  rangeOf(range: TextRange): Range;
  /** A piece of a line that is counted in bytes of UTF-8, as assemblers do. All from 0. */
  rangeOfBytes(line: number, column: number, length: number): Range;
}

export function linesOf(text: string): Lines {
  const document = TextDocument.create('', '', 0, text);
  const positionAt = (offset: number) => document.positionAt(offset);
  return {
    positionAt,
    rangeOf: ({ offset, length }) => ({
      start: positionAt(offset),
      end: positionAt(offset + length),
    }),
    rangeOfBytes(line, column, length) {
      const start = { line, character: 0 };
      const whole = document.getText({ start, end: { line: line + 1, character: 0 } });
      const content = whole.replace(/\r?\n$/, '');
      const from = utf16LengthOf(content, column);
      const to = utf16LengthOf(content, column + length);
      return { start: { line, character: from }, end: { line, character: Math.max(to, from) } };
    },
  };
}
