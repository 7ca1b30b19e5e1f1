import { InputError } from '../encoding/input-error.ts';
import {
  ATOMIC_FENCE,
  FIRST_ATOMIC_ACCESS,
  FORM,
  FORMS,
  GC_FORMS,
  LAST_ATOMIC,
  MISC_FORMS,
  vectorImmediates,
} from '../module/code/opcodes.ts';
import { Cursor } from '../module/cursor.ts';
import { unknownInstruction } from './stack-effects.ts';
import { EMPTY_BLOCK, readValueType } from './value-types.ts';

/** A handler of `try_table`: the label it branches to, counted from outside of the block. */
export interface CatchClause {
  readonly label: number;
}

const NO_LABELS: readonly number[] = [];
const NO_CATCHES: readonly CatchClause[] = [];

/**
 * Reads a function body instruction by instruction, with the immediates that metering looks at. One
 * object is reused for all of them: what a field says holds until the next {@link next}.
 */
export class InstructionReader {
  /** The opcode, with its prefix in the bits from 16 up. */
  code = 0;
  /** Offset of the instruction's first byte, and of the byte after its last. */
  start = 0;
  end = 0;
  /** Its first and second index, or the label of a branch; 0 where it has none. */
  first = 0;
  second = 0;
  /** A block's type: a type index, or -1 for the empty type, -2 for one result. */
  blockType = -1;
  /** The labels of `br_table`, the default last. */
  labels: readonly number[] = NO_LABELS;
  catches: readonly CatchClause[] = NO_CATCHES;
  private readonly cursor: Cursor;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.cursor = new Cursor(bytes, start, end);
  }

  /**
   * Reads the next instruction; false at the end of the body.
   * @throws {InputError} `invalid-module` for an instruction that this version does not know.
   */
  next(): boolean {
    const { cursor } = this;
    if (cursor.position >= cursor.limit) return false;
    this.start = cursor.position;
    const code = cursor.byte();
    this.code = code;
    const form = FORMS[code] ?? FORM.unknown;
    if (form === 1) this.first = this.index(code);
    else if (form !== 0) this.immediates(form, code);
    this.end = cursor.position;
    cursor.expectOk('the code section');
    return true;
  }

  /** Goes on behind what has been dealt with in another way. */
  skipTo(offset: number): void {
    this.cursor.position = offset;
  }

  /** The number after an opcode with one: an index or label, or a constant, which nobody asks for. */
  private index(code: number): number {
    if (code !== 0x41 && code !== 0x42 && code !== 0xd0) return this.cursor.u32();
    this.cursor.skipNumber();
    return 0;
  }

  private immediates(form: number, code: number): void {
    const { cursor } = this;
    switch (form) {
      case FORM.memory:
        this.first = this.memoryIndex();
        return;
      case FORM.block:
        this.blockType = this.readBlockType();
        return;
      case FORM.branchTable:
        this.labels = this.readLabels();
        return;
      case FORM.types:
        for (let left = cursor.u32(); left > 0 && cursor.ok; left--) readValueType(cursor);
        return;
      case FORM.tryTable:
        this.blockType = this.readBlockType();
        this.catches = this.readCatches();
        return;
      case FORM.four:
        cursor.skip(4);
        return;
      case FORM.eight:
        cursor.skip(8);
        return;
      case FORM.callIndirect:
        this.first = cursor.u32();
        this.second = cursor.u32();
        return;
      case FORM.prefixGc:
      case FORM.prefixMisc:
      case FORM.prefixVector:
      case FORM.prefixAtomic:
        this.prefixed(form, code);
        return;
      case FORM.unknown:
        throw unknownInstruction(code, this.start);
      default:
        this.first = cursor.u32();
    }
  }

  private prefixed(form: number, prefix: number): void {
    const { cursor } = this;
    const sub = cursor.u32();
    this.code = (prefix << 16) | sub;
    if (form === FORM.prefixVector) {
      const immediates = vectorImmediates(sub);
      if (immediates === undefined) throw unknownInstruction(this.code, this.start);
      if (immediates.memory) this.first = this.memoryIndex();
      cursor.skip(immediates.bytes);
    } else if (form === FORM.prefixAtomic) {
      if (sub > LAST_ATOMIC || (sub > ATOMIC_FENCE && sub < FIRST_ATOMIC_ACCESS)) {
        throw unknownInstruction(this.code, this.start);
      }
      if (sub === ATOMIC_FENCE) cursor.skip(1);
      else this.first = this.memoryIndex();
    } else {
      this.indices(form === FORM.prefixGc ? GC_FORMS[sub] : MISC_FORMS[sub]);
    }
  }

  private indices(count = FORM.unknown as number): void {
    const { cursor } = this;
    if (count === FORM.unknown) throw unknownInstruction(this.code, this.start);
    if (count > 0) this.first = cursor.u32();
    if (count > 1) this.second = cursor.u32();
    for (let left = count; left > 2; left--) cursor.skipNumber();
  }

  /** Alignment and offset (5.4.6); bit 6 of the alignment announces a memory index. */
  private memoryIndex(): number {
    const index = (this.cursor.u32() & 0x40) !== 0 ? this.cursor.u32() : 0;
    this.cursor.skipNumber();
    return index;
  }

  private readBlockType(): number {
    const { cursor } = this;
    const first = cursor.bytes[cursor.position] ?? 0;
    if (first === EMPTY_BLOCK) {
      cursor.skip(1);
      return -1;
    }
    if (first < 0x80 && (first & 0x40) !== 0) {
      readValueType(cursor);
      return -2;
    }
    // A type index, signed: bit 6 of its last byte is clear, or V8 would read a type.
    const index = cursor.u32();
    if (((cursor.bytes[cursor.position - 1] ?? 0) & 0x40) !== 0) {
      throw new InputError('invalid-module', `the block at byte ${this.start} has no known type`, {
        offset: this.start,
      });
    }
    return index;
  }

  private readLabels(): number[] {
    const { cursor } = this;
    const labels: number[] = [];
    for (let left = cursor.u32(); left >= 0 && cursor.ok; left--) labels.push(cursor.u32());
    return labels;
  }

  private readCatches(): CatchClause[] {
    const { cursor } = this;
    const catches: CatchClause[] = [];
    for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
      if (cursor.byte() < 2) cursor.skipNumber();
      catches.push({ label: cursor.u32() });
    }
    return catches;
  }
}
