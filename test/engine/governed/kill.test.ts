// A run that performs effects is killed between any two stages: every effect that happened has exactly
// one entry in a receipt all the same, and no entry tells of an effect that cannot have happened.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { recordInterrupted } from '../../../engine/governed/recovery.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../../engine/platform/node/run-journal.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { bundleProgram } from '../../support/bundled-program.ts';
import { crypto, ENVIRONMENT, TRUST } from '../provenance/fixtures.ts';
import { temporaryFolder } from '../provenance/store-harness.ts';

const KEYS = ['first', 'second', 'withheld', 'never'];

/** What identifies the directive of a run in receipts. */
function hashOf(run: number, key: string): string {
  const directive = {
    type: 'memory_op',
    operation: 'MemStore',
    key,
    value: 1,
    id: `${run}.${key}`,
  };
  return crypto.sha256(canonicalBytes(directive));
}

test('a run is killed at each of its moments, and whoever comes next records what it did', async (t) => {
  const program = await bundleProgram(t, '../engine/governed/kill-program.ts');
  const moments = Number(await program.run(process.execPath, [temporaryFolder(), '0', '0']));
  assert.ok(moments > 40, `${moments} moments`);
  const folder = temporaryFolder();
  const receiptsFolder = join(folder, 'receipts');
  let killed = 0;
  for (let moment = 1; moment <= moments; moment++) {
    await program.run(process.execPath, [folder, String(moment), String(moment)]).catch((error) => {
      assert.equal(error.signal, 'SIGKILL', String(error));
      killed++;
    });
  }
  assert.ok(killed >= moments - 2, `${killed} of ${moments} were killed`);

  const receipts = fileReceiptStore(crypto, receiptsFolder);
  const journal = fileRunJournal(crypto, receiptsFolder);
  const services = { crypto, receipts, journal, environment: ENVIRONMENT };
  await recordInterrupted(services, 'relay');
  const recorded: Receipt[] = [];
  const verdict = await verifyStoredChain(crypto, receipts.open('relay'), TRUST, (receipt) => {
    recorded.push(receipt);
  });
  assert.equal(verdict.verdict, 'valid');
  assert.deepEqual(await recordInterrupted(services, 'relay'), []);
  assert.deepEqual(readdirSync(join(receiptsFolder, 'relay.open')), []);

  const happened = existsSync(join(folder, 'effects'))
    ? readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n')
    : [];
  assert.equal(new Set(happened).size, happened.length);
  const entries = recorded.flatMap(({ directives }) => directives);
  const counts = { performed: 0, withheld: 0, attempted: 0 };
  for (let run = 1; run <= moments; run++) {
    for (const key of KEYS) {
      const found = entries.filter(({ hash }) => hash === hashOf(run, key));
      const didHappen = happened.includes(JSON.stringify(`${run}.${key}`));
      // A run that was killed before its first effect has nothing to record.
      assert.ok(found.length <= 1, `${found.length} entries for ${run}.${key}`);
      const decision = found[0]?.decision;
      if (didHappen) {
        assert.ok(decision !== undefined && Object.hasOwn(counts, decision), `${run}.${key}`);
      } else {
        assert.ok(decision !== 'performed' && decision !== 'withheld', `${run}.${key}`);
      }
      if (decision !== undefined && Object.hasOwn(counts, decision)) {
        counts[decision as keyof typeof counts]++;
      }
    }
  }
  t.diagnostic(`${moments} moments: ${JSON.stringify(counts)}`);
  assert.ok(counts.performed > 0 && counts.withheld > 0 && counts.attempted > 0);
});
