// WebAssembly text as it is typed: where the rules' findings show, what an editor is offered, and how
// much is left to another server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CodeAction,
  type CompletionItem,
  type Diagnostic,
  type DocumentSymbol,
  type Hover,
  type InlayHint,
  type Location,
  MarkupContent,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { assembleWat } from '../../engine/module/wat.ts';
import {
  type Client,
  type ClientOptions,
  codesOf,
  makeFolder,
  startClient,
} from './support/client.ts';

const PURE = `(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (memory (export "memory") 1 4)
  (func (export "plan") (drop (call $len))))
`;

/** An open document, and the client that has it open. */
interface Opened extends AsyncDisposable {
  readonly client: Client;
  readonly uri: string;
  document: TextDocument;
  edit(text: string): void;
  until(isAsExpected: (found: readonly Diagnostic[]) => boolean): Promise<readonly Diagnostic[]>;
  /** Asks about the place just behind the first of a piece of the text. */
  ask<T>(method: string, behind: string, more?: object): Promise<T>;
}

async function opened(text: string, options: ClientOptions = {}): Promise<Opened> {
  const folder = makeFolder();
  const client = await startClient({ folders: [folder.root], ...options });
  const uri = folder.uri('plan.wat');
  client.open(uri, 'wat', text);
  const self: Opened = {
    client,
    uri,
    document: TextDocument.create(uri, 'wat', 1, text),
    edit(next) {
      self.document = TextDocument.create(uri, 'wat', self.document.version + 1, next);
      client.change(uri, next);
    },
    until: (isAsExpected) => client.until(uri, isAsExpected),
    ask(method, behind, more = {}) {
      const at = self.document.getText().indexOf(behind);
      assert.ok(at >= 0, behind);
      const position = self.document.positionAt(at + behind.length);
      return client.connection.sendRequest(method, { textDocument: { uri }, position, ...more });
    },
    async [Symbol.asyncDispose]() {
      await client.stop();
      folder[Symbol.dispose]();
    },
  };
  return self;
}

const has = (code: string) => (found: readonly Diagnostic[]) => codesOf(found).includes(code);

/** Each rule: how the text breaks it, and the piece that is to blame. */
const RULES: Readonly<Record<string, readonly [from: string, to: string, piece: string]>> = {
  'impure-import': ['"mashin" "get_input_len"', '"env" "now"', 'now'],
  'unknown-host-function': ['get_input_len', 'get_input_length', 'get_input_length'],
  'import-type-mismatch': ['(result i32)))', '(result i64)))', 'get_input_len'],
  'unreachable-impure-import': ['(memory', '(import "env" "now" (func))\n  (memory', 'now'],
  'missing-entry': ['"plan"', '"plam"', 'module'],
  'missing-memory': ['(export "memory") ', '', 'memory'],
  'unbounded-memory': ['1 4', '1', 'memory'],
  'start-function': ['(call $len))))', '(call $len))) (start 1))', 'start'],
  'invalid-module': ['(drop', '(dorp', 'dorp'],
  'nondeterministic-instruction': [
    '1 4)',
    '1 4 shared) (func (drop (i32.atomic.load (i32.const 0))))',
    'i32.atomic.load',
  ],
};

for (const [code, [from, to, piece]] of Object.entries(RULES)) {
  test(`${code} shows on “${piece}” in the text, and goes with it`, async () => {
    await using it = await opened(PURE.replace(from, to));
    const found = await it.until(has(code));
    const own = found.filter((each) => each.code === code);
    assert.equal(own.length, 1);
    assert.equal(own[0] && it.document.getText(own[0].range), piece);
    it.edit(PURE);
    await it.until((left) => left.length === 0);
  });
}

test('what is broken in one place has its findings in the others', async () => {
  const broken = PURE.replace(
    '(memory',
    '(import "env" "now" (func))\n  (func (i32.const\n  (memory',
  );
  await using it = await opened(broken);
  const found = await it.until((all) => has('invalid-module')(all) && has('impure-import')(all));
  const impure = found.find(({ code }) => code === 'impure-import');
  assert.equal(impure && it.document.getText(impure.range), 'now');
});

test('a line of an assembler’s error is counted in characters, not in bytes', async () => {
  await using it = await opened(PURE.replace('(drop', '(; 🦀é ;) (dorp'));
  const [found] = await it.until(has('invalid-module'));
  assert.equal(found && it.document.getText(found.range), 'dorp');
});

/** Texts with something that a quick fix mends, and what it is called. */
const FIXES: readonly (readonly [code: string, text: string, title: RegExp])[] = [
  [
    'unknown-host-function',
    PURE.replace('get_input_len', 'get_input_lem'),
    /^Import mashin\.get_input_len instead$/,
  ],
  ['impure-import', PURE.replace('"mashin"', '"machin"'), /^Import mashin\.get_input_len instead$/],
  [
    'import-type-mismatch',
    PURE.replace('(result i32)))', '(param i32) (result i32)))').replace(
      '(call $len)',
      '(i32.const 0)',
    ),
    /^Declare mashin\.get_input_len as \(\) -> i32$/,
  ],
  [
    'unreachable-impure-import',
    PURE.replace('(memory', '(import "env" "now" (func $now))\n  (memory'),
    /^Remove the import of env\.now$/,
  ],
];

for (const [code, text, title] of FIXES) {
  test(`the fix of ${code} removes it and leaves a text that assembles`, async () => {
    await using it = await opened(text);
    const diagnostic = (await it.until(has(code))).find((each) => each.code === code);
    assert.ok(diagnostic);
    const actions: CodeAction[] = await it.client.connection.sendRequest(
      'textDocument/codeAction',
      {
        textDocument: { uri: it.uri },
        range: diagnostic.range,
        context: { diagnostics: [diagnostic] },
      },
    );
    const edits = actions.find((each) => title.test(each.title))?.edit?.changes?.[it.uri];
    assert.ok(edits, JSON.stringify(actions.map((each) => each.title)));
    const mended = TextDocument.applyEdits(it.document, edits);
    await assembleWat(mended, 'mended');
    it.edit(mended);
    await it.until((left) => !has(code)(left));
  });
}

