// The examples in the editor: what no declaration explains carries its way and its remedy, and whatever
// is found is what the command line finds.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { z } from 'zod';
import { EXAMPLES, readExamples } from '../support/examples.ts';
import { codesOf, makeFolder, startClient } from './support/client.ts';
import { has } from './support/manifest.ts';

const CLI = resolve('dist', 'cli.js');

type Folder = ReturnType<typeof makeFolder>;

/** The examples as they are, with the times of their files, and without what a build leaves behind. */
function copyOfExamples(): Folder {
  const folder = makeFolder();
  for (const name of readdirSync(EXAMPLES)) {
    if (name === 'target') continue;
    cpSync(join(EXAMPLES, name), folder.path(name), { recursive: true, preserveTimestamps: true });
  }
  return folder;
}

/** Each impure import of println, with the way to it and the sentence that begins what helps. */
const WASI = {
  fd_write: [
    'plan → plan → core::fmt::write → <&mut W as core::fmt::Write>::write_str → std::io::Write::write_all → fd_write',
    '`println!`, `print!` and their like write to standard output.',
  ],
  environ_get: [
    'plan → plan → core::panicking::panic_fmt → … → environ_get',
    'Rust’s panic hook prints the message and reads the environment, so every panic that may happen brings this import.',
  ],
  environ_sizes_get: [
    'plan → plan → core::panicking::panic_fmt → … → environ_sizes_get',
    'Rust’s panic hook prints the message and reads the environment, so every panic that may happen brings this import.',
  ],
  proc_exit: [
    'plan → plan → core::panicking::panic_fmt → … → proc_exit',
    'Rust’s panic hook prints the message and reads the environment, so every panic that may happen brings this import.',
  ],
} as const;

/** The findings about imports, by the name of what is imported. */
function aboutWasi(found: readonly Diagnostic[]): Record<string, readonly string[]> {
  const told: Record<string, readonly string[]> = {};
  for (const { code, message } of found) {
    if (code !== 'impure-import') continue;
    const [, name = '', way = ''] =
      /^wasi_snapshot_preview1\.(\w+) .* is outside mashin@1; reached by (.*)\n/.exec(
        String(message),
      ) ?? [];
    const [, help = ''] = String(message).split('\n');
    told[name] = [way, /^.*?\.(?= )/.exec(help)?.[0] ?? help];
  }
  return told;
}

test('imports that no declaration explains tell the shortest way to them, demangled, and what helps', async () => {
  using folder = copyOfExamples();
  await using client = await startClient({ folders: [folder.path('impure/println')] });
  const [module, manifest] = [
    folder.uri('impure/println/build/println.wasm'),
    folder.uri('impure/println/executor.json'),
  ];
  const onModule = await client.until(module, has('impure-import'));
  assert.deepEqual(aboutWasi(onModule), WASI);
  const onManifest = await client.until(manifest, has('impure-import'));
  assert.deepEqual(aboutWasi(onManifest), WASI);

  const bytes = readFileSync(new URL(module));
  const text = readFileSync(new URL(manifest), 'utf8');
  const document = TextDocument.create(manifest, 'jsonc', 0, text);
  const impure = (found: readonly Diagnostic[]) =>
    found.filter(({ code }) => code === 'impure-import');
  for (const { range, message } of impure(onModule)) {
    const at = range.start.character;
    const name = /\.(\w+) /.exec(String(message))?.[1] ?? '';
    const entry = `\u0016wasi_snapshot_preview1${String.fromCharCode(name.length)}${name}`;
    assert.equal(bytes.toString('latin1', at, at + entry.length), entry);
  }
  for (const [i, { range, relatedInformation = [] }] of impure(onManifest).entries()) {
    assert.equal(document.getText(range), '"build/println.wasm"');
    const [place] = relatedInformation;
    assert.deepEqual(place?.location, { uri: module, range: impure(onModule)[i]?.range });
  }
});

const checked = z.object({
  artifacts: z.array(
    z.object({
      path: z.string(),
      diagnostics: z.array(
        z.object({
          code: z.string(),
          severity: z.enum(['error', 'warning', 'info']),
          message: z.string(),
          location: z.object({ file: z.string(), offset: z.int().optional() }).optional(),
        }),
      ),
    }),
  ),
});

/** What `check --format json` finds in a folder. */
function check(folder: Folder): Promise<z.infer<typeof checked>['artifacts']> {
  return new Promise((done, failed) => {
    const options = { cwd: folder.root };
    const args = [CLI, 'check', '--format', 'json', folder.root];
    execFile(process.execPath, args, options, (error, stdout) => {
      // What is found is an error to the shell.
      if (error !== null && error.code !== 1) failed(error);
      else done(checked.parse(JSON.parse(stdout)).artifacts);
    });
  });
}

const SEVERITIES: ReadonlyMap<DiagnosticSeverity | undefined, string> = new Map([
  [DiagnosticSeverity.Error, 'error'],
  [DiagnosticSeverity.Warning, 'warning'],
  [DiagnosticSeverity.Information, 'info'],
]);

/** A finding in the words of both: its code, its weight and the first line of what it says. */
function wordsOf({ code, severity, message }: Diagnostic): string {
  return `${code} ${SEVERITIES.get(severity)} ${String(message).split('\n')[0]}`;
}

test('for every example the editor finds what the command line finds', async () => {
  using folder = copyOfExamples();
  const artifacts = await check(folder);
  const examples = await readExamples();
  assert.equal(artifacts.length, examples.length);
  await using client = await startClient({ folders: [folder.root] });
  for (const { name, manifest } of examples) {
    const path = folder.path(`${name}/${manifest.artifact}`);
    const { diagnostics } = artifacts.find((each) => each.path === path) ?? {};
    assert.ok(diagnostics, path);
    const codes = diagnostics.map(({ code }) => code).toSorted();
    const expected = diagnostics.map((each) => `${each.code} ${each.severity} ${each.message}`);
    const isThere = (found: readonly Diagnostic[]) =>
      codesOf(found).toSorted().join() === codes.join();
    const onManifest = await client.until(folder.uri(`${name}/executor.json`), isThere);
    assert.deepEqual(onManifest.map(wordsOf).toSorted(), expected.toSorted(), name);

    const inModule = diagnostics.filter(({ location }) => location?.file === 'artifact');
    const placed = inModule.map(({ code, location }) => `${code} ${location?.offset ?? 0}`);
    const onModule = await client.until(
      pathToFileURL(path).href,
      (found) => found.length === placed.length,
    );
    assert.deepEqual(
      onModule.map(({ code, range }) => `${code} ${range.start.character}`).toSorted(),
      placed.toSorted(),
      name,
    );
  }
});
