import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCompatibility } from '../../../engine/attestation/compatibility.ts';
import {
  callInputHash,
  errorBody,
  errorCodeOf,
  machinePath,
  parseCallAnswer,
  parseCallRequest,
  parseOfferRequest,
} from '../../../engine/attestation/exchange.ts';
import { checkAnswer, checkOffer } from '../../../engine/attestation/exchange-checks.ts';
import { attest, attestationHash, parseAttestation } from '../../../engine/attestation/record.ts';
import type { AttestationFacts, AttestationRecord } from '../../../engine/attestation/types.ts';
import { parseCertificate } from '../../../engine/certificate/parse.ts';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalBytes, canonicalJson, type JsonObject } from '../../../engine/encoding/json.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { flipBit } from '../../support/bytes.ts';
import { certificateFor, environment } from '../../support/gate.ts';
import {
  compatibilityWith,
  crypto,
  ECHO,
  keysOf,
  organisation,
  whitelistCalled,
} from '../platform/effects/machine/organisation.ts';
import { post } from '../platform/effects/machine/relay.ts';

const NONCE = 'AAECAwQFBgcICQoLDA0ODw';
const OTHER_NONCE = 'EBESExQVFhcYGRobHB0eHw';
const INPUT = { say: 'hello', n: [1, null] };

const here = organisation('here', 51);
const there = organisation('there', 61, whitelistCalled('theirs', 2));
await there.project('echo', ECHO);
await there.project('other', ECHO);
const { url } = await there.serve(['echo', 'other']);
const ask = async (path: string, body: object): Promise<Uint8Array> => {
  const answer = await post(`${url}${path}`, JSON.stringify(body));
  assert.equal(answer.status, 200, answer.body.toString());
  return new Uint8Array(answer.body);
};

/** A real conversation, as it went over the wire. */
const OFFER = await ask(machinePath('echo', 'offer'), { nonce: NONCE });
const offer = parseAttestation(OFFER, 'the offer');
const ANSWER = await ask(machinePath('echo', 'calls'), {
  ...{ nonce: OTHER_NONCE, offer: attestationHash(crypto, offer), input: INPUT, depth: 1 },
});
const answer = parseCallAnswer(ANSWER);

const gate = environment({ trust: makeTrustStore(keysOf(here, there)), now: Date.now });
const compatibility = parseCompatibility(JSON.stringify(compatibilityWith(there)), 'it');
const asked = { machine: 'echo', nonce: NONCE, compatibility };
const sent = { offer, nonce: OTHER_NONCE, inputHash: callInputHash(crypto, INPUT) };

/** Why bytes do not count as the offer; `undefined` where they do. */
function offerProblem(bytes: Uint8Array): string | undefined {
  return unlessRead(() => checkOffer(gate, parseAttestation(bytes, 'it'), asked)?.code);
}

function answerProblem(bytes: Uint8Array): string | undefined {
  return unlessRead(() => checkAnswer(gate, sent, parseCallAnswer(bytes))?.code);
}

function unlessRead(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}

test('a real offer and a real answer hold', () => {
  assert.equal(offerProblem(OFFER), undefined);
  assert.equal(answerProblem(ANSWER), undefined);
  assert.equal(answer.status, 'ok');
  assert.deepEqual(JSON.parse(Buffer.from(answer.output ?? []).toString()), {
    result: { context: INPUT, step_config: {} },
  });
});

test('with any bit flipped, none of it holds', (t) => {
  for (const [bytes, problemOf] of [
    [OFFER, offerProblem],
    [ANSWER, answerProblem],
  ] as const) {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      assert.notEqual(problemOf(flipBit(bytes, bit)), undefined, `bit ${bit}`);
    }
    t.diagnostic(`${8 * bytes.length} bits`);
  }
});

/** Every place in a document, as the keys that lead to it. */
function placesIn(value: unknown, at: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...at, key]))];
}

/** A copy of a document with another value at a place; `undefined` takes the field away. */
function changed(value: unknown, [key, ...more]: readonly string[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value))
    return value.map((v, i) => (`${i}` === key ? changed(v, more, other) : v));
  const fields = Object.entries(value as object).map(([k, v]) => [
    k,
    k === key ? changed(v, more, other) : v,
  ]);
  return Object.fromEntries(fields.filter(([, v]) => v !== undefined));
}

