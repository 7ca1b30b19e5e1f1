import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  COMPATIBILITY_CODES,
  type CompatibilityCode,
  type Conjunct,
  checkCompatibility,
  parseCompatibility,
} from '../../../engine/attestation/compatibility.ts';
import type { Attestation, EnvironmentDescriptor } from '../../../engine/attestation/types.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import type { GateEnvironment } from '../../../engine/gate/types.ts';
import { certifier, NOW, stranger } from '../../support/gate.ts';
import {
  builder,
  COMPATIBLE,
  descriptor,
  hashOf,
  here,
  record,
  type Trusted,
  trusting,
  verifier,
} from './fixtures.ts';

type Document = Record<string, unknown>;

const MADE: Attestation = await record();

function answer(
  document: Document = COMPATIBLE,
  judged: Pick<Attestation, 'environment' | 'certificate'> = MADE,
  deciders: GateEnvironment = verifier(),
): readonly Conjunct[] {
  const compatibility = parseCompatibility(JSON.stringify(document), 'compatibility.json');
  const conjuncts = checkCompatibility(judged, compatibility, deciders);
  assert.deepEqual(
    conjuncts.map(({ code }) => code),
    COMPATIBILITY_CODES,
    'all four, always',
  );
  for (const { ok, detail, remedy } of conjuncts) {
    assert.notEqual(detail, '');
    assert.equal(remedy === undefined, ok, 'a remedy where one is needed, and nowhere else');
  }
  return conjuncts;
}

function unmet(conjuncts: readonly Conjunct[]): readonly CompatibilityCode[] {
  return conjuncts.filter(({ ok }) => !ok).map(({ code }) => code);
}

/** Does to the file what a remedy says, word for word. */
function apply(document: Document, remedy = ''): Document {
  const [, values = '', field = ''] = /^add (.+?) to "(\w+)", or /.exec(remedy) ?? [];
  const entries: unknown[] = values.split(' and ').map((value) => JSON.parse(value));
  const before = document[field];
  const after = Array.isArray(before)
    ? [...before, ...entries]
    : Object.assign({}, before, ...entries);
  return { ...document, [field]: after };
}

const environment = (changes: Partial<EnvironmentDescriptor>) => ({
  ...MADE,
  environment: descriptor(changes),
});

