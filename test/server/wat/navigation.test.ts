import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definitionOf } from '../../../server/wat/definition.ts';
import { highlightsOf, referencesTo } from '../../../server/wat/references.ts';
import { openAt } from './support.ts';

const TEXT = `(module
  (import "m" "n" (func $f))
  (func $g
    call |$f
    call 0))`;

test('goes from a call to the import that it calls', () => {
  const { source, document, offset } = openAt(TEXT);
  assert.deepEqual(definitionOf(source, document, offset), {
    uri: source.uri,
    range: { start: { line: 1, character: 24 }, end: { line: 1, character: 26 } },
  });
  assert.equal(definitionOf(source, document, 0), undefined);
});

test('finds every use, with the definition where it is wanted', () => {
  const { source, document, offset } = openAt(TEXT);
  const lines = (includeDeclaration: boolean) =>
    referencesTo(source, document, offset, { includeDeclaration }).map(
      ({ range }) => range.start.line,
    );
  assert.deepEqual(lines(true), [1, 3, 4]);
  assert.deepEqual(lines(false), [3, 4]);
  assert.deepEqual(referencesTo(source, document, 0, { includeDeclaration: true }), []);
});

test('marks the same places in the text', () => {
  const { source, document, offset } = openAt(TEXT);
  const marks = highlightsOf(source, document, offset);
  assert.deepEqual(
    marks.map(({ range, kind }) => [source.getText(range), kind]),
    [
      ['$f', 3],
      ['$f', 2],
      ['0', 2],
    ],
  );
  assert.deepEqual(highlightsOf(source, document, 0), []);
});