test('no fix is offered that would break a text that assembles', async () => {
  // Its one use gives it an argument, which the listed type does not take.
  const text = PURE.replace('(result i32)))', '(param i32) (result i32)))').replace(
    '(call $len)',
    '(call $len (i32.const 1))',
  );
  await using it = await opened(text);
  const [diagnostic] = await it.until(has('import-type-mismatch'));
  const actions: CodeAction[] = await it.client.connection.sendRequest('textDocument/codeAction', {
    textDocument: { uri: it.uri },
    range: diagnostic?.range,
    context: { diagnostics: [] },
  });
  assert.deepEqual(actions, []);
});

test('completion offers the modules, names and whole imports of the whitelist', async () => {
  await using it = await opened('(module\n  (import "")\n  (import "mashin" "get_")\n  \n)\n');
  const labels = (found: CompletionItem[] | { items: CompletionItem[] } | null) =>
    (Array.isArray(found) ? found : (found?.items ?? [])).map(({ label }) => label);
  assert.deepEqual(
    labels(await it.ask('textDocument/completion', '(import "')).filter((each) =>
      /mashin/.test(each),
    ).length > 0,
    true,
  );
  const names = labels(await it.ask('textDocument/completion', '"get_'));
  assert.ok(names.some((each) => each.includes('get_input_len')));
  assert.ok(names.some((each) => each.includes('http_request')));
  const lines = labels(await it.ask('textDocument/completion', '"get_")\n  '));
  assert.ok(
    lines.some((each) => /import.*get_input_len|get_input_len/.test(each)),
    lines.join(),
  );
});

test('hover explains an import where it is declared and where it is called', async () => {
  await using it = await opened(PURE);
  for (const behind of ['"get_in', 'call $l']) {
    const hover: Hover | null = await it.ask('textDocument/hover', behind);
    assert.ok(hover && MarkupContent.is(hover.contents), behind);
    assert.match(hover.contents.value, /pure · context[\s\S]*Byte length of the input JSON/);
  }
  assert.equal(await it.ask('textDocument/hover', '(export "pl'), null);
});

test('hints, symbols, definitions and references', async () => {
  await using it = await opened(
    PURE.replace('(memory', '(import "mashin" "http_request" (func (param i32 i32)))\n  (memory'),
  );
  const whole = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };
  const hints: InlayHint[] = await it.client.connection.sendRequest('textDocument/inlayHint', {
    textDocument: { uri: it.uri },
    range: whole,
  });
  assert.deepEqual(
    hints.map(({ label }) => label),
    ['pure · context', 'directive · http_request needs net.http'],
  );
  const symbols: DocumentSymbol[] = await it.client.connection.sendRequest(
    'textDocument/documentSymbol',
    {
      textDocument: { uri: it.uri },
    },
  );
  assert.ok(symbols.some(({ name }) => name === '$len'));
  const definition: Location | null = await it.ask('textDocument/definition', 'call $l');
  assert.equal(definition && it.document.getText(definition.range), '$len');
  assert.equal(definition?.range.start.line, 1);
  const references: Location[] = await it.ask('textDocument/references', '(func $l', {
    context: { includeDeclaration: true },
  });
  assert.deepEqual(
    references.map(({ range }) => range.start.line),
    [1, 4],
  );
});

test('beside another server of the language, only purity is left', async () => {
  const text = PURE.replace('"mashin"', '"env"').replace('(drop', '(dorp');
  await using it = await opened(text, { initialization: { watElsewhere: true } });
  const found = await it.until(has('impure-import'));
  assert.deepEqual(codesOf(found), ['impure-import']);
  assert.equal(await it.ask('textDocument/definition', 'call $l'), null);
  assert.match(JSON.stringify(await it.ask('textDocument/hover', '"get_in')), /impure/);
});

test('the setting “off” says nothing at all, and “on” everything', async () => {
  const text = PURE.replace('"mashin"', '"env"').replace('(drop', '(dorp');
  const initialization = { watElsewhere: true, settings: { wat: 'on' } };
  await using it = await opened(text, { initialization });
  await it.until((all) => has('impure-import')(all) && has('invalid-module')(all));
  await it.client.connection.sendNotification('workspace/didChangeConfiguration', {
    settings: { touchstone: { wat: 'off' } },
  });
  await it.until((all) => all.length === 0);
  assert.equal(await it.ask('textDocument/hover', '"get_in'), null);
});

test('text without a file, and what a project says of one', async () => {
  const manifest = {
    name: 'tried',
    version: '1.0.0',
    artifact: 'x.wasm',
    source: ['src/*'],
    entry: 'go',
  };
  using folder = makeFolder({ 'executor.json': JSON.stringify(manifest) });
  await using client = await startClient({ folders: [folder.root] });
  await client.until(folder.uri('executor.json'), has('artifact-missing'));
  const [untitled, owned] = ['untitled:Untitled-1', folder.uri('src/x.wat')];
  client.open(untitled, 'wat', PURE.replace('"plan"', '"go"'));
  client.open(owned, 'wat', PURE.replace('"plan"', '"go"').replace('1 4', '1'));
  await client.until(untitled, has('missing-entry'));
  const found = await client.until(owned, has('unbounded-memory'));
  assert.ok(!has('missing-entry')(found), 'its project says that it is entered at "go"');
});
