// A manifest in the editor: what is wrong with it and where, what it is told about its fields, and the
// files that it leads to. What is in the editor counts, saved or not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DocumentLink, TextEdit } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { readManifest } from '../../engine/project/manifest.ts';
import { certificateFor, certifier } from '../support/gate.ts';
import { assemble } from '../support/wat.ts';
import {
  ASKING,
  has,
  IMPURE,
  lacks,
  manifest,
  type OpenManifest,
  openManifest,
  PURE,
  TRUST,
} from './support/manifest.ts';

const BUILT = { 'build/tried.wasm': PURE };

/** A client that takes snippets and Markdown beside completions. */
const RICH = {
  workspace: { didChangeWatchedFiles: { dynamicRegistration: true } },
  textDocument: {
    completion: {
      completionItem: { snippetSupport: true, documentationFormat: ['markdown' as const] },
    },
  },
};

test('each problem is an error at the piece of the text that is wrong', async () => {
  const text = `{
  // all that a manifest can have wrong at once
  "name": "Tried",
  "versoin": "1.0.0",
  "artifact": "../tried.wasm",
  "tier": 4,
  "trust": "reviewd",
  "build": "make", "build": "make all",
  "capabilities": ["net.http", "net.htp"],
  "limits": { "fuel": 0, "feul": 1, "memoryPages": 4, "memoryProfile": "edge" },
  "source": "src",
  "cases": ["/abs/*.json"],
}
`;
  await using opened = await openManifest(text);
  const found = await opened.until((all) => all.length > 0);
  const shown = found.map((each) => {
    const { severity, source, code, codeDescription } = each;
    assert.deepEqual(
      { severity, source, code, codeDescription },
      { severity: 1, source: 'touchstone', code: 'invalid-manifest', codeDescription: undefined },
    );
    return [
      each.range.start.line,
      opened.document().getText(each.range),
      String(each.message).split(':')[0],
    ];
  });
  assert.deepEqual(shown, [
    [2, '"Tried"', 'name'],
    [3, '"versoin"', 'there is no field "versoin"; did you mean "version"?'],
    [4, '"../tried.wasm"', 'artifact'],
    [5, '4', 'tier'],
    [6, '"reviewd"', 'trust'],
    [7, '"build"', 'the key "build" is written twice'],
    [8, '"net.htp"', 'capabilities[1]'],
    [9, '0', 'limits.fuel'],
    [9, '"feul"', 'there is no field "feul"; did you mean "fuel"?'],
    [9, '"edge"', 'limits.memoryProfile'],
    [10, '"src"', 'source'],
    [11, '"/abs/*.json"', 'cases[0]'],
    [12, '}', 'expected a key in double quotes'],
    [12, '}', 'expected a value'],
  ]);

  // What is missing shows once the text is whole.
  opened.edit(text.replace('],\n}', ']\n}'));
  const [missing] = await opened.until((all) => all[0]?.range.start.line === 0);
  assert.equal(missing?.message, 'version: it is missing');
  assert.equal(missing && opened.document().getText(missing.range), '{');
});

test('a text that is no manifest at all has one problem, and a good one has none', async () => {
  await using opened = await openManifest('', BUILT);
  const [empty, ...others] = await opened.until((all) => all.length > 0);
  assert.equal(others.length, 0);
  assert.deepEqual(empty?.range.start, { line: 0, character: 0 });
  opened.edit('[]');
  const [list] = await opened.until((all) => all.length > 0 && all[0]?.message !== empty?.message);
  assert.equal(list?.code, 'invalid-manifest');
  opened.edit(manifest());
  await opened.until((all) => all.length === 1 && has('certificate-missing')(all));
});

test('a problem in a file with a byte order mark and Windows line ends is at its place', async () => {
  const text =
    '\uFEFF{\r\n  "name": "tried",\r\n  "version": 1,\r\n  "artifact": "a.wasm"\r\n}\r\n';
  await using opened = await openManifest(text);
  const [found] = await opened.until(has('invalid-manifest'));
  assert.ok(found);
  assert.equal(opened.document().getText(found.range), '1');
});

/** The text of the editor after the completion of a label was taken. */
async function taken(opened: OpenManifest, marked: string, label: string): Promise<string> {
  const item = (await opened.complete(marked)).find((each) => each.label === label);
  assert.ok(TextEdit.is(item?.textEdit), `${label} is offered`);
  return TextDocument.applyEdits(opened.document(), [item.textEdit]);
}

