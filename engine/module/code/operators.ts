import type { Cursor } from '../cursor.ts';
import {
  ATOMIC_FENCE,
  FIRST_ATOMIC_ACCESS,
  FORM,
  FORMS,
  GC_FORMS,
  LAST_ATOMIC,
  MISC_FORMS,
  vectorImmediates,
} from './opcodes.ts';

/** What a walk over instructions tells. `offset` is the byte at which the instruction begins. */
export interface OperatorSink {
  /** Opcodes of one byte are marked here, since they are too many for a call each. */
  readonly seen: Uint8Array;
  /** An opcode with its prefix in the bits from 16 up, before what else it says. */
  prefixed(code: number, offset: number): void;
  call(functionIndex: number, offset: number): void;
  /** `plain` is false if the table index is not the one zero byte of WebAssembly 1.0. */
  callIndirect(tableIndex: number, typeIndex: number, offset: number, plain: boolean): void;
  callRef(typeIndex: number, offset: number): void;
  refFunc(functionIndex: number, offset: number): void;
  global(globalIndex: number, offset: number): void;
  tag(tagIndex: number, offset: number): void;
  /** An instruction that uses a table, other than a call. */
  table(code: number, tableIndex: number, offset: number): void;
  tableInit(segmentIndex: number, tableIndex: number, offset: number): void;
  tableCopy(to: number, from: number, offset: number): void;
  /** `array.new_elem`, `array.init_elem`: reads an element segment. */
  readSegment(segmentIndex: number, offset: number): void;
  memory(code: number, memoryIndex: number, offset: number): void;
  /** A block whose type is a type index. */
  typedBlock(): void;
}

/** Opcodes with a prefix are told as `prefix << 16 | code`. */
export function prefixed(prefix: number, code: number): number {
  return (prefix << 16) | code;
}

/**
 * Walks the instructions from the cursor to its limit, without recursion and without keeping any.
 * The bytes are ones that V8 has accepted.
 * @returns whether all of them were known; the cursor stands behind the last known one.
 */
export function walkOperators(cursor: Cursor, sink: OperatorSink): boolean {
  const { bytes, limit } = cursor;
  const { seen } = sink;
  while (cursor.position < limit) {
    const offset = cursor.position;
    const code = bytes[offset] ?? 0;
    const form = FORMS[code] ?? FORM.unknown;
    cursor.position = offset + 1;
    if (form < FORM.prefixGc) {
      seen[code] = 1;
      if (form === 1) cursor.skipNumber();
      else if (form !== 0) walkImmediates(cursor, sink, form, code, offset);
    } else if (!walkPrefixed(cursor, sink, form, offset)) {
      cursor.position = offset;
      return false;
    }
  }
  return cursor.ok;
}

function walkImmediates(
  cursor: Cursor,
  sink: OperatorSink,
  form: number,
  code: number,
  offset: number,
): void {
  switch (form) {
    case FORM.memory:
      sink.memory(code, memoryImmediate(cursor), offset);
      return;
    case FORM.memoryIndex:
      sink.memory(code, cursor.u32(), offset);
      return;
    case FORM.block:
      blockType(cursor, sink);
      return;
    case FORM.branchTable:
      for (let left = cursor.u32(); left >= 0 && cursor.ok; left--) cursor.skipNumber();
      return;
    case FORM.types:
      for (let left = cursor.u32(); left > 0 && cursor.ok; left--) skipValueType(cursor);
      return;
    case FORM.tryTable:
      tryTable(cursor, sink, offset);
      return;
    case FORM.four:
      cursor.skip(4);
      return;
    case FORM.eight:
      cursor.skip(8);
      return;
    case FORM.call:
      sink.call(cursor.u32(), offset);
      return;
    case FORM.callIndirect: {
      const typeIndex = cursor.u32();
      const start = cursor.position;
      const tableIndex = cursor.u32();
      const plain = tableIndex === 0 && cursor.position === start + 1;
      sink.callIndirect(tableIndex, typeIndex, offset, plain);
      return;
    }
    case FORM.callRef:
      sink.callRef(cursor.u32(), offset);
      return;
    case FORM.refFunc:
      sink.refFunc(cursor.u32(), offset);
      return;
    case FORM.global:
      sink.global(cursor.u32(), offset);
      return;
    case FORM.tag:
      sink.tag(cursor.u32(), offset);
      return;
    case FORM.table:
      sink.table(code, cursor.u32(), offset);
  }
}

function walkPrefixed(cursor: Cursor, sink: OperatorSink, form: number, offset: number): boolean {
  const code = form === FORM.unknown ? 0 : cursor.u32();
  switch (form) {
    case FORM.prefixGc:
      return walkGc(cursor, sink, code, offset);
    case FORM.prefixMisc:
      return walkMisc(cursor, sink, code, offset);
    case FORM.prefixVector:
      return walkVector(cursor, sink, code, offset);
    case FORM.prefixAtomic:
      return walkAtomic(cursor, sink, code, offset);
    default:
      return false;
  }
}

