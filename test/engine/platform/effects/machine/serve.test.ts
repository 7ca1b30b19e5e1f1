import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { machinePath, parseCallAnswer } from '../../../../../engine/attestation/exchange.ts';
import { attestationHash, parseAttestation } from '../../../../../engine/attestation/record.ts';
import type { JsonObject } from '../../../../../engine/encoding/json.ts';
import { createProcessIsolation } from '../../../../../engine/platform/node/process-isolation.ts';
import { createCallSlots } from '../../../../../engine/platform/node/serve/call-slots.ts';
import type { AnsweredRequest } from '../../../../../engine/platform/node/serve/endpoint.ts';
import { createRateLimit } from '../../../../../engine/platform/node/serve/rate-limit.ts';
import { type Isolation, inThread } from '../../../../../engine/runtime/isolation.ts';
import { bundleExecutorHost } from '../../../../support/executor-host.ts';
import { kindOf, perform } from '../support/network-requests.ts';
import { createAuthority } from '../support/tls-certificates.ts';
import {
  answering,
  befriend,
  calling,
  callMachine,
  crypto,
  ECHO,
  ENDLESS,
  type Organisation,
  organisation,
  trusted,
} from './organisation.ts';
import { post, relay } from './relay.ts';

const CANARY = 'canary-31c8';

function freshNonce(): string {
  return Buffer.from(crypto.randomBytes(32)).toString('base64url');
}

/** Asks for an offer; gives its hash. */
async function offerOf(url: string, machine = 'echo', nonce = freshNonce()): Promise<string> {
  const { status, body } = await post(
    url + machinePath(machine, 'offer'),
    JSON.stringify({ nonce }),
  );
  assert.equal(status, 200, body.toString());
  return attestationHash(crypto, parseAttestation(body, 'the offer'));
}

/** Calls a machine, in the raw; gives status and code, or the status of the run. */
async function call(url: string, changes: JsonObject = {}, machine = 'echo'): Promise<string> {
  const asked: JsonObject = { nonce: freshNonce(), input: { say: CANARY }, depth: 1, ...changes };
  const offer = asked.offer ?? (await offerOf(url, machine));
  const answer = await post(
    url + machinePath(machine, 'calls'),
    JSON.stringify({ ...asked, offer }),
  );
  return outcomeOf(answer);
}

function outcomeOf({ status, body }: { readonly status: number; readonly body: Buffer }): string {
  if (status === 200) return `200 ${parseCallAnswer(body).status}`;
  const document = JSON.parse(body.toString());
  assert.deepEqual(Object.keys(document), ['error']);
  assert.deepEqual(Object.keys(document.error), ['code', 'message']);
  return `${status} ${document.error.code}`;
}

async function served(name: string, seed: number): Promise<Organisation> {
  const here = organisation(name, seed);
  await here.project('echo', ECHO);
  return here;
}

const here = await served('here', 81);
const { url } = await here.serve(['echo']);

