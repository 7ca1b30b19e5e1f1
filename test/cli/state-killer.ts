// Makes one stateful run, as the command line does, and ends its own process at a moment of it:
// state-killer.ts FOLDER MOMENT, where the moment is `prepared`, `recorded` or `never`.

import { join } from 'node:path';
import { withStateFile } from '../../cli/state-file.ts';
import { governedRun } from '../../engine/governed/run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { inThread } from '../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS } from '../../engine/runtime/types.ts';
import { ENVIRONMENT, TRUST } from '../engine/provenance/fixtures.ts';
import { admit } from '../engine/runtime/executors.ts';
import { COUNTER } from '../support/counter.ts';

const [folder = '.', moment = 'never'] = process.argv.slice(2);
const executor = await admit(COUNTER);
const receipts = fileReceiptStore(nodeCrypto, join(folder, 'receipts'));
const about = {
  trust: TRUST,
  executor: 'counter@1.0.0',
  admitted: executor,
  memoryProfile: undefined,
  limits: DEFAULT_LIMITS,
};

function die(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => {});
}

const report = await withStateFile(
  join(folder, 'counter.state'),
  receipts.open('counter'),
  about,
  async (state) => {
    const ended = await governedRun(
      { crypto: nodeCrypto, isolation: inThread, receipts, environment: ENVIRONMENT },
      {
        executor,
        name: 'counter',
        version: '1.0.0',
        input: {},
        limits: DEFAULT_LIMITS,
        policy: { trust: 'reviewed', declared: [], grants: new Set() },
        state: {
          ...state,
          prepare: async (snapshot) => {
            await state.prepare(snapshot);
            if (moment === 'prepared') await die();
          },
        },
      },
    );
    if (moment === 'recorded') await die();
    return ended;
  },
);
process.stdout.write(JSON.stringify(report.result));