test('with any field changed, left out or of another type, none of it holds', (t) => {
  for (const [bytes, problemOf] of [
    [OFFER, offerProblem],
    [ANSWER, answerProblem],
  ] as const) {
    const document: unknown = JSON.parse(Buffer.from(bytes).toString());
    const places = placesIn(document).filter(({ length }) => length > 0);
    for (const place of places) {
      const before = place.reduce((v, key) => (v as Record<string, unknown>)[key], document);
      const others: unknown[] = [undefined, null, 0, 'a'.repeat(64), [], {}, true];
      if (typeof before === 'string') others.push(`${before}0`, before.slice(1), '');
      if (typeof before === 'number') others.push(before + 1, -before - 1);
      for (const other of others) {
        // In a list that is taken whole, `undefined` stays as null.
        const tampered = changed(document, place, other);
        if (canonicalJson(JSON.parse(JSON.stringify(tampered))) === canonicalJson(document))
          continue;
        const problem = problemOf(canonicalBytes(JSON.parse(JSON.stringify(tampered))));
        assert.notEqual(problem, undefined, `${place.join('.')}: ${JSON.stringify(other)}`);
      }
    }
    const stray = canonicalBytes({ ...(document as object), stray: 1 });
    assert.notEqual(problemOf(stray), undefined);
    t.diagnostic(`${places.length} fields`);
  }
});

/** What they attest, changed and signed by them again: they lie, or have mixed something up. */
async function attested(
  changes: Partial<AttestationFacts>,
  by: Signer = there.environment,
): Promise<AttestationRecord> {
  return attest(crypto, { ...answer.attestation, ...changes }, by);
}

const call = answer.attestation.call ?? assert.fail('a call is attested');
const HASH = crypto.sha256(ECHO);

test('an answer that is signed and says something else does not hold', async () => {
  const { environment: theirs } = answer.attestation;
  const { whitelist } = there;
  const byOther = await certificateFor(ECHO, { whitelist, certifier: here.certifier });
  const cases: [string, Partial<AttestationFacts>][] = [
    ['nonce', { call: { ...call, nonce: NONCE } }],
    ['input', { call: { ...call, inputHash: HASH } }],
    ['output', { call: { ...call, outputHash: HASH } }],
    ['output', { call: { ...call, outputHash: null } }],
    ['status', { call: { ...call, status: 'denied' } }],
    ['receipts', { receipts: [] }],
    ['receipts', { receipts: [HASH] }],
    ['receipts', { receipts: [...answer.attestation.receipts, HASH] }],
    ['executor', { executor: 'echo@1.0.1' }],
    ['environment', { environment: { ...theirs, isolation: 'in-thread' } }],
    ['environment', { environment: { ...theirs, build: { hash: HASH, signer: null } } }],
    ['certificate', { certificate: parseCertificate(byOther, 'it').certificate }],
  ];
  for (const [code, changes] of cases) {
    const attestation = await attested(changes);
    assert.equal(checkAnswer(gate, sent, { ...answer, attestation })?.code, code);
  }
  const { call: _, ...unbound } = answer.attestation;
  const attestation = await attest(crypto, unbound, there.environment);
  assert.equal(checkAnswer(gate, sent, { ...answer, attestation })?.code, 'nonce');
  const byOthers = await attested({}, here.environment);
  assert.equal(checkAnswer(gate, sent, { ...answer, attestation: byOthers })?.code, 'signer');
  const output = Buffer.from('{"result":1}');
  assert.equal(checkAnswer(gate, sent, { ...answer, output })?.code, 'output');
  assert.equal(checkAnswer(gate, sent, { ...answer, output: null })?.code, 'output');
  assert.equal(checkAnswer(gate, sent, { ...answer, status: 'trap' })?.code, 'status');
});

