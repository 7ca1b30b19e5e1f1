import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { JsonObject, JsonValue } from '../../../../../engine/encoding/json.ts';
import { call, failureOf, makeHandler, type Setup, TOKEN, textOf } from './support.ts';

/** A message that came to the endpoint. */
interface Message {
  readonly id?: JsonValue;
  readonly method?: string;
  readonly params?: JsonObject;
}

interface Seen {
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly message: Message | undefined;
}

type CallAnswer = (response: ServerResponse, message: Message) => unknown;

interface Endpoint {
  readonly url: string;
  readonly seen: Seen[];
}

const rpc = (id: JsonValue | undefined, result: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, result });
const said = (text: string) => ({ content: [{ type: 'text', text }] });

function json(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

function events(response: ServerResponse, ...datas: string[]): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const data of datas) response.write(`data: ${data}\n\n`);
  return response;
}

/** Serves MCP on loopback until the test ends; `answer` answers calls of tools. */
async function startEndpoint(t: TestContext, answer: CallAnswer): Promise<Endpoint> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const message: Message | undefined = body === '' ? undefined : JSON.parse(body);
    seen.push({ method: request.method ?? '', headers: request.headers, message });
    response.on('error', () => undefined);
    if (message?.method === 'initialize') {
      const result = {
        protocolVersion: message.params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'stub', version: '1' },
      };
      response.setHeader('mcp-session-id', 'session-1');
      json(response, rpc(message.id, result));
    } else if (message?.method === 'tools/list') {
      json(
        response,
        rpc(message.id, { tools: [{ name: 'say', inputSchema: { type: 'object' } }] }),
      );
    } else if (message?.method === 'tools/call') {
      await answer(response, message);
    } else {
      response.writeHead(202).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, seen };
}

function reach(
  t: TestContext,
  url: string,
  { more, ...setup }: Setup & { more?: JsonObject } = {},
) {
  const server = {
    name: 's',
    url,
    addresses: ['127.0.0.1/32'],
    headers: { authorization: { secret: 'TOKEN' }, 'x-team': 'a' },
    tools: ['say'],
    ...more,
  };
  return makeHandler(t, [server], setup);
}

/** Writes as fast as the reader reads. */
function flood(response: ServerResponse, text: string): void {
  const write = () => {
    while (!response.destroyed && response.write(text));
    response.once('drain', write);
  };
  write();
}

