import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer as createHttpsServer } from 'node:https';
import { after, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import type { JsonValue } from '../../../../engine/encoding/json.ts';
import type { EffectOutcome } from '../../../../engine/governance/effect.ts';
import {
  type WebsocketGrant,
  websocketGrant,
} from '../../../../engine/governance/grants/websocket.ts';
import type { NetworkOptions } from '../../../../engine/platform/node/effects/network/guarded-client.ts';
import { createWebsocketHandler } from '../../../../engine/platform/node/effects/websocket.ts';
import type { Directive } from '../../../../engine/runtime/types.ts';
import { kindOf, perform, resultOf } from './support/network-requests.ts';
import { closedPort, serveHttp, serveRaw } from './support/network-servers.ts';
import { createAuthority, type Identity } from './support/tls-certificates.ts';

function handlerFor(
  grant: Partial<WebsocketGrant> & { hosts: string[] },
  options: NetworkOptions = {},
) {
  const parsed = websocketGrant.parse({ addresses: ['127.0.0.1/32'], ...grant });
  const handler = createWebsocketHandler(parsed, options);
  after(() => handler.close?.());
  return handler;
}

/** A WebSocket server on 127.0.0.1; over TLS with an identity. */
async function serveWebsocket(onSocket: (socket: WebSocket) => void, identity?: Identity) {
  const https = identity === undefined ? undefined : createHttpsServer({ ...identity });
  const server =
    https === undefined
      ? new WebSocketServer({ port: 0, host: '127.0.0.1' })
      : new WebSocketServer({ server: https });
  https?.listen(0, '127.0.0.1');
  await new Promise((resolve) => (https ?? server).once('listening', resolve));
  server.on('connection', onSocket);
  after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    https?.close();
  });
  const address = (https ?? server).address();
  assert.ok(typeof address === 'object' && address !== null);
  const host = `localhost:${address.port}`;
  return { server, host, url: `${https === undefined ? 'ws' : 'wss'}://${host}/` };
}

function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

const connect = (url: string): Directive => ({ type: 'websocket_op', operation: 'WSConnect', url });
const close = (url: string): Directive => ({ type: 'websocket_op', operation: 'WSClose', url });
const send = (url: string, payload?: JsonValue): Directive => ({
  type: 'websocket_op',
  operation: 'WSSend',
  url,
  ...(payload !== undefined && { payload }),
});

test('it connects, sends, receives and closes', async () => {
  const { server, host, url } = await serveWebsocket(echo);
  const handler = handlerFor({ hosts: [host] });
  assert.deepEqual(resultOf(await perform(handler, connect(url))), { connected: true });
  assert.deepEqual(resultOf(await perform(handler, send(url, 'grün'))), {
    sent: 5,
    received: ['grün'],
  });
  const json = await perform(handler, send(url, { a: [1] }));
  assert.deepEqual(resultOf(json), { sent: 9, received: ['{"a":[1]}'] });
  assert.deepEqual(json.kind === 'performed' && json.cost, { bytes: 18 });
  const closed = await perform(handler, close(url));
  assert.deepEqual(resultOf(closed), { closed: { code: 1000, reason: '' }, received: [] });
  assert.equal(server.clients.size, 0);
  assert.equal(kindOf(await perform(handler, send(url, 'x'))), 'failed not-connected');
  assert.equal(kindOf(await perform(handler, close(url))), 'failed not-connected');
});

test('a connection over TLS is trusted for its host alone', async () => {
  const authority = await createAuthority();
  const identity = await authority.certify('good.test');
  const { host, url } = await serveWebsocket(echo, identity);
  const at = (name: string) => url.replace('localhost', name);
  const hosts = ['good.test', 'bad.test', 'localhost'].map((name) =>
    host.replace('localhost', name),
  );
  const resolve = async () => [{ address: '127.0.0.1' }];
  const handler = handlerFor({ hosts }, { ca: authority.ca, resolve });
  resultOf(await perform(handler, connect(at('good.test'))));
  assert.deepEqual(resultOf(await perform(handler, send(at('good.test'), 'x'))).received, ['x']);
  for (const name of ['bad.test', 'localhost']) {
    assert.equal(kindOf(await perform(handler, connect(at(name)))), 'failed tls-failed', name);
  }
  const stranger = handlerFor({ hosts }, { resolve });
  assert.equal(kindOf(await perform(stranger, connect(at('good.test')))), 'failed tls-failed');
});

