import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnalysedCertificate, Analysis } from '../../../server/analysis/results.ts';
import { manifestLenses } from '../../../server/manifest/code-lenses.ts';
import {
  ALL_COMMANDS,
  analysis,
  FD_WRITE,
  finding,
  imported,
  manifest,
  open,
  URI,
} from './support.ts';

function titles(known: Analysis | undefined, more: object = {}, commands = ALL_COMMANDS): string[] {
  const { document, reading } = open(`// an executor\n${manifest(more)}`);
  const lenses = manifestLenses(document, reading, known, { commands, icons: false });
  for (const { range, command } of lenses) {
    assert.deepEqual(range.start, { line: 1, character: 0 });
    assert.deepEqual(command?.arguments, [URI]);
  }
  return lenses.map(({ command }) => command?.title ?? '');
}

test('the state of the certificate leads, and what makes sense then follows', () => {
  const at = (state: AnalysedCertificate['state'], tier = 1) =>
    titles(analysis({ certificate: { state } }), { tier });
  assert.deepEqual(at('admitted'), ['certified', 'Run…', 'Verify']);
  assert.deepEqual(at('missing'), ['not certified', 'Certify…']);
  assert.deepEqual(at('missing', 2), ['tier 2, static analysis', 'Certify…', 'Run…']);
  assert.deepEqual(at('missing', 3), ['tier 3, unchecked', 'Certify…', 'Run…']);
  assert.deepEqual(at('stale'), ['certificate stale', 'Certify Again', 'Verify']);
  assert.deepEqual(at('untrusted'), ['certifier untrusted', 'Certify…', 'Verify']);
  assert.deepEqual(at('refused'), ['certificate refused', 'Certify…', 'Verify']);
  assert.deepEqual(at('unreadable'), ['certificate unreadable', 'Certify…', 'Verify']);
});

test('an impure module cannot be certified, and runs at tier 3 only', () => {
  const imports = [FD_WRITE, ...Array.from({ length: 6 }, () => imported())];
  const known = analysis({ imports, allImportsPure: false });
  const words = '1 of its 7 imports is not in the whitelist mashin@1';
  assert.deepEqual(titles(known), [words]);
  assert.deepEqual(titles(known, { tier: 2 }), [words]);
  assert.deepEqual(titles(known, { tier: 3 }), [`tier 3, unchecked: ${words}`, 'Run…']);
});

test('an artifact that is not there can be built, if the manifest says how', () => {
  const missing = finding('artifact-missing', { severity: 'error', message: 'there is no file' });
  const known = analysis({ sha256: null, size: null, imports: [], allImportsPure: false });
  const findings = [missing];
  assert.deepEqual(titles({ ...known, findings }), ['there is no file']);
  assert.deepEqual(titles({ ...known, findings }, { build: 'make' }), [
    'there is no file',
    'Build…',
  ]);
});

test('no lens has a command that the client lacks, and none is about what is not known', () => {
  assert.deepEqual(titles(analysis(), {}, new Set()), []);
  assert.deepEqual(titles(analysis(), {}, new Set(['touchstone.certify'])), ['Certify…']);
  assert.deepEqual(titles(undefined), []);
  assert.deepEqual(titles(analysis(), { tier: 9 }), []);
});

test('icons stand before the words where the client draws them, and names forge none', () => {
  const { document, reading } = open(manifest());
  const title = (known: Analysis) =>
    manifestLenses(document, reading, known, { commands: ALL_COMMANDS, icons: true })[0]?.command
      ?.title;
  assert.equal(title(analysis()), '$(circle-outline) not certified');
  const findings = [finding('missing-entry', { severity: 'error', message: 'no $(verified)' })];
  assert.equal(title(analysis({ findings })), '$(error) no \\$(verified)');
});
