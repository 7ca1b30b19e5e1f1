// Effects from the command line on: granted by a policy or for a run, real, and in the receipt.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { RELAY } from '../support/relay.ts';
import { documentOf } from './run-support.ts';
import { answerOf, assertExit, CLI, type Workspace, workspace } from './support.ts';

const CAPABILITIES = [
  'net.http',
  'net.websocket',
  'memory',
  'db',
  'fs',
  'machine.call',
  'compute.exec',
];

/** A workspace with an executor that asks for what it is told to. */
async function relaying(t: TestContext, governance?: object): Promise<Workspace> {
  const here = workspace(t);
  here.write('relay/relay.wasm', RELAY);
  here.write('relay/executor.json', {
    ...{ name: 'relay', version: '1.0.0', artifact: 'relay.wasm', trust: 'reviewed' },
    capabilities: CAPABILITIES,
  });
  await here.certify('relay/relay.wasm');
  if (governance !== undefined) {
    here.write('.touchstone/policy.json', { format: 'policy/1', governance });
  }
  return here;
}

interface Asked {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function ask(
  here: Workspace,
  directives: readonly object[],
  { args = [], env = {} }: Asked = {},
) {
  here.write('input.json', { context: { directives } });
  const command = ['run', 'relay', '--input', '@input.json', '--format', 'json', ...args];
  const result = await here.runWith({ env }, ...command);
  const document = documentOf(result);
  const told = document.decisions.map(({ decision, reason = '' }) =>
    `${decision} ${reason}`.trim(),
  );
  return { document, told, result };
}

/** A server on the loopback address, and the requests that came to it. */
async function serving(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const get = (url: string, more: object = {}) => ({
  type: 'http_request',
  method: 'GET',
  url,
  ...more,
});
const store = (key: string, value: unknown, more: object = {}) => ({
  ...{ type: 'memory_op', operation: 'MemStore', key, value },
  ...more,
});
const recall = (key: string) => ({ type: 'memory_op', operation: 'MemRecall', key });

describe('effects of a run', { concurrency: 2 }, () => {
  test('nothing is performed without a grant; with one the memory outlasts the run', async (t) => {
    const here = await relaying(t);
    assert.deepEqual((await ask(here, [store('a', 1)])).told, ['recorded NotGranted(memory)']);
    const args = ['--grant', 'memory'];
    assert.deepEqual((await ask(here, [store('a', { n: 1 })], { args })).told, ['performed']);
    const { document } = await ask(here, [recall('a')], { args });
    assert.deepEqual(document.decisions[0]?.result, { found: true, value: { n: 1 } });
    assert.equal(document.receipt?.directives[0]?.resultHash, document.decisions[0]?.resultHash);
    assert.ok(existsSync(here.path('.touchstone/memory.sqlite')));
    answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
  });

  test('a policy says what is granted, and how far', async (t) => {
    const host = await serving(t, (_, response) => response.end('hello'));
    const here = await relaying(t, {
      grants: { 'net.http': { hosts: [host], addresses: ['127.0.0.1/32'] } },
    });
    const { document, told } = await ask(here, [
      get(`http://${host}/`),
      get('https://elsewhere.example/'),
      get(`http://${host}/`),
    ]);
    assert.equal(document.status, 'denied');
    assert.match(
      told.join('\n'),
      /^performed\ndenied GrantRefused\(host-not-granted: .*\)\nskipped /,
    );
    const result = document.decisions[0]?.result as { status: number; body: string };
    assert.deepEqual([result.status, result.body], [200, 'hello']);
  });

  test('a redirect to an address that is not granted is refused, and the receipt says so', async (t) => {
    let reached = 0;
    const inner = await serving(t, (_, response) => {
      reached++;
      response.end('metadata');
    });
    const outer = await serving(t, (_, response) => {
      response.writeHead(302, { location: `http://${inner}/` }).end();
    });
    const here = await relaying(t, {
      grants: { 'net.http': { hosts: [outer], addresses: ['127.0.0.1/32'] } },
    });
    const { document } = await ask(here, [get(`http://${outer}/`)]);
    assert.equal(document.receipt?.directives[0]?.reason, 'EffectFailed(host-not-granted)');
    assert.equal(reached, 0);
    const spelled = ['0x7f000001', '2130706433', '0177.0.0.1', '[::ffff:127.0.0.1]', 'localhost'];
    for (const name of spelled) {
      const args = ['--grant', `net.http=${name.startsWith('[') ? '*.example' : name}`];
      const bare = await relaying(t, { grants: {} });
      const { told } = await ask(bare, [get(`http://${name}:${inner.split(':')[1]}/`)], {
        args,
      }).catch(() => ({ told: ['denied at the grant'] }));
      assert.doesNotMatch(told[0] ?? '', /^performed$/, name);
    }
    assert.equal(reached, 0);
  });

  test('no secret is in any file, answer or message', async (t) => {
    const canary = 'canary-5f0e7c1b9a2d4e68';
    const seen: unknown[] = [];
    const host = await serving(t, (request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('x-echo', String(request.headers.authorization));
      const encoded = Buffer.from(String(request.headers.authorization)).toString('base64');
      response.end(`${request.headers.authorization} ${encoded}`);
    });
    const header = { host, name: 'authorization', prefix: 'Bearer ', value: { secret: 'TOKEN' } };
    const here = await relaying(t, {
      grants: {
        'net.http': { hosts: [host], addresses: ['127.0.0.1/32'], headers: [header] },
        memory: {},
      },
    });
    const env = { TOUCHSTONE_SECRET_TOKEN: canary };
    const { result } = await ask(here, [get(`http://${host}/`)], { env, args: ['--steps', '2'] });
    assert.deepEqual(seen, [`Bearer ${canary}`, `Bearer ${canary}`]);
    assert.match(result.stdout, /\[secret TOKEN\]/);
    const core = Buffer.from(canary).toString('base64').slice(4, 20);
    const files = readdirSync(here.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    assert.ok(files.length > 5);
    for (const text of [result.stdout, result.stderr, ...files]) {
      assert.ok(!text.includes(canary) && !text.includes(core));
    }
  });

  test('files stay inside their folder', async (t) => {
    const here = await relaying(t, {
      grants: { fs: { roots: [{ path: '../data', access: 'write' }] } },
    });
    here.write('data/a.txt', 'inside');
    here.write('outside.txt', 'outside');
    symlinkSync(here.path('outside.txt'), here.path('data/link'));
    const read = (path: string) => ({ type: 'file_op', operation: 'FileRead', path });
    const { document } = await ask(here, [read('a.txt')]);
    assert.deepEqual(document.decisions[0]?.result, { content: 'inside' });
    assert.match(
      (await ask(here, [read('../outside.txt')])).told[0] ?? '',
      /^denied GrantRefused\(/,
    );
    const linked = await ask(here, [read('link')]);
    assert.match(linked.told[0] ?? '', /^(denied GrantRefused|performed EffectFailed)\(/);
    assert.doesNotMatch(linked.result.stdout, /"content"/);
  });

  test('a second statement and an attached file never reach the database', async (t) => {
    const here = await relaying(t);
    const args = ['--grant', 'db=app.sqlite:write'];
    const query = (sql: string, params: readonly unknown[] = []) => ({
      ...{ type: 'db_op', query: sql, params },
    });
    const evil = "x'); drop table t; --";
    const { told } = await ask(
      here,
      [query('create table t (v text)'), query('insert into t values (?)', [evil])],
      { args },
    );
    assert.deepEqual(told, ['performed', 'performed']);
    const { document } = await ask(here, [query('select v from t')], { args });
    assert.deepEqual((document.decisions[0]?.result ?? {}) as object, {
      columns: ['v'],
      rows: [[evil]],
    });
    for (const sql of [
      'select 1; drop table t',
      "attach 'b.sqlite' as b",
      "vacuum into 'c.sqlite'",
    ]) {
      assert.match(
        (await ask(here, [query(sql)], { args })).told[0] ?? '',
        /^denied GrantRefused\(/,
        sql,
      );
    }
    assert.ok(!existsSync(here.path('b.sqlite')) && !existsSync(here.path('c.sqlite')));
  });

  test('a directive with an id is performed once', async (t) => {
    const here = await relaying(t);
    const args = ['--grant', 'memory'];
    const once = store('a', 1, { id: 'order-7' });
    assert.deepEqual((await ask(here, [once], { args })).told, ['performed']);
    const again = await ask(here, [once], { args });
    assert.deepEqual(again.told, ['recorded AlreadyPerformed(id)']);
    assert.deepEqual(again.document.decisions[0]?.result, { stored: true });
    const other = await ask(here, [store('b', 2, { id: 'order-7' })], { args });
    assert.deepEqual(other.told, ['denied EffectIdReused(the id names another directive)']);
  });

  test('budgets and phases of the policy hold over the steps of a run', async (t) => {
    const here = await relaying(t, { grants: { memory: {} }, budgets: { memory: { calls: 2 } } });
    const { document } = await ask(here, [store('a', 1)], { args: ['--steps', '5'] });
    assert.equal(document.status, 'denied');
    assert.equal(document.receipt?.epoch, 2);
    here.write('.touchstone/policy.json', {
      format: 'policy/1',
      governance: {
        grants: { memory: {} },
        phases: [{ name: 'look', steps: 1, directives: [] }, { name: 'act' }],
      },
    });
    assert.deepEqual((await ask(here, [store('a', 1)])).told, [
      'denied OutOfPhase(memory_op, look)',
    ]);
  });

  test('a review is a denial where nobody can be asked', async (t) => {
    const here = await relaying(t, {
      grants: { memory: {} },
      preHooks: [{ name: 'guard', path: '../missing.wasm' }],
    });
    const { document, told } = await ask(here, [store('a', 1)]);
    assert.deepEqual(told, ['denied HookFailed(guard: missing)']);
    assert.deepEqual(document.receipt?.directives[0]?.hooks, [
      { artifactHash: null, verdict: 'failed' },
    ]);
  });

  test('a machine is called under its own certificate, and its receipt is named in the caller’s', async (t) => {
    const here = await relaying(t);
    await here.certified('echo');
    const call = { type: 'call_machine', machine: 'echo', inputs: { say: 'hello' } };
    const args = ['--grant', 'machine.call=echo=echo'];
    const { document, told } = await ask(here, [call], { args });
    assert.deepEqual(told, ['performed']);
    const echoed = { context: { say: 'hello' }, step_config: {} };
    assert.deepEqual(document.decisions[0]?.result, { result: echoed });
    const chain = readFileSync(here.path('.touchstone/receipts/echo.jsonl'), 'utf8').trim();
    const hash = createHash('sha256').update(chain).digest('hex');
    assert.deepEqual(document.receipt?.directives[0]?.link, { receipt: hash });
    here.write('echo/build/echo.wasm.purity.json', '{}');
    const uncertified = await ask(here, [call], { args });
    assert.doesNotMatch(uncertified.told[0] ?? '', /^performed$/);
    assert.equal(readFileSync(here.path('.touchstone/receipts/echo.jsonl'), 'utf8').trim(), chain);
  });

  test('machines that call each other end five deep', async (t) => {
    const here = await relaying(t);
    const nested = (depth: number): object => ({
      ...{ type: 'call_machine', machine: 'relay' },
      inputs: depth === 0 ? {} : { directives: [nested(depth - 1)] },
    });
    const args = ['--grant', 'machine.call=relay=relay'];
    const { told } = await ask(here, [nested(4)], { args });
    assert.deepEqual(told, ['performed']);
    await ask(here, [nested(5)], { args });
    const receipts = readFileSync(here.path('.touchstone/receipts/relay.jsonl'), 'utf8');
    assert.match(receipts, /GrantRefused\(too-deep: /);
    // Whoever called the machine that was refused is told so, and goes on.
    assert.match(receipts, /EffectFailed\(machine-failed\)/);
    answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
  });

  test('a run that is killed while an effect is under way is recorded by the next', async (t) => {
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const host = await serving(t, () => arrived());
    const here = await relaying(t);
    const grants = ['--grant', `net.http=${host}`, '--grant', 'memory'];
    const directives = [store('a', 1), get(`http://${host}/`), store('b', 2)];
    here.write('input.json', { context: { directives } });
    const child = spawn(
      process.execPath,
      [CLI, 'run', 'relay', '--input', '@input.json', ...grants],
      {
        cwd: here.folder,
        stdio: 'ignore',
      },
    );
    await arrival;
    child.kill('SIGKILL');
    await once(child, 'close');
    const { document } = await ask(here, []);
    assert.equal(document.receipt?.epoch, 1);
    const [first = '{}'] = readFileSync(
      here.path('.touchstone/receipts/relay.jsonl'),
      'utf8',
    ).split('\n');
    const interrupted = JSON.parse(first);
    assert.equal(interrupted.status, 'interrupted');
    assert.deepEqual(
      interrupted.directives.map(({ decision }: { decision: string }) => decision),
      ['performed', 'attempted', 'skipped'],
    );
    answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
  });

  test('a scope that is none, and a document that a grant needs, are told before anything runs', async (t) => {
    const here = await relaying(t);
    const run = (grant: string) => here.run('run', 'relay', '--grant', grant);
    const bare = await run('fs');
    assertExit(bare, 2);
    assert.match(bare.stderr, /granting fs needs a scope \(.*\); .* as in --grant fs=data:write/);
    const relative = await run('compute.exec=ls');
    assertExit(relative, 2);
    const models = await run('compute.llm.reason');
    assertExit(models, 2);
    assert.match(models.stderr, /agency\.json/);
    assert.ok(!existsSync(here.path('.touchstone/receipts')));
  });
});
