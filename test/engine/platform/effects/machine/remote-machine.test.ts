import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMPATIBILITY_CODES } from '../../../../../engine/attestation/compatibility.ts';
import { parseCallAnswer } from '../../../../../engine/attestation/exchange.ts';
import { attestationHash, parseAttestation } from '../../../../../engine/attestation/record.ts';
import type { JsonObject } from '../../../../../engine/encoding/json.ts';
import type { TrustedKey } from '../../../../../engine/gate/types.ts';
import type { RemoteMachineOptions } from '../../../../../engine/platform/node/effects/machine/remote-machine.ts';
import { parseReceipt, serializeReceipt } from '../../../../../engine/provenance/receipt.ts';
import { type Circumstances, kindOf, perform, secretsOf } from '../support/network-requests.ts';
import { closedPort, serveHttp, serveRaw } from '../support/network-servers.ts';
import { createAuthority } from '../support/tls-certificates.ts';
import {
  answering,
  befriend,
  callMachine,
  compatibilityWith,
  crypto,
  ECHO,
  keysOf,
  organisation,
  trusted,
  whitelistCalled,
} from './organisation.ts';
import { post, type Relay, type RelayedAnswer, relay } from './relay.ts';

const CANARY = 'canary-7d1e55';
const INPUT = { say: CANARY };

const north = organisation('north', 31);
const south = organisation('south', 41, whitelistCalled('southern', 3));
await north.project('echo', ECHO);
await south.project('echo', ECHO);
await south.project('large', answering({ result: 'x'.repeat(3_000) }));
await south.project('sorry', answering({ error: { message: 'not today' } }));
const northern = await north.serve(['echo']);
const southern = await south.serve(['echo', 'large', 'sorry']);
befriend(north, south, southern, 'south/echo', { machine: 'echo' });
befriend(south, north, northern, 'north/echo', { machine: 'echo' });
const COMPATIBILITY = north.path('south.compatibility.json');

/** Has the northern organisation call the echo at some URL, by an entry of its grant. */
async function callAt(
  url: string,
  {
    entry = {},
    options = {},
    circumstances = {},
  }: {
    readonly entry?: JsonObject;
    readonly options?: Partial<RemoteMachineOptions>;
    readonly circumstances?: Circumstances;
  } = {},
) {
  const before = north.machines;
  const compatibility = 'south.compatibility.json';
  north.machines = [{ name: 'echo', url, compatibility, addresses: ['127.0.0.1/32'], ...entry }];
  try {
    return await perform(north.handler(options), callMachine('echo', INPUT), circumstances);
  } finally {
    north.machines = before;
  }
}

type CallOptions = Parameters<typeof callAt>[1];

/** Asserts that an offer is refused, and that nothing but the request for it has left the caller. */
async function assertNothingSent(way: Relay, code: string, asked?: CallOptions) {
  const outcome = await callAt(way.url, asked);
  assert.equal(kindOf(outcome), 'refused offer-refused');
  assert.ok(
    outcome.kind === 'refused' && outcome.message.startsWith(`${code}: `),
    JSON.stringify(outcome),
  );
  assert.deepEqual(
    way.seen.map(({ what }) => what),
    ['offer'],
  );
  assert.deepEqual(Object.keys(JSON.parse(way.seen[0]?.body.toString() ?? '')), ['nonce']);
  assert.ok(!way.sent().includes(CANARY));
}

/** Asserts that an answer is thrown away, and nothing of it kept. */
async function assertMismatch(way: Relay, problem: string) {
  const kept = north.kept();
  const outcome = await callAt(way.url);
  assert.equal(kindOf(outcome), 'failed attestation-mismatch');
  assert.ok(
    outcome.kind === 'failed' && outcome.message.includes(`: ${problem}: `),
    JSON.stringify(outcome),
  );
  assert.equal(outcome.link, undefined);
  assert.deepEqual(north.kept(), kept);
}

