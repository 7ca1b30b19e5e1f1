import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { reportContradictions } from '../../../engine/audit/contradictions.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  failed,
  performed,
  refused,
} from '../../../engine/governance/effect.ts';
import type { Hook } from '../../../engine/governance/hook.ts';
import { governedRun } from '../../../engine/governed/run.ts';
import type { RunFacts } from '../../../engine/provenance/build.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { PHASES } from '../../../engine/provenance/receipt.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { RELAY } from '../../support/relay.ts';
import { memoryJournal } from '../governance/memory-journal.ts';
import { crypto, ENVIRONMENT, hashOf, makeReceipt } from '../provenance/fixtures.ts';
import { admit } from '../runtime/executors.ts';
import { decided } from './crafted.ts';

function contradictionsOf(receipt: Receipt): readonly string[] {
  const found: string[] = [];
  reportContradictions(crypto, receipt, (problem, directive) => {
    found.push(directive === undefined ? problem : `${directive}: ${problem}`);
  });
  return found;
}

const of = async (more: Partial<RunFacts>, change: Partial<Receipt> = {}) =>
  contradictionsOf({
    ...(await makeReceipt(undefined, 0, ENVIRONMENT, { decisions: [], ...more })),
    ...change,
  } as Receipt);

const result = { resultHash: hashOf('result') };
const PERFORMED = decided({ decision: 'performed', ...result });
const DENIED = decided({ decision: 'denied', reason: 'CapabilityDenied(x)' });
const SKIPPED = decided({ decision: 'skipped', reason: 'SkippedAfterDenial(1)' });
const ATTEMPTED = decided({ decision: 'attempted', reason: 'Interrupted(govern)' });
const PLANNED = PHASES.slice(0, 3);
const NO_FUEL = { output: undefined, fuel: { limit: 1, used: null } };

const WRONG: readonly (readonly [string, Partial<RunFacts>, readonly string[]])[] = [
  [
    'a run that ended ok and did not complete',
    { completed: PLANNED },
    ['it ended ok and has completed gate, instantiate, plan'],
  ],
  [
    'a trap that completed',
    { status: 'trap' },
    ['it ended trap and has completed gate, instantiate, plan, govern, record'],
  ],
  [
    'an interrupted run that did not plan',
    { status: 'interrupted', completed: [] },
    ['it ended interrupted and has completed nothing'],
  ],
  ['an answer without output', { outcome: NO_FUEL }, ['it ended ok and has no output']],
  [
    'a trap that performed effects',
    { status: 'trap', completed: PLANNED, decisions: [PERFORMED] },
    ['it ended trap, where no directive is governed, and has 1'],
  ],
  [
    'directives without a plan',
    { status: 'cancelled', completed: ['gate'], decisions: [PERFORMED] },
    ['it has directives and did not complete its plan'],
  ],
  [
    'a run that ended ok with a denial',
    { decisions: [DENIED] },
    ['1: the run ended ok, and this was denied'],
  ],
  [
    'a run that ended denied without one',
    { status: 'denied', decisions: [PERFORMED] },
    ['the run ended denied, and no directive of it was'],
  ],
  [
    'an effect after a denial',
    { status: 'denied', decisions: [DENIED, PERFORMED] },
    ['2: it is performed after the denial of directive 1'],
  ],
  [
    'a skipped directive without a denial',
    { status: 'denied', decisions: [SKIPPED, DENIED] },
    ['1: it is skipped, and nothing before it was denied'],
  ],
  [
    'an effect without a result',
    { decisions: [decided({ decision: 'performed' })] },
    ['1: it is performed without a result'],
  ],
  [
    'a denial with a result',
    { status: 'denied', decisions: [decided({ decision: 'denied', reason: 'X(y)', ...result })] },
    ['1: it is denied and has a result'],
  ],
  [
    'a record without a reason',
    { decisions: [decided({ decision: 'recorded' })] },
    ['1: it is recorded without a reason'],
  ],
  [
    'a link of what was not performed',
    {
      decisions: [
        decided({ decision: 'recorded', reason: 'X(y)', link: { receipt: hashOf('r') } }),
      ],
    },
    ['1: it is recorded and links what came of it'],
  ],
  [
    'an attempt that was not interrupted',
    { decisions: [ATTEMPTED] },
    ['1: it is attempted in a run that ended ok'],
  ],
  [
    'a failed run that changed its state',
    { status: 'trap', completed: PLANNED, state: { before: null, after: hashOf('state') } },
    ['it ended trap and has changed its state'],
  ],
];