function walkGc(cursor: Cursor, sink: OperatorSink, code: number, offset: number): boolean {
  const numbers = GC_FORMS[code] ?? FORM.unknown;
  if (numbers === FORM.unknown) return false;
  sink.prefixed(prefixed(0xfb, code), offset);
  if (numbers > 0) cursor.skipNumber();
  if (code === 10 || code === 19) sink.readSegment(cursor.u32(), offset);
  else for (let left = numbers; left > 1; left--) cursor.skipNumber();
  return true;
}

function walkMisc(cursor: Cursor, sink: OperatorSink, code: number, offset: number): boolean {
  const numbers = MISC_FORMS[code] ?? FORM.unknown;
  if (numbers === FORM.unknown) return false;
  const full = prefixed(0xfc, code);
  sink.prefixed(full, offset);
  const first = numbers > 0 ? cursor.u32() : 0;
  const second = numbers > 1 ? cursor.u32() : 0;
  if (code === 8) sink.memory(full, second, offset);
  else if (code === 10) {
    sink.memory(full, first, offset);
    if (second !== first) sink.memory(full, second, offset);
  } else if (code === 11) sink.memory(full, first, offset);
  else if (code === 12) sink.tableInit(first, second, offset);
  else if (code === 14) sink.tableCopy(first, second, offset);
  else if (code >= 15) sink.table(full, first, offset);
  return true;
}

function walkVector(cursor: Cursor, sink: OperatorSink, code: number, offset: number): boolean {
  const immediates = vectorImmediates(code);
  if (immediates === undefined) return false;
  const full = prefixed(0xfd, code);
  sink.prefixed(full, offset);
  if (immediates.memory) sink.memory(full, memoryImmediate(cursor), offset);
  cursor.skip(immediates.bytes);
  return true;
}

function walkAtomic(cursor: Cursor, sink: OperatorSink, code: number, offset: number): boolean {
  if (code > LAST_ATOMIC || (code > ATOMIC_FENCE && code < FIRST_ATOMIC_ACCESS)) return false;
  const full = prefixed(0xfe, code);
  sink.prefixed(full, offset);
  if (code === ATOMIC_FENCE) cursor.skip(1);
  else sink.memory(full, memoryImmediate(cursor), offset);
  return true;
}

/** Alignment and offset (5.4.6); bit 6 of the alignment announces a memory index. */
function memoryImmediate(cursor: Cursor): number {
  const alignment = cursor.u32();
  const index = (alignment & 0x40) !== 0 ? cursor.u32() : 0;
  cursor.skipNumber();
  return index;
}

function blockType(cursor: Cursor, sink: OperatorSink): void {
  const first = cursor.bytes[cursor.position] ?? 0;
  // A type index is a signed number that is not negative: bit 6 of its last byte is clear.
  if (first >= 0x80 || (first & 0x40) === 0) {
    sink.typedBlock();
    cursor.skipNumber();
  } else {
    skipValueType(cursor);
  }
}

function skipValueType(cursor: Cursor): void {
  const first = cursor.byte();
  if (first === 0x63 || first === 0x64) cursor.skipNumber();
}

function tryTable(cursor: Cursor, sink: OperatorSink, offset: number): void {
  blockType(cursor, sink);
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
    const kind = cursor.byte();
    if (kind < 2) sink.tag(cursor.u32(), offset);
    cursor.skipNumber();
  }
}

const END = 0x0b;

/** Steps over a constant expression (3.4.14), telling the functions it refers to and whether it computes. */
export function skipConstantExpression(cursor: Cursor): {
  readonly functions: readonly number[];
  readonly computes: boolean;
} {
  const functions: number[] = [];
  let computes = false;
  while (cursor.position < cursor.limit && cursor.ok) {
    const code = cursor.byte();
    if (code === END) break;
    const form = FORMS[code] ?? FORM.unknown;
    if (code === 0xd2) functions.push(cursor.u32());
    else if (form === FORM.four) cursor.skip(4);
    else if (form === FORM.eight) cursor.skip(8);
    else if (form === FORM.prefixGc) skipNumbers(cursor, GC_FORMS[cursor.u32()] ?? 0);
    else if (form === FORM.prefixVector) skipVectorConstant(cursor);
    else if (form === 0) computes = true;
    else cursor.skipNumber();
  }
  return { functions, computes };
}

function skipNumbers(cursor: Cursor, count: number): void {
  if (count === FORM.unknown) cursor.ok = false;
  else for (let left = count; left > 0; left--) cursor.skipNumber();
}

function skipVectorConstant(cursor: Cursor): void {
  cursor.skipNumber();
  cursor.skip(16);
}
