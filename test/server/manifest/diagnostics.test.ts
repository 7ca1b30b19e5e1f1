import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestProblems } from '../../../server/manifest/diagnostics.ts';
import { rangeOnManifest } from '../../../server/manifest/places.ts';
import { finding, manifest, open } from './support.ts';

test('each problem is an error at its place, and names its field', () => {
  const { document, reading } = open(
    '{\r\n  "name": "A",\r\n  "versoin": "1.0.0",\r\n  "artifact": "a.wasm",\r\n  "limits": { "fuel": 0 }\r\n}',
  );
  const found = manifestProblems(document, reading).map(({ range, message, ...others }) => {
    assert.deepEqual(others, { severity: 1, source: 'touchstone', code: 'invalid-manifest' });
    return [document.getText(range), range.start.line, message];
  });
  assert.deepEqual(found, [
    ['{', 0, 'version: it is missing'],
    ['"A"', 1, 'name: a name has at most 64 lower-case letters, digits, ".", "_" and "-"'],
    ['"versoin"', 2, 'there is no field "versoin"; did you mean "version"?'],
    ['0', 4, 'limits.fuel: it is too small: at least 1'],
  ]);
});

test('a byte order mark moves no range, and a refused text has its problem at the beginning', () => {
  const { document, reading } = open('\uFEFF{"name":1}');
  const ranges = manifestProblems(document, reading).map(({ range }) => document.getText(range));
  assert.deepEqual(ranges, ['{', '{', '1']);
  const large = open(`"${'a'.repeat(1_100_000)}"`);
  const [problem, ...others] = manifestProblems(large.document, large.reading);
  assert.equal(others.length, 0);
  assert.deepEqual(problem?.range.start, { line: 0, character: 0 });
});

test('a finding shows on its field as it is now, else on the nearest place that makes sense', () => {
  const shown = (text: string, ...path: (string | number)[]) => {
    const { reading } = open(text);
    const { offset, length } = rangeOnManifest(reading, { file: 'manifest', path });
    return text.slice(offset, offset + length);
  };
  const text = manifest({ capabilities: ['db'], limits: {} });
  assert.equal(shown(text, 'capabilities', 0), '"db"');
  assert.equal(shown(text, 'capabilities', 3), '[');
  assert.equal(shown(text, 'limits', 'fuel'), '{');
  assert.equal(shown(text, 'trust'), '"build/call.wasm"');
  assert.equal(shown('{}', 'trust'), '{');
  assert.equal(shown('', 'trust'), '');
  assert.equal(shown('{"a":1}', '__proto__'), '{');
});

test('what is found in an artifact or a certificate shows on the artifact', () => {
  const text = manifest();
  const { offset, length } = rangeOnManifest(open(text).reading, finding('impure-import').place);
  assert.equal(text.slice(offset, offset + length), '"build/call.wasm"');
});
