import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import {
  makeTrustStore,
  parseTrustStore,
  serializeTrustStore,
} from '../../../engine/gate/trust-store.ts';
import { parsePolicy } from '../../../engine/governance/policy-file.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { certifier, NOW, publisher } from '../../support/gate.ts';

function refuses(action: () => unknown, code: string, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

describe('a trust store', () => {
  const full = makeTrustStore([
    {
      key: certifier.publicKey,
      role: 'certifier',
      label: 'Alice',
      validFrom: NOW,
      validUntil: NOW + 1000,
      revoked: 'lost',
    },
    { key: publisher.publicKey, role: 'publisher' },
  ]);
  const text = serializeTrustStore(full);
  const parse = (source: string) => parseTrustStore(nodeCrypto, source, 'trust.json');
  const changed = (change: (entry: Record<string, unknown>) => void): string => {
    const document = JSON.parse(text);
    change(document.keys[0]);
    return JSON.stringify(document);
  };

  test('reads back as it was written', () => {
    assert.deepEqual(parse(text).keys, full.keys);
  });

  test('finds a key for its role only', () => {
    const store = parse(text);
    assert.ok(store.find(certifier.publicKey.keyId, 'certifier'));
    assert.equal(store.find(certifier.publicKey.keyId, 'publisher'), undefined);
    assert.equal(store.find('__proto__', 'certifier'), undefined);
  });

  test('with a key id that is not the id of its key is refused', () => {
    refuses(
      () => parse(changed((entry) => Object.assign(entry, { keyId: publisher.publicKey.keyId }))),
      'invalid-trust-store',
      /keys\.0\.keyId is not the id of its key/,
    );
  });

  test('with a wrong field is refused by that field', () => {
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ role: 'root' }, /keys\.0\.role/],
      [{ publicKey: 'AAAA' }, /keys\.0\.publicKey is not an Ed25519 key/],
      [{ validUntil: 'tomorrow' }, /keys\.0\.validUntil/],
      [{ trusted: true }, /keys\.0: .*"trusted"/],
    ];
    for (const [change, message] of cases) {
      refuses(
        () => parse(changed((entry) => Object.assign(entry, change))),
        'invalid-trust-store',
        message,
      );
    }
    const twice = JSON.parse(text);
    twice.keys.push(twice.keys[1]);
    refuses(() => parse(JSON.stringify(twice)), 'invalid-trust-store', /listed twice as publisher/);
    refuses(() => parse('{"format":"trust-store/2","keys":[]}'), 'invalid-trust-store', /format/);
  });
});

describe('a policy', () => {
  const parse = (document: object) => parsePolicy(JSON.stringify(document), 'policy.json').gate;

  test('that says nothing is the default', () => {
    assert.deepEqual(parse({ format: 'policy/1' }), DEFAULT_POLICY);
  });

  test('with a demand that nobody here reads is refused', () => {
    refuses(
      () => parse({ format: 'policy/1', requireMoon: true }),
      'invalid-policy',
      /"requireMoon"/,
    );
    refuses(() => parse({ minimumTier: 1 }), 'invalid-policy', /format/);
    refuses(() => parse({ format: 'policy/1', minimumTier: 4 }), 'invalid-policy', /minimumTier/);
    refuses(
      () => parse({ format: 'policy/1', whitelistVersions: { min: 3, max: 2 } }),
      'invalid-policy',
      /"min" is greater than "max"/,
    );
    refuses(
      () => parse({ format: 'policy/1', revoked: { certificates: ['xyz'] } }),
      'invalid-policy',
      /revoked\.certificates\.0: not a SHA-256/,
    );
  });
});
