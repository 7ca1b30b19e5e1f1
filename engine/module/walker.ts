// The gate's own reader (check 4): section layout and imports, from the WebAssembly core
// specification 3.0, chapter 5, and nothing else. It depends on no parser library and is kept small
// enough to audit. What it cannot model it refuses; it never guesses.

import { InputError } from '../encoding/input-error.ts';
import { tryDecodeUtf8 } from '../encoding/utf8.ts';
import { SECTION } from './sections.ts';
import type { ExternKind, ImportEntry, SectionEntry } from './types.ts';

/** What the walker reads of a module. */
export interface ModuleLayout {
  readonly sections: readonly SectionEntry[];
  readonly imports: readonly ImportEntry[];
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const MAGIC = '00 61 73 6d';

/** The sections but custom ones, in the order in which the specification demands them (5.5.2). */
const SECTIONS: readonly (readonly [id: number, name: string])[] = [
  [SECTION.type, 'type'],
  [SECTION.import, 'import'],
  [SECTION.function, 'function'],
  [SECTION.table, 'table'],
  [SECTION.memory, 'memory'],
  [SECTION.tag, 'tag'],
  [SECTION.global, 'global'],
  [SECTION.export, 'export'],
  [SECTION.start, 'start'],
  [SECTION.element, 'element'],
  [SECTION.dataCount, 'data count'],
  [SECTION.code, 'code'],
  [SECTION.data, 'data'],
];
const SECTION_PLACES: ReadonlyMap<number, number> = new Map(
  SECTIONS.map(([id], place) => [id, place]),
);

/** Value and reference types of one byte (5.3.1 - 5.3.5). */
const ONE_BYTE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x74, 'nullexnref'],
  [0x73, 'nullfuncref'],
  [0x72, 'nullexternref'],
  [0x71, 'nullref'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
  [0x6e, 'anyref'],
  [0x6d, 'eqref'],
  [0x6c, 'i31ref'],
  [0x6b, 'structref'],
  [0x6a, 'arrayref'],
  [0x69, 'exnref'],
]);
const FIRST_REFERENCE_BYTE = 0x74;

/** Abstract heap types by their byte (5.3.3). */
const HEAP_TYPES: ReadonlyMap<number, string> = new Map([
  [0x74, 'noexn'],
  [0x73, 'nofunc'],
  [0x72, 'noextern'],
  [0x71, 'none'],
  [0x70, 'func'],
  [0x6f, 'extern'],
  [0x6e, 'any'],
  [0x6d, 'eq'],
  [0x6c, 'i31'],
  [0x6b, 'struct'],
  [0x6a, 'array'],
  [0x69, 'exn'],
]);

/**
 * Reads the section layout and the imports of a core module. Linear in the number of sections plus
 * the size of the type and import sections; nothing is allocated by a claimed count.
 * @throws {InputError} `invalid-module` or `component-not-module`, with the byte offset.
 */
export function readLayout(bytes: Uint8Array): ModuleLayout {
  const reader = new Reader(bytes);
  readPreamble(reader);
  const sections: SectionEntry[] = [];
  let types: Types = [];
  let imports: readonly ImportEntry[] = [];
  const counts = new Map<number, number>();
  let reached = -1;
  while (reader.position < bytes.length) {
    const start = reader.position;
    const id = reader.byte('a section id');
    const size = reader.u32('a section size');
    if (size > bytes.length - reader.position) {
      throw malformed(
        start,
        `section ${id} claims ${size} bytes, ${bytes.length - reader.position} are left`,
      );
    }
    const body = reader.slice(size);
    if (id === SECTION.custom) {
      sections.push({ id, name: body.name('a custom section name'), offset: body.start, size });
      continue;
    }
    const place = SECTION_PLACES.get(id);
    const name = SECTIONS[place ?? -1]?.[1];
    if (place === undefined || name === undefined) {
      throw malformed(start, `unknown section id ${id}`);
    }
    if (place <= reached) throw malformed(start, `the ${name} section is repeated or out of order`);
    reached = place;
    sections.push({ id, name, offset: body.start, size });
    if (id === SECTION.type) types = readTypes(body);
    else if (id === SECTION.import) imports = readImports(body, types);
    else if (id === SECTION.dataCount) counts.set(id, body.u32('the data count'));
    else if (id !== SECTION.start) counts.set(id, body.count(`the ${name} section`));
  }
  checkCounts(counts, bytes.length);
  return { sections, imports };
}

