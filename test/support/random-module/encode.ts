// A module's sections around its code (core specification 5.5).

import { PREAMBLE, WasmWriter } from '../wasm-writer.ts';
import { type Emitter, emitLeaf } from './leaf.ts';
import { OP } from './opcodes.ts';
import type { Random } from './random.ts';
import {
  addressType,
  type DefinedType,
  type ElementSegment,
  type Field,
  type Shape,
  type Size,
} from './shape.ts';
import { crossesToHost, FUNCREF, I32, I64, type ValueType, writeType } from './types.ts';

/** Kinds of imports and exports. */
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

/** Writes constant expressions, and notes their instructions. */
class Constant implements Emitter {
  readonly writer: WasmWriter;
  readonly random: Random;
  readonly #used: Set<number>;

  constructor(writer: WasmWriter, random: Random, used: Set<number>) {
    this.writer = writer;
    this.random = random;
    this.#used = used;
  }

  op(code: number): WasmWriter {
    this.#used.add(code);
    if (code < 0x100) return this.writer.byte(code);
    return this.writer.byte(Math.floor(code / 0x1000)).u32(code % 0x1000);
  }
}

export interface Encoding {
  readonly random: Random;
  readonly used: Set<number>;
  /** Encoded bodies of the functions that are not imported. */
  readonly bodies: readonly WasmWriter[];
}

export function encodeModule(shape: Shape, encoding: Encoding): Uint8Array<ArrayBuffer> {
  const module = new WasmWriter().raw(PREAMBLE);
  const { bodies } = encoding;
  encodeTypes(module, shape, encoding.random);
  encodeImports(module, shape);
  const functions = new WasmWriter();
  const own = shape.functions.slice(shape.importedFunctions);
  for (const type of own) functions.u32(type);
  module.section(3, own.length, functions);
  encodeTables(module, shape);
  encodeMemories(module, shape);
  const tags = new WasmWriter();
  for (const type of shape.tags) tags.byte(0).u32(type);
  module.section(13, shape.tags.length, tags);
  encodeGlobals(module, shape, encoding);
  encodeExports(module, shape);
  if (shape.start !== undefined) module.byte(8).sized(new WasmWriter().u32(shape.start));
  encodeElements(module, shape, encoding);
  module.byte(12).sized(new WasmWriter().u32(shape.data.length));
  const code = new WasmWriter();
  for (const body of bodies) code.sized(body);
  module.section(10, bodies.length, code);
  encodeData(module, shape);
  return module.bytes();
}

function encodeTypes(module: WasmWriter, { types }: Shape, random: Random): void {
  const encoded = new WasmWriter();
  for (const type of types) encodeType(encoded, type);
  const recursive = types.some(({ kind }) => kind !== 'function') && random.oneIn(3);
  if (!recursive) module.section(1, types.length, encoded);
  else module.section(1, 1, new WasmWriter().byte(0x4e).u32(types.length).raw(encoded.bytes()));
}

function encodeType(to: WasmWriter, type: DefinedType): void {
  if (type.kind === 'array') {
    encodeField(to.byte(0x5e), type.field);
  } else if (type.kind === 'struct') {
    to.byte(0x50);
    if (type.extends === undefined) to.u32(0);
    else to.u32(1).u32(type.extends);
    to.byte(0x5f).u32(type.fields.length);
    for (const field of type.fields) encodeField(to, field);
  } else {
    to.byte(0x60);
    for (const list of [type.params, type.results]) {
      to.u32(list.length);
      for (const value of list) writeType(to, value);
    }
  }
}

const PACKED = { i8: 0x78, i16: 0x77 } as const;

function encodeField(to: WasmWriter, { type, packed, mutable }: Field): void {
  if (packed !== undefined) to.byte(PACKED[packed]);
  else writeType(to, type);
  to.byte(mutable ? 1 : 0);
}

function encodeLimits(to: WasmWriter, { minimum, maximum, wide }: Size): void {
  to.byte((wide ? 4 : 0) | (maximum === undefined ? 0 : 1)).u32(minimum);
  if (maximum !== undefined) to.u32(maximum);
}

/** The name of an import or export of a kind, by its index. */
export function nameOf(kind: keyof typeof KIND, index: number): string {
  return `${kind}${index}`;
}

function encodeImports(module: WasmWriter, shape: Shape): void {
  const imports = new WasmWriter();
  let count = 0;
  const add = (kind: keyof typeof KIND, index: number) => {
    count++;
    return imports.name('host').name(nameOf(kind, index)).byte(KIND[kind]);
  };
  for (let i = 0; i < shape.importedFunctions; i++) add('function', i).u32(shape.functions[i] ?? 0);
  shape.tables.forEach((table, i) => {
    if (!table.imported) return;
    writeType(add('table', i), table.element);
    encodeLimits(imports, table);
  });
  shape.memories.forEach((memory, i) => {
    if (memory.imported) encodeLimits(add('memory', i), memory);
  });
  shape.globals.forEach(({ imported, type, mutable }, i) => {
    if (!imported) return;
    writeType(add('global', i), type);
    imports.byte(mutable ? 1 : 0);
  });
  module.section(2, count, imports);
}

