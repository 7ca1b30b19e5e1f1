// Manifests come from anybody: whatever is in them, every feature answers, and soon.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ParseError, parse } from 'jsonc-parser';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver-types';
import { manifestActions } from '../../../server/manifest/code-actions.ts';
import { manifestLenses } from '../../../server/manifest/code-lenses.ts';
import { completeManifest } from '../../../server/manifest/completion.ts';
import { manifestProblems } from '../../../server/manifest/diagnostics.ts';
import { manifestHover } from '../../../server/manifest/hover.ts';
import { manifestLinks } from '../../../server/manifest/links.ts';
import { rangeOnManifest } from '../../../server/manifest/places.ts';
import { isShallow } from '../../../server/manifest/tree.ts';
import { ALL_COMMANDS, analysis, finding, MINIMAL, open, URI, undeclared } from './support.ts';

const WHOLE = JSON.stringify(
  {
    ...MINIMAL,
    source: ['src/lib.rs', 'src/**/*.rs'],
    build: 'make',
    whitelist: 'mashin@1',
    trust: 'reviewed',
    capabilities: ['machine.call', 'net.http'],
    limits: { fuel: 7, memoryPages: 4, phaseMs: { plan: 5 } },
    cases: ['cases/*.json'],
  },
  null,
  2,
);

const PIECES = [
  ...'{}[]:,"\\/\n\r\t 0-.',
  '//',
  '/*',
  '*/',
  '"tier": "2",',
  '"capabilities"',
  '"memoryProfile": "edge",',
  '"__proto__": {"constructor": 1},',
  '"\\ud800"',
  '\uD800',
  '\u202E',
  '\uFEFF',
  'null',
];

/** A manifest with a few places cut out or written over. */
const broken = fc
  .array(
    fc.record({
      at: fc.nat(WHOLE.length),
      cut: fc.oneof(fc.nat(3), fc.nat(WHOLE.length)),
      piece: fc.oneof(fc.constantFrom(...PIECES), fc.constant('')),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((changes) =>
    changes.reduce(
      (text, { at, cut, piece }) => text.slice(0, at) + piece + text.slice(at + cut),
      WHOLE,
    ),
  );

const CLIENT = { snippets: true, markdown: true, commands: ALL_COMMANDS };
const WORLD = { folderName: '..', artifacts: [], sources: [], cases: [], whitelists: [] };
const FINDINGS = [undeclared('db_op'), undeclared('http_request'), finding('certificate-stale')];

function actionsIn(text: string) {
  const { document, reading } = open(text);
  return manifestActions({
    document,
    reading,
    range: { start: { line: 0, character: 0 }, end: document.positionAt(text.length) },
    diagnostics: manifestProblems(document, reading),
    findings: FINDINGS,
    folderName: '',
    artifacts: [],
    commands: ALL_COMMANDS,
  });
}

/** Every range that the features answer for a text and an offset in it. */
async function rangesOf(text: string, offset: number): Promise<(Range | undefined)[]> {
  const { document, reading } = open(text);
  const position = document.positionAt(offset);
  const known = analysis({ findings: FINDINGS });
  const list = await completeManifest(document, reading, position, WORLD, CLIENT);
  const lensOptions = { commands: ALL_COMMANDS, icons: true };
  return [
    ...manifestProblems(document, reading).map(({ range }) => range),
    ...manifestLinks(document, reading).map(({ range }) => range),
    ...manifestLenses(document, reading, known, lensOptions).map(({ range }) => range),
    manifestHover(document, reading, position, known)?.range,
    ...actionsIn(text).flatMap(({ edit }) => edit?.changes?.[URI]?.map(({ range }) => range)),
    ...list.items.map(({ textEdit }) =>
      textEdit && 'range' in textEdit ? textEdit.range : undefined,
    ),
  ];
}

function syntaxErrors(text: string): number {
  const errors: ParseError[] = [];
  parse(text.replace(/^\uFEFF/, ''), errors, { allowTrailingComma: false });
  return errors.length;
}

test('for every broken manifest each feature answers, with ranges inside the text', async () => {
  await fc.assert(
    fc.asyncProperty(broken, fc.nat(WHOLE.length), async (text, offset) => {
      const { document, reading } = open(text);
      for (const range of await rangesOf(text, offset)) {
        if (range === undefined) continue;
        const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
        assert.ok(start <= end && end <= text.length);
        assert.deepEqual(document.positionAt(end), range.end);
      }
      for (const { place } of FINDINGS) {
        const { offset: at, length } = rangeOnManifest(reading, place);
        assert.ok(at >= 0 && at + length <= reading.text.length);
      }
    }),
    { numRuns: 300 },
  );
});

test('every fix that is offered, applied, leaves a text that parses no worse', () => {
  let offered = 0;
  fc.assert(
    fc.property(broken, (text) => {
      for (const { edit, title } of actionsIn(text)) {
        const edits = edit?.changes?.[URI];
        if (edits === undefined) continue;
        offered++;
        const document = TextDocument.create(URI, 'jsonc', 1, text);
        const result = TextDocument.applyEdits(document, edits);
        assert.ok(syntaxErrors(result) <= syntaxErrors(text), `${title}: ${result}`);
        const again = actionsIn(result).filter((other) => other.title === title);
        assert.ok(again.length < 2, `${title}: ${result}`);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(offered > 100, `${offered} offered`);
});

test('brackets that do not match are no way around the bound on depth', () => {
  assert.ok(isShallow(WHOLE));
  assert.ok(isShallow('['.repeat(200)));
  for (const step of ['[', '{"a":', '[},', '{"a":[},', '[1,{]', '[/*]*/', '["]",']) {
    assert.ok(!isShallow(step.repeat(1000)), step);
  }
  assert.ok(!isShallow(`"${'a'.repeat(1_048_576)}"`));
});

test('the largest manifests are answered in linear time', async () => {
  const size = 1_000_000;
  const texts = [
    `{"source": [${'"a/b.rs",'.repeat(size / 9)}"x"]}`,
    `{${Array.from({ length: size / 12 }, (_, i) => `"k${i}": 1`).join(',')}}`,
    `{${'"tier": 1,'.repeat(size / 10)}"tier": 1}`,
    `{"capabilities": [${'"net.htp",'.repeat(size / 10)}"db"]}`,
    `// ${'x'.repeat(size)}\n{}`,
    `{"artifact": "${'\u202E\\\\'.repeat(size / 3)}"}`,
    '"'.repeat(size),
    '\n'.repeat(size),
  ];
  for (const text of texts) {
    const began = performance.now();
    await rangesOf(text, text.length - 1);
    const took = performance.now() - began;
    // About a second alone; quadratic work would take minutes.
    assert.ok(took < 10_000, `${text.slice(0, 20)}: ${Math.round(took)} ms`);
  }
});
