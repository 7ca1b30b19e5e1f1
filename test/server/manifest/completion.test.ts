import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type CompletionItem, MarkupContent, TextEdit } from 'vscode-languageserver-types';
import { readManifest } from '../../../engine/project/manifest.ts';
import {
  type CompletionWorld,
  completeCase,
  completeManifest,
} from '../../../server/manifest/completion.ts';
import { openAt } from './support.ts';

const CLIENT = { snippets: false, markdown: true, commands: new Set<string>() };
const WORLD: CompletionWorld = {
  folderName: 'My Call',
  artifacts: ['build/call.wasm', 'build/\u202Emsaw.wasm', '../out.wasm'],
  sources: ['src/lib.rs', '../sdk'],
  cases: ['cases/a.json', '../b.json'],
  whitelists: ['mashin@1', 'lists/acme.json'],
  entries: ['plan', 'go'],
};

async function items(marked: string, world = WORLD, client = CLIENT) {
  const { document, reading, offset } = openAt(marked);
  const position = document.positionAt(offset);
  return (await completeManifest(document, reading, position, world, client)).items;
}

async function labels(marked: string, world = WORLD): Promise<string[]> {
  const found = await items(marked, world);
  return found
    .sort((a, b) => ((a.sortText ?? a.label) < (b.sortText ?? b.label) ? -1 : 1))
    .map(({ label }) => label);
}

/** The text after the item of a label is taken. */
async function taken(marked: string, label: string): Promise<string> {
  const item = (await items(marked)).find((candidate) => candidate.label === label);
  assert.ok(item?.textEdit !== undefined && TextEdit.is(item.textEdit));
  const { document } = openAt(marked);
  return TextDocument.applyEdits(document, [item.textEdit]);
}

function docOf(item: CompletionItem | undefined): string {
  return MarkupContent.is(item?.documentation) ? item.documentation.value : '';
}

test('fields that are not written are offered in the order of the schema, with documentation', async () => {
  const found = await labels('{ "version": "1", | }');
  assert.deepEqual(found.slice(0, 4), ['$schema', 'name', 'artifact', 'source']);
  const [name] = (await items('{ | }')).filter(({ label }) => label === 'name');
  assert.match(docOf(name), /^The executor's name: lower-case letters, digits, `\.`/);
  assert.equal(await taken('{ | }', 'name'), '{ "name": "my-call" }');
  assert.equal(await taken('{"limits": {|}}', 'fuel'), '{"limits": {"fuel": 50000000}}');
});

test('an empty text can become a whole manifest', async () => {
  const text = await taken('|', 'New executor');
  assert.equal(readManifest(text).manifest?.artifact, 'build/my-call.wasm');
});

test('paths of the project are offered, but none that the field or the eye would refuse', async () => {
  assert.deepEqual(await labels('{"artifact": |}'), ['"build/call.wasm"']);
  assert.deepEqual(await labels('{"source": ["src/lib.rs", |]}'), ['"../sdk"']);
  assert.deepEqual(await labels('{"cases": [|]}'), ['"cases/a.json"']);
  assert.deepEqual(await labels('{"whitelist": "|"}'), ['"mashin@1"', '"lists/acme.json"']);
  assert.equal(
    await taken('{"artifact": "b|"}', '"build/call.wasm"'),
    '{"artifact": "build/call.wasm"}',
  );
});

test('capabilities are offered until they are declared, with the directives that need them', async () => {
  const found = await items('{"capabilities": ["net.http", "compute.llm_reason", "|"]}');
  assert.deepEqual(
    found.map(({ label }) => label),
    ['"compute.exec"', '"db"', '"fs"', '"machine.call"', '"memory"', '"net.websocket"'],
  );
  assert.match(docOf(found[3]), /^- `call_machine`: Runs another executor[\s\S]*\n- `mcp_call`: /);
});

test('trust, tiers, entries and memory profiles say what they mean', async () => {
  const trust = await items('{"trust": |}');
  assert.match(
    docOf(trust.find(({ label }) => label === '"tested"')),
    /^Level 1: holds `compute\.exec`, /,
  );
  assert.deepEqual(await labels('{"trust": |}'), [
    '"untrusted"',
    '"tested"',
    '"evaluated"',
    '"reviewed"',
    '"stdlib"',
    '"system"',
  ]);
  assert.match(docOf((await items('{"tier": |}'))[2]), /^Unchecked, for development only/);
  assert.deepEqual(await labels('{"entry": |}'), ['"plan"', '"go"']);
  assert.match(docOf((await items('{"limits": {"memoryProfile": |}}'))[1]), /^4 pages/);
});

test('a $schema of the file changes nothing, nor do comments and a byte order mark', async () => {
  for (const before of [
    '"$schema": "http://json-schema.org/draft-07/schema#",',
    '// c\n',
    '/*x*/',
  ]) {
    assert.deepEqual(await labels(`\uFEFF{${before} "entry": |}`), ['"plan"', '"go"'], before);
  }
  assert.deepEqual(await labels('{ // "|\n}'), []);
});

test('snippets and commands go to clients that take them', async () => {
  const rich = {
    snippets: true,
    markdown: false,
    commands: new Set(['editor.action.triggerSuggest']),
  };
  const [plain] = (await items('{|}')).filter(({ label }) => label === 'trust');
  const [snippet] = (await items('{|}', WORLD, rich)).filter(({ label }) => label === 'trust');
  assert.equal(plain?.textEdit?.newText, '"trust": ');
  assert.equal(plain?.command, undefined);
  assert.equal(snippet?.textEdit?.newText, '"trust": $1');
  assert.equal(snippet?.command?.command, 'editor.action.triggerSuggest');
});

test('case files are completed by their own schema', async () => {
  const { document, offset } = openAt('{"input": 1, "expect": {"status": |}}');
  const list = await completeCase(document, document.positionAt(offset), CLIENT);
  assert.ok(list.items.some(({ label }) => label === '"out-of-fuel"'));
});

test('a text too large or too deep is not asked about', async () => {
  for (const text of [`{"a": "${'a'.repeat(1_100_000)}", |}`, `${'['.repeat(300)}|`]) {
    assert.deepEqual(await items(text), []);
  }
});