test('each wrong request has its own answer, as JSON, and reaches no executor', async () => {
  const nonce = freshNonce();
  const body = JSON.stringify({ nonce });
  const offer = machinePath('echo', 'offer');
  const calls = machinePath('echo', 'calls');
  const type = (text: string) => ({ 'content-type': text });
  const cases: [string, string, (string | Buffer)?, Record<string, string>?, string?][] = [
    ['404 not-found', '/'],
    ['404 not-found', '/v1/machines/echo'],
    ['404 not-found', '/v1/machines/echo/offers'],
    ['404 not-found', '/v1/machines//offer'],
    ['404 not-found', `${offer}/more`],
    ['404 not-found', `/v2${offer.slice(3)}`],
    ['404 not-found', '/v1/machines/%E0%A4%A/offer'],
    ['404 not-found', `${offer}?query`],
    ['404 unknown-machine', machinePath('nobody', 'offer'), body],
    ['404 unknown-machine', machinePath('../echo', 'offer'), body],
    ['404 unknown-machine', machinePath('__proto__', 'offer'), body],
    ['405 method-not-allowed', offer, '', {}, 'GET'],
    ['405 method-not-allowed', calls, '', {}, 'DELETE'],
    ['415 unsupported-media-type', offer, body, type('text/plain')],
    ['415 unsupported-media-type', offer, body, type('application/json; charset=latin1')],
    ['415 unsupported-media-type', offer, body, { 'content-encoding': 'gzip' }],
    ['400 invalid-request', offer, ''],
    ['400 invalid-request', offer, '{}'],
    ['400 invalid-request', offer, '{"nonce":"short"}'],
    ['400 invalid-request', offer, Buffer.from([0xff])],
    ['400 invalid-request', calls, body],
    ['413 too-large', offer, `{"nonce":"${'x'.repeat(2_000)}"}`],
    ['413 too-large', calls, ' '.repeat(1_048_577)],
    ['413 too-large', calls, ' '.repeat(1_048_577), { 'transfer-encoding': 'chunked' }],
    ['421 wrong-host', offer, body, { host: 'evil.example' }],
    ['421 wrong-host', offer, body, { host: 'localhost.evil.example' }],
  ];
  for (const [expected, path, sent = '', headers = {}, method = 'POST'] of cases) {
    const answer = await post(url + path, sent, headers, method);
    assert.equal(outcomeOf(answer), expected, `${method} ${path}`);
    assert.equal(answer.headers['content-type'], 'application/json');
    assert.equal(answer.headers['cache-control'], 'no-store');
  }
  assert.throws(() => here.receipts('echo'));
  // None of them has used the nonce up.
  await offerOf(url, 'echo', nonce);
});

test('a nonce is used once, for offers and calls alike, also after a restart', async () => {
  const nonce = freshNonce();
  const offer = await offerOf(url, 'echo', nonce);
  const again = await post(url + machinePath('echo', 'offer'), JSON.stringify({ nonce }));
  assert.equal(outcomeOf(again), '409 replayed');
  assert.equal(await call(url, { offer, nonce }), '409 replayed');
  const other = freshNonce();
  assert.equal(await call(url, { offer, nonce: other }), '200 ok');
  assert.equal(await call(url, { offer, nonce: other }), '409 replayed');
  assert.equal(await call(url, { nonce: other }), '409 replayed');
  const restarted = await here.serve(['echo']);
  assert.equal(await call(restarted.url, { nonce: other }), '409 replayed');
  assert.equal(await call(restarted.url, { nonce }), '409 replayed');
  assert.equal(here.receipts('echo').length, 1);
});

test('of many requests with one nonce at the same time, one is answered', async () => {
  const body = JSON.stringify({ nonce: freshNonce() });
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => post(url + machinePath('echo', 'offer'), body)),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  const offer = await offerOf(url);
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => call(url, { offer })));
  assert.deepEqual(outcomes.sort(), ['200 ok', ...Array(7).fill('409 offer-expired')]);
});

test('an offer is taken up once, for its machine, in its time, where it was made', async () => {
  await here.project('other', ECHO);
  const both = await here.serve(['echo', 'other']);
  const offer = await offerOf(both.url);
  assert.equal(await call(both.url, { offer }, 'other'), '409 offer-expired');
  assert.equal(await call(both.url, { offer }), '200 ok');
  assert.equal(await call(both.url, { offer }), '409 offer-expired');
  assert.equal(await call(both.url, { offer: 'a'.repeat(64) }), '409 offer-expired');
  assert.equal(await call(both.url, { offer: await offerOf(url) }), '409 offer-expired');
  const short = await here.serve(['echo'], { limits: { offerMs: 1 } });
  const expired = await offerOf(short.url);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await call(short.url, { offer: expired }), '409 offer-expired');
});

