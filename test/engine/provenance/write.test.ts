import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalJson } from '../../../engine/encoding/json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { parseReceipt, serializeReceipt } from '../../../engine/provenance/receipt.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { batchedText, receiptText, signedText } from '../../../engine/provenance/write.ts';
import { WrittenReceipt } from '../../../engine/provenance/written.ts';
import { anyReceipt, batchedReceipt, signedReceipt, wrongValue } from './arbitrary.ts';
import { crypto } from './fixtures.ts';

test('the text of every receipt is its RFC 8785 form, and is read again', () => {
  fc.assert(
    fc.property(anyReceipt, (receipt) => {
      assert.equal(receiptText(receipt), canonicalJson(receipt));
      assert.deepEqual(parseReceipt(serializeReceipt(receipt), 'it'), receipt);
    }),
    { numRuns: 1_000 },
  );
});

test('what is signed is the RFC 8785 form without the signature, or without the end of a batch', () => {
  fc.assert(
    fc.property(signedReceipt, batchedReceipt, (signed, batched) => {
      const { signature, ...unsigned } = signed;
      const text = signedText(unsigned);
      assert.equal(text.unsigned, canonicalJson(unsigned));
      assert.equal(text.signed(signature), canonicalJson(signed));
      const { index } = batched.batch;
      assert.equal(
        batchedText(batched, { index }),
        canonicalJson({ ...batched, batch: { index } }),
      );
    }),
    { numRuns: 300 },
  );
});

/** Every place in a receipt that holds a value. */
function placesOf(value: object, path: readonly string[] = []): (readonly string[])[] {
  return Object.entries(value).flatMap(([key, each]) => [
    [...path, key],
    ...(typeof each === 'object' && each !== null ? placesOf(each, [...path, key]) : []),
  ]);
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.with(Number(key), replaced(value[Number(key)], rest, by));
  const members = Object.entries(value ?? {});
  return Object.fromEntries(
    members.map(([name, each]) => [name, name === key ? replaced(each, rest, by) : each]),
  );
}

test('a value that a reader refuses is not written, wherever it stands', () => {
  let refused = 0;
  fc.assert(
    fc.property(anyReceipt, fc.nat(), wrongValue, (receipt, pick, wrong) => {
      const places = placesOf(receipt);
      const changed = replaced(receipt, places[pick % places.length] ?? [], wrong) as Receipt;
      let text: string;
      try {
        text = receiptText(changed);
      } catch (error) {
        assert.ok(error instanceof InputError || error instanceof TypeError);
        refused++;
        return;
      }
      assert.deepEqual(parseReceipt(encodeUtf8(text), 'it'), changed);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refused > 1_000);
});

test('written receipts keep their bytes, however many are written', () => {
  fc.assert(
    fc.property(fc.array(anyReceipt, { minLength: 1, maxLength: 50 }), (receipts) => {
      const written = receipts.map((receipt) => WrittenReceipt.of(crypto, receipt));
      for (const [i, { bytes, hash }] of written.entries()) {
        const receipt = receipts[i];
        assert.ok(receipt);
        assert.deepEqual(bytes, encodeUtf8(canonicalJson(receipt)));
        assert.equal(hash, crypto.sha256(bytes));
      }
    }),
    { numRuns: 50 },
  );
});
