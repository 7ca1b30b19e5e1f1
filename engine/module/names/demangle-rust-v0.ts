// Rust's v0 symbol mangling (RFC 2603), printed as `rustc` shows paths: without crate hashes and
// without the types of constants.

import { decodePunycode } from './punycode.ts';

const BASIC_TYPES: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

/** Back references let a short symbol stand for a huge text: both are bounded. */
const MAX_TEXT = 4096;
const MAX_STEPS = 20_000;
const MAX_DEPTH = 100;

/** Answers `undefined` for what is not a v0 symbol, or one that is too large or uses a later form. */
export function demangleRustV0(symbol: string): string | undefined {
  const match = /^_?_?R([A-Z][0-9A-Za-z_]*)(\.[\w.@$]*)?$/.exec(symbol);
  const encoded = match?.[1];
  if (encoded === undefined) return undefined;
  try {
    const text = new Parser(encoded).symbol();
    const suffix = match?.[2] ?? '';
    return suffix.startsWith('.llvm.') ? text : text + suffix;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

/** v0 writes `_` where Punycode has its `-`. */
function unicode(raw: string): string {
  const text = decodePunycode(raw, '_');
  if (text === undefined) throw new Unreadable();
  return text;
}

interface Identifier {
  readonly disambiguator: number;
  readonly name: string;
}

class Parser {
  private readonly text: string;
  private at = 0;
  private steps = 0;
  private depth = 0;
  private size = 0;
  /** How many lifetimes the enclosing binders have introduced. */
  private lifetimes = 0;

  constructor(text: string) {
    this.text = text;
  }

  symbol(): string {
    const path = this.path(true);
    // An instantiating crate may follow; it is no part of the name.
    if (this.at < this.text.length) this.path(false);
    if (this.at < this.text.length) throw new Unreadable();
    return path;
  }

  /** @param inValue whether generic arguments take a turbofish. */
  private path(inValue: boolean): string {
    return this.nested(() => {
      const tag = this.next();
      switch (tag) {
        case 'C':
          return this.identifier().name;
        case 'N':
          return this.nestedPath(inValue);
        case 'M':
          this.implPath();
          return `<${this.type()}>`;
        case 'X':
          this.implPath();
          return this.qualified();
        case 'Y':
          return this.qualified();
        case 'I': {
          const path = this.path(inValue);
          const args = this.list(() => this.genericArgument());
          return `${path}${inValue ? '::' : ''}<${args.join(', ')}>`;
        }
        case 'B':
          return this.backReference(() => this.path(inValue));
        default:
          throw new Unreadable();
      }
    });
  }

  private nestedPath(inValue: boolean): string {
    const namespace = this.next();
    const outer = this.path(inValue);
    const { disambiguator, name } = this.identifier();
    if (/[A-Z]/.test(namespace)) {
      const kind = { C: 'closure', S: 'shim' }[namespace] ?? namespace;
      return `${outer}::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`;
    }
    if (!/[a-z]/.test(namespace)) throw new Unreadable();
    return name === '' ? outer : `${outer}::${name}`;
  }

  /** Where an `impl` block stands; its type says enough. */
  private implPath(): void {
    this.disambiguator();
    this.path(false);
  }

  private qualified(): string {
    const type = this.type();
    return `<${type} as ${this.path(false)}>`;
  }

  private genericArgument(): string {
    if (this.eat('L')) return this.lifetime(this.base62());
    return this.eat('K') ? this.constant() : this.type();
  }

  private type(): string {
    return this.nested(() => {
      const tag = this.next();
      const basic = BASIC_TYPES[tag];
      if (basic !== undefined) return basic;
      switch (tag) {
        case 'R':
        case 'Q': {
          const lifetime = this.eat('L') ? this.base62() : 0;
          const name = lifetime === 0 ? '' : `${this.lifetime(lifetime)} `;
          return `&${name}${tag === 'Q' ? 'mut ' : ''}${this.type()}`;
        }
        case 'P':
          return `*const ${this.type()}`;
        case 'O':
          return `*mut ${this.type()}`;
        case 'A': {
          const element = this.type();
          return `[${element}; ${this.constant()}]`;
        }
        case 'S':
          return `[${this.type()}]`;
        case 'T': {
          const types = this.list(() => this.type());
          return types.length === 1 ? `(${types[0]},)` : `(${types.join(', ')})`;
        }
        case 'F':
          return this.binder(() => this.functionType());
        case 'D':
          return this.dynType();
        case 'B':
          return this.backReference(() => this.type());
        default:
          this.at--;
          return this.path(false);
      }
    });
  }

  private functionType(): string {
    const unsafe = this.eat('U') ? 'unsafe ' : '';
    let abi = '';
    if (this.eat('K')) {
      const name = this.eat('C') ? 'C' : this.identifier().name.replaceAll('_', '-');
      abi = `extern "${name}" `;
    }
    const params = this.list(() => this.type()).join(', ');
    const result = this.eat('u') ? '' : ` -> ${this.type()}`;
    return `${unsafe}${abi}fn(${params})${result}`;
  }

  private dynType(): string {
    const traits = this.binder(() => this.list(() => this.dynTrait()).join(' + '));
    if (!this.eat('L')) throw new Unreadable();
    const lifetime = this.base62();
    return `dyn ${traits}${lifetime === 0 ? '' : ` + ${this.lifetime(lifetime)}`}`;
  }

  private dynTrait(): string {
    const path = this.path(false);
    const bindings: string[] = [];
    while (this.eat('p')) bindings.push(`${this.identifier().name} = ${this.type()}`);
    if (bindings.length === 0) return path;
    return path.endsWith('>')
      ? `${path.slice(0, -1)}, ${bindings.join(', ')}>`
      : `${path}<${bindings.join(', ')}>`;
  }

  private binder(inside: () => string): string {
    const count = this.eat('G') ? this.base62() + 1 : 0;
    if (count > 64) throw new Unreadable();
    const outer = this.lifetimes;
    this.lifetimes += count;
    const names = Array.from({ length: count }, (_, i) => this.lifetime(count - i));
    const text = inside();
    this.lifetimes = outer;
    return count === 0 ? text : `for<${names.join(', ')}> ${text}`;
  }

  /** Lifetimes count from the innermost binder outwards; 0 is the erased one. */
  private lifetime(index: number): string {
    if (index === 0) return "'_";
    const depth = this.lifetimes - index;
    if (depth < 0) throw new Unreadable();
    return depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'_${depth}`;
  }

  private constant(): string {
    return this.nested(() => {
      if (this.eat('B')) return this.backReference(() => this.constant());
      const tag = this.next();
      if (tag === 'p') return '_';
      if (/[htmyojaslxni]/.test(tag)) {
        const sign = /[aslxni]/.test(tag) && this.eat('n') ? '-' : '';
        return sign + String(BigInt(`0x${this.hex() || '0'}`));
      }
      if (tag === 'b') {
        const bit = this.hex();
        if (bit !== '0' && bit !== '1') throw new Unreadable();
        return bit === '1' ? 'true' : 'false';
      }
      if (tag === 'c') return this.character();
      throw new Unreadable(); // constants of structures, later than the RFC
    });
  }

  private character(): string {
    const point = Number.parseInt(this.hex(), 16);
    if (!(point <= 0x10ffff) || (point >= 0xd800 && point < 0xe000)) throw new Unreadable();
    const plain: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 39: "\\'" };
    return `'${plain[point] ?? String.fromCodePoint(point)}'`;
  }

  private hex(): string {
    const digits = /^[0-9a-f]{0,32}_/.exec(this.text.slice(this.at, this.at + 33))?.[0];
    if (digits === undefined) throw new Unreadable();
    this.at += digits.length;
    return digits.slice(0, -1);
  }

  private identifier(): Identifier {
    const disambiguator = this.disambiguator();
    const punycode = this.eat('u');
    const digits = /^(?:0|[1-9]\d{0,4})/.exec(this.text.slice(this.at, this.at + 5))?.[0];
    if (digits === undefined) throw new Unreadable();
    this.at += digits.length;
    this.eat('_');
    const end = this.at + Number(digits);
    if (end > this.text.length) throw new Unreadable();
    const raw = this.text.slice(this.at, end);
    this.at = end;
    return { disambiguator, name: punycode ? unicode(raw) : raw };
  }

  private disambiguator(): number {
    return this.eat('s') ? this.base62() + 1 : 0;
  }

  /** A number that ends in `_`: `_` is 0, `0_` is 1. */
  private base62(): number {
    const digits = /^[0-9A-Za-z]{0,13}_/.exec(this.text.slice(this.at, this.at + 14))?.[0];
    if (digits === undefined) throw new Unreadable();
    this.at += digits.length;
    if (digits === '_') return 0;
    let value = 0;
    for (const c of digits.slice(0, -1)) {
      value =
        value * 62 + '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(c);
    }
    return value + 1;
  }

  private backReference(parse: () => string): string {
    const tag = this.at - 1;
    const target = this.base62();
    if (target >= tag) throw new Unreadable();
    const back = this.at;
    this.at = target;
    const text = parse();
    this.at = back;
    return text;
  }

  private list(item: () => string): string[] {
    const items: string[] = [];
    while (!this.eat('E')) items.push(item());
    return items;
  }

  private nested(parse: () => string): string {
    if (++this.steps > MAX_STEPS || ++this.depth > MAX_DEPTH) throw new Unreadable();
    const text = parse();
    this.depth--;
    this.size = Math.max(this.size, text.length);
    if (this.size > MAX_TEXT) throw new Unreadable();
    return text;
  }

  private next(): string {
    const c = this.text[this.at];
    if (c === undefined) throw new Unreadable();
    this.at++;
    return c;
  }

  private eat(c: string): boolean {
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }
}