/** Sections that tell the same number twice must tell the same (5.5.16), or one was cut off. */
function checkCounts(counts: ReadonlyMap<number, number>, end: number): void {
  const functions = counts.get(SECTION.function) ?? 0;
  const bodies = counts.get(SECTION.code) ?? 0;
  if (functions !== bodies) {
    throw malformed(end, `it declares ${functions} functions and has ${bodies} bodies`);
  }
  const claimed = counts.get(SECTION.dataCount);
  const segments = counts.get(SECTION.data) ?? 0;
  if (claimed !== undefined && claimed !== segments) {
    throw malformed(end, `it announces ${claimed} data segments and has ${segments}`);
  }
}

/** The preamble (5.5.1): magic, version 1, layer 0. A component says layer 1 in the same place. */
function readPreamble(reader: Reader): void {
  const { bytes } = reader;
  if (!PREAMBLE.every((byte, i) => bytes[i] === byte)) throw describePreamble(bytes);
  reader.position = PREAMBLE.length;
}

function describePreamble(bytes: Uint8Array): InputError {
  if (bytes.length === 0) return malformed(0, 'the file is empty');
  const magic = hexBytes(bytes, 0, 4);
  if (magic !== MAGIC) return malformed(0, `expected ${MAGIC}, found ${magic}`);
  if (bytes.length < 8) return malformed(bytes.length, 'the file ends within its preamble');
  if (bytes[6] === 1 && bytes[7] === 0) {
    return new InputError(
      'component-not-module',
      'a component, not a core module (layer 1 at byte 6)',
      { offset: 6 },
    );
  }
  return malformed(4, `expected version 01 00 00 00, found ${hexBytes(bytes, 4, 8)}`);
}

function hexBytes(bytes: Uint8Array, from: number, to: number): string {
  return Array.from(bytes.subarray(from, to), (b) => b.toString(16).padStart(2, '0')).join(' ');
}

/** The type index space: where each function type stands, `undefined` for other types. */
type Types = readonly (number | undefined)[];

/** Reads the type section (5.5.4) and keeps where each function type stands. */
function readTypes(body: Reader): Types {
  const types: (number | undefined)[] = [];
  for (let left = body.count('the type section'); left > 0; left--) {
    if (body.peek() !== 0x4e) {
      types.push(readSubType(body));
      continue;
    }
    body.byte('a recursive type');
    for (let inner = body.count('a recursive type'); inner > 0; inner--) {
      types.push(readSubType(body));
    }
  }
  body.end('the type section');
  return types;
}

function readSubType(body: Reader): number | undefined {
  const form = body.peek();
  if (form !== 0x50 && form !== 0x4f) return readCompositeType(body);
  body.byte('a subtype');
  for (let left = body.count('a list of supertypes'); left > 0; left--) body.u32('a supertype');
  return readCompositeType(body);
}

function readCompositeType(body: Reader): number | undefined {
  const at = body.position;
  const form = body.byte('a type');
  if (form === 0x60) {
    const types = body.position;
    for (let side = 0; side < 2; side++) {
      for (let left = body.count('a list of types'); left > 0; left--) readValueType(body);
    }
    return types;
  }
  if (form === 0x5f) {
    for (let left = body.count('a struct type'); left > 0; left--) readFieldType(body);
    return undefined;
  }
  if (form === 0x5e) {
    readFieldType(body);
    return undefined;
  }
  throw malformed(at, `unknown form of type 0x${form.toString(16)}`);
}

