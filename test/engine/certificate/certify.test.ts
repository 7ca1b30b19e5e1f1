import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { certify } from '../../../engine/certificate/certify.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { inspectModule } from '../../../engine/module/report.ts';
import type { ModuleReport, ReaderOpinion } from '../../../engine/module/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { certifier, NOW, whitelist } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';

const reportOf = (text: string) => inspectModule(nodeCrypto, assemble(text));
const request = (report: ModuleReport) =>
  certify(nodeCrypto, { report, artifactName: 'a.wasm', whitelist, certifier, issuedAt: NOW });
const pure = () => reportOf('(module (import "mashin" "get_input_len" (func (result i32))))');

describe('certify', () => {
  test('issues nothing for an import outside the whitelist, and names each of them', async () => {
    const result = await request(
      reportOf(`(module
        (import "env" "now" (func (result i64)))
        (import "mashin" "get_input_len" (func (result i32)))
        (import "env" "memory" (memory 1)))`),
    );
    assert.ok(!result.certified && result.reason === 'impure');
    assert.deepEqual(
      result.impure.map((entry) => `${entry.module}.${entry.name} ${entry.kind}`),
      ['env.now function', 'env.memory memory'],
    );
  });

  test('issues nothing for a listed name with another type or kind', async () => {
    for (const text of [
      '(module (import "mashin" "get_input_len" (func (result i64))))',
      '(module (import "mashin" "get_input_len" (func)))',
      '(module (import "mashin" "get_input_len" (memory 1)))',
      '(module (import "mashin" "get_input_len" (global i32)))',
    ]) {
      const result = await request(reportOf(text));
      assert.ok(!result.certified && result.reason === 'impure', text);
    }
  });

  test('needs two readers that read the imports; one that could not is no opinion', async () => {
    const report = pure();
    const opinions = (second: ReaderOpinion['outcome'], third: ReaderOpinion['outcome']) =>
      [
        { reader: 'walker', outcome: 'agrees' },
        { reader: 'wasmparser', outcome: second, detail: 'stated by the test' },
        { reader: 'webassemblyjs', outcome: third, detail: 'stated by the test' },
      ] as readonly ReaderOpinion[];
    const outcome = async (readers: readonly ReaderOpinion[]) =>
      (await request({ ...report, readers })).certified;
    assert.equal(await outcome(opinions('agrees', 'cannot-read')), true);
    assert.equal(await outcome(opinions('cannot-read', 'agrees')), true);
    assert.equal(await outcome(opinions('cannot-read', 'cannot-read')), false);
    await assert.rejects(
      request({ ...report, readers: opinions('agrees', 'disagrees') }),
      (error) => {
        assert.ok(error instanceof InputError);
        assert.equal(error.code, 'reader-disagreement');
        return true;
      },
    );
  });

  test('a certificate depends on its inputs alone', async () => {
    const [a, b] = [await request(pure()), await request(pure())];
    assert.ok(a.certified && b.certified);
    assert.deepEqual(a.bytes, b.bytes);
  });
});
