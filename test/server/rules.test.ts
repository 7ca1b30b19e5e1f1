// Every rule of DESIGN 11, through a client: where its finding shows, the page it links to, and that
// it goes when what it is about is mended.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Diagnostic, Range } from 'vscode-languageserver-protocol/node';
import { certify } from '../../engine/certificate/certify.ts';
import { signerFromSeed } from '../../engine/crypto/keys.ts';
import { nobleCrypto as crypto } from '../../engine/crypto/noble.ts';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { inspectModule } from '../../engine/module/report.ts';
import { assembleWat } from '../../engine/module/wat.ts';
import { RULES, type RuleCode } from '../../engine/rules/rules.ts';
import { MASHIN_1 } from '../../engine/whitelist/mashin.ts';
import { parseWhitelist } from '../../engine/whitelist/whitelist.ts';
import { type Client, makeFolder, startClient } from './support/client.ts';

const PURE = `(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (memory (export "memory") 1 4)
  (func (export "plan") (drop (call $len))))`;

const MANIFEST = `{
  "name": "tried",
  "version": "1.0.0",
  "artifact": "build/tried.wasm",
  "source": ["src/*"],
  "build": "make",
  "capabilities": []
}`;

const assemble = (text: string) => assembleWat(text, 'tried.wat');

type Folder = ReturnType<typeof makeFolder>;
type Files = Readonly<Record<string, string | Uint8Array>>;

interface Case {
  readonly files: Files;
  /** Where it shows: a piece of a text, or a byte of a binary. */
  readonly at: Readonly<Record<string, string | number>>;
  /** What mends it: new contents of files, `undefined` to remove one. */
  readonly mended: Readonly<Record<string, string | Uint8Array | undefined>>;
  /** What is done to the folder before the server starts. */
  readonly prepare?: (folder: Folder) => void;
}

/** A project with one artifact. */
async function project(wat: string | Uint8Array, more: Files = {}): Promise<Files> {
  const artifact = typeof wat === 'string' ? await assemble(wat) : wat;
  return { 'executor.json': MANIFEST, 'build/tried.wasm': artifact, ...more };
}

const certifier = signerFromSeed(crypto, new Uint8Array(32).fill(7));
const TRUST = serializeTrustStore(
  makeTrustStore([{ key: certifier.publicKey, role: 'certifier' }]),
);

async function certificateOf(wat: string, document: object = MASHIN_1): Promise<Uint8Array> {
  const result = await certify(crypto, {
    report: inspectModule(crypto, await assemble(wat)),
    artifactName: 'tried.wasm',
    whitelist: parseWhitelist(crypto, JSON.stringify(document), 'whitelist'),
    certifier,
    issuedAt: Date.UTC(2026, 10, 18),
  });
  if (!result.certified) throw new Error('not certified');
  return result.bytes;
}

/** Where an import begins: at the length of its module's name. */
function importOffset(bytes: Uint8Array, module: string, name: string): number {
  const text = `${String.fromCharCode(module.length)}${module}${String.fromCharCode(name.length)}${name}`;
  const found = Buffer.from(bytes).indexOf(text, 'latin1');
  assert.ok(found > 0);
  return found;
}

const importing = (line: string, body = '') =>
  PURE.replace('  (memory', `  ${line}\n  (memory`).replace('(drop', `${body} (drop`);

/** A rule's finding in an import: on the module, on the manifest's line and on the declaration. */
async function importCase(line: string, body: string, module: string, name: string): Promise<Case> {
  const wat = importing(line, body);
  const bytes = await assemble(wat);
  return {
    files: await project(bytes, { 'src/tried.wat': wat }),
    at: {
      'build/tried.wasm': importOffset(bytes, module, name),
      'executor.json': '"build/tried.wasm"',
      'src/tried.wat': name,
    },
    mended: { 'build/tried.wasm': await assemble(PURE), 'src/tried.wat': PURE },
  };
}

const touched = (seconds: number) => (folder: Folder) =>
  utimesSync(
    folder.path('src/tried.wat'),
    Date.now() / 1000 + seconds,
    Date.now() / 1000 + seconds,
  );

