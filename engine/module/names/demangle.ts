import { demangleItanium } from './demangle-itanium.ts';
import { demangleRustV0 } from './demangle-rust-v0.ts';

/** Longer symbols are left as they are, so that no name from a file costs much. */
const MAX_SYMBOL = 8192;

/**
 * A symbol as its author wrote it: Rust (legacy and v0 mangling) and C++ (Itanium, names without
 * template arguments). What it cannot read it answers unchanged. The text stays that of an
 * untrusted file.
 */
export function demangle(symbol: string): string {
  if (symbol.length > MAX_SYMBOL) return symbol;
  if (/^_?_?R[A-Z]/.test(symbol)) return demangleRustV0(symbol) ?? symbol;
  if (/^_?_?_?ZN/.test(symbol)) {
    return demangleRustLegacy(symbol) ?? demangleItanium(symbol) ?? symbol;
  }
  return symbol.startsWith('_Z') ? (demangleItanium(symbol) ?? symbol) : symbol;
}

/** Escapes of rustc's legacy mangling; `$u7b$` and its like are code points. */
const LEGACY_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['SP', '@'],
  ['BP', '*'],
  ['RF', '&'],
  ['LT', '<'],
  ['GT', '>'],
  ['LP', '('],
  ['RP', ')'],
  ['C', ','],
]);

const HASH = /^h[0-9a-f]{16}$/;

/**
 * Rust's legacy mangling: `_ZN`, identifiers each after its length, the last a hash `h` with 16 hex
 * digits that tells it from C++, `E`. The hash is left out; a suffix of LLVM after the `E` too.
 */
function demangleRustLegacy(symbol: string): string | undefined {
  const parts: string[] = [];
  let rest = symbol.replace(/^_*ZN/, '');
  while (!rest.startsWith('E')) {
    const digits = /^[1-9]\d{0,3}/.exec(rest)?.[0];
    if (digits === undefined) return undefined;
    const end = digits.length + Number(digits);
    if (end >= rest.length) return undefined;
    parts.push(rest.slice(digits.length, end));
    rest = rest.slice(end);
  }
  if (!/^E(?:\.llvm\.[0-9A-F]+)?(?:@@\d+)?$/.test(rest)) return undefined;
  const hash = parts.pop();
  if (hash === undefined || parts.length === 0 || !HASH.test(hash)) return undefined;
  return parts.map(unescapeLegacy).join('::');
}

function unescapeLegacy(part: string): string {
  const text = part.startsWith('_$') ? part.slice(1) : part;
  return text
    .replace(/\$(?:u([0-9a-f]{1,6})|([A-Z]{1,2}))\$/g, (whole, hex, name) =>
      hex === undefined ? (LEGACY_ESCAPES.get(name) ?? whole) : codePoint(hex, whole),
    )
    .replaceAll('..', '::');
}

function codePoint(hex: string, whole: string): string {
  const point = Number.parseInt(hex, 16);
  return point > 0x10ffff || (point >= 0xd800 && point < 0xe000)
    ? whole
    : String.fromCodePoint(point);
}