test('fields are completed in the order of the schema, those that are written left out', async () => {
  await using opened = await openManifest(manifest(), BUILT);
  const items = await opened.complete('{ "version": "1.0.0", | }');
  const labels = items.map(({ label }) => label);
  assert.deepEqual(labels.slice(0, 4), ['$schema', 'name', 'artifact', 'source']);
  assert.ok(!labels.includes('version'));
  const limits = await opened.complete('{ "limits": { "fuel": 7, | } }');
  assert.deepEqual(
    limits.map(({ label }) => label).filter((label) => ['fuel', 'timeoutMs'].includes(label)),
    ['timeoutMs'],
  );
});

test('a client that takes snippets gets stops to fill in, any other plain text', async () => {
  await using plain = await openManifest(manifest(), BUILT);
  await using rich = await openManifest(manifest(), BUILT, { capabilities: RICH });
  assert.equal(await taken(plain, '{|}', 'trust'), '{"trust": }');
  assert.equal(await taken(rich, '{|}', 'trust'), '{"trust": $1}');
  const itemOf = async (opened: OpenManifest) =>
    (await opened.complete('{|}')).find(({ label }) => label === 'capabilities');
  const [withoutStops, withStops] = [await itemOf(plain), await itemOf(rich)];
  assert.deepEqual([withoutStops?.insertTextFormat, withStops?.insertTextFormat], [1, 2]);
  const whole = await taken(plain, '|', 'New executor');
  assert.deepEqual(readManifest(whole).problems, [], whole);
});

test('the values that fit are those of this project as it is on disk and in the editor', async () => {
  const files = {
    'build/tried.wasm': PURE,
    'out/other.wasm': PURE,
    'src/lib.rs': '',
    'cases/one.json': '{}',
    'acme-whitelist.json': '{}',
  };
  await using opened = await openManifest(manifest(), files, { capabilities: RICH });
  const labels = async (marked: string) =>
    (await opened.complete(marked)).map(({ label }) => label);
  assert.deepEqual(await labels('{"artifact": |}'), ['"build/tried.wasm"', '"out/other.wasm"']);
  opened.folder.write('late/built.wasm', PURE);
  assert.ok((await labels('{"artifact": |}')).includes('"late/built.wasm"'));
  assert.equal(
    await taken(opened, '{"artifact": "o|"}', '"out/other.wasm"'),
    '{"artifact": "out/other.wasm"}',
  );
  assert.ok((await labels('{"source": [|]}')).includes('"src/lib.rs"'));
  assert.ok(!(await labels('{"source": ["src/lib.rs", |]}')).includes('"src/lib.rs"'));
  assert.deepEqual(await labels('{"cases": [|]}'), ['"cases/one.json"']);
  assert.deepEqual(await labels('{"whitelist": |}'), ['"mashin@1"', '"acme-whitelist.json"']);
  const capabilities = await opened.complete('{"capabilities": ["db", "net.http", |]}');
  assert.deepEqual(
    capabilities.map(({ label }) => label),
    [
      '"compute.exec"',
      '"compute.llm.reason"',
      '"fs"',
      '"machine.call"',
      '"memory"',
      '"net.websocket"',
    ],
  );
  assert.match(JSON.stringify(capabilities[3]?.documentation), /`call_machine`: /);
  const trust = await opened.complete('{"trust": |}');
  assert.deepEqual(
    trust.map(({ label }) => label),
    ['"untrusted"', '"tested"', '"evaluated"', '"reviewed"', '"stdlib"', '"system"'],
  );
  assert.match(JSON.stringify(trust[1]?.documentation), /Level 1: holds `compute\.exec`/);
});

test('the entries that fit are the exports of the artifact that take and give nothing', async () => {
  const module = assemble(`(module (memory (export "memory") 1 4) (func $f (export "plan"))
    (export "again" (func $f)) (func (export "sum") (param i32)))`);
  await using opened = await openManifest(manifest(), { 'build/tried.wasm': module });
  const entries = async (artifact: string) => {
    const items = await opened.complete(`{"artifact": "${artifact}", "entry": |}`);
    return items.map(({ label }) => label);
  };
  assert.deepEqual(await entries('build/tried.wasm'), ['"plan"', '"again"']);
  assert.deepEqual(await entries('build/none.wasm'), ['"plan"']);
  assert.deepEqual(await opened.complete(`{"entry": ${'['.repeat(100_000)}|`), []);
});

