// What an editor offers to do about a manifest. Every fix is applied in the editor: what it says that it
// fixes goes, and what is left is no worse a manifest.

import assert from 'node:assert/strict';
import { rmSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import type { CodeAction, Diagnostic } from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { readManifest } from '../../engine/project/manifest.ts';
import { COMMANDS } from '../../server/protocol.ts';
import { certificateFor } from '../support/gate.ts';
import { codesOf } from './support/client.ts';
import {
  ASKING,
  has,
  lacks,
  manifest,
  type OpenManifest,
  openManifest,
  PURE,
} from './support/manifest.ts';

const BUILT = { 'build/tried.wasm': PURE };
const ALL = { initialization: { commands: Object.values(COMMANDS) } };

interface Fixed {
  readonly text: string;
  /** The message of the problem that the fixes are for. */
  readonly problem: RegExp;
  /** What is offered, and what the manifest then says. */
  readonly offered: Readonly<Record<string, RegExp>>;
}

const fields = (json: string) => `{
  "name": "tried", // its name
  "version": "1.0.0",
  "artifact": "build/tried.wasm",
  ${json}
}
`;

const FIXES: Readonly<Record<string, Fixed>> = {
  'a misspelt field': {
    text: fields('"capabilites": []'),
    problem: /"capabilites"; did you mean/,
    offered: { 'Change to "capabilities"': /"capabilities": \[\]/ },
  },
  'a misspelt limit': {
    text: fields('"limits": { "feul": 7 }'),
    problem: /"feul"; did you mean/,
    offered: { 'Change to "fuel"': /"limits": \{ "fuel": 7 \}/ },
  },
  'a misspelt phase': {
    text: fields('"limits": { "phaseMs": { "plam": 7 } }'),
    problem: /"plam"; did you mean/,
    offered: { 'Change to "plan"': /"phaseMs": \{ "plan": 7 \}/ },
  },
  'a key written twice': {
    text: fields('"tier": 1, // the first\n  "tier": 2'),
    problem: /the key "tier" is written twice/,
    offered: { 'Remove this "tier", keep the first': /"tier": 1 \/\/ the first\n\}/ },
  },
  'a name that is missing': {
    text: manifest({ name: undefined }),
    problem: /^name: it is missing/,
    offered: { 'Add "name": "touchstone-lsp-…"': /^\{\n {2}"name": "touchstone-lsp-[^"]+",\n/ },
  },
  'a version that is missing': {
    text: manifest({ version: undefined }),
    problem: /^version: it is missing/,
    offered: { 'Add "version": "1.0.0"': /"name": "tried",\n {2}"version": "1\.0\.0",\n/ },
  },
  'an artifact that is missing': {
    text: manifest({ artifact: undefined }),
    problem: /^artifact: it is missing/,
    offered: {
      'Add "artifact": "build/tried.wasm"': /"1\.0\.0",\n {2}"artifact": "build\/tried\.wasm"\n/,
    },
  },
  'a word that is none of the choices': {
    text: fields('"trust": "reviewd"'),
    problem: /^trust: /,
    offered: { 'Change to "reviewed"': /"trust": "reviewed"/ },
  },
  'a capability that there is not': {
    text: fields('"capabilities": ["db", "net.htp"]'),
    problem: /^capabilities\[1\]: /,
    offered: { 'Change to "net.http"': /\["db", "net\.http"\]/ },
  },
  'a memory profile that there is not': {
    text: fields('"limits": { "memoryProfile": "egde" }'),
    problem: /^limits\.memoryProfile: /,
    offered: { 'Change to "edge"': /"memoryProfile": "edge"/ },
  },
  'a number in quotes': {
    text: fields('"tier": "2"'),
    problem: /^tier: /,
    offered: { 'Change to 2': /"tier": 2\n/ },
  },
  'a comma before a brace': {
    text: fields('"tier": 1, // last'),
    problem: /^expected a key/,
    offered: { 'Remove the trailing comma': /"tier": 1 \/\/ last\n/ },
  },
  'a comma before a bracket': {
    text: fields('"source": ["src",]'),
    problem: /^expected a value/,
    offered: { 'Remove the trailing comma': /\["src"\]/ },
  },
  'an artifact with backslashes': {
    text: manifest({ artifact: 'build\\tried.wasm' }),
    problem: /^artifact: /,
    offered: { 'Write "build/tried.wasm"': /"artifact": "build\/tried\.wasm"/ },
  },
  'a source with backslashes': {
    text: fields('"source": ["..\\\\sdk\\\\*.rs"]'),
    problem: /^source\[0\]: /,
    offered: { 'Write "../sdk/*.rs"': /\["\.\.\/sdk\/\*\.rs"\]/ },
  },
  'a whitelist with backslashes': {
    text: fields('"whitelist": "lists\\\\acme.json"'),
    problem: /^whitelist: /,
    offered: { 'Write "lists/acme.json"': /"whitelist": "lists\/acme\.json"/ },
  },
  'a case that goes out and back in': {
    text: fields('"cases": ["cases\\\\..\\\\more\\\\a.json"]'),
    problem: /^cases\[0\]: /,
    offered: { 'Write "more/a.json"': /\["more\/a\.json"\]/ },
  },
  'a memory profile beside memory pages': {
    text: fields('"limits": { "memoryPages": 4, "memoryProfile": "edge", "fuel": 7 }'),
    problem: /^limits\.memoryProfile: /,
    offered: {
      'Remove "memoryPages"': /"limits": \{ "memoryProfile": "edge", "fuel": 7 \}/,
      'Remove "memoryProfile"': /"limits": \{ "memoryPages": 4, "fuel": 7 \}/,
    },
  },
};

const messageOf = ({ message }: Diagnostic) => String(message);

/** Applies an action to the text in the editor. */
function apply(opened: OpenManifest, { edit, title }: CodeAction): string {
  const edits = edit?.changes?.[opened.uri];
  assert.ok(edits, title);
  const text = TextDocument.applyEdits(opened.document(), edits);
  opened.edit(text);
  return text;
}

test('every fix takes its problem away, and leaves a manifest that is good', async (t) => {
  await using opened = await openManifest(manifest(), BUILT);
  for (const [name, { text, problem, offered }] of Object.entries(FIXES)) {
    await t.test(name, async () => {
      const show = async () => {
        opened.edit(text);
        return opened.until((found) => found.some((each) => problem.test(messageOf(each))));
      };
      const found = await show();
      const about = found.filter((each) => problem.test(messageOf(each)));
      const actions = await opened.actions(about);
      const titles = actions.map(({ title }) => title.replace(/(?<=lsp-)[^"]+/, '…'));
      assert.deepEqual(titles, Object.keys(offered));
      for (const [i, outcome] of Object.values(offered).entries()) {
        const action = actions[i];
        assert.ok(action);
        assert.equal(action.kind, 'quickfix');
        assert.deepEqual(action.diagnostics?.map(messageOf), about.map(messageOf));
        await show();
        const fixed = apply(opened, action);
        assert.match(fixed, outcome);
        assert.deepEqual(readManifest(fixed).problems, [], fixed);
        await opened.until(lacks('invalid-manifest'));
      }
    });
  }
});

test('of several problems each has its own fixes, and mending them one by one ends', async () => {
  const broken = '{\r\n\t"nmae": "tried", // who\r\n\t"tier": "1",\r\n\t"trust": "testd",\r\n}\r\n';
  await using opened = await openManifest(broken, BUILT);
  let found = await opened.until(has('invalid-manifest'));
  for (let left = 10; found.length > 0 && left > 0; left--) {
    const before = found.map(messageOf).join();
    const [action] = await opened.actions(found);
    assert.ok(action, before);
    const text = apply(opened, action);
    assert.match(text, /\/\/ who\r\n/);
    found = await opened.until((now) => now.map(messageOf).join() !== before);
    found = found.filter(({ code }) => code === 'invalid-manifest');
  }
  assert.deepEqual(readManifest(opened.document().getText()).problems, []);
  assert.equal(readManifest(opened.document().getText()).artifact, 'build/tried.wasm');
});

test('what nobody can mend for the author is offered no fix', async () => {
  const text = manifest({ artifact: '../tried.wasm', tier: 9, limits: { fuel: 0 } });
  await using opened = await openManifest(text, BUILT);
  const found = await opened.until(has('invalid-manifest'));
  assert.equal(found.length, 3);
  assert.deepEqual(await opened.actions(found), []);
});

for (const [where, text] of Object.entries({
  'where there is no list yet': manifest({ trust: 'tested' }),
  'in an empty list': manifest({ capabilities: [] }),
  'behind those that are': fields('"capabilities": [\n    "db" // rows\n  ]'),
})) {
  test(`a capability that an import needs is declared ${where}`, async () => {
    await using opened = await openManifest(text, { 'build/tried.wasm': ASKING });
    const found = await opened.until(has('capability-undeclared'));
    const about = found.filter(({ code }) => code === 'capability-undeclared');
    const [action, ...others] = await opened.actions(about);
    assert.equal(action?.title, 'Declare net.http');
    assert.deepEqual([action.diagnostics?.map(messageOf), others], [about.map(messageOf), []]);
    const { manifest: fixed, problems } = readManifest(apply(opened, action));
    assert.deepEqual(problems, []);
    assert.ok(fixed?.capabilities.includes('net.http'));
    await opened.until(lacks('capability-undeclared'));
  });
}

/** What is offered about a code: titles, commands and the manifest that they are about. */
async function commandsFor(opened: OpenManifest, code: string) {
  const found = await opened.until(has(code));
  const actions = await opened.actions(found.filter((each) => each.code === code));
  return actions
    .filter(({ diagnostics }) => codesOf(diagnostics ?? []).includes(code))
    .map(({ command }) => [command?.title, command?.command, command?.arguments]);
}

test('certifying and building are offered as commands, to a client that has them', async () => {
  const text = manifest({ build: 'make', source: ['src/*'] });
  const files = { ...BUILT, 'src/lib.rs': '' };
  await using able = await openManifest(text, files, ALL);
  const certify = (title: string) => [[title, COMMANDS.certify, [able.uri]]];
  const build = [['Build…', COMMANDS.build, [able.uri]]];
  assert.deepEqual(await commandsFor(able, 'certificate-missing'), certify('Certify…'));
  able.save('build/tried.wasm.purity.json', await certificateFor(ASKING));
  assert.deepEqual(await commandsFor(able, 'certificate-stale'), certify('Certify Again'));
  const later = Date.now() / 1000 + 60;
  utimesSync(able.folder.path('src/lib.rs'), later, later);
  able.client.fileChanged(able.folder.uri('src/lib.rs'));
  assert.deepEqual(await commandsFor(able, 'artifact-stale'), build);
  rmSync(able.folder.path('build'), { recursive: true });
  able.client.fileChanged(able.folder.uri('build/tried.wasm'));
  assert.deepEqual(await commandsFor(able, 'artifact-missing'), build);
  able.edit(manifest());
  await able.until(lacks('invalid-manifest'));
  assert.deepEqual(await commandsFor(able, 'artifact-missing'), []);

  await using unable = await openManifest(text, files);
  assert.deepEqual(await commandsFor(unable, 'certificate-missing'), []);
});
