import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { rangeOf, textOf } from './syntax.ts';

/** A string literal: what it means, and where it stands, its quotes included. */
export interface RustLiteral {
  readonly value: string;
  readonly range: TextRange;
}

/**
 * Reads a string or raw string literal (The Rust Reference, "Tokens").
 * @returns `undefined` for byte and C strings, for escapes Rust does not have, and for other nodes.
 */
export function readRustLiteral(node: Node, text: string): RustLiteral | undefined {
  const value = meaningOf(node.type, textOf(node, text));
  return value === undefined ? undefined : { value, range: rangeOf(node) };
}

function meaningOf(type: string, written: string): string | undefined {
  // The compiler reads a line break of two characters as one, in raw strings too.
  const source = written.replaceAll('\r\n', '\n');
  const hashes = type === 'raw_string_literal' ? /^r(#*)"/.exec(source)?.[1] : undefined;
  if (hashes !== undefined) return between(`r${hashes}"`, source, `"${hashes}`);
  const content = type === 'string_literal' ? between('"', source, '"') : undefined;
  return content === undefined ? undefined : unescaped(content);
}

function between(start: string, source: string, end: string): string | undefined {
  const isWhole = source.startsWith(start) && source.slice(start.length).endsWith(end);
  return isWhole ? source.slice(start.length, -end.length) : undefined;
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['0', '\0'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
]);

/** An escape; one at the end of a line takes the white space after it along. */
const ESCAPE = /\\(?:x([0-7][0-9a-fA-F])|u\{([0-9a-fA-F_]{1,16})\}|\n\s*|(.))/gsu;

function unescaped(content: string): string | undefined {
  let isValid = true;
  const value = content.replace(ESCAPE, (_, byte?: string, point?: string, simple?: string) => {
    const digits = byte ?? point?.replaceAll('_', '');
    if (digits !== undefined) {
      const code = Number.parseInt(digits, 16);
      if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff))
        return String.fromCodePoint(code);
      isValid = false;
    } else if (simple !== undefined) {
      const found = SIMPLE.get(simple);
      isValid &&= found !== undefined;
      return found ?? '';
    }
    return '';
  });
  return isValid ? value : undefined;
}