function readFieldType(body: Reader): void {
  const storage = body.peek();
  if (storage === 0x78 || storage === 0x77) body.byte('a packed type');
  else readValueType(body);
  body.flag(1, 'a mutability');
}

function readValueTypes(body: Reader): string[] {
  const types: string[] = [];
  for (let left = body.count('a list of types'); left > 0; left--) types.push(readValueType(body));
  return types;
}

function readValueType(body: Reader): string {
  const at = body.position;
  const byte = body.byte('a value type');
  if (byte === 0x64) return `(ref ${readHeapType(body)})`;
  if (byte === 0x63) return readNullableReference(body);
  const text = ONE_BYTE_TYPES.get(byte);
  if (text === undefined) throw malformed(at, `unknown value type 0x${byte.toString(16)}`);
  return text;
}

/** `(ref null func)` and `funcref` are one type in two encodings (5.3.5), so they get one text. */
function readNullableReference(body: Reader): string {
  const heap = body.peek() ?? 0;
  if (HEAP_TYPES.get(heap) === undefined) return `(ref null ${readHeapType(body)})`;
  body.byte('a heap type');
  return ONE_BYTE_TYPES.get(heap) ?? '';
}

function readReferenceType(body: Reader): string {
  const at = body.position;
  const first = body.peek();
  const text = readValueType(body);
  if (first !== 0x63 && first !== 0x64 && (first === undefined || first > FIRST_REFERENCE_BYTE)) {
    throw malformed(at, `expected a reference type, found ${text}`);
  }
  return text;
}

/** A heap type is a signed 33-bit LEB128 (5.3.3): abstract ones are negative, indices are not. */
function readHeapType(body: Reader): string {
  const abstract = HEAP_TYPES.get(body.peek() ?? 0);
  if (abstract === undefined) return String(body.s33Index('a heap type'));
  body.byte('a heap type');
  return abstract;
}

function readImports(body: Reader, types: Types): ImportEntry[] {
  const imports: ImportEntry[] = [];
  for (let left = body.count('the import section'); left > 0; left--) {
    const offset = body.position;
    const module = body.name('an import module name');
    const name = body.name('an import name');
    const { kind, type } = readExternType(body, types);
    imports.push({ module, name, kind, type, offset });
  }
  body.end('the import section');
  return imports;
}

function readExternType(
  body: Reader,
  types: Types,
): { readonly kind: ExternKind; readonly type: string } {
  const at = body.position;
  const kind = body.byte('an import kind');
  switch (kind) {
    case 0:
      return { kind: 'function', type: functionType(body, types) };
    case 1: {
      const element = readReferenceType(body);
      return { kind: 'table', type: `${readLimits(body, 'table')} ${element}` };
    }
    case 2:
      return { kind: 'memory', type: readLimits(body, 'memory') };
    case 3: {
      const type = readValueType(body);
      return { kind: 'global', type: body.flag(1, 'a mutability') === 1 ? `mut ${type}` : type };
    }
    case 4:
      body.flag(0, 'a tag attribute');
      return { kind: 'tag', type: functionType(body, types) };
    default:
      throw malformed(at, `unknown kind of import 0x${kind.toString(16)}`);
  }
}