describe('an MCP server over streamable HTTP', () => {
  it('answers as JSON or as a stream, to requests with its headers', async (t) => {
    let isStream = false;
    const endpoint = await startEndpoint(t, (response, { id, params }) => {
      const body = rpc(id, said(JSON.stringify(params)));
      if (isStream) events(response, body).end();
      else json(response, body);
    });
    const handler = reach(t, endpoint.url);
    assert.equal(
      textOf(await call(handler, 'say', { a: 1 })),
      '{"name":"say","arguments":{"a":1}}',
    );
    isStream = true;
    assert.equal(
      textOf(await call(handler, 'say', { a: 2 })),
      '{"name":"say","arguments":{"a":2}}',
    );
    await handler.close?.();
    for (const { headers } of endpoint.seen) {
      assert.equal(headers.authorization, TOKEN);
      assert.equal(headers['x-team'], 'a');
    }
    const methods = endpoint.seen.map(({ method, message }) => message?.method ?? method);
    assert.deepEqual(methods, [
      'initialize',
      'notifications/initialized',
      'tools/list',
      'tools/call',
      'tools/call',
      'DELETE',
    ]);
    assert.equal(endpoint.seen.at(-1)?.headers['mcp-session-id'], 'session-1');
    assert.deepEqual(endpoint.seen[0]?.message?.params?.capabilities, {});
  });

  const misbehaviours: [string, CallAnswer, string][] = [
    ['a stream that ends', (response) => events(response).end(), 'server-lost'],
    [
      'a stream that ends after an event with an id',
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end('id: 7\nretry: 1\ndata:\n\n');
      },
      'server-lost',
    ],
    [
      'a stream that ends within an event',
      (response, { id }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${rpc(id, said('x')).slice(0, -4)}`);
      },
      'malformed-answer',
    ],
    [
      'a stream that dies',
      (response) => events(response, '{"jsonrpc":"2.0","method":"x"}').destroy(),
      'server-lost',
    ],
    ['a connection that dies', (response) => response.destroy(), 'server-lost'],
    ['JSON that ends too soon', (response) => json(response, '{"jsonrpc":'), 'malformed-answer'],
    ['what is no message', (response) => json(response, '{"result":1}'), 'malformed-answer'],
    ['an event that is no JSON', (response) => events(response, TOKEN), 'malformed-answer'],
    ['an event that is no message', (response) => events(response, '{"a":1}'), 'malformed-answer'],
    [
      'a page',
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(TOKEN),
      'malformed-answer',
    ],
    ['nothing at all', (response) => response.writeHead(200).end(), 'malformed-answer'],
    ['status 401', (response) => response.writeHead(401).end(TOKEN), 'server-failed'],
    ['status 500', (response) => response.writeHead(500, TOKEN).end(TOKEN), 'server-failed'],
    [
      'more than it may',
      (response, { id }) => json(response, rpc(id, said('x'.repeat(200_000)))),
      'too-large',
    ],
    [
      'JSON without end',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        flood(response, '['.repeat(65_536));
      },
      'too-large',
    ],
    ['comments without end', (response) => flood(events(response), ': x\n\n'), 'too-large'],
    ['a line without end', (response) => flood(events(response), 'x'.repeat(65_536)), 'too-large'],
    [
      'a head without end',
      (response) => response.writeHead(200, { x: 'x'.repeat(30_000) }).end(),
      'too-large',
    ],
    [
      'requests without end',
      (response) => flood(events(response), 'data: {"jsonrpc":"2.0","id":1,"method":"ping"}\n\n'),
      'flooded',
    ],
    [
      'an error of its own',
      (response, { id }) =>
        json(
          response,
          JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32000, message: TOKEN } }),
        ),
      'tool-failed',
    ],
  ];
  for (const [name, answer, code] of misbehaviours) {
    it(`that answers with ${name} makes a call fail with ${code}, and the next is made anew`, async (t) => {
      let isHonest = false;
      const endpoint = await startEndpoint(t, (response, message) =>
        isHonest ? json(response, rpc(message.id, said('honest'))) : answer(response, message),
      );
      const handler = reach(t, endpoint.url, { resultBytes: 100_000 });
      const failure = failureOf(await call(handler, 'say'));
      assert.equal(failure.code, code, failure.message);
      assert.match(failure.message, /^"say" of "s": [^\n]+$/);
      isHonest = true;
      assert.equal(textOf(await call(handler, 'say')), 'honest');
    });
  }

  it('is not followed elsewhere', async (t) => {
    const other = await startEndpoint(t, () => undefined);
    const endpoint = await startEndpoint(t, (response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    const failure = failureOf(await call(reach(t, endpoint.url), 'say'));
    assert.equal(failure.message, '"say" of "s": the server answered with status 307');
    assert.equal(other.seen.length, 0);
  });

  it('is reached at addresses that are granted, and at no others', async (t) => {
    const endpoint = await startEndpoint(t, (response) => response.end());
    for (const [url, addresses] of [
      [endpoint.url, []],
      [endpoint.url.replace('127.0.0.1', 'localhost'), []],
      ['http://169.254.169.254/latest', []],
      ['http://93.184.216.34/mcp', ['127.0.0.1/32']],
    ] as const) {
      const failure = failureOf(await call(reach(t, url, { more: { addresses } }), 'say'));
      assert.equal(failure.code, 'server-failed');
      assert.match(failure.message, /not public|without TLS/);
    }
    assert.equal(endpoint.seen.length, 0);
  });

  it('is not told a secret that no header can hold', async (t) => {
    const endpoint = await startEndpoint(t, (response) => response.end());
    for (const [get, code] of [
      [async () => undefined, 'secret-missing'],
      [async () => `${TOKEN}\nx: y`, 'secret-unusable'],
    ] as const) {
      const outcome = await call(reach(t, endpoint.url, { secrets: { get } }), 'say');
      assert(outcome.kind === 'refused');
      assert.equal(outcome.code, code);
    }
    assert.equal(endpoint.seen.length, 0);
  });

  it('is told that a call was cancelled, or took too long', async (t) => {
    const cancel = new AbortController();
    let isSilent = true;
    const endpoint = await startEndpoint(t, (response, { id }) => {
      if (!isSilent) return json(response, rpc(id, said('after')));
      events(response);
      setImmediate(() => cancel.abort());
      return undefined;
    });
    const handler = reach(t, endpoint.url, { timeoutMs: 1_000 });
    const cancelled = await call(handler, 'say', {}, { signal: cancel.signal });
    assert.equal(failureOf(cancelled).code, 'cancelled');
    assert.equal(failureOf(await call(handler, 'say')).code, 'timeout');
    isSilent = false;
    assert.equal(textOf(await call(handler, 'say')), 'after');
    const told = endpoint.seen.filter(
      ({ message }) => message?.method === 'notifications/cancelled',
    );
    const calls = endpoint.seen.filter(({ message }) => message?.method === 'tools/call');
    assert.deepEqual(
      told.map(({ message }) => message?.params?.requestId),
      calls.slice(0, 2).map(({ message }) => message?.id),
    );
  });

  it('is left at once when it does not take note of a farewell', async (t) => {
    const endpoint = await startEndpoint(t, (response, { id }) =>
      events(response, rpc(id, said('x'))),
    );
    const handler = reach(t, endpoint.url);
    assert.equal(textOf(await call(handler, 'say')), 'x');
    await handler.close?.();
  });

  it('counts what goes over the wire', async (t) => {
    const endpoint = await startEndpoint(t, (response, { id }) =>
      json(response, rpc(id, said('x'.repeat(5_000)))),
    );
    const handler = reach(t, endpoint.url);
    await call(handler, 'say');
    const second = await call(handler, 'say');
    const bytes = second.kind === 'performed' ? (second.cost?.bytes ?? 0) : 0;
    assert(bytes > 5_000 && bytes < 10_000);
    const poor = await call(handler, 'say', {}, { allowance: { bytes: 3_000 } });
    assert.equal(failureOf(poor).code, 'bytes-exhausted');
    assert.equal(textOf(await call(handler, 'say')).length, 5_000);
  });
});
