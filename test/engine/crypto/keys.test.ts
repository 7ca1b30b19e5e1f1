import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  parsePrivateKeyPem,
  parsePublicKeyPem,
  privateKeyPem,
  publicKeyFromRaw,
  publicKeyPem,
  signerFromSeed,
} from '../../../engine/crypto/keys.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';

const folder = mkdtempSync(join(tmpdir(), 'touchstone-keys-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder });

function hasOpenssl(): boolean {
  try {
    return openssl('version').length > 0;
  } catch {
    return false;
  }
}

const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
const message = new TextEncoder().encode('signed by one, verified by the other');

describe('keys and openssl', { skip: hasOpenssl() ? false : 'openssl is not installed' }, () => {
  test('openssl verifies what a key written here signed', async () => {
    writeFileSync(file('ours.pem'), privateKeyPem(seed));
    const signer = parsePrivateKeyPem(nodeCrypto, readFileSync(file('ours.pem'), 'utf8'), 'ours');
    writeFileSync(file('ours.pub'), publicKeyPem(signer.publicKey));
    writeFileSync(file('message'), message);
    writeFileSync(file('signature'), await signer.sign(message));
    const answer = openssl(
      ...'pkeyutl -verify -pubin -inkey ours.pub -rawin -in message -sigfile signature'.split(' '),
    );
    assert.match(answer.toString(), /Signature Verified Successfully/);
  });

  test('openssl writes both files byte for byte as they are written here', () => {
    writeFileSync(file('a.pem'), privateKeyPem(seed));
    assert.equal(openssl('pkey', '-in', 'a.pem').toString(), privateKeyPem(seed));
    const { publicKey } = signerFromSeed(nodeCrypto, seed);
    assert.equal(openssl('pkey', '-in', 'a.pem', '-pubout').toString(), publicKeyPem(publicKey));
  });

  test('a key that openssl generated signs here, and its id is the hash of its SPKI DER', async () => {
    openssl('genpkey', '-algorithm', 'ed25519', '-out', 'theirs.pem');
    openssl('pkey', '-in', 'theirs.pem', '-pubout', '-outform', 'DER', '-out', 'theirs.der');
    const signer = parsePrivateKeyPem(nodeCrypto, readFileSync(file('theirs.pem'), 'utf8'), 'k');
    assert.equal(signer.publicKey.keyId, nodeCrypto.sha256(readFileSync(file('theirs.der'))));
    const signature = await signer.sign(message);
    assert.ok(nodeCrypto.verify(signer.publicKey, message, signature));
  });

  test('keys of other kinds are refused by what they are', () => {
    openssl('genpkey', '-algorithm', 'x25519', '-out', 'x.pem');
    openssl('pkey', '-in', 'x.pem', '-pubout', '-out', 'x.pub');
    openssl(...'genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked.pem'.split(' '));
    const read = (name: string) => readFileSync(file(name), 'utf8');
    refuses(() => parsePrivateKeyPem(nodeCrypto, read('x.pem'), 'x.pem'), /another kind than Ed25/);
    refuses(() => parsePublicKeyPem(nodeCrypto, read('x.pub'), 'x.pub'), /another kind than Ed255/);
    refuses(() => parsePrivateKeyPem(nodeCrypto, read('locked.pem'), 'l'), /is encrypted; decrypt/);
  });
});

describe('keys', () => {
  const { publicKey } = signerFromSeed(nodeCrypto, seed);

  test('a public key in place of a private one, and the reverse, is said to be that', () => {
    refuses(
      () => parsePrivateKeyPem(nodeCrypto, publicKeyPem(publicKey), 'k.pub'),
      /^k\.pub is a public key; signing needs the private key/,
    );
    refuses(
      () => parsePublicKeyPem(nodeCrypto, privateKeyPem(seed), 'k'),
      /^k is a private key; a public key is expected/,
    );
  });

  test('no message about a private key holds a byte of it', () => {
    const broken = privateKeyPem(seed).replace('MC4C', 'MC4D');
    try {
      parsePrivateKeyPem(nodeCrypto, broken, 'k');
      assert.fail('a broken key was read');
    } catch (error) {
      assert.ok(error instanceof InputError);
      assert.doesNotMatch(error.message, /[A-Za-z0-9+/]{20}/);
    }
  });

  test('text that is no PEM is refused', () => {
    for (const text of ['', 'hello', '-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----']) {
      refuses(() => parsePublicKeyPem(nodeCrypto, text, 'file'), /^file is not a PEM key/);
    }
  });

  test('a point of small order is not a key', () => {
    const identity = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
    refuses(() => publicKeyFromRaw(nodeCrypto, identity), /not a usable Ed25519 public key/);
  });

  test('changing the bytes a key was made of does not change the key', () => {
    const raw = publicKey.raw.slice();
    const key = publicKeyFromRaw(nodeCrypto, raw);
    raw.fill(0);
    assert.deepEqual(key.raw, publicKey.raw);
  });
});

function refuses(action: () => unknown, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.code, 'invalid-key');
    assert.match(error.message, message);
    return true;
  });
}
