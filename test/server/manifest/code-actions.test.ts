import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type CodeAction, type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver-types';
import { readManifest } from '../../../engine/project/manifest.ts';
import { type CodeActionRequest, manifestActions } from '../../../server/manifest/code-actions.ts';
import { manifestProblems } from '../../../server/manifest/diagnostics.ts';
import { ALL_COMMANDS, finding, manifest, open, URI, undeclared } from './support.ts';

/** What is offered for the whole of a text. */
function actionsOf(text: string, more: Partial<CodeActionRequest> = {}): CodeAction[] {
  const { document, reading } = open(text);
  return manifestActions({
    document,
    reading,
    range: { start: { line: 0, character: 0 }, end: document.positionAt(text.length) },
    diagnostics: manifestProblems(document, reading),
    findings: [],
    folderName: 'My Call',
    artifacts: [],
    commands: ALL_COMMANDS,
    ...more,
  });
}

function applied(text: string, action: CodeAction | undefined): string {
  const edits = action?.edit?.changes?.[URI];
  assert.ok(edits !== undefined, 'there is no such action');
  return TextDocument.applyEdits(TextDocument.create(URI, 'jsonc', 1, text), edits);
}

/** The text after the one fix that is offered, which has to leave a good manifest. */
function fixed(text: string, title: string, more: Partial<CodeActionRequest> = {}): string {
  const action = actionsOf(text, more).find((candidate) => candidate.title === title);
  const result = applied(text, action);
  assert.deepEqual(readManifest(result).problems, [], result);
  assert.equal(action?.kind, 'quickfix');
  return result;
}

test('a misspelt field becomes the one that is meant, and not where that is there already', () => {
  const text = manifest({ limits: { feul: 7 } });
  assert.equal(fixed(text, 'Change to "fuel"'), text.replace('feul', 'fuel'));
  assert.deepEqual(actionsOf(manifest({ limits: { feul: 7, fuel: 7 } })), []);
  assert.deepEqual(actionsOf(manifest({ somethingElse: 1 })), []);
});

test('of a key written twice the later goes, with its line, and the comments stay', () => {
  const title = 'Remove this "tier", keep the first';
  const head = '{\n  "name": "call", "version": "1.0.0",\n  "tier": 1, // the first\n';
  const tail = '  "artifact": "a.wasm"\n}';
  assert.equal(fixed(`${head}  "tier": 2,\n${tail}`, title), head + tail);
  assert.equal(
    fixed(`${head}  "tier": 2, // the second\n${tail}`, title),
    `${head}  // the second\n${tail}`,
  );
  assert.equal(
    fixed('{ "name": "a", "version": "1", "artifact": "a", "tier": 1, "tier": 2 }', title),
    '{ "name": "a", "version": "1", "artifact": "a", "tier": 1 }',
  );
  assert.equal(
    fixed('{"name":"a","version":"1","artifact":"a",\n  "tier":1, // last\n  "tier":2\n}', title),
    '{"name":"a","version":"1","artifact":"a",\n  "tier":1 // last\n}',
  );
});

test('a value that is none of the choices becomes the nearest', () => {
  const text = manifest({ trust: 'reviewd', capabilities: ['net.htp'], tier: 1 });
  const once = applied(
    text,
    actionsOf(text).find(({ title }) => title === 'Change to "reviewed"'),
  );
  assert.deepEqual(JSON.parse(fixed(once, 'Change to "net.http"')).capabilities, ['net.http']);
  assert.equal(fixed(manifest({ tier: '2' }), 'Change to 2'), manifest({ tier: 2 }));
  for (const value of [4, '4', 'x']) assert.deepEqual(actionsOf(manifest({ tier: value })), []);
});

test('a missing field goes where the schema has it, in the style of the others', () => {
  const text = '{\r\n\t// who\r\n\t"name": "call", // its name\r\n\t"artifact": "a.wasm"\r\n}\r\n';
  assert.equal(
    fixed(text, 'Add "version": "1.0.0"'),
    '{\r\n\t// who\r\n\t"name": "call", // its name\r\n\t"version": "1.0.0",\r\n\t"artifact": "a.wasm"\r\n}\r\n',
  );
  assert.equal(
    fixed('{ "version": "1", "artifact": "a.wasm" }', 'Add "name": "my-call"'),
    '{ "name": "my-call", "version": "1", "artifact": "a.wasm" }',
  );
  assert.equal(
    fixed('{\n  "name": "a",\n  "version": "1" // last\n}', 'Add "artifact": "out/a.wasm"', {
      artifacts: ['../no.wasm', 'out/a.wasm'],
    }),
    '{\n  "name": "a",\n  "version": "1", // last\n  "artifact": "out/a.wasm"\n}',
  );
  const titles = actionsOf('{}').map(({ title }) => title);
  assert.deepEqual(titles, [
    'Add "name": "my-call"',
    'Add "version": "1.0.0"',
    'Add "artifact": "build/my-call.wasm"',
  ]);
});

test('an empty manifest can be mended step by step', () => {
  for (const start of ['{}', '{ }', '{\n}', '{ // mine\n}', '\uFEFF{}', '{ /* mine */ }']) {
    let text = start;
    for (let step = 0; step < 3; step++) text = applied(text, actionsOf(text)[0]);
    assert.deepEqual(readManifest(text).problems, [], text);
    if (start.includes('mine')) assert.match(text, /mine/);
  }
});