test('calls nest five deep, and no deeper', async () => {
  assert.equal(await call(url, { depth: 5 }), '200 ok');
  assert.equal(await call(url, { depth: 6 }), '409 too-deep');
  assert.equal(await call(url, { depth: Number.MAX_SAFE_INTEGER }), '409 too-deep');
});

test('what changes is put before the gate again, and no input reaches what it refuses', async () => {
  const own = await served('own', 91);
  const served1 = await own.serve(['echo']);
  const other = answering({ result: 'the other' });
  const wasm = own.path('echo', 'echo.wasm');
  const certificate = `${wasm}.purity.json`;
  const kept = { wasm: readFileSync(wasm), certificate: readFileSync(certificate) };
  const mine = trusted(own.certifier, 'certifier');
  const hash = crypto.sha256(kept.certificate);

  const changes: [string, () => void, () => void][] = [
    ['the module', () => writeFileSync(wasm, other), () => writeFileSync(wasm, kept.wasm)],
    [
      'no certificate',
      () => rmSync(certificate),
      () => writeFileSync(certificate, kept.certificate),
    ],
    ['the trust store', () => own.trust({ ...mine, revoked: 'stolen' }), () => own.trust(mine)],
    [
      'the policy',
      () => own.policy({ revoked: { certificates: [hash], keys: [] } }),
      () => own.policy({}),
    ],
    [
      'the project',
      () => writeFileSync(own.path('echo', 'executor.json'), '{'),
      () => copyFileSync(own.path('copy.json'), own.path('echo', 'executor.json')),
    ],
  ];
  copyFileSync(own.path('echo', 'executor.json'), own.path('copy.json'));
  assert.equal(await call(served1.url), '200 ok');
  for (const [what, change, undo] of changes) {
    const offer = await offerOf(served1.url);
    change();
    const before = own.receipts('echo').length;
    assert.equal(await call(served1.url, { offer }), '409 not-admitted', what);
    const asked = await post(
      served1.url + machinePath('echo', 'offer'),
      JSON.stringify({ nonce: freshNonce() }),
    );
    assert.equal(outcomeOf(asked), '409 not-admitted', what);
    assert.equal(own.receipts('echo').length, before, what);
    undo();
    assert.equal(await call(served1.url), '200 ok', what);
  }

  // Another executor that is certified too: the offer was of the one before.
  const offer = await offerOf(served1.url);
  await own.project('echo', other);
  assert.equal(await call(served1.url, { offer }), '409 offer-expired');
  assert.equal(await call(served1.url), '200 ok');
});

test('an executor whose certifier expires is offered no longer', async () => {
  const own = await served('own', 95);
  const end = Date.now() + 400;
  own.trust(trusted(own.certifier, 'certifier', { validUntil: end }));
  const served1 = await own.serve(['echo']);
  const offer = await offerOf(served1.url);
  while (Date.now() <= end) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await call(served1.url, { offer }), '409 not-admitted');
  assert.throws(() => own.receipts('echo'));
});

test('a peer asks so often within a minute, and no more', async () => {
  const own = await served('own', 101);
  const limited = await own.serve(['echo'], { limits: { requestsPerMinute: 3 } });
  await offerOf(limited.url);
  assert.equal(outcomeOf(await post(limited.url, '')), '404 not-found');
  await offerOf(limited.url);
  const answer = await post(limited.url + machinePath('echo', 'offer'), '{}');
  assert.equal(outcomeOf(answer), '429 too-many-requests');
  assert.match(answer.headers['retry-after'] ?? '', /^[1-9][0-9]?$/);

  let now = 0;
  const count = createRateLimit(2, () => now);
  const isLimited = (address: string) => {
    try {
      count(address);
      return false;
    } catch {
      return true;
    }
  };
  const asked = ['2001:db8:1:2::1', '2001:db8:1:2:ff::2', '2001:db8:1:2::3', '2001:db8:1:3::1'];
  assert.deepEqual(asked.map(isLimited), [false, false, true, false]);
  const mapped = ['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.1', '10.0.0.2'];
  assert.deepEqual(mapped.map(isLimited), [false, false, true, false]);
  now = 60_000;
  assert.equal(isLimited('10.0.0.1'), false);
});

