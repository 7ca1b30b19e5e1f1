import { Cursor } from '../cursor.ts';
import type { DefinedLimits, DefinedTable } from '../limits.ts';
import type { ParsedModule } from '../parsed-module.ts';
import { SECTION } from '../sections.ts';
import type { Feature, ImportEntry, SectionEntry } from '../types.ts';
import type { FeatureScan } from './features.ts';
import { skipConstantExpression } from './operators.ts';

/** The parts of a module outside its code that show which features it uses. */
export interface Declarations {
  readonly parsed: ParsedModule;
  readonly imports: readonly ImportEntry[];
  readonly memories: readonly DefinedLimits[];
  readonly tables: readonly DefinedTable[];
  readonly sections: readonly SectionEntry[];
}

/** Value types, by the word in a type's text that names them, and the features they belong to. */
const TYPE_WORDS: readonly (readonly [pattern: RegExp, feature: Feature])[] = [
  [/\bv128\b/, 'simd'],
  [/\bexternref\b/, 'reference-types'],
  [/\(ref /, 'function-references'],
  [/\b(?:any|eq|i31|struct|array|null|nullfunc|nullextern)ref\b/, 'gc'],
  [/\bexnref\b/, 'exceptions'],
];

/** Marks the features that types, limits, imports, exports and segments show. */
export function useDeclaredFeatures(declarations: Declarations, features: FeatureScan): void {
  const { parsed, imports, sections } = declarations;
  useTypes(declarations, features);
  useLimits(declarations, features);
  const importedGlobals = imports.filter(({ kind }) => kind === 'global').map(({ type }) => type);
  const globals = [...importedGlobals, ...parsed.globals.map(({ type }) => type)];
  const shared = parsed.exports.filter(({ kind }) => kind === 'global');
  const open = [...importedGlobals, ...shared.map(({ index }) => globals[index] ?? '')];
  if (open.some((type) => type.startsWith('mut '))) features.use('mutable-globals');
  if (parsed.extendedConst) features.use('extended-const');
  const hasTag = sections.some(({ id }) => id === SECTION.tag) || has(imports, 'tag');
  if (hasTag && !features.features().has('exceptions-legacy')) features.use('exceptions');
  if (sections.some(({ id }) => id === SECTION.dataCount)) features.use('bulk-memory');
  if (parsed.segments.some(({ mode }) => mode === 'passive')) features.use('bulk-memory');
  if (parsed.segments.some(({ mode }) => mode === 'declarative')) features.use('reference-types');
}

function useTypes({ parsed, imports, tables }: Declarations, features: FeatureScan): void {
  for (const { text, results, grouped } of parsed.types) {
    if (grouped) features.use('gc');
    if (results > 1) features.use('multi-value');
    if (text !== undefined) useWords(text, features);
    if (text !== undefined && /\bfuncref\b/.test(text)) features.use('reference-types');
  }
  for (const { type } of parsed.globals) {
    useWords(type, features);
    if (/\bfuncref\b/.test(type)) features.use('reference-types');
  }
  for (const { kind, type } of imports) {
    if (kind !== 'function') useWords(type, features);
    if (kind === 'global' && /\bfuncref\b/.test(type)) features.use('reference-types');
  }
  for (const { element, functions } of tables) {
    useWords(element, features);
    if (functions.length > 0) features.use('function-references');
  }
}

function useWords(text: string, features: FeatureScan): void {
  for (const [pattern, feature] of TYPE_WORDS) if (pattern.test(text)) features.use(feature);
}

function useLimits({ imports, memories, tables }: Declarations, features: FeatureScan): void {
  const limits = imports
    .filter(({ kind }) => kind === 'memory' || kind === 'table')
    .map(({ type }) => type);
  if (limits.some((type) => type.startsWith('i64'))) features.use('memory64');
  if (limits.some((type) => type.endsWith(' shared'))) features.use('threads');
  for (const { address, shared, customPageSize } of [...memories, ...tables]) {
    if (address === 'i64') features.use('memory64');
    if (shared) features.use('threads');
    if (customPageSize) features.use('custom-page-sizes');
  }
  if (memories.length + count(imports, 'memory') > 1) features.use('multi-memory');
  if (tables.length + count(imports, 'table') > 1) features.use('reference-types');
}

/** Marks what data segments (core specification 5.5.14) show; their bytes are stepped over. */
export function useDataFeatures(
  bytes: Uint8Array,
  section: SectionEntry | undefined,
  features: FeatureScan,
): void {
  if (section === undefined) return;
  const cursor = new Cursor(bytes, section.offset, section.offset + section.size);
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
    const flags = cursor.u32();
    if (flags === 2 && cursor.u32() > 0) features.use('multi-memory');
    if (flags === 1) features.use('bulk-memory');
    else if (skipConstantExpression(cursor).computes) features.use('extended-const');
    cursor.skip(cursor.u32());
  }
  cursor.expectOk('the data section');
}

function has(imports: readonly ImportEntry[], kind: ImportEntry['kind']): boolean {
  return imports.some((entry) => entry.kind === kind);
}

function count(imports: readonly ImportEntry[], kind: ImportEntry['kind']): number {
  return imports.filter((entry) => entry.kind === kind).length;
}
