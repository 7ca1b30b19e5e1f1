import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CancellationTokenSource } from 'vscode-languageserver-protocol';
import { z } from 'zod';
import { preAuthenticationEncoding } from '../../../engine/certificate/dsse.ts';
import { encodeBase64 } from '../../../engine/encoding/base64.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { createGate } from '../../../engine/gate/admit.ts';
import { CHECK_CODES } from '../../../engine/gate/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { Certify, Verify } from '../../../server/protocol.ts';
import { certifier, environment, publisher } from '../../support/gate.ts';
import { assertFails, bytesOf, connect, keyText, makeWorkspace, signRightly } from './support.ts';

const keys = { certifier: keyText(certifier), publisher: keyText(publisher) };

test('what is certified passes the gate, by both keys', async (t) => {
  const folder = makeWorkspace(t);
  folder.trust();
  const name = folder.example('call');
  const { connection, asked } = await connect(t, [folder.root]);
  const uri = folder.uri(`${name}/executor.json`);
  const answer = await connection.sendRequest(Certify, { uri, ...keys });

  assert.ok(answer.certified);
  assert.equal(
    fileURLToPath(answer.certificateUri),
    folder.path('call/build/call.wasm.purity.json'),
  );
  assert.equal(fileURLToPath(answer.inTotoUri), folder.path('call/build/call.wasm.intoto.json'));
  const bytes = folder.read('call/build/call.wasm');
  assert.equal(answer.artifactHash, nodeCrypto.sha256(bytes));
  const policy = { ...environment().policy, publisher: 'required' } as const;
  const gate = createGate(environment({ policy, now: Date.now }));
  const checks = gate.verify(bytes, folder.read('call/build/call.wasm.purity.json'));
  assert.deepEqual(
    checks.map(({ code, ok }) => [code, ok]),
    CHECK_CODES.map((code) => [code, true]),
  );
  assert.deepEqual(
    asked.map(({ purpose, key }) => [purpose, key]),
    [
      ['certificate', keys.certifier],
      ['publisher', keys.publisher],
      ['in-toto', keys.certifier],
    ],
  );
  const verified = await connection.sendRequest(Verify, { uri });
  assert.deepEqual(verified, {
    admitted: true,
    checks: CHECK_CODES.map((code) => ({ code, ok: true })),
  });
});

test('the in-toto statement is signed by the certifier', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('echo');
  const { connection } = await connect(t, [folder.root]);
  await connection.sendRequest(Certify, {
    uri: folder.uri(`${name}/build/echo.wasm`),
    certifier: keys.certifier,
  });
  const envelope = z
    .object({
      payloadType: z.string(),
      payload: z.string(),
      signatures: z.tuple([z.object({ sig: z.string() })]),
    })
    .parse(JSON.parse(Buffer.from(folder.read('echo/build/echo.wasm.intoto.json')).toString()));
  const message = preAuthenticationEncoding(envelope.payloadType, bytesOf(envelope.payload));
  const signature = bytesOf(envelope.signatures[0].sig);
  assert.ok(nodeCrypto.verify(certifier.publicKey, message, signature));
});

const refusals = {
  'by another key': ({ message }: { message: string }) =>
    signRightly({ key: keys.publisher, message, purpose: 'certificate' }),
  'of another message': ({ key }: { key: string }) =>
    signRightly({
      key,
      message: encodeBase64(encodeUtf8('something else')),
      purpose: 'certificate',
    }),
  'of another length': () => encodeBase64(new Uint8Array(63)),
  'that is no base64': () => 'not base64!',
  'that is refused': () => {
    throw new Error('the person said no');
  },
};

for (const [which, signing] of Object.entries(refusals)) {
  test(`a signature ${which} is not used, and nothing is written`, async (t) => {
    const folder = makeWorkspace(t);
    const name = folder.example('call');
    const { connection } = await connect(t, [folder.root], { signing });
    const uri = folder.uri(`${name}/executor.json`);
    await assertFails(
      connection.sendRequest(Certify, { uri, ...keys }),
      'signature-refused',
      /^the certificate is not signed: /,
    );
    assert.deepEqual(readdirSync(folder.path('call/build')), ['call.wasm']);
  });
}

test('where only the last signature is wrong, nothing is written either', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('call');
  const { connection } = await connect(t, [folder.root], {
    signing: (params) => {
      const right = signRightly(params);
      return params.purpose === 'in-toto' ? encodeBase64(bytesOf(right).reverse()) : right;
    },
  });
  const uri = folder.uri(`${name}/executor.json`);
  await assertFails(
    connection.sendRequest(Certify, { uri, ...keys }),
    'signature-refused',
    /^the in-toto statement is not signed: what came back is no signature by key [0-9a-f]+…$/,
  );
  assert.deepEqual(readdirSync(folder.path('call/build')), ['call.wasm']);
});

test('whoever stops waits for no signature', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('call');
  const source = new CancellationTokenSource();
  const { connection } = await connect(t, [folder.root], {
    signing: () => {
      source.cancel();
      return new Promise(() => {});
    },
  });
  const uri = folder.uri(`${name}/executor.json`);
  await assertFails(
    connection.sendRequest(Certify, { uri, ...keys }, source.token),
    'cancelled',
    /^cancelled$/,
  );
  assert.deepEqual(readdirSync(folder.path('call/build')), ['call.wasm']);
});

test('an untrusted workspace certifies nothing, and nothing is asked for', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('call');
  const { connection, asked } = await connect(t, [folder.root], { isTrusted: false });
  const uri = folder.uri(`${name}/executor.json`);
  await assertFails(
    connection.sendRequest(Certify, { uri, ...keys }),
    'not-trusted',
    /^certifying needs a trusted workspace/,
  );
  assert.deepEqual(asked, []);
  assert.ok(!existsSync(folder.path('call/build/call.wasm.purity.json')));
});

