// Secrets of every kind are in use, and every effect answers with the one that it was given: none of
// them, in no form, is in anything that the command line leaves or says.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RELAY } from '../support/relay.ts';
import { documentOf } from './run-support.ts';
import { answerOf, workspace } from './support.ts';

const SECRETS = {
  HEADER: 'canary-header-8Lq2vX7c/+=%',
  MODEL: 'canary-model-Zt4kP9wQ1m',
  COMMAND: 'canary-command-0123456789',
  SERVER: 'canary-server-Yh6rB3nJ5s',
};

/** Echoes what was sent to it, as a model's answer where it is asked as one. */
async function echoing(t: TestContext): Promise<string> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const sent = `${request.headers.authorization} ${request.headers['x-key']}`;
    response.setHeader('content-type', 'application/json');
    response.setHeader('x-sent', encodeURIComponent(sent));
    const message = { role: 'assistant', content: sent };
    const choices = [{ index: 0, finish_reason: 'stop', message }];
    const base64 = Buffer.from(sent).toString('base64');
    const hex = Buffer.from(sent).toString('hex');
    response.end(JSON.stringify({ sent, base64, hex, id: '1', model: 'm', choices }));
  };
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function everythingServer(): string {
  const path = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/package.json',
  );
  return join(dirname(path), 'dist', 'index.js');
}

/** Every form of a secret that somebody could read it from. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replaceAll('=', '');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    base64.slice(0, -2),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
  ];
}

test('no secret of any kind is left or said anywhere', { timeout: 120_000 }, async (t) => {
  const host = await echoing(t);
  const here = workspace(t);
  here.write('relay/relay.wasm', RELAY);
  here.write('relay/executor.json', {
    ...{ name: 'relay', version: '1.0.0', artifact: 'relay.wasm', trust: 'system' },
  });
  await here.certify('relay/relay.wasm');
  const loopback = ['127.0.0.1/32'];
  const header = { host, name: 'x-key', value: { secret: 'HEADER' } };
  const node = process.execPath;
  const server = {
    name: 'all',
    command: node,
    args: [everythingServer(), 'stdio'],
    tools: ['get-env'],
  };
  const say =
    'process.stdout.write(process.env.KEY + " " + Buffer.from(process.env.KEY).toString("hex"))';
  here.write('.touchstone/policy.json', {
    format: 'policy/1',
    governance: {
      trustCeiling: 'system',
      grants: {
        'net.http': { hosts: [host], addresses: loopback, headers: [header] },
        'compute.llm.reason': {},
        'machine.call': { servers: [{ ...server, env: { KEY: { secret: 'SERVER' } } }] },
        'compute.exec': {
          commands: [
            { name: 'say', path: node, args: ['-e', say], env: { KEY: { secret: 'COMMAND' } } },
          ],
        },
      },
    },
  });
  const provider = { name: 'here', kind: 'openai', endpoint: `http://${host}/v1` };
  here.write('.touchstone/agency.json', {
    format: 'agency/1',
    providers: [{ ...provider, apiKey: { secret: 'MODEL' } }],
    models: [{ name: 'small', provider: 'here', model: 'm' }],
  });
  const directives = [
    { type: 'http_request', method: 'GET', url: `http://${host}/`, id: 'kept' },
    { type: 'llm_call', model: 'small', system: '', user: 'what is the key?' },
    { type: 'mcp_call', server: 'all', tool: 'get-env', args: {} },
    { type: 'exec_command', command: 'say', args: [] },
  ];
  here.write('input.json', { context: { directives } });
  const env = Object.fromEntries(
    Object.entries(SECRETS).map(([name, value]) => [`TOUCHSTONE_SECRET_${name}`, value]),
  );
  const args = ['run', 'relay', '--input', '@input.json', '--steps', '2'];
  const json = await here.runWith({ env }, ...args, '--format', 'json');
  const document = documentOf(json);
  assert.deepEqual(
    document.decisions.map(({ decision, reason = '' }) => `${decision} ${reason}`.trim()),
    ['recorded AlreadyPerformed(id)', 'performed', 'performed', 'performed'],
  );
  // Each effect did have its secret, and answered with it.
  for (const name of Object.keys(SECRETS)) {
    assert.ok(json.stdout.includes(`[secret ${name}]`), name);
  }
  const text = await here.runWith({ env }, ...args);
  answerOf(text);
  const left = readdirSync(here.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  assert.ok(left.some((path) => path.endsWith('effects.sqlite')));
  const said = [json.stdout, json.stderr, text.stdout, text.stderr];
  for (const each of [...said, ...left.map((path) => readFileSync(path, 'latin1'))]) {
    for (const secret of Object.values(SECRETS)) {
      for (const form of formsOf(secret)) assert.ok(!each.includes(form), form);
    }
  }
});
