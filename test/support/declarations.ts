// What tests of the source readers share: edits put into the text and the text read again.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { EditableDeclaration, SourceEdit } from '../../engine/source/types.ts';
import type { ValueType, WhitelistFunction } from '../../engine/whitelist/types.ts';

/** A reader bound to its parser. */
export type Read = (text: string) => readonly EditableDeclaration[];

/** `module.name type` of each declaration, `?` for a type that the text does not tell. */
export function imports(declarations: readonly EditableDeclaration[]): readonly string[] {
  return declarations.map(({ module, name, type }) => `${module}.${name} ${type ?? '?'}`);
}

/** The declaration that the source calls `identifier`. */
export function declared(read: Read, text: string, identifier: string): EditableDeclaration {
  const found = read(text).find((declaration) => declaration.identifier === identifier);
  assert.ok(found !== undefined, `no declaration of ${identifier} in:\n${text}`);
  return found;
}

/** The text with the edits in it. They must be there, lie inside the text, and not overlap. */
export function edited(text: string, edits: readonly SourceEdit[] | undefined): string {
  assert.ok(edits !== undefined, 'the language has a way to say it');
  let result = '';
  let done = 0;
  for (const { range, text: inserted } of [...edits].sort(
    (a, b) => a.range.offset - b.range.offset,
  )) {
    assert.ok(range.offset >= done && range.offset + range.length <= text.length, 'edits overlap');
    result += text.slice(done, range.offset) + inserted;
    done = range.offset + range.length;
  }
  return result + text.slice(done);
}

/** A listed function; only its type matters to a reader. */
export function listed(
  params: readonly ValueType[],
  results: readonly ValueType[],
): WhitelistFunction {
  return { module: 'm', name: 'n', params, results, class: 'pure', category: 'compute', doc: '' };
}

/**
 * Makes the declaration import another function, and checks that this alone is changed.
 * @returns the new text.
 */
export function reimported(
  read: Read,
  text: string,
  identifier: string,
  target: { readonly module: string; readonly name: string },
): string {
  const before = read(text);
  const changed = edited(text, declared(read, text, identifier).importing(target));
  const after = read(changed);
  const { module, name, type } = declared(read, changed, identifier);
  assert.deepEqual({ module, name }, target, changed);
  assert.equal(type, declared(read, text, identifier).type, changed);
  assert.deepEqual(others(after, identifier), others(before, identifier), changed);
  return changed;
}

/** Gives the declaration another type, and checks that this alone is changed. Returns the new text. */
export function retyped(
  read: Read,
  text: string,
  identifier: string,
  target: WhitelistFunction,
  type: string,
): string {
  const before = declared(read, text, identifier);
  const changed = edited(text, before.typedAs(target));
  const after = declared(read, changed, identifier);
  assert.equal(after.type, type, changed);
  assert.deepEqual([after.module, after.name], [before.module, before.name], changed);
  assert.deepEqual(others(read(changed), identifier), others(read(text), identifier), changed);
  return changed;
}

/** Removes the declaration, and checks that this alone is changed. Returns the new text. */
export function removed(read: Read, text: string, identifier: string): string {
  const changed = edited(text, declared(read, text, identifier).removed());
  const left = imports(read(changed)).toSorted();
  assert.deepEqual(left, others(read(text), identifier), changed);
  return changed;
}

/** All declarations but one, in the order of their text: an edit may move one behind the others. */
function others(
  declarations: readonly EditableDeclaration[],
  identifier: string,
): readonly string[] {
  return declarations
    .filter((declaration) => declaration.identifier !== identifier)
    .flatMap((declaration) => imports([declaration]))
    .toSorted();
}

/** Names as an adversary writes them: any text, and what is special to a language. */
export const anyName: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\r', '\0', '#', ' ', '{', '\u{1F600}', '\u{202E}', 'u'),
    maxLength: 8,
  }),
);

/**
 * Reads texts that are wrong in every way: noise, words of the language in any order, valid sources
 * that are cut, or have a piece replaced or repeated. No reader throws, every range lies in the
 * text, marks lie in their declarations, and edits lie in the text and do not overlap.
 */
export function holdsForAnyText(
  read: Read,
  sources: readonly string[],
  words: readonly string[],
): void {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  const broken = fc
    .tuple(
      fc.constantFrom(...sources),
      position,
      position,
      fc.constantFrom('', '"', '{', '}', '(', '/*', '#', '\u{1F600}', '\ud800', ...words),
    )
    .map(([source, a, b, piece]) => {
      const start = Math.floor(a * source.length);
      const end = start + Math.floor(b * b * b * (source.length - start));
      return source.slice(0, start) + piece + source.slice(end);
    });
  const cut = fc
    .tuple(fc.constantFrom(...sources), position)
    .map(([source, a]) => source.slice(0, Math.floor(a * source.length)));
  const shuffled = fc
    .array(fc.constantFrom(...words, ' ', '\n', '{', '}', '(', ')', '"', ';'), { maxLength: 60 })
    .map((all) => all.join(' '));
  const noise = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(fc.oneof(broken, cut, shuffled, noise), (text) => {
      for (const declaration of read(text)) {
        const { range, mark } = declaration;
        assert.ok(range.offset >= 0 && range.offset + range.length <= text.length);
        assert.ok(mark.offset >= range.offset);
        assert.ok(mark.offset + mark.length <= range.offset + range.length);
        assert.ok(declaration.kind === 'function');
        for (const edits of [
          declaration.importing({ module: 'm', name: 'n' }),
          declaration.typedAs(listed(['i32'], [])),
          declaration.removed(),
        ]) {
          if (edits !== undefined) edited(text, edits);
        }
      }
    }),
    { numRuns: 600 },
  );
}
