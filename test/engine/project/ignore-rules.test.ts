import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noIgnoreRules } from '../../../engine/project/ignore-rules.ts';

test('the rules of a .gitignore hold below its folder, and deeper ones decide first', () => {
  const root = noIgnoreRules().extend('', 'build/\n*.wasm\n!keep.wasm\n# comment\n');
  assert.equal(root.ignores('build', true), true);
  assert.equal(root.ignores('build', false), false);
  assert.equal(root.ignores('a/x.wasm', false), true);
  assert.equal(root.ignores('a/keep.wasm', false), false);
  const deeper = root.extend('a', '!x.wasm\n/y.txt\n');
  assert.equal(deeper.ignores('a/x.wasm', false), false);
  assert.equal(deeper.ignores('x.wasm', false), true);
  assert.equal(deeper.ignores('a/y.txt', false), true);
  assert.equal(deeper.ignores('a/b/y.txt', false), false);
});

test('in a folder that is looked at although it is ignored, its own entries are judged', () => {
  const rules = noIgnoreRules().extend('', 'out/\n').extend('a', '!out/\n');
  assert.equal(rules.ignores('a/out', true), false);
  assert.equal(rules.ignores('a/out/x.wasm', false), false);
});

test('patterns made to take for ever are left out', () => {
  const rules = noIgnoreRules().extend(
    '',
    `${'*a'.repeat(60)}b\n${'**/a/'.repeat(30)}b\n${'[a-z]*'.repeat(40)}9\n`,
  );
  assert.equal(rules.ignores(`${'a'.repeat(250)}`, false), false);
  assert.equal(rules.ignores(`${'a/'.repeat(60)}c`, false), false);
});

test('the slowest patterns that are kept come to an end on the longest names', () => {
  const rules = noIgnoreRules().extend('', '*a*a*ab\n**/a/**/a/**/a/**/b\n*[a-z]*[a-z]*[a-z]9\n');
  assert.equal(rules.ignores('a'.repeat(255), false), false);
  assert.equal(rules.ignores(`${'a/'.repeat(64)}c`, false), false);
});
