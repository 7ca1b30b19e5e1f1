// A workspace as it changes: builds, renames, deletions, unsaved text, settings, folders, trust.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Diagnostic,
  type DocumentDiagnosticReport,
  WorkDoneProgress,
  type WorkspaceDiagnosticReport,
} from 'vscode-languageserver-protocol/node';
import { assembleWat } from '../../engine/module/wat.ts';
import { type Client, codesOf, makeFolder, startClient } from './support/client.ts';

const PURE = '(module (memory (export "memory") 1 4) (func (export "plan")))';
const IMPURE = PURE.replace('(memory', '(import "env" "now" (func $now)) (memory').replace(
  '"plan")',
  '"plan") (call $now)',
);
const pure = await assembleWat(PURE, 'pure');
const impure = await assembleWat(IMPURE, 'impure');

const manifest = (more: object = {}) =>
  `${JSON.stringify({ name: 'tried', version: '1.0.0', artifact: 'x.wasm', source: ['src/*'], ...more }, undefined, 2)}\n`;

const has = (code: string) => (found: readonly Diagnostic[]) => codesOf(found).includes(code);
const lacks = (code: string) => (found: readonly Diagnostic[]) => !codesOf(found).includes(code);
const none = (found: readonly Diagnostic[]) => found.length === 0;

test('a build that writes a module shows on it, in the manifest and at the declaration, until the next', async () => {
  const rust = '#[link(wasm_import_module = "env")]\nextern "C" {\n    fn now();\n}\n';
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': pure, 'src/lib.rs': rust });
  await using client = await startClient({ folders: [folder.root] });
  await client.until(folder.uri('executor.json'), has('certificate-missing'));
  assert.equal(
    client.diagnostics.get(folder.uri('src/lib.rs')),
    undefined,
    'nobody looks at it yet',
  );

  folder.write('x.wasm', impure);
  client.fileChanged(folder.uri('x.wasm'));
  await client.until(folder.uri('x.wasm'), has('impure-import'));
  await client.until(folder.uri('executor.json'), has('impure-import'));
  const [found] = await client.until(folder.uri('src/lib.rs'), has('impure-import'));
  assert.deepEqual(found?.range, {
    start: { line: 2, character: 7 },
    end: { line: 2, character: 10 },
  });
  assert.match(String(found?.message), /reached by plan → now/);
  assert.equal(found?.relatedInformation?.[0]?.location.uri, folder.uri('x.wasm'));

  folder.write('x.wasm', pure);
  client.fileChanged(folder.uri('x.wasm'));
  for (const name of ['x.wasm', 'executor.json', 'src/lib.rs']) {
    await client.until(folder.uri(name), lacks('impure-import'));
  }
});

test('a client that does not watch is watched for', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': pure });
  const capabilities = { workspace: { workspaceFolders: true } };
  await using client = await startClient({ folders: [folder.root], capabilities });
  await client.until(folder.uri('executor.json'), has('certificate-missing'));
  folder.write('x.wasm', impure);
  await client.until(folder.uri('executor.json'), has('impure-import'));
  folder.write('other/executor.json', manifest({ name: 'other' }));
  await client.until(folder.uri('other/executor.json'), has('artifact-missing'));
});

test('what is not saved counts, and closing without saving takes it back', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': pure });
  await using client = await startClient({ folders: [folder.root] });
  const uri = folder.uri('executor.json');
  await client.until(uri, has('certificate-missing'));
  client.open(uri, 'json', manifest());
  client.change(uri, manifest({ entry: 'plam' }));
  await client.until(uri, has('missing-entry'));
  await client.until(folder.uri('x.wasm'), has('missing-entry'));
  client.change(uri, manifest().replace('"version"', '"verzion"'));
  await client.until(uri, has('invalid-manifest'));
  client.close(uri);
  await client.until(uri, (found) => codesOf(found).join() === 'certificate-missing');
});

test('a project that is renamed takes its findings along, one that is deleted leaves none', async () => {
  using folder = makeFolder({
    'a/executor.json': manifest(),
    'a/x.wasm': impure,
    'stray.wasm': impure,
  });
  await using client = await startClient({ folders: [folder.root] });
  await client.until(folder.uri('a/executor.json'), has('impure-import'));
  await client.until(folder.uri('stray.wasm'), has('impure-import'));

  renameSync(folder.path('a'), folder.path('b'));
  await client.connection.sendNotification('workspace/didRenameFiles', {
    files: [{ oldUri: folder.uri('a'), newUri: folder.uri('b') }],
  });
  await client.until(folder.uri('b/executor.json'), has('impure-import'));
  await client.until(folder.uri('b/x.wasm'), has('impure-import'));
  for (const gone of ['a/executor.json', 'a/x.wasm']) await client.until(folder.uri(gone), none);

  rmSync(folder.path('b'), { recursive: true });
  rmSync(folder.path('stray.wasm'));
  client.fileChanged(folder.uri('b'), folder.uri('stray.wasm'));
  for (const gone of ['b/executor.json', 'b/x.wasm', 'stray.wasm'])
    await client.until(folder.uri(gone), none);
});

