import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { answerOf, assertBadInput, workspace } from './support.ts';

const withoutOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

describe('keys', { concurrency: 4 }, () => {
  test('generate writes a pair that others read; its id is the SHA-256 of the SPKI DER', async (t) => {
    const here = workspace(t);
    const stdout = answerOf(await here.run('keys', 'generate', '--out', 'key.pem'));
    const key = createPublicKey(here.read('key.pem.pub'));
    const keyId = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    assert.equal(
      stdout,
      `✔ key ${keyId}\n  private  key.pem, mode 0600; keep it to yourself\n  public   key.pem.pub\n`,
    );
    assert.equal(key.asymmetricKeyType, 'ed25519');
    const fromPrivate = createPublicKey(createPrivateKey(here.read('key.pem')));
    assert.ok(fromPrivate.equals(key), 'the two belong together');
    for (const [file, kind] of [
      ['key.pem', 'private'],
      ['key.pem.pub', 'public'],
    ] as const) {
      assert.equal(answerOf(await here.run('keys', 'show', file)), `${keyId}  ${kind} key\n`);
      const json = answerOf(await here.run('keys', 'show', file, '--format', 'json'));
      assert.deepEqual(JSON.parse(json), { keyId, kind });
    }
  });

  test('the private key is for its owner only', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const here = workspace(t);
    const args = ['keys', 'generate', '--out', 'key.pem', '--format', 'json'];
    const answer = JSON.parse(answerOf(await here.run(...args)));
    assert.deepEqual(Object.keys(answer), ['keyId', 'privateKey', 'publicKey']);
    assert.equal(statSync(here.path('key.pem')).mode & 0o777, 0o600);
  });

  test('generate overwrites neither half of a pair', async (t) => {
    const here = workspace(t);
    here.write('a.pem', 'precious');
    assertBadInput(
      await here.run('keys', 'generate', '--out', 'a.pem'),
      /a\.pem: not written: it exists already/,
    );
    assert.equal(here.read('a.pem').toString(), 'precious');
    here.write('b.pem.pub', 'precious');
    assertBadInput(
      await here.run('keys', 'generate', '--out', 'b.pem'),
      /b\.pem\.pub: not written: it exists already/,
    );
    assert.equal(here.read('b.pem.pub').toString(), 'precious');
    assert.throws(() => here.read('b.pem'), 'no half of a pair is left');
  });

  test('openssl reads both halves, and its keys are read', { skip: withoutOpenssl }, async (t) => {
    const here = workspace(t);
    const openssl = (...args: string[]) =>
      spawnSync('openssl', args, { cwd: here.folder, encoding: 'utf8' });
    answerOf(await here.run('keys', 'generate', '--out', 'key.pem'));
    const pub = openssl('pkey', '-in', 'key.pem', '-pubout');
    assert.equal(pub.stdout, here.read('key.pem.pub').toString());
    assert.match(
      openssl('pkey', '-pubin', '-in', 'key.pem.pub', '-noout', '-text').stdout,
      /^ED25519 Public-Key/,
    );
    openssl('genpkey', '-algorithm', 'ed25519', '-out', 'theirs.pem');
    assert.match(
      answerOf(await here.run('keys', 'show', 'theirs.pem')),
      /^[0-9a-f]{64} {2}private key\n$/,
    );
  });

  test('trust makes a trust store, adds to it, and adds nothing twice', async (t) => {
    const here = workspace(t);
    for (const name of ['a', 'b']) answerOf(await here.run('keys', 'generate', '--out', name));
    const trust = (...args: string[]) =>
      here.run('keys', 'trust', ...args, '--trust', 'deep/trust.json');
    here.write('deep/readme', '');
    const first = answerOf(await trust('a.pub', '--label', 'Alice', '--valid-until', '2099-12-31'));
    assert.match(
      first,
      /^✔ deep\/trust\.json now trusts this key as certifier\n {2}[0-9a-f]{64}\n$/,
    );
    assert.match(answerOf(await trust('a.pub')), /trusted this key as certifier already/);
    const last = JSON.parse(
      answerOf(await trust('b.pub', '--as', 'environment', '--format', 'json')),
    );
    assert.deepEqual(
      { ...last, keyId: undefined },
      { keyId: undefined, role: 'environment', trust: 'deep/trust.json', added: true, keys: 2 },
    );
    const { format, keys } = JSON.parse(here.read('deep/trust.json').toString());
    assert.equal(format, 'trust-store/1');
    assert.deepEqual(
      keys.map(({ role, label, validUntil }: Record<string, unknown>) => ({
        role,
        label,
        validUntil,
      })),
      [
        { role: 'certifier', label: 'Alice', validUntil: '2100-01-01T00:00:00.000Z' },
        { role: 'environment', label: undefined, validUntil: undefined },
      ],
    );
    assert.equal(keys[1].keyId, last.keyId);
  });

  test('trust does not quietly bring back a revoked key', async (t) => {
    const here = workspace(t);
    answerOf(await here.run('keys', 'generate', '--out', 'a'));
    answerOf(await here.run('keys', 'trust', 'a.pub', '--trust', 't.json'));
    const store = JSON.parse(here.read('t.json').toString());
    store.keys[0].revoked = 'lost';
    here.write('t.json', store);
    assertBadInput(
      await here.run('keys', 'trust', 'a.pub', '--trust', 't.json'),
      /t\.json revokes this key as certifier/,
    );
  });
});
