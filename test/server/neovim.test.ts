// An editor that is not ours, set up by the lines of the README, shows a finding.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from './support/client.ts';

const isThere = spawnSync('nvim', ['--version']).status === 0;
const isNeeded = process.env.TOUCHSTONE_REQUIRE_TOOLCHAINS === '1' && process.platform === 'linux';

/** Waits for diagnostics, and prints them as JSON. */
const ASK = `
vim.wait(15000, function() return #vim.diagnostic.get(0) > 0 end, 20)
local found = {}
for _, each in ipairs(vim.diagnostic.get(0)) do
  table.insert(found, { code = each.code, line = each.lnum, column = each.col, message = each.message })
end
io.stdout:write(vim.fn.json_encode(found))
vim.cmd('qall!')
`;

test('Neovim, with the lines of the README, shows an impure import', {
  skip: !isThere && !isNeeded,
}, () => {
  const [, lines] = /```lua\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  assert.ok(lines);
  using folder = makeFolder({
    'init.lua': lines,
    'ask.lua': ASK,
    'plan.wat': '(module\n  (import "env" "now" (func $now (result i64))))\n',
    'bin/touchstone': `#!/bin/sh\nexec "${process.execPath}" "${resolve('dist/cli.js')}" "$@"\n`,
  });
  chmodSync(folder.path('bin/touchstone'), 0o755);
  const output = execFileSync(
    'nvim',
    ['--headless', '--clean', '-u', 'init.lua', 'plan.wat', '-c', 'luafile ask.lua'],
    {
      cwd: folder.root,
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        ...process.env,
        PATH: `${folder.path('bin')}${delimiter}${process.env.PATH}`,
        HOME: folder.root,
        XDG_CACHE_HOME: folder.path('cache'),
        XDG_STATE_HOME: folder.path('state'),
      },
    },
  );
  const found: { code: string; line: number; column: number; message: string }[] =
    JSON.parse(output);
  const import_ = found.find(({ line }) => line === 1);
  assert.equal(import_?.column, '  (import "env" "'.length);
  assert.match(import_?.message ?? '', /^env\.now \(\) -> i64 is outside mashin@1/);
});