describe('compatibility', () => {
  test('all four conjuncts hold for an environment that is as it should be', () => {
    assert.deepEqual(unmet(answer()), []);
  });

  const alone: readonly (readonly [CompatibilityCode, Document, RegExp])[] = [
    ['whitelist-recognised', { whitelists: [] }, /mashin@1 \(\w{8}…\) is not listed/],
    [
      'whitelist-recognised',
      { whitelists: [{ name: 'mashin', hash: hashOf('another document') }] },
      /is not listed/,
    ],
    ['runtime-trusted', { runtimes: [] }, /build \w{8}… is not listed/],
    ['runtime-trusted', { runtimes: [{ build: hashOf('another') }] }, /is not listed/],
    ['runtime-trusted', { runtimes: [{ signer: stranger.publicKey.keyId }] }, /is not listed/],
    [
      'runtime-trusted',
      { runtimes: [{ build: hashOf('build'), isolation: ['worker'] }] },
      /its isolation is process, and the build is listed for worker/,
    ],
    ['certifier-accepted', { certifiers: [] }, /certifier \w{8}… is not listed/],
    ['certifier-accepted', { certifiers: [stranger.publicKey.keyId] }, /is not listed/],
    ['whitelist-version', { minimumWhitelistVersion: { mashin: 2 } }, /is older than @2/],
    ['whitelist-version', { minimumWhitelistVersion: {} }, /no minimum is stated for mashin/],
    ['whitelist-version', { minimumWhitelistVersion: { other: 1 } }, /no minimum is stated/],
  ];
  for (const [code, changes, problem] of alone) {
    test(`${code} fails by itself with ${JSON.stringify(changes).slice(0, 60)}, and its remedy helps`, () => {
      const document = { ...COMPATIBLE, ...changes };
      const conjuncts = answer(document);
      assert.deepEqual(unmet(conjuncts), [code]);
      const failed = conjuncts.find((each) => each.code === code);
      assert.match(failed?.detail ?? '', problem);
      assert.deepEqual(unmet(answer(apply(document, failed?.remedy))), []);
    });
  }

  test('where none holds, each remedy mends its own conjunct', () => {
    let document: Document = {
      format: 'compatibility/1',
      whitelists: [],
      minimumWhitelistVersion: {},
      runtimes: [],
      certifiers: [],
    };
    for (const [i, code] of COMPATIBILITY_CODES.entries()) {
      const conjuncts = answer(document);
      assert.deepEqual(unmet(conjuncts), COMPATIBILITY_CODES.slice(i));
      document = apply(document, conjuncts.find((each) => each.code === code)?.remedy);
    }
    assert.deepEqual(unmet(answer(document)), []);
  });

  test('a builder signs for builds, once the trust store holds the key in that role', () => {
    const document = { ...COMPATIBLE, runtimes: [{ signer: builder.publicKey.keyId }] };
    assert.deepEqual(unmet(answer(document)), []);
    const others: readonly (readonly [Trusted, RegExp])[] = [
      [[here, 'environment'], /builder \w{8}… is not in the trust store/],
      [[builder, 'environment'], /is not in the trust store/],
      [[builder, 'builder', { revoked: 'stolen' }], /is revoked: stolen/],
      [[builder, 'builder', { validUntil: NOW }], /was trusted only until/],
    ];
    for (const [key, problem] of others) {
      const conjuncts = answer(document, MADE, verifier({ trust: trusting(key) }));
      assert.deepEqual(unmet(conjuncts), ['runtime-trusted']);
      assert.match(conjuncts[1]?.detail ?? '', problem);
      assert.match(conjuncts[1]?.remedy ?? '', /keys trust KEY\.pub --as builder/);
    }
    const policy = { ...DEFAULT_POLICY, revokedKeys: new Set([builder.publicKey.keyId]) };
    const conjuncts = answer(document, MADE, verifier({ policy }));
    assert.match(conjuncts[1]?.detail ?? '', /the policy revokes the builder's key/);
    const unsigned = environment({ build: { hash: hashOf('build'), signer: null } });
    assert.deepEqual(unmet(answer(document, unsigned)), ['runtime-trusted']);
    assert.match(answer(document, unsigned)[1]?.detail ?? '', /nobody signed it/);
  });

  test('a runtime may be accepted in some isolation only', () => {
    const runtimes = [
      { signer: builder.publicKey.keyId, isolation: ['process', 'worker'] },
      { build: hashOf('a build to test with') },
    ];
    const document = { ...COMPATIBLE, runtimes };
    assert.deepEqual(unmet(answer(document)), []);
    const careless = environment({ isolation: 'in-thread' });
    const conjuncts = answer(document, careless);
    assert.deepEqual(unmet(conjuncts), ['runtime-trusted']);
    assert.deepEqual(unmet(answer(apply(document, conjuncts[1]?.remedy), careless)), []);
  });

  test('the whitelist of the environment counts, and that of the certificate', () => {
    const newer = { name: 'mashin', version: 2, hash: hashOf('mashin@2') };
    const judged = environment({ whitelist: newer });
    const conjuncts = answer(COMPATIBLE, judged);
    assert.deepEqual(unmet(conjuncts), ['whitelist-recognised']);
    assert.match(conjuncts[0]?.detail ?? '', /^mashin@2 /);
    const document = apply(COMPATIBLE, conjuncts[0]?.remedy);
    assert.deepEqual(unmet(answer(document, judged)), []);
    // The certificate was issued by the older one, which is still not recent enough.
    const strict = { ...document, minimumWhitelistVersion: { mashin: 2 } };
    const [, , , version] = answer(strict, judged);
    assert.match(version?.detail ?? '', /^mashin@1 \(\w{8}…\) is older than @2$/);
    const other = environment({ whitelist: { name: 'other', version: 7, hash: hashOf('other') } });
    assert.deepEqual(unmet(answer(COMPATIBLE, other)), [
      'whitelist-recognised',
      'whitelist-version',
    ]);
  });

  test('names that every object has are names like any other', () => {
    const other = environment({
      whitelist: { name: 'constructor', version: 1, hash: hashOf('x') },
    });
    assert.deepEqual(unmet(answer(COMPATIBLE, other)), [
      'whitelist-recognised',
      'whitelist-version',
    ]);
  });
});

describe('compatibility.json', () => {
  const bad: readonly (readonly [string, Document, RegExp])[] = [
    ['an unknown field', { mimimumWhitelistVersion: {} }, /mimimumWhitelistVersion/],
    ['another format', { format: 'compatibility/2' }, /format/],
    ['a missing field', { certifiers: undefined }, /certifiers/],
    ['a version below 1', { minimumWhitelistVersion: { mashin: 0 } }, /minimumWhitelistVersion/],
    ['a name that is none', { minimumWhitelistVersion: { '': 1 } }, /minimumWhitelistVersion/],
    ['a runtime that says nothing', { runtimes: [{}] }, /runtimes\.0/],
    [
      'a runtime that says two things',
      { runtimes: [{ build: hashOf(''), signer: certifier.publicKey.keyId }] },
      /runtimes\.0/,
    ],
    [
      'no isolation that would do',
      { runtimes: [{ build: hashOf(''), isolation: [] }] },
      /runtimes/,
    ],
    ['a hash in capitals', { whitelists: [{ name: 'm', hash: 'A'.repeat(64) }] }, /whitelists\.0/],
  ];
  for (const [name, changes, problem] of bad) {
    test(`is refused with ${name}`, () => {
      assert.throws(
        () => parseCompatibility(JSON.stringify({ ...COMPATIBLE, ...changes }), 'c.json'),
        (error) =>
          error instanceof InputError &&
          error.code === 'invalid-compatibility' &&
          problem.test(error.message),
      );
    });
  }

  test('is refused with a key twice', () => {
    assert.throws(
      () => parseCompatibility(`{"format":"x",${JSON.stringify(COMPATIBLE).slice(1)}`, 'c.json'),
      /the key "format" is written twice/,
    );
  });
});