/** Guests in a process of their own, which can be ended. */
const host = await bundleExecutorHost();
const isolation = createProcessIsolation({ script: host.script });
test.after(async () => {
  await isolation.close();
  await host.remove();
});

/** What an organisation is with an executor that never ends by itself, and what is told of its server. */
async function endless(name: string, seed: number) {
  const own = organisation(name, seed);
  const limits = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000 };
  await own.project('endless', ENDLESS, { limits });
  await own.project('echo', ECHO);
  const answered: AnsweredRequest[] = [];
  const begun: unknown[] = [];
  const watched: Isolation = {
    ...isolation,
    execute: (job, options) => {
      begun.push(job);
      return isolation.execute(job, options);
    },
  };
  const changes = {
    services: { ...own.services, isolation: watched },
    onAnswered: (each: AnsweredRequest) => answered.push(each),
  };
  return { own, answered, begun, changes };
}

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Begins a call over a socket that can be hung up. */
async function beginCall(url: string, machine: string) {
  const offer = await offerOf(url, machine);
  const body = JSON.stringify({ nonce: freshNonce(), offer, input: {}, depth: 1 });
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `POST ${machinePath(machine, 'calls')} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return socket;
}

test('a caller that hangs up cancels its call, which is recorded as cancelled', async () => {
  const { own, answered, begun, changes } = await endless('endless', 111);
  const server = await own.serve(['endless'], changes);
  const socket = await beginCall(server.url, 'endless');
  await until(() => begun.length === 1);
  socket.destroy();
  await until(() => answered.length === 2);
  assert.deepEqual(
    own.receipts('endless').map(({ status }) => status),
    ['cancelled'],
  );
});

test('a call ends when its time is over, and its end is attested', async () => {
  const { own, changes } = await endless('timed', 115);
  const server = await own.serve(['endless'], { ...changes, limits: { callMs: 300 } });
  assert.match(await call(server.url, {}, 'endless'), /^200 (cancelled|timeout)$/);
  assert.equal(own.receipts('endless').length, 1);
});

test('calls beyond those that run and wait are told to come later; other depths go on', async () => {
  const { own, begun, changes } = await endless('busy', 121);
  const limits = { running: 1, waiting: 1 };
  const server = await own.serve(['endless', 'echo'], { ...changes, limits });
  const running = await beginCall(server.url, 'endless');
  await until(() => begun.length === 1);
  const others = [1, 2].map(() => call(server.url));
  assert.equal(await Promise.race(others), '503 busy');
  const deeper = call(server.url, { depth: 2 });
  running.destroy();
  assert.deepEqual((await Promise.all(others)).sort(), ['200 ok', '503 busy']);
  assert.equal(await deeper, '200 ok');
  assert.equal(await call(server.url), '200 ok', 'the places are free again');

  const slots = createCallSlots(1, 1);
  const never = new AbortController().signal;
  const release = await slots.acquire(1, never);
  const gone = new AbortController();
  const waiting = slots.acquire(1, gone.signal);
  await assert.rejects(slots.acquire(1, never), { code: 'busy', retryAfter: 5 });
  const elsewhere = await slots.acquire(2, never);
  gone.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  const next = slots.acquire(1, never);
  release();
  release();
  (await next)();
  elsewhere();
  (await slots.acquire(1, never))();
});

test('a server that is stopped answers what is under way, and begins nothing more', async () => {
  const { own, answered, begun, changes } = await endless('stopped', 131);
  const server = await own.serve(['endless', 'echo'], changes);
  const keptAlive = connect(Number(new URL(server.url).port), '127.0.0.1');
  await beginCall(server.url, 'endless');
  await until(() => begun.length === 1);
  const abort = new AbortController();
  const stopped = server.stop(abort.signal);
  let told = '';
  keptAlive.on('data', (piece) => {
    told += piece;
  });
  keptAlive.on('error', () => undefined);
  keptAlive.write(`POST /v1/machines/echo/offer HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await until(() => told.includes('}}') || keptAlive.destroyed);
  assert.match(told, /^HTTP\/1\.1 503 [\s\S]*"code":"stopping"/);
  await assert.rejects(post(server.url, ''), { code: 'ECONNREFUSED' });
  assert.equal(answered.filter(({ what }) => what === 'call').length, 0);
  abort.abort();
  await stopped;
  assert.deepEqual(
    own.receipts('endless').map(({ status }) => status),
    ['cancelled'],
  );
  const [last] = answered.filter(({ what }) => what === 'call');
  assert.equal(last?.outcome, 'cancelled');
});

