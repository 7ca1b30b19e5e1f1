// Runs directives with effects, and ends its own process at the n-th moment of them:
// kill-program.ts FOLDER RUN MOMENT. A moment is before or after a stage, before, within and after an
// effect, and before and after what makes the receipt durable. Prints how many moments there were.

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EffectHandler, performed } from '../../../engine/governance/effect.ts';
import type { Hook } from '../../../engine/governance/hook.ts';
import { governedRun } from '../../../engine/governed/run.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../../engine/platform/node/run-journal.ts';
import type { RunJournal } from '../../../engine/provenance/journal.ts';
import type { ReceiptStore } from '../../../engine/provenance/store.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { RELAY } from '../../support/relay.ts';
import { ENVIRONMENT } from '../provenance/fixtures.ts';
import { admit } from '../runtime/executors.ts';

const [folder = '.', run = '0', moment = '0'] = process.argv.slice(2);
const receiptsFolder = join(folder, 'receipts');

let moments = 0;
function pass(): void {
  if (++moments === Number(moment)) process.kill(process.pid, 'SIGKILL');
}

/** An effect: a line in a file, of which every one tells its directive. */
const effects: EffectHandler = {
  tags: ['memory_op', 'http_request'],
  capability: 'memory',
  perform: async ({ directive }) => {
    pass();
    appendFileSync(join(folder, 'effects'), `${JSON.stringify(directive.id)}\n`);
    pass();
    return performed({ id: directive.id ?? null });
  },
};

const hook = (name: string): Hook => ({
  name,
  ask: async ({ directive }) => {
    pass();
    const isHeld = name === 'guardrail' && directive.id === `${run}.withheld`;
    return { artifactHash: null, verdict: isHeld ? 'deny' : 'allow' };
  },
});

/** The store and the journal, with moments around what they do. */
function watchedStore(store: ReceiptStore): ReceiptStore {
  return {
    ...store,
    open: (name) => {
      const chain = store.open(name);
      return {
        ...chain,
        append: async (make) => {
          pass();
          const appended = await chain.append(async (tip) => {
            pass();
            const written = await make(tip);
            pass();
            return written;
          });
          pass();
          return appended;
        },
      };
    },
  };
}

function watchedJournal(journal: RunJournal): RunJournal {
  return {
    ...journal,
    open: async (name, about) => {
      const open = await journal.open(name, about);
      pass();
      const around =
        <Args extends readonly unknown[]>(act: (...args: Args) => void) =>
        (...args: Args) => {
          pass();
          act(...args);
          pass();
        };
      return {
        begin: around(open.begin),
        decide: around(open.decide),
        commit: around(open.commit),
        close: async () => {
          pass();
          await open.close();
          pass();
        },
        leave: open.leave,
      };
    },
  };
}

const store = (key: string) => ({
  ...{ type: 'memory_op', operation: 'MemStore', key, value: 1, id: `${run}.${key}` },
});
const directives = [
  store('first'),
  { type: 'emit_event', event_type: 'progress', payload: 1 },
  store('second'),
  store('withheld'),
  store('never'),
];

await governedRun(
  {
    crypto: nodeCrypto,
    isolation: inThread,
    receipts: watchedStore(fileReceiptStore(nodeCrypto, receiptsFolder)),
    journal: watchedJournal(fileRunJournal(nodeCrypto, receiptsFolder)),
    environment: ENVIRONMENT,
  },
  {
    ...{ name: 'relay', version: '1.0.0', limits: DEFAULT_LIMITS },
    executor: await admit(RELAY),
    input: { context: { directives } },
    policy: { trust: 'system', declared: [], grants: new Set(['memory']) },
    means: {
      handlers: new Map(effects.tags.map((tag) => [tag, effects])),
      preHooks: [hook('hook')],
      guardrails: [hook('guardrail')],
    },
    observer: pass,
  },
);
process.stdout.write(String(moments));