test('what came since is received, binary as base64, in order, without sending too', async () => {
  const { host, url } = await serveWebsocket((socket) => {
    socket.send('first');
    socket.send(Buffer.from([0, 255]));
    socket.on('message', () => socket.send('last'));
  });
  const handler = handlerFor({ hosts: [host] });
  await perform(handler, connect(url));
  const received: JsonValue[] = [];
  while (received.length < 2) {
    const { sent, received: more } = resultOf(await perform(handler, send(url)));
    assert.equal(sent, 0);
    assert.ok(Array.isArray(more));
    received.push(...more);
  }
  assert.deepEqual(received, ['first', { base64: 'AP8=' }]);
  assert.deepEqual(resultOf(await perform(handler, send(url, null))), { sent: 0, received: [] });
  assert.deepEqual(resultOf(await perform(handler, send(url, 'x'))).received, ['last']);
});

test('one executor cannot use the connection of another', async () => {
  const { host, url } = await serveWebsocket(echo);
  const handler = handlerFor({ hosts: [host] });
  resultOf(await perform(handler, connect(url), { executor: 'mine@1' }));
  for (const directive of [send(url, 'x'), send(url), close(url)]) {
    const outcome = await perform(handler, directive, { executor: 'other@1' });
    assert.equal(kindOf(outcome), 'failed not-connected');
  }
  const mine = await perform(handler, send(url, 'x'), { executor: 'mine@1' });
  assert.deepEqual(resultOf(mine).received, ['x']);
});

test('there are no more connections than granted, and one each for executor and URL', async () => {
  const { server, host, url } = await serveWebsocket(echo);
  const handler = handlerFor({ hosts: [host], connections: 2 });
  const first = await Promise.all([1, 2].map(() => perform(handler, connect(url))));
  assert.deepEqual(first.map(kindOf), ['performed', 'performed']);
  await perform(handler, connect(url));
  const outcomes = [];
  for (const path of ['a', 'b']) outcomes.push(kindOf(await perform(handler, connect(url + path))));
  assert.deepEqual(outcomes, ['performed', 'failed too-many-connections']);
  resultOf(await perform(handler, close(url)));
  resultOf(await perform(handler, connect(`${url}b`)));
  while (server.clients.size > 2) await new Promise((resolve) => setImmediate(resolve));
  await handler.close?.();
  while (server.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('what the grant does not cover is refused before anything is done', async () => {
  const hosts = ['a.test', '10.0.0.1', 'b.test'];
  const resolve = async () => [{ address: '10.0.0.1' }];
  const handler = handlerFor({ hosts, messageBytes: 10 }, { resolve });
  const cases: [Directive, string][] = [
    [connect('wss://c.test/'), 'host-not-granted'],
    [connect('wss://a.test:81/'), 'host-not-granted'],
    [connect('https://a.test/'), 'scheme-refused'],
    [connect('ws+unix:///tmp/socket'), 'scheme-refused'],
    [connect('wss://u:p@a.test/'), 'userinfo-refused'],
    [connect('wss://0xa000001/'), 'address-refused'],
    [connect('a.test'), 'invalid-url'],
    [send('wss://a.test/', 'x'.repeat(11)), 'too-large'],
    [send('wss://c.test/'), 'host-not-granted'],
    [{ type: 'websocket_op', operation: 'WSOther', url: 'wss://a.test/' }, 'invalid-request'],
    [{ type: 'websocket_op', operation: 'WSConnect' }, 'invalid-request'],
  ];
  for (const [directive, code] of cases) {
    assert.equal(handler.judge?.(directive)?.code, code, JSON.stringify(directive));
    assert.equal(kindOf(await perform(handler, directive)), `refused ${code}`);
  }
  assert.equal(handler.judge?.(connect('wss://a.test/')), undefined);
  assert.equal(kindOf(await perform(handler, connect('wss://a.test/'))), 'refused address-refused');
  const plain = handlerFor({ hosts }, { resolve: async () => [{ address: '8.8.8.8' }] });
  assert.equal(kindOf(await perform(plain, connect('ws://a.test/'))), 'refused scheme-refused');
});

test('a name is resolved once, and exactly what it answered is connected to', async () => {
  const { host, url } = await serveWebsocket(echo);
  let asked = 0;
  const answers = ['127.0.0.1', '169.254.169.254'];
  const resolve = async () => [{ address: answers[asked++] ?? '10.0.0.1' }];
  const hosts = [host.replace('localhost', 'rebinding.test')];
  const handler = handlerFor({ hosts }, { resolve });
  const at = url.replace('localhost', 'rebinding.test');
  resultOf(await perform(handler, connect(at)));
  assert.equal(asked, 1);
  resultOf(await perform(handler, close(at)));
  assert.equal(kindOf(await perform(handler, connect(at))), 'refused address-refused');
});

test('a redirect is not followed, and what is no handshake has failed', async () => {
  const inside = await serveHttp((_request, response) => response.end());
  const away = await serveHttp((_request, response) => {
    response.writeHead(302, { location: `ws://localhost:${inside.port}/` });
    response.end();
  });
  const wrong = await serveRaw((socket) => {
    socket.once('data', () =>
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
      ),
    );
  });
  const garbage = await serveRaw((socket) =>
    socket.once('data', () => socket.end('what?\r\n\r\n')),
  );
  const reset = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const closed = await closedPort();
  const ports = [inside.port, away.port, wrong.port, garbage.port, reset.port, closed];
  const handler = handlerFor({ hosts: ports.map((port) => `localhost:${port}`) });
  const at = async (port: number) =>
    kindOf(await perform(handler, connect(`ws://localhost:${port}/`)));
  assert.equal(await at(away.port), 'failed handshake-failed');
  assert.equal(await at(wrong.port), 'failed handshake-failed');
  assert.equal(await at(garbage.port), 'failed invalid-response');
  assert.equal(await at(reset.port), 'failed connection-reset');
  assert.equal(await at(closed), 'failed connection-refused');
  assert.equal(inside.connections(), 0);
});

test('a message that is larger than granted ends the connection', async () => {
  const { host, url } = await serveWebsocket((socket) => {
    socket.on('error', () => undefined);
    socket.on('message', () => socket.send('x'.repeat(1_001)));
  });
  const handler = handlerFor({ hosts: [host], messageBytes: 1_000 });
  await perform(handler, connect(url));
  const outcome = await perform(handler, send(url, 'x'));
  assert.deepEqual(resultOf(outcome), {
    sent: 1,
    received: [],
    closed: { code: 1009, reason: 'a message was larger than granted' },
  });
});

test('a frame that claims more than granted is not waited for', async () => {
  const claims = await serveRaw((socket) => {
    socket.once('data', (head) => {
      const key = /sec-websocket-key: (\S+)/i.exec(head.toString())?.[1];
      const accept = createHash('sha1')
        .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      );
      socket.write(Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0]));
    });
  });
  const url = `ws://localhost:${claims.port}/`;
  const handler = handlerFor({ hosts: [`localhost:${claims.port}`] });
  resultOf(await perform(handler, connect(url)));
  const { closed } = resultOf(await perform(handler, send(url)));
  assert.deepEqual(closed, { code: 1009, reason: 'a message was larger than granted' });
});