function functionType(body: Reader, types: Types): string {
  const at = body.position;
  const index = body.u32('a type index');
  const position = types[index];
  if (position === undefined) {
    throw malformed(at, `type ${index} is not a function type of this module`);
  }
  const type = body.elsewhere(position);
  const params = readValueTypes(type);
  const results = readValueTypes(type);
  return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`;
}

/** Limits (5.3.9): bit 0 a maximum, bit 1 shared (memories only), bit 2 64-bit addresses. */
function readLimits(body: Reader, what: 'memory' | 'table'): string {
  const at = body.position;
  const flags = body.flag(7, `the limits of a ${what}`);
  const shared = (flags & 2) !== 0;
  if (shared && (what === 'table' || (flags & 1) === 0)) {
    throw malformed(at, `a ${what} cannot be shared with these limits`);
  }
  const wide = (flags & 4) !== 0;
  const size = (name: string) => String(wide ? body.u64(name) : body.u32(name));
  const parts = [wide ? 'i64' : 'i32', size('a minimum')];
  if ((flags & 1) !== 0) parts.push(size('a maximum'));
  if (shared) parts.push('shared');
  return parts.join(' ');
}

/** A cursor over bytes that never passes its end and takes integers in no form but the legal. */
class Reader {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly limit: number;
  position: number;

  constructor(bytes: Uint8Array, start = 0, limit = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.limit = limit;
    this.position = start;
  }

  /** A reader of the next `size` bytes, which this one steps over. */
  slice(size: number): Reader {
    const start = this.position;
    this.position += size;
    return new Reader(this.bytes, start, this.position);
  }

  /** A reader of the same bytes at a place that was read before. */
  elsewhere(position: number): Reader {
    return new Reader(this.bytes, position);
  }

  peek(): number | undefined {
    return this.position < this.limit ? this.bytes[this.position] : undefined;
  }

  byte(what: string): number {
    const byte = this.peek();
    if (byte === undefined) throw malformed(this.position, `${what} is cut off`);
    this.position++;
    return byte;
  }

  /** A byte of flags of at most `max`. */
  flag(max: number, what: string): number {
    const at = this.position;
    const value = this.byte(what);
    if (value > max) throw malformed(at, `${what} has the unknown value 0x${value.toString(16)}`);
    return value;
  }

  /** An unsigned LEB128 of at most five bytes with no bit beyond 32 (5.2.2). */
  u32(what: string): number {
    const at = this.position;
    const first = this.peek();
    if (first !== undefined && first < 0x80) {
      this.position++;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(what);
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed(at, `${what} is not an unsigned LEB128 number of 32 bits`);
  }

  /** An unsigned LEB128 of at most ten bytes with no bit beyond 64 (5.2.2). */
  u64(what: string): bigint {
    const at = this.position;
    let value = 0n;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte(what);
      if (shift === 63 && byte > 0x01) break;
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value;
    }
    throw malformed(at, `${what} is not an unsigned LEB128 number of 64 bits`);
  }

  /** A type index in the signed 33-bit form: not negative, at most five bytes. */
  s33Index(what: string): number {
    const at = this.position;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(what);
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) !== 0) continue;
      if ((byte & 0x40) !== 0 || value > 0xffff_ffff) break;
      return value;
    }
    throw malformed(at, `${what} is neither a known abstract type nor a type index`);
  }

  /** A count of things that take a byte each at least, so that no claim outgrows the file. */
  count(what: string): number {
    const at = this.position;
    const count = this.u32(`the count of ${what}`);
    if (count > this.limit - this.position) {
      throw malformed(
        at,
        `${what} claims ${count} entries, ${this.limit - this.position} bytes are left for them`,
      );
    }
    return count;
  }

  name(what: string): string {
    const at = this.position;
    const length = this.u32(`the length of ${what}`);
    if (length > this.limit - this.position) {
      throw malformed(at, `${what} claims ${length} bytes, ${this.limit - this.position} are left`);
    }
    const text = tryDecodeUtf8(this.bytes.subarray(this.position, this.position + length));
    if (text === undefined) throw malformed(at, `${what} is not valid UTF-8`);
    this.position += length;
    return text;
  }

  end(what: string): void {
    const left = this.limit - this.position;
    if (left !== 0) throw malformed(this.position, `${left} bytes are left over after ${what}`);
  }
}

function malformed(offset: number, problem: string): InputError {
  return new InputError(
    'invalid-module',
    `not a valid WebAssembly module: ${problem}, at byte ${offset}`,
    {
      offset,
    },
  );
}