test('organisations with different keys and whitelists call each other', async () => {
  for (const [caller, callee, machine] of [
    [north, south, 'south/echo'],
    [south, north, 'north/echo'],
  ] as const) {
    const outcome = await perform(caller.handler(), callMachine(machine, INPUT));
    assert.ok(outcome.kind === 'performed', JSON.stringify(outcome));
    assert.deepEqual(outcome.result, { result: { context: INPUT, step_config: {} } });
    const hash = outcome.link?.attestation;
    assert.ok(hash !== undefined);
    assert.ok((outcome.cost?.bytes ?? 0) > 1_000);
    assert.deepEqual(caller.kept(), [`${hash}.attestation.json`, `${hash}.receipt.json`]);
    const [attestation, receipt] = caller
      .kept()
      .map((file) => readFileSync(caller.path('attestations', file)));
    const record = parseAttestation(attestation ?? Buffer.alloc(0), 'it');
    assert.equal(attestationHash(crypto, record), hash);
    assert.equal(record.signer, callee.environment.publicKey.keyId);
    assert.equal(record.call?.status, 'ok');
    const kept = parseReceipt(receipt ?? Buffer.alloc(0), 'it');
    assert.deepEqual(record.receipts, [crypto.sha256(serializeReceipt(kept))]);
    assert.deepEqual(callee.receipts('echo'), [kept]);
  }
});

for (const code of COMPATIBILITY_CODES) {
  test(`no input is sent where ${code} does not hold, and all else does`, async () => {
    const way = await relay(southern.url);
    writeFileSync(COMPATIBILITY, JSON.stringify(compatibilityWith(south, code)));
    try {
      await assertNothingSent(way, code);
    } finally {
      writeFileSync(COMPATIBILITY, JSON.stringify(compatibilityWith(south)));
    }
    assert.equal(kindOf(await callAt(way.url)), 'performed');
    assert.ok(way.sent().includes(CANARY), 'what would have shown it');
  });
}

const REVOKED = { revoked: 'stolen' };
const OLD = { validUntil: Date.now() - 1_000 };

for (const [what, code, keys, policy] of [
  ['an environment that nobody trusts', 'environment-key', [trusted(south.certifier, 'certifier')]],
  [
    'a revoked environment',
    'environment-key',
    [trusted(south.certifier, 'certifier'), trusted(south.environment, 'environment', REVOKED)],
  ],
  [
    'an environment whose time is over',
    'environment-key',
    [trusted(south.certifier, 'certifier'), trusted(south.environment, 'environment', OLD)],
  ],
  [
    'an environment that is trusted as something else',
    'environment-key',
    [trusted(south.certifier, 'certifier'), trusted(south.environment, 'builder')],
  ],
  ['a certifier that nobody trusts', 'certificate', [trusted(south.environment, 'environment')]],
  [
    'a revoked certifier',
    'certificate',
    [trusted(south.certifier, 'certifier', REVOKED), trusted(south.environment, 'environment')],
  ],
  [
    'a key that the policy revokes',
    'environment-key',
    keysOf(north, south),
    { revoked: { certificates: [], keys: [south.environment.publicKey.keyId] } },
  ],
] as readonly [string, string, readonly TrustedKey[], JsonObject?][]) {
  test(`no input is sent to ${what}`, async () => {
    const way = await relay(southern.url);
    north.trust(...keys);
    north.policy(policy ?? {});
    try {
      await assertNothingSent(way, code);
    } finally {
      north.trust(...keysOf(north, south));
      north.policy({});
    }
  });
}