test('the artifact tells its imports by class, and how its certificate stands', async () => {
  await using opened = await openManifest(manifest(), { 'build/tried.wasm': ASKING });
  const hover = async () => (await opened.hover('"build/tried.wasm"')) ?? '';
  await opened.until(has('certificate-missing'));
  const pure = await hover();
  assert.match(pure, /^\*\*Pure: this module can be certified\*\*\n/);
  assert.match(pure, /\nNot certified\.\n/);
  assert.match(
    pure,
    /\| directive, needs `net\.http` \| `mashin\.http_request` \| `\(i32, i32\) -> \(\)` \|\n\| pure \| `mashin\.get_input_len` \|/,
  );

  opened.save('build/tried.wasm.purity.json', await certificateFor(ASKING));
  await opened.until(has('certifier-untrusted'));
  const keyId = certifier.publicKey.keyId.slice(0, 8);
  assert.match(await hover(), new RegExp(`Nobody here trusts the certifier ${keyId}\\.`));
  opened.save('.touchstone/trust.json', TRUST);
  await opened.until(lacks('certifier-untrusted'));
  assert.match(await hover(), new RegExp(`\nCertified on 2026-11-20 by ${keyId}\\.\n`));

  opened.save('build/tried.wasm', IMPURE);
  await opened.until(has('certificate-stale'));
  const impure = await hover();
  assert.match(
    impure,
    /^\*\*Impure: this module cannot be certified\*\*\n\n1 of its 2 imports is /,
  );
  assert.match(impure, /\nCertificate stale: /);
  assert.match(impure, /\| impure \| `env\.now` \| `\(\) -> i64` \|\n\| pure \|/);
});

test('capabilities, trust and limits tell what they mean here', async () => {
  const text = manifest({
    trust: 'tested',
    capabilities: ['machine.call', 'net.http'],
    limits: { fuel: 7 },
  });
  await using opened = await openManifest(text, { 'build/tried.wasm': ASKING });
  await opened.until(has('certificate-missing'));
  assert.match((await opened.hover('"net.http"')) ?? '', /The artifact imports `http_request`\./);
  assert.match((await opened.hover('"machine.call"')) ?? '', /No import of the artifact needs it/);
  assert.match((await opened.hover('"capabilities"')) ?? '', /The artifact needs `net\.http`\.$/);
  assert.match((await opened.hover('"tested"')) ?? '', /`tested`: Level 1: holds `compute\.exec`/);
  assert.match((await opened.hover('"fuel"')) ?? '', /In effect: 7\.$/);
  const limits = (await opened.hover('"limits"')) ?? '';
  assert.match(limits, /\| `fuel` \| 7 \| {2}\|\n/);
  assert.match(limits, /\| `timeoutMs` \| 10,000 \| default \|/);
  assert.equal(await opened.hover('{'), undefined);
});

test('artifact, sources, cases and whitelist lead to their files', async () => {
  const text = manifest({
    source: ['src/lib.rs', '../sdk', 'src/**/*.rs'],
    whitelist: 'lists/acme whitelist.json',
    cases: ['cases/one.json'],
  });
  await using opened = await openManifest(text, BUILT);
  const links = async () => {
    const found: DocumentLink[] = await opened.client.connection.sendRequest(
      'textDocument/documentLink',
      { textDocument: { uri: opened.uri } },
    );
    return found.map(({ range, target }) => [opened.document().getText(range), target]);
  };
  const { uri } = opened.folder;
  const expected = [
    ['build/tried.wasm', uri('build/tried.wasm')],
    ['src/lib.rs', uri('src/lib.rs')],
    ['../sdk', uri('../sdk')],
    ['lists/acme whitelist.json', uri('lists/acme whitelist.json')],
    ['cases/one.json', uri('cases/one.json')],
  ];
  assert.deepEqual(await links(), expected);
  opened.edit(manifest({ artifact: 'elsewhere.wasm', whitelist: 'mashin@1' }));
  assert.deepEqual(await links(), [['elsewhere.wasm', uri('elsewhere.wasm')]]);
});

test('what is not saved decides what is found and told, on the module too', async () => {
  await using opened = await openManifest(manifest(), { ...BUILT, 'other.wasm': IMPURE });
  await opened.until(has('certificate-missing'));
  opened.edit(manifest({ artifact: 'other.wasm' }));
  const found = await opened.until(has('impure-import'));
  const impure = found.find(({ code }) => code === 'impure-import');
  assert.ok(impure);
  assert.equal(opened.document().getText(impure.range), '"other.wasm"');
  await opened.client.until(opened.folder.uri('other.wasm'), has('impure-import'));
  assert.match((await opened.hover('"other.wasm"')) ?? '', /^\*\*Impure/);
  // What nobody speaks of any more is told as a module by itself, which no certificate is missed for.
  const freed = opened.folder.uri('build/tried.wasm');
  await opened.client.until(freed, (all) => !has('certificate-missing')(all));

  opened.edit(manifest({ artifact: 'none.wasm' }));
  await opened.until(has('artifact-missing'));
  opened.client.close(opened.uri);
  await opened.until((all) => all.length === 1 && has('certificate-missing')(all));
});