test('a call under way when its server is stopped ends as it would, and is answered', async () => {
  const own = await served('ending', 135);
  let isBegun = false;
  let letGo = () => {};
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const held: Isolation = {
    ...inThread,
    execute: async (job, options) => {
      isBegun = true;
      await free;
      return inThread.execute(job, options);
    },
  };
  const server = await own.serve(['echo'], { services: { ...own.services, isolation: held } });
  const called = call(server.url);
  await until(() => isBegun);
  const stopped = server.stop(new AbortController().signal);
  letGo();
  assert.equal(await called, '200 ok');
  await stopped;
  assert.deepEqual(
    own.receipts('echo').map(({ status }) => status),
    ['ok'],
  );
});

test('what comes too slowly, or with too large a head, is refused', async () => {
  const own = await served('slow', 141);
  const server = await own.serve(['echo'], { requestMs: 300 });
  const { port } = new URL(server.url);
  const say = (text: string, more?: string) =>
    new Promise<string>((resolve) => {
      let answer = '';
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
      const timer = setInterval(() => more && socket.write(more), 20);
      socket.on('data', (piece) => {
        answer += piece;
      });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(timer);
        resolve(answer);
      });
    });
  const head = 'POST /v1/machines/echo/calls HTTP/1.1\r\nHost: localhost\r\n';
  assert.match(await say(head, 'X-A: b\r\n'), /^HTTP\/1\.1 408 [\s\S]*"code":"timeout"/);
  const body = 'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n';
  assert.match(await say(head + body, ' '), /^(HTTP\/1\.1 408 [\s\S]*|)$/);
  assert.match(
    await say(`${head}X: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [\s\S]*too-large/,
  );
  assert.match(await say('nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*invalid-request/);
  assert.throws(() => own.receipts('echo'));
});

test('without TLS only this machine is listened to', async () => {
  for (const host1 of ['0.0.0.0', '::', '192.0.2.1', 'localhost', 'example.com', '']) {
    await assert.rejects(here.serve(['echo'], { host: host1 }), {
      code: 'usage',
      message: /is served over TLS alone: give --tls-cert and --tls-key/,
    });
  }
  const six = await here.serve(['echo'], { host: '::1' }).catch(() => undefined);
  if (six !== undefined) assert.equal(await call(six.url), '200 ok');
});

test('over TLS any address is listened to, from version 1.2 on', async () => {
  const authority = await createAuthority();
  const { cert, key } = await authority.certify('127.0.0.1');
  const tls = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const server = await here.serve(['echo'], { host: '0.0.0.0', tls });
  const { port } = new URL(server.url);
  assert.equal(server.url, `https://0.0.0.0:${port}`);
  const caller = organisation('caller', 151);
  befriend(caller, here, { url: `https://127.0.0.1:${port}` }, 'echo');
  const outcome = await perform(caller.handler({ ca: authority.ca }), callMachine('echo'));
  assert.equal(kindOf(outcome), 'performed');
  const old = connectTls({
    ...{ port: Number(port), ca: authority.ca },
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  const error = await new Promise<Error>((resolve) => old.on('error', resolve));
  assert.match(error.message, /protocol version|no protocols available|unsupported protocol/i);

  const other = await authority.certify('127.0.0.1');
  for (const bad of [
    { cert: Buffer.from('no'), key: tls.key },
    { cert: tls.cert, key: Buffer.from(other.key) },
  ]) {
    await assert.rejects(here.serve(['echo'], { tls: bad }), { code: 'usage' });
  }
});

test('a failure of the inside is told as one, and nothing of it', async () => {
  const own = await served('failing', 161);
  const errors: unknown[] = [];
  const server = await own.serve(['echo'], {
    openInterpreter: () => Promise.reject(new Error('the database at /private/path is gone')),
    onError: (error) => errors.push(error),
  });
  const offer = await offerOf(server.url);
  const body = JSON.stringify({ nonce: freshNonce(), offer, input: {}, depth: 1 });
  const answer = await post(server.url + machinePath('echo', 'calls'), body);
  assert.equal(outcomeOf(answer), '500 internal');
  assert.ok(!answer.body.toString().includes('private'));
  assert.equal(errors.length, 1);
});

test('organisations that call each other end at depth five, and do not wait for each other', async () => {
  const east = organisation('east', 171);
  const west = organisation('west', 175);
  await east.project('ping', calling('pong'));
  await west.project('pong', calling('ping'));
  const limits = { running: 1, waiting: 0 };
  const eastern = await east.serve(['ping'], { limits });
  const western = await west.serve(['pong'], { limits });
  const way = await relay(western.url);
  befriend(east, west, way, 'pong');
  befriend(west, east, eastern, 'ping');
  assert.equal(await call(eastern.url, {}, 'ping'), '200 ok');
  // Depths 1, 3 and 5 ran in the east, 2 and 4 in the west; the call of depth 6 was refused.
  assert.deepEqual(
    east.receipts('ping').map(({ status }) => status),
    ['denied', 'ok', 'ok'],
  );
  assert.deepEqual(
    west.receipts('pong').map(({ status }) => status),
    ['ok', 'ok'],
  );
  const [deepest] = east.receipts('ping');
  assert.equal(
    deepest?.directives[0]?.reason,
    'GrantRefused(too-deep: calls of machines nest 5 deep at most; plan with fewer)',
  );
  const depths = way.seen
    .filter(({ what }) => what === 'calls')
    .map(({ body }) => JSON.parse(body.toString()).depth);
  assert.deepEqual(depths, [2, 4]);
  // Each call is followed by the hash in the caller's receipt, through files alone.
  for (const { directives } of [...east.receipts('ping'), ...west.receipts('pong')]) {
    const hash = directives[0]?.link?.attestation;
    if (directives[0]?.decision === 'denied') continue;
    const files = [...east.kept(), ...west.kept()];
    assert.ok(files.includes(`${hash}.attestation.json`) && files.includes(`${hash}.receipt.json`));
  }
});

test('nothing is served by a store of nonces that cannot be written', async () => {
  const own = await served('nonces', 181);
  const errors: unknown[] = [];
  const server = await own.serve(['echo'], { onError: (error) => errors.push(error) });
  writeFileSync(own.path('nonces'), '');
  const nonce = JSON.stringify({ nonce: freshNonce() });
  const answer = await post(server.url + machinePath('echo', 'offer'), nonce);
  assert.equal(outcomeOf(answer), '500 internal');
  assert.equal(errors.length, 1);
});

test('a port that is taken is told', async () => {
  const taken = Number(new URL(url).port);
  await assert.rejects(here.serve(['echo'], { port: taken }), {
    code: 'usage',
    message: `cannot listen on 127.0.0.1, port ${taken}: something else listens there`,
  });
});
