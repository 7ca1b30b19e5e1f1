// 100,000 random edits of documents of all kinds: the server says the same of them in the end as one
// that has just been started, and nothing was ever thrown.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Diagnostic, DocumentDiagnosticReport } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Client, codesOf, makeFolder, startClient } from './support/client.ts';

const EDITS = Number(process.env.TOUCHSTONE_RANDOM_EDITS ?? 100_000);
/** Edits in one message: editors send several for one command. */
const MAX_AT_ONCE = 20;

const DOCUMENTS = [
  { name: 'edited.wat', language: 'wat', from: 'examples/echo/src/echo.wat' },
  { name: 'edited.rs', language: 'rust', from: 'examples/sdk/rust/src/host.rs' },
  { name: 'edited.h', language: 'c', from: 'examples/sdk/c/mashin.h' },
  { name: 'edited.ts', language: 'assemblyscript', from: 'examples/sdk/assemblyscript/mashin.ts' },
  { name: 'p/executor.json', language: 'json', from: 'examples/call/executor.json' },
] as const;

/** What is appended to each in the end; nothing to those that stay noise. */
const ENDS = [
  undefined,
  '\n#[link(wasm_import_module = "env")]\nextern "C" { fn now(); }\n',
  '\n__attribute__((import_module("env"))) void now(void);\n',
  '\n@external("env", "now") declare function now(): void;\n',
] as const;

const PULLING = {
  workspace: { workspaceFolders: true, diagnostics: { refreshSupport: true } },
  textDocument: { diagnostic: {} },
};

const PIECES = [
  '(',
  ')',
  '"',
  '\n',
  ' ',
  '{',
  '}',
  '[',
  ']',
  ',',
  ';',
  ';;',
  '(;',
  ';)',
  '//',
  '/*',
  '*/',
  '#',
  '\\',
  '(import "env" "now" (func (result i64)))',
  '(func $x)',
  '$len',
  'call $len',
  '"mashin"',
  'i32',
  'é',
  '🦀',
  '\u0000',
  'extern "C" { fn now() -> i64; }',
  '#[link(wasm_import_module = "env")]',
  '@external("env", "now")',
  '__attribute__((import_module("env")))',
  '"artifact": "x.wasm",',
  'null',
  '1e999',
  'declare function f(): void;',
] as const;

/** Mulberry32: the same numbers for the same seed. */
function randomBy(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

test(`${EDITS.toLocaleString('en')} random edits end as a fresh server begins`, {
  timeout: 600_000,
}, async (t) => {
  const seed = Number(process.env.TOUCHSTONE_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}`);
  const random = randomBy(seed);
  using folder = makeFolder();
  await using edited = await startClient({ folders: [folder.root], capabilities: PULLING });
  const texts = DOCUMENTS.map(({ from }) => readFileSync(from, 'utf8'));
  const documents = DOCUMENTS.map(({ name, language }, i) =>
    TextDocument.create(folder.uri(name), language, 1, texts[i] ?? ''),
  );
  for (const document of documents)
    edited.open(document.uri, document.languageId, document.getText());

  for (let done = 0; done < EDITS; ) {
    const document = documents[random(documents.length)];
    assert.ok(document);
    const count = Math.min(1 + random(MAX_AT_ONCE), EDITS - done);
    const changes = Array.from({ length: count }, () => edit(document, random));
    edited.change(document.uri, changes);
    done += count;
    // Not faster than it is read: a queue of a hundred thousand messages is nobody's typing.
    if (random(50) === 0) await hover(edited, document.uri);
  }
  // Noise says little: in the end three of them are what they were, with a declaration behind it.
  for (const [i, end] of ENDS.entries()) {
    const document = documents[i];
    if (document === undefined || end === undefined) continue;
    const whole = {
      start: { line: 0, character: 0 },
      end: document.positionAt(document.getText().length),
    };
    const change = { range: whole, text: `${texts[i]}${end}` };
    TextDocument.update(document, [change], document.version + 1);
    edited.change(document.uri, [change]);
  }
  await using fresh = await startClient({ folders: [folder.root], capabilities: PULLING });
  for (const document of documents)
    fresh.open(document.uri, document.languageId, document.getText());
  for (const [i, document] of documents.entries()) {
    const expected = await settled(fresh, document.uri);
    const found = await settled(edited, document.uri);
    if (ENDS[i] !== undefined) assert.ok(codesOf(found).includes('impure-import'), document.uri);
    assert.deepEqual(found, expected, document.uri);
  }
  assert.equal(edited.stderr(), '');
  assert.equal(edited.process.exitCode, null);
});

/** One edit, made in the document as well. */
function edit(document: TextDocument, random: (below: number) => number) {
  const length = document.getText().length;
  // A text that has grown is cut, and one that is nearly gone gets a piece that says something.
  const start = random(length + 1);
  const cut = length > 20_000 ? 2_000 : random(4) === 0 ? random(40) : random(3);
  const text = random(3) === 0 ? '' : (PIECES[random(PIECES.length)] ?? '');
  const range = { start: document.positionAt(start), end: document.positionAt(start + cut) };
  const change = { range, text };
  TextDocument.update(document, [change], document.version + 1);
  return change;
}

function hover({ connection }: Client, uri: string): Promise<unknown> {
  const position = { line: 3, character: 10 };
  return connection.sendRequest('textDocument/hover', { textDocument: { uri }, position });
}

/** The diagnostics of a document as it is now: who asks for them waits until it is looked at. */
async function settled({ connection }: Client, uri: string): Promise<readonly Diagnostic[]> {
  const report: DocumentDiagnosticReport = await connection.sendRequest('textDocument/diagnostic', {
    textDocument: { uri },
  });
  assert.ok(report.kind === 'full');
  return report.items;
}