test('a flood waits outside, and comes in pieces of the size that is granted', async () => {
  const total = 3_000;
  let sent = 0;
  const { host, url } = await serveWebsocket((socket) => {
    const pour = () => {
      while (sent < total && socket.bufferedAmount < 100_000)
        socket.send(`${sent++}`.padEnd(1_000));
      if (sent < total) setTimeout(pour, 1);
    };
    pour();
  });
  const handler = handlerFor({ hosts: [host], messageBytes: 50_000 });
  await perform(handler, connect(url));
  const numbers: number[] = [];
  while (numbers.length < total) {
    const outcome = await perform(handler, send(url));
    const { received } = resultOf(outcome);
    assert.ok(Array.isArray(received) && received.length <= 50);
    assert.deepEqual(outcome.kind === 'performed' && outcome.cost, {
      bytes: received.length * 1_000,
    });
    numbers.push(...received.map(Number));
  }
  assert.deepEqual(numbers, [...Array(total).keys()]);
});

test('a flood that nobody takes is not read from the network', async () => {
  let isDone = false;
  const { server, host, url } = await serveWebsocket((socket) => {
    for (let i = 0; i < 64; i++) socket.send(Buffer.alloc(1_000_000));
    socket.send('', () => {
      isDone = true;
    });
  });
  const handler = handlerFor({ hosts: [host] });
  await perform(handler, connect(url));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [client] = server.clients;
  assert.equal(isDone, false);
  assert.ok((client?.bufferedAmount ?? 0) > 32_000_000, `${client?.bufferedAmount}`);
  resultOf(await perform(handler, close(url)));
});

