import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { manifestLinks } from '../../../server/manifest/links.ts';
import { manifest, open } from './support.ts';

function linksOf(more: object): [string, string | undefined][] {
  const { document, reading } = open(manifest(more));
  return manifestLinks(document, reading).map(({ range, target }) => [
    document.getText(range),
    target,
  ]);
}

test('artifact, sources, cases and a whitelist file are linked, patterns and names are not', () => {
  const more = {
    source: ['src/lib.rs', '../sdk', 'src/**/*.rs'],
    whitelist: './lists/acme #1.json',
    cases: ['cases/*.json', 'cases/one.json'],
  };
  assert.deepEqual(linksOf(more), [
    ['build/call.wasm', 'file:///work%20space/call/build/call.wasm'],
    ['src/lib.rs', 'file:///work%20space/call/src/lib.rs'],
    ['../sdk', 'file:///work%20space/sdk'],
    ['./lists/acme #1.json', 'file:///work%20space/call/lists/acme%20%231.json'],
    ['cases/one.json', 'file:///work%20space/call/cases/one.json'],
  ]);
  assert.equal(linksOf({ whitelist: 'acme@2' }).length, 1);
});

test('a path that the manifest may not hold is no link', () => {
  for (const artifact of [
    '../a.wasm',
    '/etc/passwd',
    'C:/a.wasm',
    'a\\b.wasm',
    'command:x//',
    '',
  ]) {
    assert.deepEqual(linksOf({ artifact, source: ['/etc'], cases: ['../x.json'] }), [], artifact);
  }
  assert.deepEqual(linksOf({ artifact: ['a.wasm'], source: 'b.rs' }), []);
});

test('links stand in a manifest that is broken elsewhere, and not in one that lies in no folder', () => {
  const { document, reading } = open('{"artifact": "a.wasm", "tier": 9, ');
  assert.equal(manifestLinks(document, reading)[0]?.tooltip, 'Open the artifact');
  const unsaved = TextDocument.create('untitled:executor.json', 'jsonc', 1, document.getText());
  assert.deepEqual(manifestLinks(unsaved, reading), []);
});
