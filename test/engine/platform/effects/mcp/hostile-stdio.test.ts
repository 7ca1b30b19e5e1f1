import assert from 'node:assert/strict';
import { type StdioOptions, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { machineGrant } from '../../../../../engine/governance/grants/machine.ts';
import { McpFailure } from '../../../../../engine/platform/node/effects/mcp/mcp-failure.ts';
import { createMcpHandler } from '../../../../../engine/platform/node/effects/mcp/mcp-handler.ts';
import { StdioTransport } from '../../../../../engine/platform/node/effects/mcp/stdio-transport.ts';
import {
  call,
  failureOf,
  HOSTILE,
  linesOf,
  makeFolder,
  makeHandler,
  makeHostile,
  resultOf,
  TOKEN,
  textOf,
  untilGone,
} from './support.ts';

describe('an MCP server over stdio', () => {
  it('is called by what the grant lists, and by nothing else', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const handler = makeHostile(t, 'honest', { file });
    const judge = (server: string, tool: string) =>
      handler.judge?.({ type: 'mcp_call', server, tool, args: {} })?.code;
    assert.equal(judge('s', 'say'), undefined);
    assert.equal(judge('t', 'say'), 'server-not-granted');
    assert.equal(judge('s', 'other'), 'tool-not-granted');
    assert.equal(judge('__proto__', 'say'), 'server-not-granted');
    assert.equal(judge('s', 'length'), 'tool-not-granted');
    assert.equal(
      handler.judge?.({ type: 'mcp_call', server: 'a\u202eb', tool: '', args: {} })?.message,
      'the MCP server "a\\u{202e}b" is not granted',
    );
    assert.equal((await call(handler, 'other')).kind, 'refused');
    assert.throws(() => linesOf(file), 'it was not even started');
  });

  it('gets arguments as they are, and answers once', async (t) => {
    const args = { __proto__: null, deep: { a: [1, 'x'] }, text: 'ö\u2028\u2029\u0085\n' };
    const handler = makeHostile(t, 'honest');
    assert.deepEqual(JSON.parse(textOf(await call(handler, 'say', args))), {
      deep: { a: [1, 'x'] },
      text: 'ö\u2028\u2029\u0085\n',
    });
    assert.equal(textOf(await call(makeHostile(t, 'twice'), 'say')), 'first');
  });

  it('gets exactly the environment that is named', async (t) => {
    process.env.SHOULD_NOT_SHOW = 'x';
    t.after(() => {
      delete process.env.SHOULD_NOT_SHOW;
    });
    const environment = JSON.parse(textOf(await call(makeHostile(t, 'environment'), 'say')));
    assert.deepEqual(environment, { TOKEN });
  });

  it('gets no descriptor that this process was handed', {
    skip: process.platform !== 'linux',
  }, (t) => {
    const canary = join(makeFolder(t), 'open');
    const file = openSync(canary, 'w');
    // One that Node.js does not mark to be closed, beyond those that it looks at.
    const far: StdioOptions = ['ignore', 'pipe', 'inherit', ...Array(37).fill('ignore'), file];
    const program = join(dirname(HOSTILE), 'descriptors-of-a-server.ts');
    const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', program], { stdio: far });
    closeSync(file);
    const { own, server } = JSON.parse(stdout.toString());
    assert(own.includes(canary), 'it was handed to the parent');
    assert(!server.includes(canary), 'and not to the server');
  });

  it('offers the server nothing, and refuses what it asks for', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const handler = makeHostile(t, 'asks', { file });
    assert.equal(textOf(await call(handler, 'say')), 'asked');
    const seen = linesOf(file).map((line) => JSON.parse(line));
    assert.deepEqual(seen[0].params.capabilities, {});
    const answers = seen.filter(({ id }) => String(id).startsWith('my-'));
    assert.deepEqual(
      answers.map(({ id, error }) => [id, error?.code]),
      [
        ['my-sampling/createMessage', -32601],
        ['my-roots/list', -32601],
        ['my-elicitation/create', -32601],
        ['my-ping', undefined],
      ],
    );
  });

  for (const [mode, code] of [
    ['exit', 'server-lost'],
    ['quits-early', 'server-lost'],
    ['garbage', 'malformed-answer'],
    ['not-json-rpc', 'malformed-answer'],
    ['deep', 'malformed-answer'],
    ['surrogate', 'malformed-answer'],
    ['many-items', 'malformed-answer'],
    ['wrong-kind', 'malformed-answer'],
    ['no-list', 'malformed-answer'],
    ['no-result', 'malformed-answer'],
    ['structured-list', 'malformed-answer'],
    ['huge', 'too-large'],
    ['endless-line', 'too-large'],
    ['endless-lines', 'too-large'],
    ['asks-on-and-on', 'flooded'],
    ['says-error', 'tool-failed'],
    ['rpc-error', 'tool-failed'],
    ['unfriendly', 'server-failed'],
    ['other-version', 'server-failed'],
    ['no-tools', 'server-failed'],
    ['tools-no-list', 'malformed-answer'],
    ['nameless-tools', 'malformed-answer'],
    ['endless-tools', 'tool-missing'],
  ] as const) {
    it(`that misbehaves (${mode}) makes a call fail with ${code}`, async (t) => {
      const handler = makeHostile(t, mode, { resultBytes: 100_000 });
      const failure = failureOf(await call(handler, 'say'));
      assert.equal(failure.code, code, failure.message);
      assert.match(failure.message, /^"say" of "s": [^\n]+$/);
    });
  }

  it('tells why a tool failed, in words without its secrets', async (t) => {
    const failure = failureOf(await call(makeHostile(t, 'says-error'), 'say'));
    assert.equal(failure.message, '"say" of "s": the tool failed: no file\\u{a}TOKEN is [secret]');
    const error = failureOf(await call(makeHostile(t, 'rpc-error'), 'say'));
    assert.equal(error.message, '"say" of "s": the tool failed: bad [secret]');
  });

  it('may write what it likes to its standard error', async (t) => {
    assert.equal(textOf(await call(makeHostile(t, 'endless-stderr'), 'say')), 'still here');
  });

  it('answers structured content too', async (t) => {
    assert.deepEqual(resultOf(await call(makeHostile(t, 'structured'), 'say')), {
      content: [{ type: 'text', text: 's' }],
      structuredContent: { a: null, b: [1] },
    });
  });

  it('is not believed an answer to what was not asked', async (t) => {
    const handler = makeHostile(t, 'wrong-id', { timeoutMs: 3_000 });
    assert.equal(failureOf(await call(handler, 'say')).code, 'timeout');
  });

  it('is started again for the call after it died', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const handler = makeHostile(t, 'exit', { file });
    for (let i = 0; i < 2; i++) {
      assert.equal(failureOf(await call(handler, 'say')).code, 'server-lost');
    }
    const greetings = linesOf(file).filter((line) => line.includes('"initialize"'));
    assert.equal(greetings.length, 2);
    const children = linesOf(file).filter((line) => line.startsWith('child '));
    assert.equal(children.length, 2);
    for (const child of children) await untilGone(Number(child.slice(6)));
  });

  for (const mode of ['vanish', 'vanish-silently']) {
    it(`fails as data when a tool is there no more (${mode})`, async (t) => {
      const handler = makeHostile(t, mode);
      assert.equal(textOf(await call(handler, 'say')), 'now you see me');
      const failure = failureOf(await call(handler, 'say'));
      assert.equal(failure.code, mode === 'vanish' ? 'tool-missing' : 'tool-failed');
    });
  }

  it('is not asked for a tool that it does not list', async (t) => {
    assert.equal(failureOf(await call(makeHostile(t, 'honest'), 'gone')).code, 'tool-missing');
  });

  it('ends in time, and is told of it', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const handler = makeHostile(t, 'honest', { file, timeoutMs: 2_000 });
    assert.equal(failureOf(await call(handler, 'hang')).code, 'timeout');
    assert.equal(textOf(await call(handler, 'say', { a: 1 })), '{"a":1}');
    const seen = linesOf(file).map((line) => JSON.parse(line));
    const hung = seen.find(({ params }) => params?.name === 'hang');
    const cancelled = seen.filter(({ method }) => method === 'notifications/cancelled');
    assert.deepEqual(
      cancelled.map(({ params }) => params.requestId),
      [hung?.id],
    );
    const mute = makeHostile(t, 'mute', { timeoutMs: 300 });
    assert.equal(failureOf(await call(mute, 'say')).code, 'timeout');
  });

  it('is cancelled before it starts, while it starts, and while it works', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const before = makeHostile(t, 'honest', { file });
    const none = await call(before, 'say', {}, { signal: AbortSignal.abort() });
    assert.equal(failureOf(none).code, 'cancelled');
    assert.throws(() => linesOf(file), 'it was not started');

    const starting = new AbortController();
    const pending = call(makeHostile(t, 'mute'), 'say', {}, { signal: starting.signal });
    setImmediate(() => starting.abort());
    assert.equal(failureOf(await pending).code, 'cancelled');

    const handler = makeHostile(t, 'honest');
    await call(handler, 'say');
    const working = new AbortController();
    const hanging = call(handler, 'hang', {}, { signal: working.signal });
    setImmediate(() => working.abort());
    assert.equal(failureOf(await hanging).code, 'cancelled');
    assert.equal(textOf(await call(handler, 'say', { b: 2 })), '{"b":2}');
  });

  it('ends with the handler, and with it all that it started', async (t) => {
    for (const mode of ['stubborn', 'family']) {
      const file = join(makeFolder(t), 'seen');
      const handler = makeHostile(t, mode, { file });
      await call(handler, 'say');
      await handler.close?.();
      const seen = linesOf(file);
      assert.deepEqual(seen.slice(-2), ['end of input', 'SIGTERM']);
      for (const line of seen.filter((each) => each.startsWith('child '))) {
        await untilGone(Number(line.slice(6)));
      }
    }
  });

  it('ends with this process', { skip: process.platform === 'win32' }, async (t) => {
    const file = join(makeFolder(t), 'seen');
    const program = join(dirname(HOSTILE), 'leaving-parent.ts');
    const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, file]);
    assert.equal(status, 7);
    const [, pid] = /^pid (\d+)$/m.exec(linesOf(file).join('\n')) ?? [];
    assert(pid !== undefined);
    await untilGone(Number(pid));
  });

  it('holds nobody up by a secret that does not come', async () => {
    const secrets = { get: () => new Promise<never>(() => undefined) };
    const handler = createMcpHandler(
      machineGrant.parse({
        servers: [
          { name: 's', command: process.execPath, env: { A: { secret: 'A' } }, tools: ['say'] },
        ],
        timeoutMs: 30,
      }),
      { secrets },
    );
    assert.equal(failureOf(await call(handler, 'say')).code, 'timeout');
  });

  it('is not sent what the budget has no bytes for', async (t) => {
    const file = join(makeFolder(t), 'seen');
    const handler = makeHostile(t, 'honest', { file });
    const args = { a: 'x'.repeat(1_000) };
    const poor = await call(handler, 'say', args, { allowance: { bytes: 1_000 } });
    assert.equal(failureOf(poor).code, 'bytes-exhausted');
    assert.throws(() => linesOf(file));
    const less = await call(handler, 'say', args, { allowance: { bytes: 2_000 } });
    assert.equal(failureOf(less).code, 'bytes-exhausted');
    await call(handler, 'say');
    const first = await call(handler, 'say', args);
    const bytes = first.kind === 'performed' ? (first.cost?.bytes ?? 0) : 0;
    assert(bytes > 2_000);
    const enough = await call(handler, 'say', args, { allowance: { bytes: bytes + 10 } });
    assert.equal(enough.kind, 'performed');
  });

  it('is not started without its secrets, nor where it cannot be', async (t) => {
    const withSecret = (get: () => Promise<string | undefined>) =>
      makeHostile(t, 'honest', { secrets: { get } });
    for (const [get, code] of [
      [async () => undefined, 'secret-missing'],
      [() => Promise.reject(new Error(TOKEN)), 'secret-missing'],
      [async () => `${TOKEN}\0`, 'secret-unusable'],
    ] as const) {
      const outcome = await call(withSecret(get), 'say');
      assert(outcome.kind === 'refused');
      assert.equal(outcome.code, code);
    }
    for (const [command, args, message] of [
      ['/nonexistent/program', [], /the program did not start \(ENOENT\)$/],
      ['/etc/passwd', [], /the program did not start \(EACCES\)$/],
      [process.execPath, ['a\0b'], /the program did not start \(ERR_INVALID_ARG_VALUE\)$/],
      ['/bin/true', [], /the server is gone$/],
    ] as const) {
      const handler = makeHandler(t, [{ name: 's', command, args, tools: ['say'] }]);
      assert.match(failureOf(await call(handler, 'say')).message, message);
    }
  });

  it('that does not read is ended, and not written to for ever', async () => {
    const transport = new StdioTransport({
      command: process.execPath,
      args: [HOSTILE, 'deaf'],
      env: {},
      maxBytes: 100_000,
      onBytes: () => undefined,
    });
    const ended = new Promise<Error>((resolve) => {
      transport.onerror = resolve;
    });
    const heard = new Promise((resolve) => {
      transport.onmessage = resolve;
    });
    await transport.start();
    const params = { name: 'say', arguments: { a: 'x'.repeat(6_000_000) } };
    await transport.send({ jsonrpc: '2.0', id: 0, method: 'tools/call', params: { name: 'say' } });
    await heard;
    for (let id = 1; id <= 4; id++) {
      await transport.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
    }
    const failure = await ended;
    assert(failure instanceof McpFailure);
    assert.equal(failure.code, 'flooded');
    await transport.close();
    await assert.rejects(transport.send({ jsonrpc: '2.0', method: 'x' }), { code: 'server-lost' });
  });

  it('runs no shell', async (t) => {
    const file = join(makeFolder(t), 'touched');
    const handler = makeHandler(t, [
      {
        name: 's',
        command: process.execPath,
        args: [HOSTILE, 'honest; touch', `$(touch ${file})`, `; touch ${file}`],
        tools: ['say'],
      },
    ]);
    await call(handler, 'say');
    assert.throws(() => linesOf(file));
  });
});
