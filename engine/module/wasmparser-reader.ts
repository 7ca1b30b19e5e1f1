import {
  BinaryReader,
  type IElementSegment,
  type IExportEntry,
  type IFunctionEntry,
  type IGlobalVariable,
  type IImportEntry,
  type IOperatorInformation,
  type ISectionInformation,
  type IStartEntry,
  type ITypeEntry,
} from 'wasmparser';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { tryDecodeUtf8 } from '../encoding/utf8.ts';
import type { SeenImport } from './import-difference.ts';
import type { DefinedType, ElementSegment, ParsedExport, ParsedModule } from './parsed-module.ts';
import { SECTION } from './sections.ts';
import { functionTypeText, limitsText, valueTypeText } from './type-text.ts';
import type { ExternKind } from './types.ts';

/** `BinaryReaderState` of wasmparser, whose own is an ambient const enum. */
const STATE = {
  error: -1,
  endWasm: 2,
  beginSection: 3,
  type: 11,
  import: 12,
  function: 13,
  export: 17,
  start: 22,
  tag: 23,
  initOperator: 26,
  beginElement: 33,
  endElement: 35,
  beginGlobal: 39,
  offsetOperator: 45,
  beginGroup: 47,
  endGroup: 48,
} as const;

/**
 * Sections that wasmparser is not asked for. Custom sections are not validated by V8. Of tables
 * and memories it drops the address type and misreads initialisers; of code it drops the
 * table of an indirect call, and reads a table index of several bytes, as Rust writes it, as one.
 */
const SKIPPED: ReadonlySet<number> = new Set([
  SECTION.custom,
  SECTION.table,
  SECTION.memory,
  SECTION.code,
  SECTION.data,
  SECTION.dataCount,
]);
const KINDS: readonly ExternKind[] = ['function', 'table', 'memory', 'global', 'tag'];
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const REF_FUNC = 0xd2;
const REF_NULL = 0xd0;
const GLOBAL_GET = 0x23;
const END = 0x0b;
const COMPUTING: ReadonlySet<number> = new Set([0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e]);

/**
 * Reads types, imports, functions, globals, exports, start and elements with wasmparser. Give it
 * only bytes that V8 has accepted: on others it may run out of memory.
 * @throws {InputError} `invalid-module` if wasmparser does not know a form that V8 knows.
 */
export function readWithWasmparser(bytes: Uint8Array): ParsedModule {
  const reader = new BinaryReader();
  const collector = new Collector();
  try {
    reader.setData(ownBuffer(bytes), 0, bytes.length);
    while (reader.read()) {
      const state: number = reader.state;
      if (state === STATE.error) throw reader.error;
      if (state === STATE.endWasm) return collector;
      if (state === STATE.beginSection && SKIPPED.has(sectionId(reader))) reader.skipSection();
      else collector.take(state, reader);
    }
  } catch (cause) {
    throw unreadable(reader.position, cause);
  }
  throw unreadable(reader.position, undefined);
}

function unreadable(offset: number, cause: unknown): InputError {
  const reason = cause instanceof Error ? displayText(cause.message) : 'the file ends too early';
  return new InputError(
    'invalid-module',
    `V8 accepts the module, wasmparser cannot read it: ${reason}, near byte ${offset}`,
    { offset, cause },
  );
}

/** wasmparser takes a whole buffer; the bytes are copied if they are only a part of theirs. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.length) return buffer;
  return new Uint8Array(bytes).buffer;
}

function sectionId(reader: BinaryReader): number {
  const { id }: { readonly id: number } = reader.result as ISectionInformation;
  return id;
}

/** Collects what the reader passes. The casts follow wasmparser's states, which determine results. */
class Collector implements ParsedModule {
  readonly imports: SeenImport[] = [];
  readonly types: DefinedType[] = [];
  readonly functionTypes: number[] = [];
  readonly tagTypes: number[] = [];
  readonly globals: { readonly type: string; readonly functions: number[] }[] = [];
  readonly exports: ParsedExport[] = [];
  readonly segments: ElementSegment[] = [];
  start: number | undefined;
  extendedConst = false;
  private grouped = false;
  private inElements = false;
  private segment: { mode: number; tableIndex: number } = { mode: 0, tableIndex: 0 };
  private offset: number[] = [];
  private elements: number[] = [];

