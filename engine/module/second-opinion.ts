import { decode } from '@webassemblyjs/wasm-parser';
import { displayText } from '../encoding/display.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { describeDifference, type SeenImport } from './import-difference.ts';
import type { ParsedModule } from './parsed-module.ts';
import { SECTION } from './sections.ts';
import { functionTypeText, limitsText, sameTypeText } from './type-text.ts';
import type { ReaderOpinion, SectionEntry } from './types.ts';
import type { ModuleLayout } from './walker.ts';

/**
 * The parser makes objects of some hundred bytes for each type, function, export and element, each of
 * which takes a byte at least: with more bytes than this in these sections it is not asked.
 */
const MAX_DECODED_BYTES = 2 ** 19;

/** It decodes a name in the square of its length: 4 KiB take it 10 ms, 64 KiB seconds. */
const MAX_NAME_BYTES = 4096;
/** The sum of the squares of all names' lengths; its worst takes about half a second. */
const MAX_NAME_WORK = 2 ** 29;

/** Sections whose contents it steps over. */
const IGNORED: ReadonlySet<number> = new Set([SECTION.code, SECTION.data]);

/**
 * Asks `@webassemblyjs/wasm-parser` for the imports (DESIGN 3). Its failure is recorded as
 * `cannot-read`. Give it only a module that V8 has accepted.
 * @param parsed gives the names of the exports, whose lengths matter.
 */
export function secondOpinion(
  bytes: Uint8Array,
  layout: ModuleLayout,
  parsed: Pick<ParsedModule, 'exports'>,
): ReaderOpinion {
  const refusal = tooMuchWork(layout, parsed);
  if (refusal !== undefined) return cannotRead(refusal);
  let seen: SeenImport[];
  try {
    seen = importsOf(mutely(() => decode(withoutCustomSections(bytes, layout.sections), OPTIONS)));
  } catch (error) {
    return cannotRead(displayText(error instanceof Error ? error.message : String(error)));
  }
  const detail = describeDifference(layout.imports, 'webassemblyjs', seen, sameTypeText);
  return detail === undefined
    ? { reader: 'webassemblyjs', outcome: 'agrees' }
    : { reader: 'webassemblyjs', outcome: 'disagrees', detail };
}

const OPTIONS = { ignoreCodeSection: true, ignoreDataSection: true, ignoreCustomNameSection: true };

function cannotRead(detail: string): ReaderOpinion {
  return { reader: 'webassemblyjs', outcome: 'cannot-read', detail };
}

function tooMuchWork(
  { sections, imports }: ModuleLayout,
  { exports }: Pick<ParsedModule, 'exports'>,
): string | undefined {
  let size = 0;
  for (const section of sections) {
    if (section.id !== SECTION.custom && !IGNORED.has(section.id)) size += section.size;
  }
  if (size > MAX_DECODED_BYTES) {
    return `not asked: ${size} bytes of declarations, it is asked up to ${MAX_DECODED_BYTES}`;
  }
  let work = 0;
  for (const { module, name } of imports) work += nameWork(module) + nameWork(name);
  for (const { name } of exports) work += nameWork(name);
  return work > MAX_NAME_WORK
    ? 'not asked: a name is too long, or there are too many long ones, for a parser that needs the square of their length'
    : undefined;
}

function nameWork(name: string): number {
  const { length } = encodeUtf8(name);
  return length > MAX_NAME_BYTES ? Number.POSITIVE_INFINITY : length * length;
}

/**
 * The module without its custom sections. They are no semantics and V8 does not validate them, but
 * this parser decodes `name` and `producers` by the counts they claim, whatever its options say.
 */
function withoutCustomSections(bytes: Uint8Array, sections: readonly SectionEntry[]): ArrayBuffer {
  const parts = [bytes.subarray(0, 8)];
  let from = 8;
  for (const { id, offset, size } of sections) {
    const end = offset + size;
    if (id !== SECTION.custom) parts.push(bytes.subarray(from, end));
    from = end;
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

/** Runs a synchronous function with nothing written to the console. */
function mutely<T>(run: () => T): T {
  const methods = ['log', 'info', 'warn', 'error', 'debug'] as const;
  const originals = methods.map((method) => console[method]);
  for (const method of methods) console[method] = () => {};
  try {
    return run();
  } finally {
    for (const [i, method] of methods.entries()) {
      const original = originals[i];
      if (original !== undefined) console[method] = original;
    }
  }
}

/** The parts of the parser's tree that matter here; what has another form is refused below. */
interface Node {
  readonly [key: string]: unknown;
}

function importsOf(program: unknown): SeenImport[] {
  const module = list(node(program).body)[0];
  const fields = list(node(module).fields).map(node);
  return fields.filter(({ type }) => type === 'ModuleImport').map(seenImport);
}

function seenImport(entry: Node): SeenImport {
  const descr = node(entry.descr);
  const names = { module: text(entry.module), name: text(entry.name) };
  switch (descr.type) {
    case 'FuncImportDescr':
      return { ...names, kind: 'function', type: signature(node(descr.signature)) };
    case 'Memory':
      return { ...names, kind: 'memory', type: limits(node(descr.limits)) };
    case 'Table': {
      const element = valueType(descr.elementType);
      return { ...names, kind: 'table', type: `${limits(node(descr.limits))} ${element}` };
    }
    case 'GlobalType': {
      const type = valueType(descr.valtype);
      return {
        ...names,
        kind: 'global',
        type: descr.mutability === 'var' ? `mut ${type}` : type,
      };
    }
    default:
      throw new TypeError(`it gives an import of the unknown form ${String(descr.type)}`);
  }
}

function signature({ params, results }: Node): string {
  const types = list(params).map((param) => valueType(node(param).valtype));
  return functionTypeText(types, list(results).map(valueType));
}

function limits({ min, max, shared }: Node): string {
  if (typeof min !== 'number') throw new TypeError('it gives limits without a minimum');
  return limitsText({
    address: 'i32', // it knows no other, and gives no minimum for one
    minimum: BigInt(min),
    maximum: typeof max === 'number' ? BigInt(max) : undefined,
    shared: shared === true,
  });
}

function valueType(name: unknown): string {
  return name === 'anyfunc' ? 'funcref' : text(name);
}

function node(value: unknown): Node {
  if (typeof value === 'object' && value !== null) return value as Node;
  throw new TypeError('it gives a tree of another form');
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('it gives a tree of another form');
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('it gives a tree of another form');
}