test('an offer by another environment is none, though it is trusted and compatible', async () => {
  const twin = organisation('twin', 71, south.whitelist);
  await twin.project('echo', ECHO);
  const way = await relay((await twin.serve(['echo'])).url);
  const south1 = compatibilityWith(south);
  const both = {
    ...south1,
    runtimes: [{ build: south.descriptor.build.hash }, { build: twin.descriptor.build.hash }],
    certifiers: [south.certifier.publicKey.keyId, twin.certifier.publicKey.keyId],
  };
  north.trust(...keysOf(north, south), ...keysOf(twin, twin).slice(1));
  writeFileSync(COMPATIBILITY, JSON.stringify(both));
  try {
    const environment = south.environment.publicKey.keyId;
    await assertNothingSent(way, 'environment-key', { entry: { environment } });
    assert.equal(kindOf(await callAt(way.url)), 'performed', 'where none is named');

    // Offered by one, answered by the other, who has made the very same call.
    const swapping = await relay(southern.url, async (request, pass) => {
      if (request.what === 'offer') return pass();
      const nonce = Buffer.from(crypto.randomBytes(32)).toString('base64url');
      const offered = await post(`${way.url}/v1/machines/echo/offer`, JSON.stringify({ nonce }));
      const offer = attestationHash(crypto, parseAttestation(offered.body, 'it'));
      const body = { ...JSON.parse(request.body.toString()), offer };
      return post(`${way.url}/v1/machines/echo/calls`, JSON.stringify(body));
    });
    await assertMismatch(swapping, 'signer');
  } finally {
    north.trust(...keysOf(north, south));
    writeFileSync(COMPATIBILITY, JSON.stringify(south1));
  }
});

test('an offer that was made before, or to somebody else, or for another machine, is none', async () => {
  let first: RelayedAnswer | undefined;
  const replaying = await relay(southern.url, async (_request, pass) => {
    first ??= await pass();
    return first;
  });
  assert.equal(kindOf(await callAt(replaying.url)), 'failed attestation-mismatch');
  const again = await relay(southern.url, async () => first ?? assert.fail());
  await assertNothingSent(again, 'nonce');
  const foreign = await relay(southern.url, (_request, pass) =>
    pass(JSON.stringify({ nonce: Buffer.from(crypto.randomBytes(32)).toString('base64url') })),
  );
  await assertNothingSent(foreign, 'nonce');
  const elsewhere = await relay(southern.url, ({ body }) =>
    post(`${southern.url}/v1/machines/large/offer`, body),
  );
  await assertNothingSent(elsewhere, 'machine');
});

test('the answer to another call does not count', async () => {
  let first: RelayedAnswer | undefined;
  const replaying = await relay(southern.url, async ({ what }, pass) => {
    if (what === 'offer') return pass();
    first ??= await pass();
    return first;
  });
  assert.equal(kindOf(await callAt(replaying.url)), 'performed');
  await assertMismatch(replaying, 'nonce');

  const changing = await relay(southern.url, ({ what, body }, pass) => {
    if (what === 'offer') return pass();
    return pass(JSON.stringify({ ...JSON.parse(body.toString()), input: { say: 'other' } }));
  });
  await assertMismatch(changing, 'input');

  const lying = await relay(southern.url, async ({ what }, pass) => {
    const { status, body } = await pass();
    if (what === 'offer') return { status, body };
    const output = Buffer.from('{"result":"what the relay says"}').toString('base64');
    return {
      status,
      body: Buffer.from(JSON.stringify({ ...JSON.parse(body.toString()), output })),
    };
  });
  await assertMismatch(lying, 'output');
});

test('a run that did not end well is told as failed, with its attestation', async () => {
  const outcome = await callAt(southern.url, { entry: { machine: 'sorry' } });
  assert.equal(kindOf(outcome), 'failed machine-failed');
  assert.ok(outcome.kind === 'failed' && outcome.message === 'echo ended error');
  const hash = outcome.link?.attestation ?? assert.fail();
  const record = parseAttestation(
    readFileSync(north.path('attestations', `${hash}.attestation.json`)),
    'it',
  );
  assert.equal(record.call?.status, 'error');
});