for (const [name, more, expected] of WRONG) {
  test(`${name}: ${expected.join(', ')}`, async () => {
    assert.deepEqual(await of(more), expected);
  });
}

test('a run id that is not derived, and a timeout that tells its fuel', async () => {
  assert.deepEqual(await of({}, { epoch: 7 }), [
    'its run id is not that of its module, its input and its place in the chain',
  ]);
  const fuel = { limit: 10, used: 3 };
  assert.deepEqual(await of({ status: 'timeout', completed: ['gate'] }, { fuel }), [
    'it ended timeout, where nobody can tell the fuel, and tells it',
  ]);
});

/** What a handler can answer. */
const outcome: fc.Arbitrary<EffectOutcome | 'throws'> = fc.oneof(
  fc.constant(performed(1)),
  fc.constant({ ...performed(1), link: { receipt: hashOf('callee') } }),
  fc.constant(failed('timeout', 'no answer')),
  fc.constant(refused('not-granted', 'no')),
  fc.constant('throws' as const),
);

const directive = fc.constantFrom(
  { type: 'memory_op', operation: 'MemRecall', key: 'k' },
  { type: 'http_request', method: 'GET', url: 'https://a.example/' },
  { type: 'call_machine', machine: 'm', inputs: {} },
  { type: 'emit_event', event_type: 'e', payload: 1 },
  { type: 'exec_command', command: 'x', args: [] },
  { type: 'no_such_tag' },
  { type: 'memory_op' },
);

test('no honest run contradicts itself, whatever is asked, answered, denied or cancelled', async () => {
  const executor = await admit(RELAY);
  const statuses = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(directive, outcome), { maxLength: 6 }),
      fc.record({
        hooked: fc.constantFrom(undefined, undefined, 'allow', 'deny', 'failed'),
        guarded: fc.constantFrom(undefined, undefined, 'allow', 'deny'),
        cancelAt: fc.constantFrom(undefined, undefined, 0, 1),
        fuel: fc.constantFrom(10, 50_000_000, 50_000_000),
        budget: fc.constantFrom(undefined, undefined, undefined, { govern: 0 }),
      }),
      async (asked, { hooked, guarded, cancelAt, fuel, budget }) => {
        const abort = new AbortController();
        let place = 0;
        const handler: EffectHandler = {
          tags: ['memory_op', 'http_request', 'call_machine', 'emit_event'],
          capability: 'memory',
          perform: async () => {
            if (place === cancelAt) abort.abort();
            const answer = asked[place++ % Math.max(1, asked.length)]?.[1] ?? 'throws';
            if (answer === 'throws') throw new Error('it throws');
            return answer;
          },
        };
        const hook = (verdict: 'deny' | 'failed' | 'allow'): Hook => ({
          name: 'h',
          ask: async () => ({ artifactHash: null, verdict }),
        });
        let clock = 0;
        const { receipt } = await governedRun(
          {
            ...{ crypto, isolation: inThread, environment: ENVIRONMENT },
            receipts: memoryReceiptStore(),
            journal: memoryJournal(),
            now: () => ++clock,
          },
          {
            ...{ executor, name: 'relay', version: '1.0.0', signal: abort.signal, budget },
            limits: { ...DEFAULT_LIMITS, fuel },
            input: { context: { directives: asked.map(([each]) => each) } },
            policy: {
              trust: 'reviewed',
              declared: ['memory', 'machine.call', 'net.http'],
              grants: new Set(['memory', 'machine.call', 'net.http']),
            },
            means: {
              handlers: new Map(handler.tags.map((tag) => [tag, handler])),
              preHooks: hooked === undefined ? [] : [hook(hooked)],
              guardrails: guarded === undefined ? [] : [hook(guarded)],
            },
          },
        );
        statuses.add(receipt.status);
        assert.deepEqual(contradictionsOf(receipt), [], JSON.stringify(receipt));
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(
    ['cancelled', 'denied', 'ok', 'out-of-fuel', 'timeout'].filter((each) => !statuses.has(each)),
    [],
  );
});