test('a stray module that a new manifest speaks of is told under it', async () => {
  using folder = makeFolder({ 'x.wasm': impure });
  await using client = await startClient({ folders: [folder.root] });
  await client.until(folder.uri('x.wasm'), has('impure-import'));
  folder.write('executor.json', manifest());
  client.fileChanged(folder.uri('executor.json'));
  await client.until(folder.uri('executor.json'), has('impure-import'));
  await client.until(
    folder.uri('x.wasm'),
    (found) => found.filter(({ code }) => code === 'impure-import').length === 1,
  );
});

test('folders come and go', async () => {
  using first = makeFolder({ 'executor.json': manifest(), 'x.wasm': impure });
  using second = makeFolder({ 'executor.json': manifest(), 'x.wasm': impure });
  await using client = await startClient({ folders: [first.root] });
  await client.until(first.uri('executor.json'), has('impure-import'));
  assert.equal(client.diagnostics.get(second.uri('executor.json')), undefined);
  const change = (added: string[], removed: string[]) =>
    client.connection.sendNotification('workspace/didChangeWorkspaceFolders', {
      event: { added: added.map(folderOf), removed: removed.map(folderOf) },
    });
  await change([second.uri('.')], []);
  await client.until(second.uri('executor.json'), has('impure-import'));
  await change([], [first.uri('.')]);
  await client.until(first.uri('executor.json'), none);
  assert.ok(
    has('impure-import')(client.diagnostics.get(second.uri('executor.json'))?.diagnostics ?? []),
  );
});

const folderOf = (uri: string) => ({ uri, name: 'folder' });

test('severities and other settings change without a restart', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': impure });
  let settings: object = { severities: { 'impure-import': 'info', 'certificate-missing': 'off' } };
  await using client = await startClient({ folders: [folder.root], settings: {} });
  client.connection.onRequest('workspace/configuration', () => [settings]);
  const uri = folder.uri('executor.json');
  await client.until(uri, has('impure-import'));
  const changed = () =>
    client.connection.sendNotification('workspace/didChangeConfiguration', { settings: null });
  await changed();
  await client.until(
    uri,
    (found) => found.find(({ code }) => code === 'impure-import')?.severity === 3,
  );
  settings = { severities: { 'impure-import': 'off', 'no-such-rule': 'off', 'missing-entry': 7 } };
  await changed();
  await client.until(uri, lacks('impure-import'));
  settings = { wat: 'off' };
  await changed();
  await client.until(
    uri,
    (found) => found.find(({ code }) => code === 'impure-import')?.severity === 1,
  );
});

test('a workspace that is not trusted decides about nothing', async () => {
  // It lists what it imports as pure, and says that its artifact is judged by that.
  const whitelist = {
    name: 'mine',
    version: 1,
    functions: [
      {
        module: 'env',
        name: 'now',
        params: [],
        results: [],
        class: 'pure',
        category: 'compute',
        doc: '',
      },
    ],
  };
  using folder = makeFolder({
    'executor.json': manifest({ whitelist: 'whitelist.json' }),
    'whitelist.json': JSON.stringify(whitelist),
    'x.wasm': impure,
  });
  await using client = await startClient({
    folders: [folder.root],
    initialization: { trusted: false },
  });
  const uri = folder.uri('executor.json');
  const [found] = await client.until(uri, has('impure-import'));
  assert.match(String(found?.message), /outside mashin@1/);
  await client.connection.sendNotification('touchstone/trustGranted');
  await client.until(uri, lacks('impure-import'));
});

const PULLING = {
  workspace: {
    workspaceFolders: true,
    diagnostics: { refreshSupport: true },
    didChangeWatchedFiles: { dynamicRegistration: true },
  },
  textDocument: { diagnostic: {} },
};