test('a result that is too large is not handed on, whoever says its size', async () => {
  const caller = north.remote();
  const entry = { name: 'large', url: southern.url, compatibility: 'south.compatibility.json' };
  const call = {
    ...{ inputs: {}, depth: 1, timeoutMs: 10_000, resultBytes: 3_001 },
    ...{ allowance: {}, effectId: 'x', signal: new AbortController().signal },
  };
  const addresses = ['127.0.0.1/32'];
  const outcome = await caller.call({ ...entry, addresses }, call);
  assert.equal(kindOf(outcome), 'failed too-large');
  assert.ok(outcome.kind === 'failed' && outcome.link?.attestation !== undefined);
  const enough = await caller.call({ ...entry, addresses }, { ...call, resultBytes: 3_002 });
  assert.equal(kindOf(enough), 'performed');
});

test('input that is too large there is refused there, and too large for anybody here', async () => {
  const small = await south.serve(['echo'], { limits: { callBytes: 150 } });
  const outcome = await callAt(small.url);
  assert.equal(kindOf(outcome), 'failed machine-refused');
  assert.ok(outcome.kind === 'failed' && /answers 413 \(too-large\)/.test(outcome.message));
  const ran = south.receipts('echo').length;
  for (const [size, expected] of [
    [4_000_000, /^failed (machine-refused|connection-reset)$/],
    [17_000_000, /^failed too-large$/],
  ] as const) {
    const large = callMachine('south/echo', { large: 'x'.repeat(size) });
    assert.match(kindOf(await perform(north.handler(), large)), expected);
  }
  assert.equal(south.receipts('echo').length, ran);
});

test('an answer whose records cannot be kept is not used', async () => {
  writeFileSync(north.path('a-file'), '');
  const outcome = await callAt(southern.url, {
    options: { attestations: north.path('a-file', 'attestations') },
  });
  assert.equal(kindOf(outcome), 'failed unwritable');
});

test('bytes beyond the allowance are not sent and not taken', async () => {
  const way = await relay(southern.url);
  const nothing = await callAt(way.url, { circumstances: { allowance: { bytes: 100 } } });
  assert.equal(kindOf(nothing), 'refused bytes-exhausted');
  assert.equal(way.seen.length, 0);
  const half = await callAt(way.url, { circumstances: { allowance: { bytes: 2_600 } } });
  assert.equal(kindOf(half), 'failed bytes-exhausted');
  assert.ok(half.kind === 'failed' && (half.cost?.bytes ?? 0) > 1_000);
});

test('only what is public or named is reached, and only over TLS, however it is addressed', async () => {
  const rebound = { resolve: async () => [{ address: '127.0.0.1' }] };
  const cases: [string, string, CallOptions?][] = [
    ['refused address-refused', southern.url, { entry: { addresses: [] } }],
    ['refused address-refused', 'https://10.0.0.1/'],
    ['refused address-refused', 'https://169.254.169.254/'],
    ['refused address-refused', 'https://[::ffff:10.0.0.1]/'],
    [
      'refused address-refused',
      'https://api.example/',
      { entry: { addresses: [] }, options: rebound },
    ],
    ['refused scheme-refused', 'http://93.184.216.34/'],
    [
      'refused scheme-refused',
      'http://api.example/',
      {
        options: { resolve: async () => [{ address: '93.184.216.34' }] },
      },
    ],
    ['refused userinfo-refused', southern.url.replace('//', '//me:secret@')],
    ['failed connection-refused', `http://127.0.0.1:${await closedPort()}`],
    [
      'failed dns-failed',
      'https://api.example/',
      {
        options: {
          resolve: async () => {
            throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
          },
        },
      },
    ],
  ];
  for (const [expected, url, asked] of cases) {
    const outcome = await callAt(url, asked);
    assert.equal(kindOf(outcome), expected, url);
    assert.ok(outcome.kind !== 'performed' && !outcome.message.includes('secret'));
  }
});