function encodeTables(module: WasmWriter, { tables }: Shape): void {
  const own = tables.filter(({ imported }) => !imported);
  const encoded = new WasmWriter();
  for (const table of own) {
    writeType(encoded, table.element);
    encodeLimits(encoded, table);
  }
  module.section(4, own.length, encoded);
}

function encodeMemories(module: WasmWriter, { memories }: Shape): void {
  const own = memories.filter(({ imported }) => !imported);
  const encoded = new WasmWriter();
  for (const memory of own) encodeLimits(encoded, memory);
  module.section(5, own.length, encoded);
}

function encodeGlobals(module: WasmWriter, shape: Shape, { random, used }: Encoding): void {
  const own = shape.globals.filter(({ imported }) => !imported);
  const encoded = new WasmWriter();
  for (const { type, mutable } of own) {
    writeType(encoded, type);
    encoded.byte(mutable ? 1 : 0);
    const constant = new Constant(encoded, random, used);
    encodeInitial(constant, shape, type);
    constant.op(OP.end);
  }
  module.section(6, own.length, encoded);
}

/** The value of a global at first: of an imported one, computed, or a constant. */
function encodeInitial(to: Constant, shape: Shape, type: ValueType): void {
  const { random } = to;
  const imported = shape.globals.flatMap((other, i) =>
    other.imported && !other.mutable && other.type === type ? [i] : [],
  );
  const source = random.oneIn(2) ? random.pickAny(imported) : undefined;
  if (source !== undefined) {
    to.op(OP.globalGet).u32(source);
  } else if (type === FUNCREF && random.oneIn(2)) {
    to.op(OP.refFunc).u32(random.below(shape.functions.length));
  } else {
    emitLeaf(to, shape.types, type, shape.functions);
  }
  if (!shape.features.extendedConst || (type !== I32 && type !== I64) || random.oneIn(2)) return;
  emitLeaf(to, shape.types, type, shape.functions);
  to.op(type === I32 ? OP.i32Add : OP.i64Add);
}

function encodeExports(module: WasmWriter, shape: Shape): void {
  const exports = new WasmWriter();
  let count = 0;
  const add = (kind: keyof typeof KIND, indices: Iterable<number>) => {
    for (const i of indices) {
      exports.name(nameOf(kind, i)).byte(KIND[kind]).u32(i);
      count++;
    }
  };
  add('function', entriesOf(shape));
  add('table', shape.tables.keys());
  add('memory', shape.memories.keys());
  add('global', shape.globals.keys());
  add('tag', shape.tags.keys());
  module.section(7, count, exports);
}

function encodeOffset(to: WasmWriter, size: Size | undefined, offset: number): void {
  if (size !== undefined && addressType(size) === I64) to.byte(OP.i64Const).s64(BigInt(offset));
  else to.byte(OP.i32Const).s32(offset);
  to.byte(OP.end);
}

function encodeElements(module: WasmWriter, shape: Shape, encoding: Encoding): void {
  const encoded = new WasmWriter();
  for (const segment of shape.elements) encodeElement(encoded, shape, segment, encoding);
  module.section(9, shape.elements.length, encoded);
}

/** One of the eight forms of element segments (5.5.12). */
function encodeElement(
  to: WasmWriter,
  shape: Shape,
  { type, mode, items }: ElementSegment,
  { random, used }: Encoding,
): void {
  const short = type === FUNCREF && items.every((item) => item !== undefined) && random.oneIn(2);
  const active = typeof mode === 'object';
  const named = active && !(mode.table === 0 && type === FUNCREF && random.oneIn(2));
  const form = (short ? 0 : 4) | (named || mode === 'declarative' ? 2 : 0) | (active ? 0 : 1);
  to.u32(form);
  if (active) {
    if (named) to.u32(mode.table);
    encodeOffset(to, shape.tables[mode.table], mode.offset);
  }
  if (!active || named) {
    if (short) to.byte(0);
    else writeType(to, type);
  }
  to.u32(items.length);
  for (const item of items) {
    if (short) {
      to.u32(item ?? 0);
      continue;
    }
    const constant = new Constant(to, random, used);
    if (item === undefined) emitLeaf(constant, shape.types, type, shape.functions);
    else constant.op(OP.refFunc).u32(item);
    constant.op(OP.end);
  }
}

function encodeData(module: WasmWriter, shape: Shape): void {
  const encoded = new WasmWriter();
  for (const { mode, bytes } of shape.data) {
    if (mode === 'passive') {
      encoded.u32(1);
    } else {
      if (mode.memory === 0) encoded.u32(0);
      else encoded.u32(2).u32(mode.memory);
      encodeOffset(encoded, shape.memories[mode.memory], mode.offset);
    }
    encoded.u32(bytes.length).raw(bytes);
  }
  module.section(11, shape.data.length, encoded);
}

/** Each costs the compilation of a wrapper, so that more would slow all down. */
const MOST_ENTRIES = 3;

/**
 * Functions that are exported: the first few that JavaScript can call, because they take no vectors
 * and no references but the host's own.
 */
export function entriesOf(shape: Shape): number[] {
  const callable = shape.functions.flatMap((typeIndex, i) => {
    const type = shape.types[typeIndex];
    if (i < shape.importedFunctions || type?.kind !== 'function') return [];
    return [...type.params, ...type.results].every(crossesToHost) ? [i] : [];
  });
  return callable.slice(0, MOST_ENTRIES);
}
