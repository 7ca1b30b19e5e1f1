// What strangers' files may do to the server: nothing. It answers within a second, whatever is open or
// lies in the workspace, and goes on to find what there is to find elsewhere.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { BAD_MODULES, SUBTLY_BAD_MODULES } from '../support/bad-modules.ts';
import { type Client, codesOf, makeFolder, startClient } from './support/client.ts';

const IMPURE = '(module\n  (import "env" "now" (func (result i64))))\n';

/** Asks about a sound document; fails where the answer takes more than a second. */
async function answersWithinASecond(client: Client, uri: string): Promise<void> {
  const asked = client.connection.sendRequest('textDocument/hover', {
    textDocument: { uri },
    position: { line: 1, character: 18 },
  });
  const late = new Promise<'late'>((done) => setTimeout(done, 1000, 'late').unref());
  assert.notEqual(await Promise.race([asked, late]), 'late');
}

/** Opens a sound document, does something terrible, and asks about the sound one. */
async function survives(
  terrible: (client: Client, folder: ReturnType<typeof makeFolder>) => void | Promise<void>,
): Promise<void> {
  using folder = makeFolder();
  await using client = await startClient({ folders: [folder.root] });
  const sound = folder.uri('sound.wat');
  client.open(sound, 'wat', IMPURE);
  await client.until(sound, (found) => found.length > 0);
  await terrible(client, folder);
  await answersWithinASecond(client, sound);
  // Not only from what is known already.
  client.change(sound, `${IMPURE}\n`);
  await answersWithinASecond(client, sound);
  client.change(sound, '(module)');
  await client.until(sound, (found) => !codesOf(found).includes('impure-import'));
  assert.equal(client.process.exitCode, null);
}

const LANGUAGES = {
  'x.wat': 'wat',
  'x.rs': 'rust',
  'x.c': 'c',
  'x.cpp': 'cpp',
  'x.zig': 'zig',
  'x.go': 'go',
  'x.ts': 'assemblyscript',
} as const;

test('every bad module of the command line', () =>
  survives((client, folder) => {
    for (const [i, [, bytes]] of [...BAD_MODULES, ...SUBTLY_BAD_MODULES].entries()) {
      folder.write(`bad/${i}.wasm`, bytes);
      client.fileChanged(folder.uri(`bad/${i}.wasm`));
    }
  }));

test('a bad module is told as one, each', async () => {
  const bad = [...BAD_MODULES, ...SUBTLY_BAD_MODULES];
  using folder = makeFolder(Object.fromEntries(bad.map(([, bytes], i) => [`${i}.wasm`, bytes])));
  await using client = await startClient({ folders: [folder.root] });
  for (const [i, [name, , problem]] of bad.entries()) {
    const [found] = await client.until(folder.uri(`${i}.wasm`), (all) => all.length > 0);
    assert.match(String(found?.code), /^(?:invalid-module|component-not-module)$/, name);
    assert.match(String(found?.message), problem, name);
  }
});

test('50 MB of nested parentheses, open and on disk', { timeout: 60_000 }, () =>
  survives(async (client, folder) => {
    const nested = '('.repeat(50_000_000);
    folder.write('nested.wat', nested);
    client.fileChanged(folder.uri('nested.wat'));
    client.open(folder.uri('open.wat'), 'wat', nested);
    // It takes a while to send so much: the second begins when it is there.
    const found = await client.until(folder.uri('open.wat'), (all) => all.length > 0);
    assert.match(String(found[0]?.message), /50,000,000 characters/);
  }),
);

for (const [file, language] of Object.entries(LANGUAGES)) {
  test(`a line of 1 MB, deep nesting and noise in ${language}`, { timeout: 60_000 }, () =>
    survives((client, folder) => {
      const texts = [
        'a'.repeat(1_000_000),
        '('.repeat(500_000),
        '{[('.repeat(100_000),
        '"'.repeat(300_000),
        '/*'.repeat(300_000),
        'extern "C" { fn f('.repeat(20_000),
        randomBytes(200_000).toString('latin1'),
      ];
      for (const [i, text] of texts.entries())
        client.open(folder.uri(`${i}${file}`), language, text);
    }),
  );
}

test('manifests that are hostile', () =>
  survives((client, folder) => {
    const texts = [
      '{'.repeat(1_000_000),
      '['.repeat(1_000_000),
      `{"name": ${'"x",'.repeat(200_000)}}`,
      `{${'"__proto__": {"a": '.repeat(50)}1${'}'.repeat(50)}}`,
      '{"name":"a","version":"1.0.0","artifact":"../../../../etc/passwd"}',
      '{"name":"a","version":"1.0.0","artifact":"a.wasm","source":["**/**/**/**/*"]}',
      `{"name":"${'\u202e'.repeat(1000)}"}`,
      '\0'.repeat(100_000),
    ];
    for (const [i, text] of texts.entries()) {
      const uri = folder.uri(`${i}/executor.json`);
      client.open(uri, 'json', text);
      for (const method of ['textDocument/codeLens', 'textDocument/documentLink']) {
        void client.connection
          .sendRequest(method, { textDocument: { uri } })
          .catch(() => undefined);
      }
    }
  }));

test('messages that are not to be: unknown documents, wrong types, places far outside', () =>
  survives(async (client, folder) => {
    const uri = folder.uri('sound.wat');
    const far = { line: 1_000_000, character: 1_000_000 };
    const textDocument = { uri };
    const ask = (method: string, params: object) =>
      client.connection.sendRequest(method, params).catch((error: unknown) => error);
    await ask('textDocument/hover', { textDocument, position: far });
    await ask('textDocument/hover', { textDocument: { uri: 'untitled:no such' }, position: far });
    await ask('textDocument/hover', { textDocument: { uri: 'not a uri' }, position: far });
    await ask('textDocument/completion', { textDocument, position: far });
    await ask('textDocument/codeAction', {
      textDocument,
      range: { start: far, end: far },
      context: { diagnostics: [] },
    });
    await ask('textDocument/definition', { textDocument, position: { line: -1, character: -5 } });
    await ask('touchstone/inspect', { uri: 'file:///no/such.wasm' });
    await ask('touchstone/certify', { uri: 7 });
    await ask('no/such/method', {});
  }));