test('a trailing comma goes, offered once', () => {
  const text = manifest().replace('.wasm"', '.wasm", // last\n');
  assert.equal(fixed(text, 'Remove the trailing comma'), text.replace(', // last', ' // last'));
  assert.equal(actionsOf(text).length, 1);
  fixed(manifest({ cases: [] }).replace('[]', '["a.json",]'), 'Remove the trailing comma');
});

test('a path is written as a manifest writes it, where it stays inside', () => {
  const tidy = (artifact: string) => actionsOf(manifest({ artifact })).map(({ title }) => title);
  assert.deepEqual(tidy('build\\call.wasm'), ['Write "build/call.wasm"']);
  assert.deepEqual(tidy('build/../out//call.wasm'), ['Write "out/call.wasm"']);
  for (const outside of [
    '../call.wasm',
    '..\\call.wasm',
    '/call.wasm',
    'C:\\call.wasm',
    '',
    '..',
  ]) {
    assert.deepEqual(tidy(outside), [], outside);
  }
  fixed(manifest({ artifact: 'build\\call.wasm' }), 'Write "build/call.wasm"');
  fixed(manifest({ source: ['..\\sdk\\*.rs'] }), 'Write "../sdk/*.rs"');
});

test('of a memory profile and memory pages either can go', () => {
  const text = manifest({ limits: { memoryPages: 4, memoryProfile: 'edge' } });
  const { memoryProfile } = readManifest(fixed(text, 'Remove "memoryPages"')).manifest ?? {};
  assert.equal(memoryProfile, 'edge');
  const pages = readManifest(fixed(text, 'Remove "memoryProfile"')).manifest?.limits.memoryPages;
  assert.equal(pages, 4);
});

test('a capability is declared where capabilities are, or where they would be', () => {
  const findings = [undeclared('call_machine')];
  const declare = (text: string) => fixed(text, 'Declare machine.call', { findings });
  assert.equal(
    declare('{\n  "name": "a", "version": "1", "artifact": "a", "trust": "tested" // why\n}'),
    '{\n  "name": "a", "version": "1", "artifact": "a", "trust": "tested", // why\n  "capabilities": ["machine.call"]\n}',
  );
  const list = (items: string) =>
    `{"name":"a","version":"1","artifact":"a","capabilities": ${items}}`;
  assert.equal(declare(list('[]')), list('["machine.call"]'));
  assert.equal(declare(list('["db"]')), list('["db", "machine.call"]'));
  assert.equal(
    declare(list('[\n    "db" // rows\n  ]')),
    list('[\n    "db", // rows\n    "machine.call"\n  ]'),
  );
  assert.match(declare(list('[ // none yet\n]')), /none yet\n/);
});

test('a capability that several directives need is declared once, and not twice', () => {
  const findings = ['http_request', 'graphql_request', 'http_request'].map(undeclared);
  const shown: Diagnostic[] = findings.map(({ code, message }, line) => ({
    code,
    message: `${message}\nand what to do`,
    severity: DiagnosticSeverity.Warning,
    range: { start: { line, character: 0 }, end: { line, character: 0 } },
  }));
  const actions = actionsOf(manifest(), { findings, diagnostics: shown });
  assert.deepEqual(
    actions.map(({ title }) => title),
    ['Declare net.http'],
  );
  assert.ok((actions[0]?.diagnostics?.length ?? 0) >= 3);
  assert.deepEqual(actionsOf(manifest({ capabilities: ['net.http'] }), { findings }), []);
  assert.deepEqual(actionsOf(manifest(), { findings: [undeclared('no_such_directive')] }), []);
});

test('certifying and building are commands, where the client has them', () => {
  const titles = (code: string, more: object = {}, commands = ALL_COMMANDS) =>
    actionsOf(manifest(more), { findings: [finding(code)], commands }).map(({ title, command }) => [
      title,
      command?.command,
      command?.arguments?.[0],
    ]);
  const certify = 'touchstone.certify';
  assert.deepEqual(titles('certificate-missing'), [['Certify…', certify, URI]]);
  assert.deepEqual(titles('certificate-stale'), [['Certify Again', certify, URI]]);
  assert.deepEqual(titles('certificate-missing', {}, new Set()), []);
  assert.deepEqual(titles('artifact-stale'), []);
  const build = [['Build…', 'touchstone.build', URI]];
  assert.deepEqual(titles('artifact-stale', { build: 'make' }), build);
  assert.deepEqual(titles('artifact-missing', { build: 'make' }), build);
  assert.deepEqual(titles('impure-import'), []);
});

test('actions are for the place and the kind that are asked for, and name what they fix', () => {
  const text = manifest({ trust: 'reviewd', limits: { feul: 7 } });
  const { document, reading } = open(text);
  const [problem] = manifestProblems(document, reading);
  assert.ok(problem !== undefined);
  const there = actionsOf(text, { range: problem.range });
  assert.deepEqual(
    there.map(({ title, diagnostics }) => [title, diagnostics]),
    [['Change to "reviewed"', [problem]]],
  );
  assert.equal(actionsOf(text, { only: ['source.fixAll'] }).length, 0);
  assert.equal(actionsOf(text, { only: ['quickfix'] }).length, 2);
});
