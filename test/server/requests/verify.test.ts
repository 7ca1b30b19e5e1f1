import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { CHECK_CODES } from '../../../engine/gate/types.ts';
import { Inspect, Verify } from '../../../server/protocol.ts';
import { certificateFor } from '../../support/gate.ts';
import { assertFails, connect, makeWorkspace } from './support.ts';

async function certifiedCall(t: TestContext) {
  const folder = makeWorkspace(t);
  folder.example('call');
  const module = folder.read('call/build/call.wasm');
  folder.write('call/build/call.wasm.purity.json', await certificateFor(module));
  return folder;
}

test("a trusted workspace's own trust store decides about what lies in it", async (t) => {
  const folder = await certifiedCall(t);
  folder.trust();
  const { connection } = await connect(t, [folder.root]);
  for (const name of ['call/executor.json', 'call', 'call/build/call.wasm']) {
    const { admitted, checks } = await connection.sendRequest(Verify, { uri: folder.uri(name) });
    assert.ok(admitted, name);
    assert.deepEqual(
      checks.map(({ code }) => code),
      CHECK_CODES,
    );
  }
});

test('what an untrusted workspace says of whom to trust counts for nothing', async (t) => {
  const folder = await certifiedCall(t);
  folder.trust();
  const { connection } = await connect(t, [folder.root], { isTrusted: false });
  const uri = folder.uri('call/executor.json');
  const { admitted, checks } = await connection.sendRequest(Verify, { uri });
  assert.equal(admitted, false);
  assert.deepEqual(
    checks.map(({ code, ok }) => [code, ok]),
    [['signature', false]],
  );
});

test('a trusted workspace does not decide about what lies elsewhere', async (t) => {
  const [folder, other] = [makeWorkspace(t), await certifiedCall(t)];
  folder.trust();
  other.trust();
  const { connection } = await connect(t, [folder.root]);
  const uri = other.uri('call/executor.json');
  assert.equal((await connection.sendRequest(Verify, { uri })).admitted, false);
});

test('the policy of a trusted workspace decides too', async (t) => {
  const folder = await certifiedCall(t);
  folder.trust();
  folder.write('.touchstone/policy.json', { format: 'policy/1', publisher: 'required' });
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri('call/executor.json');
  const { admitted, checks } = await connection.sendRequest(Verify, { uri });
  assert.equal(admitted, false);
  assert.equal(checks.at(-1)?.code, 'policy');
});

test('the check that fails is the last, and says why', async (t) => {
  const folder = await certifiedCall(t);
  folder.trust();
  const bytes = folder.read('call/build/call.wasm');
  folder.write('call/build/call.wasm', new Uint8Array([...bytes, 0, 1, 0]));
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri('call/executor.json');
  const { checks } = await connection.sendRequest(Verify, { uri });
  assert.deepEqual(
    checks.map(({ code, ok }) => [code, ok]),
    [
      ['signature', true],
      ['artifact-binding', false],
    ],
  );
});

test('an executor without a certificate is answered by what to do', async (t) => {
  const folder = makeWorkspace(t);
  folder.example('call');
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri('call/executor.json');
  const { admitted, checks } = await connection.sendRequest(Verify, { uri });
  assert.equal(admitted, false);
  assert.equal(checks.length, 1);
  assert.match(
    checks[0]?.detail ?? '',
    /^there is no .*call\.wasm\.purity\.json; certify the executor first$/,
  );
});

test('a certificate, policy or trust store that cannot be read is a failure, not a verdict', async (t) => {
  const folder = await certifiedCall(t);
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri('call/executor.json');
  const verify = () => connection.sendRequest(Verify, { uri });
  folder.write('.touchstone/policy.json', '{}');
  await assertFails(verify(), 'unreadable', /policy\.json is not a policy/);
  folder.write('.touchstone/policy.json', { format: 'policy/1' });
  folder.write('.touchstone/trust.json', '[');
  await assertFails(verify(), 'unreadable', /trust\.json/);
  folder.trust();
  folder.write('call/build/call.wasm.purity.json', '{}');
  await assertFails(verify(), 'unreadable', /call\.wasm\.purity\.json/);
});

test('a module of several projects is to be named by one of them', async (t) => {
  const folder = makeWorkspace(t);
  folder.example('call');
  folder.write('executor.json', {
    name: 'other',
    version: '1.0.0',
    artifact: 'call/build/call.wasm',
    tier: 3,
  });
  const { connection } = await connect(t, [folder.root]);
  const uri = folder.uri('call/build/call.wasm');
  await assertFails(connection.sendRequest(Verify, { uri }), 'unreadable', /several projects/);
});

test('the inspector is shown the artifact of a manifest, a module, and a text', async (t) => {
  const folder = makeWorkspace(t);
  folder.example('call');
  folder.write(
    'impure.wat',
    '(module (import "env" "now" (func (result i64))) (func (export "plan")) (memory (export "memory") 1))',
  );
  const { connection } = await connect(t, [folder.root], { isTrusted: false });
  const inspect = (name: string) => connection.sendRequest(Inspect, { uri: folder.uri(name) });
  const [byManifest, byModule, text] = [
    await inspect('call/executor.json'),
    await inspect('call/build/call.wasm'),
    await inspect('impure.wat'),
  ];
  assert.deepEqual(byManifest, byModule);
  assert.equal(byManifest.uri, folder.uri('call/build/call.wasm'));
  assert.equal(byManifest.allImportsPure, true);
  assert.deepEqual(
    text.imports.map(({ module, name, class: of }) => [module, name, of]),
    [['env', 'now', 'impure']],
  );
});

test('what the inspector cannot be shown is said to be so', async (t) => {
  const [folder, other] = [makeWorkspace(t), makeWorkspace(t)];
  folder.write('broken.wasm', 'no module');
  folder.write('without/executor.json', '{ "name": "without" }');
  folder.write('missing/executor.json', '{ "name": "missing", "artifact": "missing.wasm" }');
  folder.write('out/executor.json', '{ "name": "out", "artifact": "out.wasm" }');
  other.example('call');
  symlinkSync(other.path('call/build/call.wasm'), folder.path('out/out.wasm'));
  const { connection } = await connect(t, [folder.root]);
  const inspect = (name: string) => connection.sendRequest(Inspect, { uri: folder.uri(name) });
  await assertFails(inspect('broken.wasm'), 'unreadable', /\S/);
  await assertFails(inspect('nothing.wasm'), 'not-found', /nothing\.wasm/);
  await assertFails(inspect('nothing/executor.json'), 'not-found', /executor\.json/);
  await assertFails(inspect('without/executor.json'), 'unreadable', /names no artifact/);
  await assertFails(inspect('missing/executor.json'), 'not-found', /missing\.wasm/);
  await assertFails(inspect('out/executor.json'), 'unreadable', /a symbolic link leads out/);
});
