import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject } from '../../../../../engine/encoding/json.ts';
import {
  call,
  failureOf,
  makeFolder,
  makeHandler,
  referenceServer,
  resultOf,
  textOf,
} from './support.ts';

const EVERYTHING = [
  'echo',
  'get-sum',
  'get-env',
  'get-tiny-image',
  'get-structured-content',
  'get-resource-reference',
  'get-resource-links',
  'get-annotated-message',
  'trigger-long-running-operation',
  'trigger-sampling-request',
];

function everything(args: readonly string[] = []): JsonObject {
  return {
    name: 's',
    command: process.execPath,
    args: [referenceServer('everything'), ...args],
    env: { GREETING: 'hello' },
    tools: EVERYTHING,
  };
}

/** Starts the server over streamable HTTP, and answers its endpoint. */
async function startHttp(t: TestContext): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [referenceServer('everything'), 'streamableHttp'], {
    env: { PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`it exited with ${code}`)));
    child.stderr.on('data', (text: Buffer) => {
      if (/listening/i.test(text.toString())) resolve();
    });
  });
  return `http://127.0.0.1:${port}/mcp`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const TRANSPORTS: [string, (t: TestContext) => Promise<JsonObject>][] = [
  ['stdio', async () => everything()],
  [
    'streamable HTTP',
    async (t) => ({
      name: 's',
      url: await startHttp(t),
      addresses: ['127.0.0.1/32'],
      tools: EVERYTHING,
    }),
  ],
];

for (const [name, server] of TRANSPORTS) {
  describe(`the reference server "everything" over ${name}`, () => {
    it('gives content of every kind', async (t) => {
      const handler = makeHandler(t, [await server(t)]);
      assert.equal(textOf(await call(handler, 'echo', { message: 'Grüße 🌍' })), 'Echo: Grüße 🌍');
      assert.match(textOf(await call(handler, 'get-sum', { a: 2, b: 3 })), /\b5\b/);

      const image = resultOf(await call(handler, 'get-tiny-image')).content[1];
      assert.equal(image?.type, 'image');
      assert.equal(image?.mimeType, 'image/png');
      assert.match(String(image?.data), /^iVBOR/);

      const weather = resultOf(
        await call(handler, 'get-structured-content', { location: 'New York' }),
      ).structuredContent as JsonObject;
      assert.equal(typeof weather.temperature, 'number');

      const reference = resultOf(
        await call(handler, 'get-resource-reference', { resourceType: 'Text', resourceId: 1 }),
      );
      assert(reference.content.some(({ type }) => type === 'resource'));
      const links = resultOf(await call(handler, 'get-resource-links', { count: 2 }));
      assert.equal(links.content.filter(({ type }) => type === 'resource_link').length, 2);
    });

    it('keeps one connection for many calls', async (t) => {
      const handler = makeHandler(t, [await server(t)]);
      for (let i = 0; i < 20; i++) {
        assert.equal(textOf(await call(handler, 'echo', { message: String(i) })), `Echo: ${i}`);
      }
      const together = await Promise.all(
        ['a', 'b', 'c'].map((message) => call(handler, 'echo', { message })),
      );
      assert.deepEqual(together.map(textOf), ['Echo: a', 'Echo: b', 'Echo: c']);
    });

    it('tells of wrong arguments as data', async (t) => {
      const handler = makeHandler(t, [await server(t)]);
      const failure = failureOf(await call(handler, 'get-sum', { a: 'two' }));
      assert.equal(failure.code, 'tool-failed');
      assert.match(failure.message, /^"get-sum" of "s": the tool failed: /);
      assert.match(failure.message, /^[^\n]*$/);
      assert.equal(textOf(await call(handler, 'echo', { message: 'on' })), 'Echo: on');
    });

    it('has no tool for sampling, which this client does not offer', async (t) => {
      const handler = makeHandler(t, [await server(t)]);
      const failure = failureOf(await call(handler, 'trigger-sampling-request', { prompt: 'x' }));
      assert.equal(failure.code, 'tool-missing');
    });

    it('goes on after a call that was cancelled', async (t) => {
      const handler = makeHandler(t, [await server(t)]);
      const cancel = new AbortController();
      const long = call(
        handler,
        'trigger-long-running-operation',
        { duration: 3_600, steps: 3_600 },
        { signal: cancel.signal },
      );
      assert.equal(
        textOf(await call(handler, 'echo', { message: 'meanwhile' })),
        'Echo: meanwhile',
      );
      cancel.abort();
      assert.equal(failureOf(await long).code, 'cancelled');
      assert.equal(textOf(await call(handler, 'echo', { message: 'after' })), 'Echo: after');
    });
  });
}

describe('reference servers over stdio', () => {
  it('get the environment that is named, and nothing more', async (t) => {
    const handler = makeHandler(t, [everything()]);
    const environment = JSON.parse(textOf(await call(handler, 'get-env')));
    assert.deepEqual(environment, { GREETING: 'hello' });
  });

  it('remember, in the file that they are given', async (t) => {
    const file = join(makeFolder(t), 'memory.jsonl');
    const memory = {
      name: 's',
      command: process.execPath,
      args: [referenceServer('memory')],
      env: { MEMORY_FILE_PATH: file },
      tools: ['create_entities', 'read_graph'],
    };
    const entities = [{ name: 'gold', entityType: 'metal', observations: ['soft'] }];
    const handler = makeHandler(t, [memory]);
    await call(handler, 'create_entities', { entities });
    await handler.close?.();
    const again = makeHandler(t, [memory]);
    const graph = resultOf(await call(again, 'read_graph')).structuredContent as JsonObject;
    assert.deepEqual(graph.entities, entities);
    assert.match(readFileSync(file, 'utf8'), /gold/);
  });

  it('keep to their folder', async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'a.txt'), 'inside');
    const handler = makeHandler(t, [
      {
        name: 's',
        command: process.execPath,
        args: [referenceServer('filesystem'), folder],
        tools: ['read_text_file', 'write_file'],
      },
    ]);
    const inside = await call(handler, 'read_text_file', { path: join(folder, 'a.txt') });
    assert.equal(textOf(inside), 'inside');
    const failure = failureOf(await call(handler, 'read_text_file', { path: '/etc/passwd' }));
    assert.equal(failure.code, 'tool-failed');
    assert.match(failure.message, /Access denied/);
    const outcome = await call(handler, 'move_file', { source: 'a', destination: 'b' });
    assert(outcome.kind === 'refused');
    assert.equal(outcome.code, 'tool-not-granted');
  });
});