const CASES: Readonly<Record<Exclude<RuleCode, 'reader-disagreement'>, () => Promise<Case>>> = {
  'artifact-missing': async () => ({
    files: { 'executor.json': MANIFEST },
    at: { 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'invalid-module': async () => ({
    files: await project(new TextEncoder().encode('\u007fELF, no module at all')),
    at: { 'build/tried.wasm': 0, 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'component-not-module': async () => ({
    files: await project(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0])),
    at: { 'build/tried.wasm': 6, 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'impure-import': () =>
    importCase('(import "env" "now" (func $now (result i64)))', '(drop (call $now))', 'env', 'now'),
  'unknown-host-function': () =>
    importCase(
      '(import "mashin" "get_inputt" (func $x (param i32)))',
      '(call $x (i32.const 0))',
      'mashin',
      'get_inputt',
    ),
  'import-type-mismatch': () =>
    importCase(
      '(import "mashin" "log" (func $x (param i32)))',
      '(call $x (i32.const 0))',
      'mashin',
      'log',
    ),
  'unreachable-impure-import': () =>
    importCase('(import "env" "now" (func $now (result i64)))', '', 'env', 'now'),
  'missing-entry': async () => ({
    files: await project(PURE.replace('"plan"', '"plam"')),
    at: { 'build/tried.wasm': 0, 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'missing-memory': async () => ({
    files: await project(PURE.replace('(export "memory") ', '')),
    at: { 'build/tried.wasm': 0, 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'nondeterministic-instruction': async () => {
    const shared = PURE.replace('1 4)', '1 4 shared)');
    const bytes = await assemble(
      shared.replace('(drop (call', '(drop (i32.atomic.load (i32.const 8))) (drop (call'),
    );
    return {
      files: await project(bytes),
      // i32.atomic.load, aligned to four bytes, with no offset.
      at: {
        'build/tried.wasm': Buffer.from(bytes).indexOf(Buffer.from([0xfe, 0x10, 2, 0])),
        'executor.json': '"build/tried.wasm"',
      },
      mended: { 'build/tried.wasm': await assemble(PURE) },
    };
  },
  'unbounded-memory': async () => {
    const bytes = await assemble(PURE.replace('1 4', '1'));
    return {
      files: await project(bytes),
      // The contents of section 5: one memory, no flags, one page.
      at: {
        'build/tried.wasm': Buffer.from(bytes).indexOf(Buffer.from([5, 3, 1, 0, 1])) + 2,
        'executor.json': '"build/tried.wasm"',
      },
      mended: { 'build/tried.wasm': await assemble(PURE) },
    };
  },
  'start-function': async () => {
    const bytes = await assemble(PURE.replace(/\)$/, ' (start 1))'));
    return {
      files: await project(bytes),
      at: {
        'build/tried.wasm': Buffer.from(bytes).indexOf(Buffer.from([8, 1, 1])) + 2,
        'executor.json': '"build/tried.wasm"',
      },
      mended: { 'build/tried.wasm': await assemble(PURE) },
    };
  },
  'capability-undeclared': async () => ({
    files: await project(importing('(import "mashin" "http_request" (func (param i32 i32)))')),
    at: { 'executor.json': '[]' },
    mended: { 'executor.json': MANIFEST.replace('[]', '["net.http"]') },
  }),
  'artifact-stale': async () => ({
    files: await project(PURE, { 'src/tried.wat': PURE }),
    prepare: touched(60),
    at: { 'executor.json': '"build/tried.wasm"' },
    mended: { 'executor.json': MANIFEST.replace('"src/*"', '"other/*"') },
  }),
  'certificate-missing': async () => ({
    files: await project(PURE),
    at: { 'build/tried.wasm': 0, 'executor.json': '"build/tried.wasm"' },
    mended: { 'build/tried.wasm.purity.json': await certificateOf(PURE) },
  }),
  'certificate-stale': async () => ({
    files: await project(PURE.replace('1 4', '1 5'), {
      'build/tried.wasm.purity.json': await certificateOf(PURE),
      '.touchstone/trust.json': TRUST,
    }),
    at: {
      'build/tried.wasm.purity.json':
        /"artifactHash":("[0-9a-f]{64}")/.exec(
          new TextDecoder().decode(await certificateOf(PURE)),
        )?.[1] ?? '',
      'executor.json': '"build/tried.wasm"',
    },
    mended: { 'build/tried.wasm': await assemble(PURE) },
  }),
  'certificate-invalid': async () => {
    const text = new TextDecoder().decode(await certificateOf(PURE));
    const forged = text.replace(
      /"signature":"(.)/,
      (_, c) => `"signature":"${c === 'A' ? 'B' : 'A'}`,
    );
    return {
      files: await project(PURE, {
        'build/tried.wasm.purity.json': forged,
        '.touchstone/trust.json': TRUST,
      }),
      at: { 'build/tried.wasm.purity.json': 0, 'executor.json': '"build/tried.wasm"' },
      mended: { 'build/tried.wasm.purity.json': text },
    };
  },
  'certifier-untrusted': async () => ({
    files: await project(PURE, { 'build/tried.wasm.purity.json': await certificateOf(PURE) }),
    at: {
      'build/tried.wasm.purity.json': `"${certifier.publicKey.keyId}"`,
      'executor.json': '"build/tried.wasm"',
    },
    mended: { '.touchstone/trust.json': TRUST },
  }),
  'whitelist-outdated': async () => {
    const older = { ...MASHIN_1, functions: MASHIN_1.functions.slice(0, 3) };
    const text = new TextDecoder().decode(await certificateOf(PURE, older));
    return {
      files: await project(PURE, {
        'build/tried.wasm.purity.json': text,
        '.touchstone/trust.json': TRUST,
      }),
      at: {
        'build/tried.wasm.purity.json': /"whitelist":(\{[^}]*\})/.exec(text)?.[1] ?? '',
        'executor.json': '"build/tried.wasm"',
      },
      mended: { 'build/tried.wasm.purity.json': await certificateOf(PURE) },
    };
  },
};

/** The range that a place is, in the text of a file; a byte is a character of the first line. */
function rangeOf(contents: string | Uint8Array, place: string | number): Range {
  if (typeof place === 'number') {
    const position = { line: 0, character: place };
    return { start: position, end: position };
  }
  const text = typeof contents === 'string' ? contents : new TextDecoder().decode(contents);
  const offset = text.indexOf(place);
  assert.ok(offset >= 0, `${place} is in the file`);
  const position = (at: number) => ({
    line: text.slice(0, at).split('\n').length - 1,
    character: at - (text.lastIndexOf('\n', at - 1) + 1),
  });
  return { start: position(offset), end: position(offset + place.length) };
}

const ofRule = (code: string) => (found: readonly Diagnostic[]) =>
  found.some((each) => each.code === code);

for (const [code, make] of Object.entries(CASES)) {
  test(`${code} shows where it is, links to its page, and goes when it is mended`, async () => {
    const { files, at, mended, prepare } = await make();
    using folder = makeFolder(files);
    prepare?.(folder);
    await using client = await startClient({ folders: [folder.root] });
    openText(client, folder, files);
    for (const [name, place] of Object.entries(at)) {
      const found = await client.until(folder.uri(name), ofRule(code));
      const own = found.filter((each) => each.code === code);
      assert.equal(own.length, 1, name);
      const [diagnostic] = own;
      assert.deepEqual(diagnostic?.range, rangeOf(files[name] ?? '', place), name);
      assert.equal(diagnostic?.source, 'touchstone');
      const page = fileURLToPath(diagnostic?.codeDescription?.href ?? 'file:///');
      assert.ok(page.endsWith(`${code}.md`) && existsSync(page), page);
    }
    for (const [name, contents] of Object.entries(mended)) {
      if (contents === undefined) rmSync(folder.path(name));
      else folder.write(name, contents);
      if (name.endsWith('.wat') && typeof contents === 'string')
        client.change(folder.uri(name), contents);
      client.fileChanged(folder.uri(name));
    }
    for (const name of Object.keys(at)) {
      await client.until(folder.uri(name), (found) => !ofRule(code)(found));
    }
  });
}

function openText(client: Client, folder: Folder, files: Files): void {
  for (const [name, contents] of Object.entries(files)) {
    if (name.endsWith('.wat') && typeof contents === 'string') {
      client.open(folder.uri(name), 'wat', contents);
    }
  }
}

test('reader-disagreement shows where it is, links to its page, and goes when it is mended', async () => {
  // No bytes have been found over which the readers differ, so the finding is put into what is kept
  // from the last session, as another reader would have had it; what it says is its rule's own test.
  const bytes = await assemble(PURE);
  const section = Buffer.from(bytes).indexOf('\u0001\u0006mashin', 'latin1');
  using folder = makeFolder(await project(bytes));
  using cache = makeFolder();
  const options = { folders: [folder.root], initialization: { cacheFolder: cache.root } };
  {
    await using first = await startClient(options);
    await first.until(folder.uri('executor.json'), ofRule('certificate-missing'));
  }
  const [name = ''] = readdirSync(cache.root);
  const kept = JSON.parse(readFileSync(cache.path(name), 'utf8'));
  const [entry] = Object.values<{ analysis: { findings: object[] } }>(kept.entries);
  const position = { line: 0, character: section };
  entry?.analysis.findings.push({
    code: 'reader-disagreement',
    severity: 'error',
    message: 'readers disagree on import 0',
    subject: 'imports',
    place: { file: 'artifact', range: { start: position, end: position } },
    related: [],
  });
  cache.write(name, JSON.stringify(kept));
  await using client = await startClient(options);
  const found = await client.until(folder.uri('build/tried.wasm'), ofRule('reader-disagreement'));
  const own = found.find(({ code }) => code === 'reader-disagreement');
  assert.deepEqual(own?.range, { start: position, end: position });
  assert.ok(existsSync(fileURLToPath(own?.codeDescription?.href ?? 'file:///')));
  await client.until(folder.uri('executor.json'), ofRule('reader-disagreement'));
  folder.write('build/tried.wasm', await assemble(PURE.replace('1 4', '1 5')));
  client.fileChanged(folder.uri('build/tried.wasm'));
  for (const file of ['build/tried.wasm', 'executor.json']) {
    await client.until(folder.uri(file), (left) => !ofRule('reader-disagreement')(left));
  }
});

test('every rule has its case here', () => {
  const named = [...Object.keys(CASES), 'reader-disagreement'].sort();
  assert.deepEqual(named, RULES.map(({ code }) => code).sort());
});