test('a redirect is not followed, before or after input was sent', async () => {
  const trap = await relay(southern.url);
  const redirecting = (what: string) =>
    serveHttp((request, response) => {
      if (request.url?.endsWith(what)) {
        response.writeHead(307, { location: `${trap.url}${request.url}` }).end();
        return;
      }
      const pieces: Buffer[] = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', async () => {
        const { status, body } = await post(`${southern.url}${request.url}`, Buffer.concat(pieces));
        response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      });
    });
  const early = await redirecting('offer');
  assert.equal(kindOf(await callAt(`http://127.0.0.1:${early.port}`)), 'refused redirect-refused');
  const late = await redirecting('calls');
  assert.equal(kindOf(await callAt(`http://127.0.0.1:${late.port}`)), 'failed redirect-refused');
  assert.equal(trap.seen.length, 0);
});

test('TLS must be by an authority that is known, for the name that is called', async () => {
  const authority = await createAuthority();
  const good = await relay(southern.url, undefined, await authority.certify('127.0.0.1'));
  const { ca } = authority;
  assert.equal(kindOf(await callAt(good.url, { options: { ca } })), 'performed');
  assert.equal(kindOf(await callAt(good.url)), 'failed tls-failed');
  const wrong = await relay(southern.url, undefined, await authority.certify('other.example'));
  assert.equal(kindOf(await callAt(wrong.url, { options: { ca } })), 'failed tls-failed');
  assert.equal(wrong.seen.length, 0);
  const plain = `https://127.0.0.1:${new URL(southern.url).port}`;
  assert.equal(kindOf(await callAt(plain, { options: { ca } })), 'failed tls-failed');
});

test('rubbish with status 200 is no offer, and no answer', async () => {
  const rubbish: readonly (string | Buffer)[] = [
    '',
    '{}',
    'null',
    '[]',
    '{"attestation":',
    '"text"',
    Buffer.from([0xff, 0xfe]),
    '['.repeat(100_000),
    '{"a":1,"a":2}',
  ];
  for (const body of rubbish) {
    const offering = await relay(southern.url, async () => ({
      status: 200,
      body: Buffer.from(body),
    }));
    await assertNothingSent(offering, 'record');
    const answeringSo = await relay(southern.url, ({ what }, pass) =>
      what === 'offer' ? pass() : Promise.resolve({ status: 200, body: Buffer.from(body) }),
    );
    await assertMismatch(answeringSo, 'answer');
  }
  const page = await serveHttp((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello');
  });
  assert.equal(kindOf(await callAt(`http://127.0.0.1:${page.port}`)), 'failed machine-refused');
});

test('what another side says of its refusal is told as a code, or not at all', async () => {
  const told: readonly [string, RegExp][] = [
    ['{"error":{"code":"not-admitted","message":"no"}}', /answers 409 \(not-admitted\)$/],
    ['{"error":{"code":"EVIL\\u202e\\n","message":"no"}}', /answers 409$/],
    ['not json', /answers 409$/],
    ['x'.repeat(1_000_000), /answers 409$/],
  ];
  for (const [body, expected] of told) {
    const way = await relay(southern.url, async () => ({ status: 409, body: Buffer.from(body) }));
    const outcome = await callAt(way.url);
    assert.equal(kindOf(outcome), 'failed machine-refused');
    assert.ok(outcome.kind === 'failed');
    assert.match(outcome.message, expected);
  }
});