test('an impure executor is refused by the names of its imports', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('impure/extern');
  const { connection, asked } = await connect(t, [folder.root]);
  const uri = folder.uri(`${name}/executor.json`);
  const answer = await connection.sendRequest(Certify, { uri, ...keys });
  assert.ok(!answer.certified);
  assert.match(answer.reason, /^\d imports? outside the whitelist mashin@1$/);
  assert.ok(answer.impure.length > 0);
  for (const each of answer.impure) assert.match(each, /^\w+\.\w+$/);
  assert.deepEqual(asked, []);
  assert.deepEqual(readdirSync(folder.path('extern/build')), ['extern.wasm']);
});

test("a trusted workspace accepts its project's own whitelist, an untrusted one does not", async (t) => {
  const folder = makeWorkspace(t);
  folder.trust();
  const name = folder.example('call');
  const manifest = JSON.parse(Buffer.from(folder.read('call/executor.json')).toString());
  folder.write('call/executor.json', { ...manifest, whitelist: 'own.json' });
  folder.write('call/own.json', { ...MASHIN_1, name: 'own' });
  const uri = folder.uri(`${name}/executor.json`);
  const trusted = await connect(t, [folder.root]);
  const answer = await trusted.connection.sendRequest(Certify, { uri, ...keys });
  assert.ok(answer.certified);
  const verified = await trusted.connection.sendRequest(Verify, { uri });
  assert.equal(verified.admitted, true);

  const untrusted = await connect(t, [folder.root], { isTrusted: false });
  const checked = await untrusted.connection.sendRequest(Verify, { uri });
  assert.equal(checked.admitted, false);
});

test('nothing is certified outside the folders of the workspace', async (t) => {
  const [folder, other] = [makeWorkspace(t), makeWorkspace(t)];
  const name = other.example('call');
  const { connection } = await connect(t, [folder.root]);
  await assertFails(
    connection.sendRequest(Certify, { uri: other.uri(`${name}/executor.json`), ...keys }),
    'outside-workspace',
    /lies in no folder of the workspace/,
  );
  assert.deepEqual(readdirSync(other.path('call/build')), ['call.wasm']);
});

test('no link leads what is written out of the workspace', async (t) => {
  const [folder, other] = [makeWorkspace(t), makeWorkspace(t)];
  folder.example('call');
  // The folder leads out, and the module in it back in: only what is written beside it would be outside.
  mkdirSync(folder.path('real'));
  renameSync(folder.path('call/build/call.wasm'), folder.path('real/call.wasm'));
  renameSync(folder.path('call/build'), folder.path('call/empty'));
  symlinkSync(folder.path('real/call.wasm'), other.path('call.wasm'));
  symlinkSync(other.root, folder.path('call/build'));
  symlinkSync(other.root, folder.path('linked'));
  const { connection } = await connect(t, [folder.root]);
  for (const name of ['call/executor.json', 'linked/call.wasm']) {
    await assertFails(
      connection.sendRequest(Certify, { uri: folder.uri(name), ...keys }),
      'unreadable',
      /a symbolic link leads out of the project/,
    );
  }
  assert.deepEqual(readdirSync(other.root), ['call.wasm']);
});

test('what is no executor is said to be none', async (t) => {
  const folder = makeWorkspace(t);
  folder.write('broken.wasm', 'no module');
  folder.write('bad/executor.json', '{ "name": 1 }');
  const { connection } = await connect(t, [folder.root]);
  const certify = (name: string) =>
    connection.sendRequest(Certify, { uri: folder.uri(name), ...keys });
  await assertFails(certify('nothing.wasm'), 'not-found', /nothing\.wasm/);
  await assertFails(certify('broken.wasm'), 'unreadable', /broken\.wasm/);
  await assertFails(certify('bad/executor.json'), 'unreadable', /executor\.json:1:/);
});

test('wrong parameters are refused by the name of the field', async (t) => {
  const folder = makeWorkspace(t);
  const { send } = await connect(t, [folder.root]);
  const uri = folder.uri('call/executor.json');
  const wrong: readonly (readonly [params: unknown, problem: RegExp])[] = [
    [{ uri: 'untitled:executor.json', ...keys }, /uri: expected a file: URI/],
    [{ uri: 'file:///a%00b', ...keys }, /uri/],
    [{ ...keys }, /uri/],
    [{ uri, certifier: 'AAAA' }, /certifier: expected an Ed25519 public key in base64/],
    [{ uri, certifier: encodeBase64(new Uint8Array(32)) }, /certifier/],
    [{ uri, certifier: keys.certifier, publisher: 7 }, /publisher/],
    ['executor.json', /wrong parameters/],
  ];
  for (const [params, problem] of wrong) {
    await assertFails(send(Certify, params), 'invalid-params', problem);
  }
});

test('the artifact of a project is certified by what the project says, also by its own name', async (t) => {
  const folder = makeWorkspace(t);
  const name = folder.example('call');
  const manifest = JSON.parse(Buffer.from(folder.read('call/executor.json')).toString());
  folder.write('call/executor.json', { ...manifest, whitelist: 'own.json' });
  folder.write('call/own.json', { ...MASHIN_1, name: 'own' });
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri(join(name, 'build', 'call.wasm'));
  const answer = await connection.sendRequest(Certify, { uri, ...keys });
  assert.ok(answer.certified);
  const text = Buffer.from(folder.read('call/build/call.wasm.purity.json')).toString();
  assert.match(text, /"whitelist":\{[^}]*"name":"own"/);
});
