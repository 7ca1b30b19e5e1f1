// What the interpreter adds to an effect: a directive through all stages, with its journal on disk, its
// budget, three secrets to take out and its result hashed, beside the time of the handler itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUtf8 } from '../engine/encoding/utf8.ts';
import { createBudgets } from '../engine/governance/budgets.ts';
import { type EffectHandler, performed } from '../engine/governance/effect.ts';
import { govern } from '../engine/governance/govern.ts';
import { createRedactor } from '../engine/governance/redact.ts';
import type { Means, Policy } from '../engine/governance/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { grantsOf } from '../engine/platform/node/effects/grants.ts';
import { createHttpHandler } from '../engine/platform/node/effects/http.ts';
import { createMemoryHandler } from '../engine/platform/node/effects/sqlite/memory.ts';
import { fileRunJournal } from '../engine/platform/node/run-journal.ts';
import { receiptDirective } from '../engine/provenance/build.ts';
import type { JournalledRun } from '../engine/provenance/journal.ts';
import type { Directive } from '../engine/runtime/types.ts';
import { CAPABILITIES, type Capability } from '../engine/whitelist/directives.ts';
import { printReport } from './report.ts';
import { quantile, wallTime } from './turns.ts';

const WARMUP = 20;
const ROUNDS = 200;
/** Directives of a long list. */
const MANY = 20;

const POLICY: Policy = { trust: 'system', declared: [], grants: new Set(CAPABILITIES) };
const CALLER = {
  executor: 'bench@1.0.0',
  artifactHash: nodeCrypto.sha256(encodeUtf8('a')),
  depth: 0,
};
const signal = new AbortController().signal;

const folder = mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
const journal = fileRunJournal(nodeCrypto, folder);
const redactor = createRedactor();
for (const n of [1, 2, 3]) redactor.learn(`S${n}`, `secret-value-${n}-of-the-bench`);

const server = createServer((_, response) => {
  response.setHeader('content-type', 'application/json');
  response.end('{"answer":42}');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

function grantOf<Name extends Capability>(capability: Name, scope: string) {
  const grant = grantsOf({}, [{ capability, scope }], folder)[capability];
  if (grant === undefined) throw new Error(`no grant of ${capability}`);
  return grant;
}

const nothing: EffectHandler = {
  tags: ['mcp_call'],
  capability: 'machine.call',
  perform: async () => performed({ done: true }, { bytes: 10 }),
};
/** The benchmarks are bundled into a folder of the one that they measure. */
const scripts = {
  worker: new URL('../sqlite-worker.js', import.meta.url),
  library: new URL('../sqlite/', import.meta.url),
};
const memory = createMemoryHandler(grantOf('memory', 'memory.sqlite'), { base: folder, scripts });
const http = createHttpHandler(grantOf('net.http', `127.0.0.1:${port}`), {
  secrets: { get: async () => undefined },
});

/** One effect, and the handler that performs it. */
const EFFECTS: readonly (readonly [string, EffectHandler, Directive])[] = [
  ['an effect that does nothing', nothing, { type: 'mcp_call', server: 's', tool: 't', args: {} }],
  [
    'memory_op MemStore, SQLite',
    memory,
    { type: 'memory_op', operation: 'MemStore', key: 'k', value: { topic: 'refund', turns: 3 } },
  ],
  [
    'http_request GET, loopback',
    http,
    { type: 'http_request', method: 'GET', url: `http://127.0.0.1:${port}/` },
  ],
];

/** A run as the journal is told of it. */
function runOf(directives: readonly Directive[]): JournalledRun {
  const hash = CALLER.artifactHash;
  return {
    executor: CALLER.executor,
    inputHash: hash,
    admitted: {
      ...{ artifactHash: hash, certificateHash: hash, whitelistHash: hash },
      ...{ purityMethod: 'wasm_certified', tier: 1 },
    },
    outcome: { output: undefined, fuel: { limit: 1, used: 1 }, directives },
  };
}

async function governed(handler: EffectHandler, directives: readonly Directive[]): Promise<void> {
  const means: Means = {
    handlers: new Map(handler.tags.map((tag) => [tag, handler])),
    budgets: createBudgets({ [handler.capability ?? 'memory']: { calls: 1_000, bytes: 1e9 } }),
    redact: (value) => redactor.redact(value),
  };
  let close = async () => {};
  const decisions = await govern(nodeCrypto, directives, {
    ...{ policy: POLICY, means, caller: CALLER, signal },
    effectIdOf: (_, index) => `effect-${index}`,
    openJournal: async () => {
      const open = await journal.open('bench', runOf(directives));
      close = open.close;
      return {
        begin: open.begin,
        decide: (i, decision) => open.decide(i, receiptDirective(decision)),
      };
    },
  });
  await close();
  if (decisions.some(({ decision, reason }) => decision !== 'performed' || reason !== undefined)) {
    throw new Error(`not performed: ${JSON.stringify(decisions[0])}`);
  }
}

/** A handler that adds up the microseconds which it takes itself, to judge a directive and to perform it. */
function timed(handler: EffectHandler): { readonly handler: EffectHandler; take(): number } {
  let taken = 0;
  const perform: EffectHandler['perform'] = async (request) => {
    const start = wallTime();
    const outcome = await handler.perform(request);
    taken += wallTime() - start;
    return outcome;
  };
  const judge: EffectHandler['judge'] = (directive) => {
    const start = wallTime();
    const refusal = handler.judge?.(directive);
    taken += wallTime() - start;
    return refusal;
  };
  return {
    handler: { ...handler, perform, judge },
    take: () => {
      const before = taken;
      taken = 0;
      return before;
    },
  };
}

/** What governing a list adds to its effects, in microseconds, round by round; and the effects alone. */
async function measure(handler: EffectHandler, directives: readonly Directive[]) {
  const watched = timed(handler);
  const own: number[] = [];
  const added: number[] = [];
  for (let round = 0; round < WARMUP + ROUNDS; round++) {
    const start = wallTime();
    await governed(watched.handler, directives);
    const all = wallTime() - start;
    const inside = watched.take();
    if (round < WARMUP) continue;
    own.push(inside / directives.length);
    added.push((all - inside) / directives.length);
  }
  return { own: quantile(own, 0.5), added: quantile(added, 0.5) };
}

const rows: (string | number)[][] = [];
try {
  for (const [name, handler, directive] of EFFECTS) {
    const many = await measure(
      handler,
      Array.from({ length: MANY }, () => directive),
    );
    const one = await measure(handler, [directive]);
    // What the journal's file costs a run, once: what the first directive has more than the others.
    const further = (MANY * many.added - one.added) / (MANY - 1);
    rows.push([name, ...[many.own, many.added, further, one.added].map((n) => n.toFixed(1))]);
  }
} finally {
  await Promise.all([memory.close?.(), http.close?.()]);
  server.close();
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
}

printReport({
  name: 'governance',
  columns: ['effect', 'the effect µs', 'added µs', 'each further µs', 'a list of one µs'],
  rows,
  note: `Medians, a directive. "added" is a directive's share of what governing a list of ${MANY} takes beside its
effects, the run's journal included, which is made durable once; bound 100. "each further" is what one
more directive adds, "a list of one" all of it, the durable write included, for a single directive.`,
});
