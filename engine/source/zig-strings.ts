import type { Node } from 'web-tree-sitter';
import { encodeUtf8, tryDecodeUtf8 } from '../encoding/utf8.ts';
import { quoted, textOf } from './syntax.ts';

/** What a `string` node means; `undefined` if it is not UTF-8, or has an escape that Zig has not. */
export function readZigString(node: Node, text: string): string | undefined {
  return node.type === 'string' ? meaningOf(textOf(node, text)) : undefined;
}

/** What an identifier is called: `@"two words"` may be called anything. */
export function readZigIdentifier(written: string): string | undefined {
  return written.startsWith('@') ? meaningOf(written.slice(1)) : written;
}

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
]);

/** A piece of a literal: an escape, whose part after the backslash is captured, or other text. */
const PIECE = /\\(x[0-9a-fA-F]{2}|u\{[0-9a-fA-F]{1,6}\}|.)|[^\\]+/gsu;

/** A literal is a string of bytes, and `\x` one of them. */
function meaningOf(literal: string): string | undefined {
  if (literal.length < 2 || !literal.startsWith('"') || !literal.endsWith('"')) return undefined;
  const content = literal.slice(1, -1);
  if (!content.includes('\\')) return content.isWellFormed() ? content : undefined;
  const bytes: number[] = [];
  for (const [piece, code] of content.matchAll(PIECE)) {
    const found = code === undefined ? encodeUtf8(piece) : bytesOfEscape(code);
    if (found === undefined) return undefined;
    for (const byte of found) bytes.push(byte);
  }
  return tryDecodeUtf8(Uint8Array.from(bytes));
}

function bytesOfEscape(code: string): Uint8Array | undefined {
  if (code.length === 1) {
    const simple = SIMPLE.get(code);
    return simple === undefined ? undefined : encodeUtf8(simple);
  }
  const value = Number.parseInt(code.replace(/[xu{}]/g, ''), 16);
  if (code.startsWith('x')) return Uint8Array.of(value);
  const isScalar = value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff);
  return isScalar ? encodeUtf8(String.fromCodePoint(value)) : undefined;
}

const RESERVED: ReadonlySet<string> = new Set(
  (
    'addrspace align allowzero and anyframe anytype asm async await break callconv catch comptime ' +
    'const continue defer else enum errdefer error export extern fn for if inline linksection ' +
    'noalias noinline nosuspend opaque or orelse packed pub resume return struct suspend switch ' +
    'test threadlocal try union unreachable usingnamespace var volatile while ' +
    'anyerror anyopaque bool c_char c_int c_long c_longdouble c_longlong c_short c_uint c_ulong ' +
    'c_ulonglong c_ushort comptime_float comptime_int false isize noreturn null true type ' +
    'undefined usize void'
  ).split(' '),
);

/** An identifier that is called `name`; `undefined` for a name that none can have. */
export function spellZigIdentifier(name: string): string | undefined {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !/^(?:_|[iuf]\d+)$/.test(name);
  if (isPlain && !RESERVED.has(name)) return name;
  const literal = name === '' ? undefined : quoted(name);
  return literal && `@${literal}`;
}