test('a receipt of another run does not hold, though it is attested', async () => {
  const { receipt } = answer;
  assert.ok(receipt.format === 'receipt/1');
  for (const [code, other] of [
    ['receipt-signature', { ...receipt, inputHash: HASH }],
    ['receipt-signature', { ...receipt, epoch: 7 }],
    ['receipt-signature', { ...receipt, signer: here.environment.publicKey.keyId }],
  ] as const) {
    const attestation = await attested({ receipts: [crypto.sha256(canonicalBytes(other))] });
    const problem = checkAnswer(gate, sent, { ...answer, receipt: other, attestation });
    assert.equal(problem?.code, code);
  }
  // A receipt of theirs that verifies, of another call of the same executor.
  const second = await ask(machinePath('echo', 'offer'), { nonce: 'ICEiIyQlJicoKSorLC0uLw' });
  const another = parseCallAnswer(
    await ask(machinePath('echo', 'calls'), {
      ...{ nonce: 'MDEyMzQ1Njc4OTo7PD0-Pw', input: { n: 2 }, depth: 1 },
      offer: attestationHash(crypto, parseAttestation(second, 'it')),
    }),
  );
  const attestation = await attested({ receipts: another.attestation.receipts });
  const mixed = { ...answer, receipt: another.receipt, attestation };
  assert.equal(checkAnswer(gate, sent, mixed)?.code, 'receipt');
});

test('an offer counts for its own nonce and machine alone', async () => {
  const other = await ask(machinePath('other', 'offer'), { nonce: 'QEFCQ0RFRkdISUpLTE1OTw' });
  const record = parseAttestation(other, 'it');
  const nonce = 'QEFCQ0RFRkdISUpLTE1OTw';
  assert.equal(checkOffer(gate, record, { ...asked, machine: 'other', nonce }), undefined);
  assert.equal(checkOffer(gate, record, { ...asked, nonce })?.code, 'machine');
  assert.equal(checkOffer(gate, record, { ...asked, machine: 'other' })?.code, 'nonce');
  // Neither is the attestation of a call an offer, though its nonce was asked with.
  const called = { ...asked, nonce: OTHER_NONCE };
  assert.equal(checkOffer(gate, answer.attestation, called)?.code, 'machine');
  const environmentKey = here.environment.publicKey.keyId;
  assert.equal(
    checkOffer(gate, offer, { ...asked, environment: environmentKey })?.code,
    'environment-key',
  );
  const own = { ...asked, environment: there.environment.publicKey.keyId };
  assert.equal(checkOffer(gate, offer, own), undefined);
});

test('requests are exactly their fields', () => {
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
  const good = { nonce: NONCE, offer: HASH, input: {}, depth: 1 };
  assert.deepEqual(parseOfferRequest(bytes({ nonce: NONCE })), { nonce: NONCE });
  assert.deepEqual(parseCallRequest(bytes(good)), good);
  const bad: JsonObject[] = [
    {},
    { ...good, stray: 1 },
    { ...good, nonce: 'short' },
    { ...good, nonce: `${NONCE}=` },
    { ...good, offer: 'x' },
    { ...good, input: [] },
    { ...good, input: null },
    { ...good, input: 'text' },
    { ...good, depth: 0 },
    { ...good, depth: 1.5 },
    { ...good, depth: '1' },
  ];
  for (const each of bad) {
    assert.throws(
      () => parseCallRequest(bytes(each)),
      { code: 'invalid-request' },
      JSON.stringify(each),
    );
    assert.throws(() => parseOfferRequest(bytes(each)), { code: 'invalid-request' });
  }
  assert.throws(() => parseOfferRequest(Buffer.from(`{"nonce":"${NONCE}","nonce":"${NONCE}"}`)), {
    code: 'invalid-json',
  });
  assert.throws(() => parseCallRequest(Buffer.from([0x7b, 0xff])), { code: 'invalid-utf8' });
});

test('whatever bytes come, they are an answer or an input error', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => new Uint8Array(Buffer.from(text))),
    fc
      .record({ status: fc.json(), output: fc.json(), attestation: fc.json(), receipt: fc.json() })
      .map((fields) => new Uint8Array(Buffer.from(JSON.stringify(fields)))),
  );
  fc.assert(
    fc.property(bytes, (each) => {
      assert.throws(() => parseCallAnswer(each), InputError);
      assert.throws(() => parseCallRequest(each), InputError);
      assert.equal(errorCodeOf(each), undefined);
    }),
    { numRuns: 500 },
  );
  assert.equal(errorCodeOf(errorBody('not-admitted', 'no')), 'not-admitted');
});

test('every name of a machine is one segment of a path', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
      const path = machinePath(name, 'offer');
      assert.match(path, /^\/v1\/machines\/[^/?#]+\/offer$/);
      assert.equal(decodeURIComponent(path.split('/')[3] ?? ''), name);
    }),
  );
});
