// Imports as C and C++ declare them for clang: functions with the attributes `import_module` and
// `import_name` (clang's Attribute Reference), and those that directives of inline assembly name.
//
// A text is read as clang would for wasm32: the preprocessor runs over it with the macros of the text
// itself, attributes are taken out, the grammar of C++ parses the rest. A function without any of the
// two attributes is not read, though the linker may import it: the text alone does not tell.

import type { Parser } from 'web-tree-sitter';
import { functionTypeText } from '../module/type-text.ts';
import type { TextRange } from '../project/json-document.ts';
import { findFunctions } from './c-declarations.ts';
import { TypeNames } from './c-declarators.ts';
import { type Insertion, removing, renaming, retyping } from './c-edits.ts';
import type { FoundFunction } from './c-functions.ts';
import { type CImport, importsAmong } from './c-imports.ts';
import { islandsOf, unclaimed } from './c-islands.ts';
import { type CSource, placeOfFunction, sourceOfC } from './c-source.ts';
import { endOf, MAX_SOURCE_LENGTH, withSyntax } from './syntax.ts';
import type { EditableDeclaration, ImportDeclaration, SourceEdit } from './types.ts';

/**
 * The functions that a C text imports, in the order of the text.
 * @returns none for a text longer than `MAX_SOURCE_LENGTH`; of a text that is broken in places, the
 *   declarations that stand elsewhere.
 */
export function readC(parser: Parser, text: string): readonly EditableDeclaration[] {
  return read(parser, text, false);
}

/** The same of a C++ text. An import without `import_name` or C linkage goes by its mangled name. */
export function readCpp(parser: Parser, text: string): readonly EditableDeclaration[] {
  return read(parser, text, true);
}

function read(parser: Parser, text: string, isCpp: boolean): readonly EditableDeclaration[] {
  if (text.length > MAX_SOURCE_LENGTH) return [];
  const source = sourceOfC(text, isCpp);
  if (source === undefined) return [];
  const found = importsAmong(source, functionsIn(parser, source)).map((imported) => ({
    imported,
    declared: declarationOf(source, imported),
  }));
  found.sort((a, b) => a.declared.range.offset - b.declared.range.offset);
  const all = found.map(({ declared }) => declared);
  return found.map(({ imported, declared }, index) => {
    const tried = (edits: readonly SourceEdit[] | undefined, wanted: Wanted | undefined) =>
      edits && hasEffect(read(parser, applied(text, edits), isCpp), all, index, wanted)
        ? edits
        : undefined;
    return {
      ...declared,
      importing: (target) => {
        const attempt = (insertion: Insertion) =>
          tried(renaming(source, imported, target, insertion), {
            module: target.module,
            name: target.name,
          });
        return attempt('beside') ?? attempt('behind');
      },
      typedAs: (target) => {
        const type = functionTypeText(target.params, target.results);
        return tried(retyping(source, imported, target), { type });
      },
      removed: () => tried(removing(source, imported), undefined),
    };
  });
}

/** The functions of a text, and where it is broken those that its tokens still tell apart. */
function functionsIn(parser: Parser, source: CSource): readonly FoundFunction[] {
  const { plain, lifted, isCpp } = source;
  const names = new TypeNames(isCpp);
  const parse = (text: string) =>
    withSyntax<readonly FoundFunction[]>(parser, text, [], (root) =>
      findFunctions(root, plain, lifted, names),
    );
  const found = parse(plain.text);
  const islands = islandsOf(source, found);
  if (islands === undefined) return found;
  const left = new Set(unclaimed(lifted.lifted, found));
  const swallowed = parse(islands).filter((each) => each.lifted.some((one) => left.has(one)));
  return [...found, ...swallowed];
}

function declarationOf(source: CSource, imported: CImport): ImportDeclaration {
  const { found, module, name } = imported;
  const range = placeOfFunction(source, found);
  const { signature } = found;
  return {
    module,
    name,
    kind: 'function',
    ...(signature && { type: functionTypeText(signature.params, signature.results) }),
    identifier: found.identifier,
    range,
    mark: markOf(source, imported, range),
  };
}

/** The name where an attribute writes it, else the identifier, else all there is: a macro's call. */
function markOf(source: CSource, { found, sources }: CImport, range: TextRange): TextRange {
  const named = sources.name?.by === 'own' ? sources.name.given : undefined;
  if (named !== undefined && named.origin !== 'made' && holds(range, named.range))
    return named.range;
  const token = source.plain.tokens[found.name];
  const place = token && { offset: token.start, length: token.end - token.start };
  return place && holds(range, place) ? place : range;
}

function holds(outer: TextRange, inner: TextRange): boolean {
  return inner.offset >= outer.offset && endOf(inner) <= endOf(outer);
}

/** What an edit is to change; the rest of the declaration stays as it is. */
type Wanted = Partial<Pick<ImportDeclaration, 'module' | 'name' | 'type'>>;

/** Whether an edit has done to one declaration what was wanted, or removed it, and nothing else. */
function hasEffect(
  after: readonly ImportDeclaration[],
  before: readonly ImportDeclaration[],
  index: number,
  wanted: Wanted | undefined,
): boolean {
  const expected = before.flatMap((declared, i) => {
    if (i !== index) return declared;
    return wanted === undefined ? [] : { ...declared, ...wanted };
  });
  return (
    after.length === expected.length &&
    after.every((declared, i) => {
      const other = expected[i];
      return other !== undefined && isSame(declared, other);
    })
  );
}

function isSame(a: ImportDeclaration, b: ImportDeclaration): boolean {
  return (
    a.module === b.module && a.name === b.name && a.type === b.type && a.identifier === b.identifier
  );
}

function applied(text: string, edits: readonly SourceEdit[]): string {
  const ordered = [...edits].sort((a, b) => b.range.offset - a.range.offset);
  return ordered.reduce(
    (edited, { range, text: piece }) =>
      edited.slice(0, range.offset) + piece + edited.slice(endOf(range)),
    text,
  );
}
