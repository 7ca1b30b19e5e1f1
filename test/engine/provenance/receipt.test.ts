import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { publicKeyPem } from '../../../engine/crypto/keys.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import {
  MAX_RECEIPT_BYTES,
  parseReceipt,
  serializeReceipt,
} from '../../../engine/provenance/receipt.ts';
import { runId, uuidV8 } from '../../../engine/provenance/run-id.ts';
import {
  contentOf,
  crypto,
  ENVIRONMENT,
  hashOf,
  makeReceipt,
  signContent,
  signer,
  tipOf,
} from './fixtures.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

/** RFC 8785 for JSON without numbers beyond integers, written without the engine's own code. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([k, v]) => `${JSON.stringify(k)}:${sortedJson(v)}`).join(',')}}`;
}

test('a receipt is canonical JSON with the fields of the design', async () => {
  const receipt = await makeReceipt(undefined);
  const written = text(serializeReceipt(receipt));
  assert.equal(written, sortedJson(JSON.parse(written)));
  assert.deepEqual(Object.keys(JSON.parse(written)), [
    'artifactHash',
    'certificateHash',
    'completed',
    'directives',
    'epoch',
    'executor',
    'format',
    'fuel',
    'inputHash',
    'outputHash',
    'prevHash',
    'purityMethod',
    'run',
    'signature',
    'signer',
    'status',
    'tier',
    'whitelistHash',
  ]);
  assert.deepEqual(parseReceipt(serializeReceipt(receipt), 'it'), receipt);
});

test('the signature is over the domain tag and the canonical rest', async () => {
  const { signature, ...rest } = await makeReceipt(undefined);
  const message = Buffer.from(`touchstone/receipt/1\n${sortedJson(rest)}`);
  const key = createPublicKey(publicKeyPem(ENVIRONMENT.publicKey));
  assert.ok(verify(null, message, key, Buffer.from(signature, 'base64')));
});

test('hashes of output and previous receipt are over the exact bytes', async () => {
  const first = await makeReceipt(undefined, 0);
  const second = await makeReceipt(tipOf(first), 1);
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
  assert.equal(first.outputHash, sha256('{"result":0}'));
  assert.equal(first.prevHash, '0'.repeat(64));
  assert.equal(second.prevHash, sha256(sortedJson(JSON.parse(JSON.stringify(first)))));
  assert.equal(second.epoch, 1);
});

test('a UUIDv8 is made as in RFC 9562 appendix B.2', () => {
  const namespace = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex');
  const digest = crypto.sha256(Buffer.concat([namespace, Buffer.from('www.example.com')]));
  assert.equal(uuidV8(digest), '5c146b14-3c52-8afd-938a-375d0df1fbf6');
});

test('the run id depends on artifact, input and place alone', () => {
  const place = {
    artifactHash: hashOf('a'),
    inputHash: hashOf('i'),
    prevHash: hashOf('p'),
    epoch: 3,
  };
  const id = runId(crypto, place);
  const canonical = sortedJson(place);
  assert.equal(id, uuidV8(crypto.sha256(bytes(canonical))));
  const others = [
    { ...place, artifactHash: hashOf('b') },
    { ...place, inputHash: hashOf('b') },
    { ...place, prevHash: hashOf('b') },
    { ...place, epoch: 4 },
  ].map((other) => runId(crypto, other));
  assert.equal(new Set([id, ...others]).size, 5);
});

test('1,000 equal runs on fresh chains give equal bytes', async () => {
  const written = new Set<string>();
  for (let i = 0; i < 1_000; i++) written.add(text(serializeReceipt(await makeReceipt(undefined))));
  assert.equal(written.size, 1);
});

test('fuel used is not told of a run that a clock or a person ended', () => {
  for (const status of ['timeout', 'cancelled'] as const) {
    const { fuel } = contentOf(undefined, 0, { status });
    assert.deepEqual(fuel, { limit: 50_000_000, schedule: 'fuel/1', used: null });
  }
});

test('an unknown tag is short and safe in a receipt', () => {
  const [directive] = contentOf(undefined, 0, {
    decisions: [
      {
        directive: { type: `\u202e${'x'.repeat(1_000_000)}` },
        hash: hashOf('d'),
        decision: 'denied',
        stage: 'trust',
        reason: 'DirectiveNotImplemented(…)',
      },
    ],
  }).directives;
  assert.ok((directive?.type ?? '').length < 100);
  assert.ok(directive?.type.startsWith('\\u{202e}xxx'));
});

test('a signer that signs wrongly, or as another, spoils no chain', async () => {
  const content = contentOf(undefined);
  const wrong = { publicKey: ENVIRONMENT.publicKey, sign: signer(2).sign };
  for (const by of [wrong, signer(2)]) {
    await assert.rejects(signContent(content, by), { code: 'invalid-key' });
  }
});

test('parsing refuses everything but the exact fields', async () => {
  const receipt = await makeReceipt(undefined);
  const changes: readonly object[] = [
    { format: 'receipt/2' },
    { run: receipt.run.replace('-8', '-4') },
    { epoch: -1 },
    { epoch: 0.5 },
    { epoch: 2 ** 53 },
    { prevHash: receipt.prevHash.slice(1) },
    { artifactHash: receipt.artifactHash.toUpperCase() },
    { certificateHash: null },
    { tier: 2 },
    { tier: 4 },
    { purityMethod: 'unchecked' },
    { status: 'fine' },
    { completed: ['gate', 'plan'] },
    { completed: ['gate', 'gate'] },
    { fuel: { limit: 1 } },
    { fuel: { limit: 1, used: -1 } },
    { fuel: { limit: 1, schedule: 'fuel/01', used: 1 } },
    { fuel: { limit: 1, schedule: 1, used: 1 } },
    { directives: [{ type: 'a', hash: receipt.inputHash, decision: 'allowed' }] },
    { directives: [{ type: 'a', hash: receipt.inputHash, decision: 'denied', stage: 'trust' }] },
    { signer: 'me' },
    { signature: '' },
    { note: 'hello' },
  ];
  for (const change of changes) {
    assert.throws(
      () => parseReceipt(bytes(sortedJson({ ...receipt, ...change })), 'it'),
      (error) => error instanceof InputError && /^it is not a receipt: /.test(error.message),
      JSON.stringify(change),
    );
  }
  for (const key of Object.keys(receipt)) {
    const rest = Object.fromEntries(Object.entries(receipt).filter(([name]) => name !== key));
    assert.throws(() => parseReceipt(bytes(sortedJson(rest)), 'it'), { code: 'invalid-receipt' });
  }
});

test('parsing refuses any other bytes for the same receipt', async () => {
  const written = text(serializeReceipt(await makeReceipt(undefined)));
  const others = [
    ` ${written}`,
    `${written}\n`,
    `\ufeff${written}`,
    written.replace('"epoch":0', '"epoch":-0'),
    written.replace('"epoch":0', '"epoch":0.0'),
    written.replace('"epoch":0', '"epoch":0,"epoch":0'),
    written.replace('"gate"', '"g\\u0061te"'),
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(written)).reverse())),
  ];
  for (const other of others) {
    assert.notEqual(other, written);
    assert.throws(() => parseReceipt(bytes(other), 'it'), InputError);
  }
  assert.throws(() => parseReceipt(Uint8Array.of(0xff), 'it'), { code: 'invalid-utf8' });
  assert.throws(() => parseReceipt(new Uint8Array(MAX_RECEIPT_BYTES + 1), 'it'), {
    code: 'too-large',
  });
  const deep = written.replace('"completed":[', `"completed":[${'['.repeat(100_000)}`);
  assert.throws(() => parseReceipt(bytes(deep), 'it'), InputError);
});

test('parsing answers a receipt or an InputError for any bytes', async () => {
  const written = serializeReceipt(await makeReceipt(undefined));
  fc.assert(
    fc.property(fc.nat(written.length - 1), fc.uint8Array({ maxLength: 4 }), (at, insert) => {
      const mutated = Buffer.concat([written.subarray(0, at), insert, written.subarray(at + 2)]);
      try {
        assert.deepEqual(serializeReceipt(parseReceipt(mutated, 'it')), new Uint8Array(mutated));
      } catch (error) {
        assert.ok(error instanceof InputError);
      }
    }),
    { numRuns: 500 },
  );
});