test('an answer that does not end, or does not come, ends the call', async () => {
  const endless = await serveHttp((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(65_536, 0x20);
    const more = () => {
      if (response.destroyed) return;
      if (response.write(piece)) setImmediate(more);
      else response.once('drain', more);
    };
    more();
  });
  assert.equal(kindOf(await callAt(`http://127.0.0.1:${endless.port}`)), 'refused too-large');

  const silent = await serveRaw(() => undefined);
  const url = `http://127.0.0.1:${silent.port}`;
  const compatibility = 'south.compatibility.json';
  const entry = { name: 'echo', url, compatibility, addresses: ['127.0.0.1/32'] };
  const call = {
    ...{ inputs: {}, depth: 1, timeoutMs: 100, resultBytes: 1_000 },
    ...{ allowance: {}, effectId: 'x', signal: new AbortController().signal },
  };
  assert.equal(kindOf(await north.remote().call(entry, call)), 'failed timeout');
  const trickling = await serveRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n');
    const timer = setInterval(() => socket.write(' '), 10);
    socket.on('close', () => clearInterval(timer));
  });
  const slow = { ...entry, url: `http://127.0.0.1:${trickling.port}` };
  assert.equal(kindOf(await north.remote().call(slow, call)), 'failed timeout');
  const abort = new AbortController();
  const cancelled = north
    .remote()
    .call(entry, { ...call, timeoutMs: 20_000, signal: abort.signal });
  abort.abort();
  assert.equal(kindOf(await cancelled), 'failed cancelled');
  const { signal } = abort;
  assert.equal(kindOf(await north.remote().call(entry, { ...call, signal })), 'failed cancelled');
});

test('a token goes to the endpoint, and nowhere else', async () => {
  const token = 'correct-horse-battery';
  const guarded = await south.serve(['echo'], { token });
  const entry = { token: { secret: 'SOUTH' } };
  const withToken = (value: string) => ({
    entry,
    options: { secrets: secretsOf({ SOUTH: value }) },
  });
  assert.equal(kindOf(await callAt(guarded.url, withToken(token))), 'performed');
  for (const wrong of [withToken(`${token}x`), withToken('x'), {}]) {
    const outcome = await callAt(guarded.url, wrong);
    assert.equal(kindOf(outcome), 'failed machine-refused');
    assert.ok(outcome.kind === 'failed' && outcome.message.endsWith('401 (unauthorized)'));
  }
  assert.equal(kindOf(await callAt(guarded.url, { entry })), 'refused secret-missing');
  for (const unusable of ['a\r\nb: c', 'ä', 'two words']) {
    const outcome = await callAt(guarded.url, withToken(unusable));
    assert.equal(kindOf(outcome), 'refused secret-unusable');
    assert.ok(outcome.kind === 'refused' && !outcome.message.includes(unusable));
  }
});

test('what decides here must be readable before anybody is asked', async () => {
  const way = await relay(southern.url);
  const cases: [string, CallOptions][] = [
    ['refused unreadable', { entry: { compatibility: 'none.json' } }],
    ['refused invalid-compatibility', { entry: { compatibility: 'policy.json' } }],
  ];
  for (const [expected, asked] of cases) {
    assert.equal(kindOf(await callAt(way.url, asked)), expected);
  }
  const trust = north.path('trust.json');
  const before = readFileSync(trust);
  rmSync(trust);
  try {
    assert.equal(kindOf(await callAt(way.url)), 'refused unreadable');
  } finally {
    writeFileSync(trust, before);
  }
  assert.equal(way.seen.length, 0);
});

test('a URL may lie below a path, and a machine have any name', async () => {
  const way = await relay(southern.url, ({ path, body }) => {
    assert.ok(path.startsWith('/public/touchstone/v1/machines/urn%3Aecho%2F%C3%A4/'), path);
    return post(`${southern.url}/v1/machines/echo/${path.split('/').at(-1)}`, body);
  });
  const url = join(way.url.replace('http://', ''), 'public/touchstone/?query#fragment');
  const outcome = await callAt(`http://${url}`, { entry: { machine: 'urn:echo/ä' } });
  assert.equal(kindOf(outcome), 'refused offer-refused');
  assert.ok(outcome.kind === 'refused' && outcome.message.startsWith('machine: '));
});

test('the answer that was kept is the one that was given', async () => {
  let body: Buffer = Buffer.alloc(0);
  const way = await relay(southern.url, async ({ what }, pass) => {
    const answer = await pass();
    if (what === 'calls') body = answer.body;
    return answer;
  });
  const outcome = await callAt(way.url);
  assert.ok(outcome.kind === 'performed');
  const { attestation } = parseCallAnswer(body);
  assert.equal(outcome.link?.attestation, attestationHash(crypto, attestation));
});
