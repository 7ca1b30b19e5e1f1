// The lenses over a manifest: how its executor stands, and what can be done about it then.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import type { CodeLens } from 'vscode-languageserver-protocol/node';
import { COMMANDS } from '../../server/protocol.ts';
import { certificateFor } from '../support/gate.ts';
import {
  ASKING,
  has,
  IMPURE,
  manifest,
  type OpenManifest,
  openManifest,
  PURE,
  TRUST,
} from './support/manifest.ts';

const BUILT = { 'build/tried.wasm': PURE };
const ALL = { initialization: { commands: Object.values(COMMANDS) } };

/** The titles of the lenses, each of which is about this manifest and stands on its brace. */
async function titles(opened: OpenManifest): Promise<string[]> {
  const lenses: CodeLens[] = await opened.lenses();
  for (const { range, command } of lenses) {
    assert.equal(opened.document().getText(range), '{');
    assert.deepEqual(command?.arguments, [opened.uri]);
  }
  return lenses.map(({ command }) => command?.title ?? '');
}

test('the lenses tell how the executor stands, and what makes sense then', async () => {
  const text = `// an executor\n${manifest({ build: 'make' })}`;
  await using opened = await openManifest(text, BUILT, ALL);
  const certificate = 'build/tried.wasm.purity.json';
  await opened.until(has('certificate-missing'));
  assert.deepEqual(await titles(opened), ['not certified', 'Certify…']);

  opened.save(certificate, await certificateFor(PURE));
  await opened.until(has('certifier-untrusted'));
  assert.deepEqual(await titles(opened), ['certifier untrusted', 'Certify…', 'Verify']);

  opened.save('.touchstone/trust.json', TRUST);
  await opened.until((found) => found.length === 0);
  assert.deepEqual(await titles(opened), ['certified', 'Run…', 'Verify']);

  const signed = new TextDecoder().decode(await certificateFor(PURE));
  const forge = (_: string, first: string) => `"signature":"${first === 'A' ? 'B' : 'A'}`;
  opened.save(certificate, signed.replace(/"signature":"(.)/, forge));
  await opened.until(has('certificate-invalid'));
  assert.deepEqual(await titles(opened), ['certificate refused', 'Certify…', 'Verify']);

  opened.save(certificate, '{');
  await opened.until((found) => found.some((each) => !/signature/.test(String(each.message))));
  assert.deepEqual(await titles(opened), ['certificate unreadable', 'Certify…', 'Verify']);

  opened.save(certificate, await certificateFor(ASKING));
  await opened.until(has('certificate-stale'));
  assert.deepEqual(await titles(opened), ['certificate stale', 'Certify Again', 'Verify']);

  opened.save('build/tried.wasm', IMPURE);
  await opened.until(has('impure-import'));
  const impure = '1 of its 2 imports is not in the whitelist mashin@1';
  assert.deepEqual(await titles(opened), [impure, 'Verify']);

  rmSync(opened.folder.path('build'), { recursive: true });
  opened.client.fileChanged(opened.folder.uri('build/tried.wasm'));
  const [missing] = await opened.until(has('artifact-missing'));
  assert.deepEqual(await titles(opened), [missing?.message.toString().split('\n')[0], 'Build…']);
});

test('a tier that asks for no certificate runs without one, also one that is not saved', async () => {
  await using opened = await openManifest(manifest(), BUILT, ALL);
  await opened.until(has('certificate-missing'));
  opened.edit(manifest({ tier: 2 }));
  assert.deepEqual(await titles(opened), ['tier 2, static analysis', 'Certify…', 'Run…']);
  opened.edit(manifest({ tier: 3 }));
  assert.deepEqual(await titles(opened), ['tier 3, unchecked', 'Certify…', 'Run…']);
});

test('over a broken manifest there is no lens, and there are some again when it is mended', async () => {
  await using opened = await openManifest(manifest(), BUILT, ALL);
  await opened.until(has('certificate-missing'));
  opened.edit(manifest().replace('"version"', '"verzion"'));
  assert.deepEqual(await titles(opened), []);
  await opened.until(has('invalid-manifest'));
  opened.edit(manifest());
  assert.deepEqual(await titles(opened), ['not certified', 'Certify…']);
});

test('lenses are those that the client carries out, with icons where it draws them', async () => {
  await using none = await openManifest(manifest(), BUILT);
  await none.until(has('certificate-missing'));
  assert.deepEqual(await titles(none), []);
  const initialization = { commands: [COMMANDS.inspect, 'their.own'], icons: true };
  await using some = await openManifest(manifest({ tier: 2 }), BUILT, { initialization });
  assert.deepEqual(await titles(some), ['$(inspect) tier 2, static analysis']);
});

test('lenses are off where the settings say so, from the start or from a change on', async () => {
  const options = { initialization: { ...ALL.initialization, settings: { codeLenses: false } } };
  await using opened = await openManifest(manifest(), BUILT, options);
  await opened.until(has('certificate-missing'));
  assert.deepEqual(await titles(opened), []);
  const change = (codeLenses: boolean) =>
    opened.client.connection.sendNotification('workspace/didChangeConfiguration', {
      settings: { touchstone: { codeLenses } },
    });
  await change(true);
  assert.deepEqual(await titles(opened), ['not certified', 'Certify…']);
  await change(false);
  assert.deepEqual(await titles(opened), []);
});