test('an answer has no more bytes than are left of the budget', async () => {
  const { host, url } = await serveWebsocket((socket) => {
    socket.on('message', () => {
      for (const letter of 'abc') socket.send(letter.repeat(10));
    });
  });
  const handler = handlerFor({ hosts: [host] });
  await perform(handler, connect(url));
  const refused = await perform(handler, send(url, 'ten bytes.'), { allowance: { bytes: 9 } });
  assert.equal(kindOf(refused), 'refused bytes-exhausted');
  const outcome = await perform(handler, send(url, 'ten bytes.'), { allowance: { bytes: 25 } });
  assert.equal(outcome.kind, 'performed');
  assert.ok(outcome.kind === 'performed' && (outcome.cost?.bytes ?? 0) <= 25);
  const received: JsonValue[] = [];
  for (let last: EffectOutcome = outcome; ; last = await perform(handler, send(url))) {
    const { received: more } = resultOf(last);
    assert.ok(Array.isArray(more));
    received.push(...more);
    if (received.length === 3) break;
  }
  assert.deepEqual(
    received,
    ['a', 'b', 'c'].map((letter) => letter.repeat(10)),
  );
});

test('an end that the other side makes is told once what came before it is taken', async () => {
  const { host, url } = await serveWebsocket((socket) => {
    socket.send('bye');
    socket.close(4_000, 'over\n');
  });
  const handler = handlerFor({ hosts: [host] });
  await perform(handler, connect(url));
  const seen: JsonValue[] = [];
  for (;;) {
    const { received, closed } = resultOf(await perform(handler, send(url)));
    assert.ok(Array.isArray(received));
    seen.push(...received);
    if (closed === undefined) continue;
    assert.deepEqual(closed, { code: 4_000, reason: 'over\n' });
    break;
  }
  assert.deepEqual(seen, ['bye']);
  assert.equal(kindOf(await perform(handler, send(url, 'x'))), 'failed not-connected');
});

test('what cannot be sent any more has failed, and what came can be taken still', async () => {
  const { server, host, url } = await serveWebsocket((socket) => {
    socket.send('left');
    socket.close();
  });
  const handler = handlerFor({ hosts: [host] });
  await perform(handler, connect(url));
  while (server.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(kindOf(await perform(handler, send(url, 'x'))), 'failed connection-closed');
  assert.deepEqual(resultOf(await perform(handler, close(url))).received, ['left']);
});

test('a timeout and a cancellation end in every phase', async () => {
  const silent = await serveRaw(() => undefined);
  const { host, url, server } = await serveWebsocket(() => undefined);
  const hosts = [`localhost:${silent.port}`, 'never.test', host];
  const resolve = () => new Promise<never>(() => undefined);
  const impatient = handlerFor({ hosts, timeoutMs: 100 }, { resolve });
  const patient = handlerFor({ hosts }, { resolve });
  const urls = [`ws://localhost:${silent.port}/`, 'wss://never.test/'];
  for (const each of urls) {
    assert.equal(kindOf(await perform(impatient, connect(each))), 'failed timeout', each);
    const outcome = await perform(patient, connect(each), { signal: AbortSignal.timeout(50) });
    assert.equal(kindOf(outcome), 'failed cancelled', each);
  }
  const early = await perform(patient, connect(url), { signal: AbortSignal.abort() });
  assert.equal(kindOf(early), 'failed cancelled');
  assert.equal(server.clients.size, 0);

  await perform(patient, connect(url));
  const waiting = await perform(patient, send(url, 'x'), { signal: AbortSignal.timeout(50) });
  assert.equal(kindOf(waiting), 'failed cancelled');
  assert.ok(waiting.kind === 'failed' && waiting.cost?.bytes === 1);
  // The connection is whole: the message had gone out.
  assert.deepEqual(resultOf(await perform(patient, send(url))), { sent: 0, received: [] });
});

test('a connection whose other side does not take what is sent ends with the effect', async () => {
  const { server, host, url } = await serveWebsocket((socket) => socket.pause());
  const handler = handlerFor({ hosts: [host], messageBytes: 64_000_000, timeoutMs: 200 });
  await perform(handler, connect(url));
  const outcome = await perform(handler, send(url, 'x'.repeat(30_000_000)));
  assert.equal(kindOf(outcome), 'failed timeout');
  for (const client of server.clients) client.resume();
  const after = await perform(handler, send(url, 'x'));
  assert.equal(kindOf(after), 'failed connection-closed');
});

test('only opening a connection is repeatable', () => {
  const handler = handlerFor({ hosts: ['a.test'] });
  const url = 'wss://a.test/';
  const repeatable = [connect(url), send(url, 'x'), close(url)].map((each) =>
    handler.isRepeatable?.(each),
  );
  assert.deepEqual(repeatable, [true, false, false]);
});