test('a client that asks for diagnostics is answered, and told when to ask again', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': impure });
  await using client = await startClient({ folders: [folder.root], capabilities: PULLING });
  assert.ok(client.result.capabilities.diagnosticProvider);
  const refreshed = new Promise<void>((resolve) => {
    client.connection.onRequest('workspace/diagnostic/refresh', () => {
      resolve();
      return null;
    });
  });
  const uri = folder.uri('executor.json');
  client.open(uri, 'json', manifest());
  const first = await ask(client, uri);
  assert.ok(first.kind === 'full' && has('impure-import')(first.items));
  const again = await ask(client, uri, first.resultId);
  assert.equal(again.kind, 'unchanged');

  const progress: string[] = [];
  client.connection.onProgress(WorkDoneProgress.type, 'all', ({ kind }) => {
    progress.push(kind);
  });
  const workspace: WorkspaceDiagnosticReport = await client.connection.sendRequest(
    'workspace/diagnostic',
    {
      previousResultIds: [],
      workDoneToken: 'all',
    },
  );
  const module = workspace.items.find((each) => each.uri === folder.uri('x.wasm'));
  assert.ok(module?.kind === 'full' && has('impure-import')(module.items));
  assert.deepEqual(progress, ['begin', 'end']);
  await refreshed;

  folder.write('x.wasm', pure);
  client.fileChanged(folder.uri('x.wasm'));
  for (;;) {
    const report = await ask(client, uri);
    if (report.kind === 'full' && lacks('impure-import')(report.items)) break;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.equal(client.diagnostics.size, 0, 'nothing is pushed beside');
});

function ask(
  { connection }: Client,
  uri: string,
  previousResultId?: string,
): Promise<DocumentDiagnosticReport> {
  return connection.sendRequest('textDocument/diagnostic', {
    textDocument: { uri },
    ...(previousResultId !== undefined && { previousResultId }),
  });
}

test('what was found is there the next time, not where it has changed, and not from a spoilt cache', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': impure });
  using cache = makeFolder();
  const opened = async (expected: (found: readonly Diagnostic[]) => boolean) => {
    const initialization = { cacheFolder: cache.root };
    await using client = await startClient({ folders: [folder.root], initialization });
    await client.until(folder.uri('executor.json'), (found) => found.length > 0 && expected(found));
  };
  await opened(has('impure-import'));
  const [kept = ''] = readdirSync(cache.root);
  const text = readFileSync(cache.path(kept), 'utf8');
  assert.match(text, /impure-import/);

  // What is kept is what is shown, where nothing has changed.
  cache.write(kept, text.replaceAll('is outside', 'was outside'));
  await opened((found) => found.some(({ message }) => /was outside/.test(String(message))));
  for (const spoilt of [
    '{',
    '{"format":"touchstone-analyses/1"}',
    text.replaceAll('"imports":[', '"imports":[7,'),
  ]) {
    cache.write(kept, spoilt);
    await opened((found) => found.some(({ message }) => /is outside/.test(String(message))));
  }
  folder.write('x.wasm', pure);
  await opened(lacks('impure-import'));
});

test('a source that is open before its project is known is judged as soon as it is', async () => {
  using folder = makeFolder({ 'x.wasm': pure });
  await using client = await startClient({ folders: [folder.root] });
  const uri = folder.uri('src/index.ts');
  client.open(uri, 'typescript', '@external("env", "now") declare function now(): void;\n');
  await client.until(folder.uri('x.wasm'), none);
  assert.equal(client.diagnostics.get(uri), undefined, 'it may be anybody’s TypeScript');
  folder.write('executor.json', manifest());
  client.fileChanged(folder.uri('executor.json'));
  await client.until(uri, has('impure-import'));
  folder.write('executor.json', manifest({ source: [] }));
  client.fileChanged(folder.uri('executor.json'));
  await client.until(uri, none);
});

test('lenses and hints are asked for again when something new is known, where the client takes that', async () => {
  using folder = makeFolder({ 'executor.json': manifest(), 'x.wasm': pure });
  const capabilities = {
    workspace: {
      workspaceFolders: true,
      didChangeWatchedFiles: { dynamicRegistration: true },
      codeLens: { refreshSupport: true },
      inlayHint: { refreshSupport: true },
    },
  };
  await using client = await startClient({ folders: [folder.root], capabilities });
  await client.until(folder.uri('executor.json'), has('certificate-missing'));
  const asked = ['codeLens', 'inlayHint'].map(
    (view) =>
      new Promise<void>((resolve) => {
        client.connection.onRequest(`workspace/${view}/refresh`, () => {
          resolve();
          return null;
        });
      }),
  );
  folder.write('x.wasm', impure);
  client.fileChanged(folder.uri('x.wasm'));
  await Promise.all(asked);
});

test('the first look at a workspace says how far it is', async () => {
  const projects = Array.from({ length: 20 }, (_, i) => [`p${i}/executor.json`, manifest()]);
  using folder = makeFolder({ ...Object.fromEntries(projects), 'p0/x.wasm': pure });
  const capabilities = {
    window: { workDoneProgress: true },
    workspace: { workspaceFolders: true },
  };
  const kinds: string[] = [];
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  await using client = await startClient({
    folders: [folder.root],
    capabilities,
    onProgress: (kind) => {
      kinds.push(kind);
      if (kind === 'end') ended();
    },
  });
  await end;
  assert.equal(kinds[0], 'begin');
  assert.equal(kinds.at(-1), 'end');
  assert.equal(client.process.exitCode, null);
});
