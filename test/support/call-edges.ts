// Call paths checked against the bytes they speak of, by a decoder of its own: what it reads is the
// few sections and the one instruction that a frame names, so that it shares nothing with the graph.

import assert from 'node:assert/strict';
import type { CallFrame, CallPath, ModuleReport } from '../../engine/module/types.ts';

const TYPE = 1;
const FUNCTION = 3;
const CODE = 10;

const VALUE_TYPES: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
  112: 'funcref',
  111: 'externref',
};

class Bytes {
  private readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    assert.ok(byte !== undefined, 'the file ends within a number');
    return byte;
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }
}

/** Checks the call paths of one module. */
export class PathChecker {
  private readonly bytes: Uint8Array;
  private readonly report: ModuleReport;
  /** The type of each function, imports first, as text. */
  private readonly functionTypes: readonly string[];
  private readonly types: readonly string[];
  private readonly bodies: readonly { readonly start: number; readonly end: number }[];
  private readonly importedFunctions: number;

  /** @param bytes of a module whose types are function types of one-byte value types. */
  constructor(bytes: Uint8Array, report: ModuleReport) {
    this.bytes = bytes;
    this.report = report;
    const imported = report.imports.filter(({ kind }) => kind === 'function');
    this.importedFunctions = imported.length;
    this.types = this.readTypes();
    const functions = this.section(FUNCTION);
    const own = functions?.list(() => functions.number()) ?? [];
    this.functionTypes = [
      ...imported.map(({ type }) => type),
      ...own.map((index) => this.types[index] ?? `no type ${index}`),
    ];
    this.bodies = this.readBodies();
  }

  /** Asserts that a path to the imported function at `importIndex` is one that the bytes have. */
  check(importIndex: number, path: CallPath): void {
    const functions = this.report.imports.slice(0, importIndex).filter(isFunction).length;
    assert.equal(path.frames.at(-1)?.functionIndex, functions, 'it ends elsewhere');
    let before: CallFrame | undefined;
    for (const frame of path.frames) {
      assert.ok(Number.isInteger(frame.functionIndex) && frame.functionIndex >= 0);
      assert.ok(frame.functionIndex < this.functionTypes.length, 'no such function');
      if (before === undefined) this.checkRoot(frame, path);
      else this.checkStep(before, frame);
      before = frame;
    }
  }

  private checkRoot(frame: CallFrame, { root }: CallPath): void {
    assert.equal(frame.via, 'root');
    if (root.kind === 'start') {
      assert.equal(this.report.start, frame.functionIndex);
    } else if (root.kind === 'export') {
      const found = this.report.exports.find(({ name }) => name === root.name);
      assert.ok(found, `no export ${root.name}`);
      if (found.kind === 'function') assert.equal(found.index, frame.functionIndex);
      else assert.equal(found.kind, 'global');
    } else {
      const exported = ({ kind, index }: { kind: string; index: number }) =>
        kind === 'table' && index === root.tableIndex;
      const importedTables = this.report.imports.filter(({ kind }) => kind === 'table').length;
      assert.ok(root.tableIndex < importedTables || this.report.exports.some(exported));
    }
  }

  private checkStep(before: CallFrame, frame: CallFrame): void {
    const body = this.bodies[before.functionIndex - this.importedFunctions];
    const { offset = -1 } = frame;
    assert.ok(body && offset >= body.start && offset < body.end, `${offset} is outside the caller`);
    const reader = new Bytes(this.bytes, offset);
    const opcode = reader.byte();
    if (frame.via === 'call') {
      // A reference that is taken counts as a way to the function as well.
      assert.ok(opcode === 0x10 || opcode === 0x12 || opcode === 0xd2, `opcode ${opcode}`);
      assert.equal(reader.number(), frame.functionIndex);
    } else if (frame.via === 'indirect') {
      assert.ok(opcode === 0x11 || opcode === 0x13, `opcode ${opcode}`);
      assert.equal(this.types[reader.number()], this.functionTypes[frame.functionIndex]);
      assert.equal(reader.number(), frame.table?.tableIndex);
    } else {
      assert.equal(frame.via, 'reference');
      assert.ok([0xd2, 0x14, 0x15, 0x23, 0x25, 0xfc].includes(opcode), `opcode ${opcode}`);
    }
  }

  private readTypes(): string[] {
    const reader = this.section(TYPE);
    if (reader === undefined) return [];
    const valueType = () => {
      const byte = reader.byte();
      return VALUE_TYPES[byte] ?? assert.fail(`value type ${byte}`);
    };
    return reader.list(() => {
      assert.equal(reader.byte(), 0x60, 'not a function type');
      const params = reader.list(valueType);
      const results = reader.list(valueType);
      return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`;
    });
  }

  private readBodies() {
    const reader = this.section(CODE);
    if (reader === undefined) return [];
    return reader.list(() => {
      const size = reader.number();
      const start = reader.at;
      reader.at += size;
      return { start, end: reader.at };
    });
  }

  private section(id: number): Bytes | undefined {
    const found = this.report.sections.find((section) => section.id === id);
    return found && new Bytes(this.bytes, found.offset);
  }
}

function isFunction({ kind }: { readonly kind: string }): boolean {
  return kind === 'function';
}
