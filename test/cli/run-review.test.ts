// A hook that wants a person: the one at the terminal is asked, and decides.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { answering } from '../engine/runtime/executors.ts';
import { RELAY } from '../support/relay.ts';
import { assemble } from '../support/wat.ts';
import { CLI, type Workspace, workspace } from './support.ts';

const hasScript =
  process.platform === 'linux' && spawnSync('script', ['--version']).stdout?.includes('util-linux');
const skip = hasScript ? false : 'needs the command `script` of util-linux, for a terminal';

/** A workspace whose policy has a hook that wants a person for every directive. */
async function reviewed(t: TestContext): Promise<Workspace> {
  const here = workspace(t);
  here.write('relay/relay.wasm', RELAY);
  here.write('relay/executor.json', {
    ...{ name: 'relay', version: '1.0.0', artifact: 'relay.wasm', trust: 'reviewed' },
    capabilities: ['memory'],
  });
  const verdict = '{"result":{"verdict":"review","reason":"it keeps a name"}}';
  here.write('guard.wasm', assemble(answering(verdict)));
  await here.certify('guard.wasm');
  await here.certify('relay/relay.wasm');
  const governance = {
    grants: { memory: {} },
    preHooks: [{ name: 'guard', path: '../guard.wasm' }],
  };
  here.write('.touchstone/policy.json', { format: 'policy/1', governance });
  const store = { type: 'memory_op', operation: 'MemStore', key: 'name', value: 'Ada' };
  here.write('input.json', { context: { directives: [store] } });
  return here;
}

/** What a person sees who types `typed` once the question is on the terminal. */
async function atTerminal(here: Workspace, typed: string): Promise<string> {
  const command = `stty cols 80 rows 40; ${process.execPath} ${CLI} run relay --input @input.json`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: here.folder,
    env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', HOME: here.folder },
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const wasAsked = seen.includes('[y/N]');
    seen += piece;
    if (!wasAsked && seen.includes('[y/N]')) child.stdin.write(typed);
  });
  await once(child, 'close');
  return seen.replaceAll('\r', '');
}

test('the person at the terminal is asked, and told what for', { skip }, async (t) => {
  const here = await reviewed(t);
  const allowed = await atTerminal(here, 'y\n');
  assert.match(allowed, /relay@1\.0\.0 asks for memory_op\n/);
  assert.match(allowed, /"key":"name"/);
  assert.match(allowed, /guard wants a person to decide: it keeps a name\n/);
  assert.match(allowed, /✔ performed +memory_op/);
  for (const no of ['n\n', '\n', 'perhaps\n', '\u0004']) {
    const denied = await atTerminal(here, no);
    assert.match(denied, /✖ denied +memory_op +ReviewDenied\(guard: it keeps a name\)/, no);
  }
});