  take(state: number, reader: BinaryReader): void {
    const { result } = reader;
    switch (state) {
      case STATE.beginSection:
        this.inElements = sectionId(reader) === SECTION.element;
        return;
      case STATE.beginGroup:
      case STATE.endGroup:
        this.grouped = state === STATE.beginGroup;
        return;
      case STATE.type:
        this.takeType(result as ITypeEntry);
        return;
      case STATE.import:
        this.takeImport(result as IImportEntry);
        return;
      case STATE.function:
        this.functionTypes.push((result as IFunctionEntry).typeIndex);
        return;
      case STATE.tag:
        this.tagTypes.push((result as { readonly typeIndex: number }).typeIndex);
        return;
      case STATE.beginGlobal:
        this.globals.push({ type: globalText((result as IGlobalVariable).type), functions: [] });
        return;
      case STATE.export: {
        const { field, kind, index } = result as IExportEntry;
        this.exports.push({ name: text(field), kind: kindOf(kind), index, end: reader.position });
        return;
      }
      case STATE.start:
        this.start = (result as IStartEntry).index;
        return;
      default:
        this.takeExpression(state, result as IOperatorInformation);
    }
  }

  private takeExpression(state: number, result: IOperatorInformation): void {
    switch (state) {
      case STATE.beginElement: {
        const { mode, tableIndex }: { readonly mode: number; readonly tableIndex?: number } =
          result as unknown as IElementSegment;
        this.segment = { mode, tableIndex: tableIndex ?? 0 };
        this.offset = [];
        this.elements = [];
        return;
      }
      case STATE.endElement:
        this.segments.push({
          mode: (['active', 'passive', 'declarative'] as const)[this.segment.mode] ?? 'declarative',
          tableIndex: this.segment.tableIndex,
          base: onlyConstant(this.offset),
          functions: this.elements,
        });
        return;
      case STATE.offsetOperator:
      case STATE.initOperator:
        this.takeOperator(state, result);
    }
  }

  private takeOperator(state: number, operator: IOperatorInformation): void {
    const code: number = operator.code;
    if (COMPUTING.has(code)) this.extendedConst = true;
    if (state === STATE.offsetOperator) {
      if (code !== END) this.offset.push(constantOf(code, operator));
    } else if (this.inElements) {
      if (code === REF_FUNC) this.elements.push(operator.funcIndex ?? -1);
      else if (code === REF_NULL || code === GLOBAL_GET) this.elements.push(-1);
    } else if (code === REF_FUNC && operator.funcIndex !== undefined) {
      this.globals.at(-1)?.functions.push(operator.funcIndex);
    }
  }

  private takeType(entry: ITypeEntry): void {
    const { params, returns, supertypes } = entry;
    this.types.push({
      text:
        params === undefined || returns === undefined
          ? undefined
          : functionTypeText(params.map(valueTypeText), returns.map(valueTypeText)),
      results: returns?.length ?? 0,
      supertypes: supertypes ?? [],
      grouped: this.grouped || supertypes !== undefined || params === undefined,
    });
  }

  private takeImport(entry: IImportEntry): void {
    const kind = kindOf(entry.kind);
    const type = this.importType(entry);
    this.imports.push({ module: text(entry.module), name: text(entry.field), kind, ...type });
    if (kind === 'function') this.functionTypes.push(entry.funcTypeIndex ?? 0);
    if (kind === 'tag' && entry.type !== undefined && 'typeIndex' in entry.type) {
      this.tagTypes.push(entry.type.typeIndex);
    }
  }

  private importType({ funcTypeIndex, type }: IImportEntry): { readonly type?: string } {
    if (type === undefined) return typeField(this.types[funcTypeIndex ?? 0]?.text);
    if ('typeIndex' in type) return typeField(this.types[type.typeIndex]?.text);
    if ('contentType' in type) return { type: globalText(type) };
    const { initial, maximum } = type.limits;
    const limits = limitsText({
      address: 'i32',
      minimum: BigInt(initial),
      maximum: maximum === undefined ? undefined : BigInt(maximum),
      shared: 'shared' in type && type.shared,
    });
    return {
      type: 'elementType' in type ? `${limits} ${valueTypeText(type.elementType)}` : limits,
    };
  }
}

function typeField(type: string | undefined): { readonly type?: string } {
  return type === undefined ? {} : { type };
}

/** What an offset expression of one constant amounts to. */
function onlyConstant(values: readonly number[]): number | undefined {
  const [value] = values;
  return values.length === 1 && !Number.isNaN(value) ? value : undefined;
}

/** The value of a constant, or NaN for another operator. */
function constantOf(code: number, { literal }: IOperatorInformation): number {
  if (code === I32_CONST && typeof literal === 'number') return literal >>> 0;
  if (code === I64_CONST && typeof literal === 'object' && 'toDouble' in literal) {
    return literal.toDouble();
  }
  return Number.NaN;
}

function globalText(type: IGlobalVariable['type']): string {
  const value = valueTypeText(type.contentType);
  return type.mutability === 1 ? `mut ${value}` : value;
}

function kindOf(kind: number): ExternKind {
  const name = KINDS[kind];
  if (name === undefined) throw new RangeError(`unknown kind ${kind}`);
  return name;
}

function text(bytes: Uint8Array): string {
  const decoded = tryDecodeUtf8(bytes);
  if (decoded === undefined) throw new RangeError('a name is not valid UTF-8');
  return decoded;
}
