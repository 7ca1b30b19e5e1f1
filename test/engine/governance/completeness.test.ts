// Governance completeness: what is performed is what a model of fifty lines allows, each with exactly
// one entry in the receipt, and nothing else happens.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { createBudgets } from '../../../engine/governance/budgets.ts';
import { type EffectHandler, performed, refused } from '../../../engine/governance/effect.ts';
import type { Hook } from '../../../engine/governance/hook.ts';
import { TRUST_LEVELS } from '../../../engine/governance/trust.ts';
import type { Means, Policy } from '../../../engine/governance/types.ts';
import { governedRun } from '../../../engine/governed/run.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS, type Directive } from '../../../engine/runtime/types.ts';
import { CAPABILITIES, DIRECTIVES } from '../../../engine/whitelist/directives.ts';
import { RELAY } from '../../support/relay.ts';
import { crypto, ENVIRONMENT } from '../provenance/fixtures.ts';
import { admit } from '../runtime/executors.ts';
import { memoryJournal } from './memory-journal.ts';
import { type ModelDirective, type ModelPolicy, performedByModel } from './reference-model.ts';
import { wellFormed } from './well-formed.ts';

const TAGS = [...DIRECTIVES.keys()];

const directive: fc.Arbitrary<ModelDirective> = fc.record({
  tag: fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...TAGS) }, fc.constant('launch')),
  isWellFormed: fc.oneof({ weight: 14, arbitrary: fc.constant(true) }, fc.constant(false)),
  handler: fc.oneof(
    { weight: 8, arbitrary: fc.constant('covers' as const) },
    fc.constantFrom(undefined, 'judges-out' as const, 'refuses' as const),
  ),
  hook: fc.oneof(
    { weight: 14, arbitrary: fc.constant('allow' as const) },
    fc.constant('deny' as const),
  ),
  guardrail: fc.oneof(
    { weight: 14, arbitrary: fc.constant('allow' as const) },
    fc.constant('deny' as const),
  ),
});

const many = fc.subarray([...CAPABILITIES], { minLength: 2 });

const policy: fc.Arbitrary<ModelPolicy> = fc.record({
  trust: fc.integer({ min: 0, max: 5 }),
  declared: many,
  grants: many,
  phase: fc.option(fc.subarray(TAGS, { minLength: 8 }), { nil: undefined }),
  calls: fc.dictionary(fc.constantFrom(...CAPABILITIES), fc.integer({ min: 0, max: 3 }), {
    maxKeys: 2,
  }),
});

/** The n-th directive of a list, told from every other one by a parameter of its own. */
function directiveOf({ tag, isWellFormed }: ModelDirective, n: number): Directive {
  if (tag === 'launch') return { type: tag, n };
  const base = wellFormed(tag);
  const capability = DIRECTIVES.get(tag)?.capability ?? null;
  const marked =
    capability === null ? { ...base, ...markOf(tag, n) } : { ...base, id: `effect-${n}` };
  return isWellFormed ? marked : { ...marked, unheard_of: true };
}

function markOf(tag: string, n: number): object {
  if (tag === 'record_step') return { output: n };
  return tag === 'broadcast' ? { event: n } : { payload: n };
}

/** Handlers and hooks that do as the model says of the directive they are asked about. */
function worldOf(list: readonly ModelDirective[], directives: readonly Directive[]) {
  const happened: number[] = [];
  const hashes = directives.map((each) => crypto.sha256(canonicalBytes(each)));
  const placeOf = (asked: Directive) => hashes.indexOf(crypto.sha256(canonicalBytes(asked)));
  const modelOf = (asked: Directive) => list[placeOf(asked)];
  const handlers = new Map<string, EffectHandler>();
  for (const { tag, handler } of list) {
    const kind = DIRECTIVES.get(tag);
    if (kind === undefined || handler === undefined || handlers.has(tag)) continue;
    handlers.set(tag, {
      tags: [tag],
      capability: kind.capability,
      judge: (asked) =>
        modelOf(asked)?.handler === 'judges-out' ? { code: 'not-granted', message: '' } : undefined,
      perform: async ({ directive: asked }) => {
        if (modelOf(asked)?.handler === 'refuses') return refused('not-granted', '');
        happened.push(placeOf(asked));
        return performed({ done: placeOf(asked) });
      },
    });
  }
  const hook = (name: 'hook' | 'guardrail'): Hook => ({
    name,
    ask: async ({ directive: asked }) => ({
      artifactHash: null,
      verdict: modelOf(asked)?.[name] ?? 'deny',
    }),
  });
  const means: Means = { handlers, preHooks: [hook('hook')], guardrails: [hook('guardrail')] };
  return { means, happened };
}

test('what is performed is what the model allows, with exactly one entry each', async () => {
  const executor = await admit(RELAY);
  const seen = { lists: 0, performed: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(directive, { maxLength: 8 }), policy, async (given, model) => {
      // A tag has one handler, or none: the first of its directives says which.
      const first = new Map<string, ModelDirective>();
      for (const each of given) if (!first.has(each.tag)) first.set(each.tag, each);
      const list = given.map((each) => {
        const hasHandler = first.get(each.tag)?.handler !== undefined;
        const free = DIRECTIVES.get(each.tag)?.capability === null;
        const handler = hasHandler ? (each.handler ?? 'covers') : undefined;
        return { ...each, handler: free && handler !== undefined ? ('covers' as const) : handler };
      });
      const directives = list.map(directiveOf);
      const { means, happened } = worldOf(list, directives);
      const budgets = createBudgets(
        Object.fromEntries(Object.entries(model.calls).map(([name, calls]) => [name, { calls }])),
      );
      const governed: Policy = {
        trust: TRUST_LEVELS[model.trust] ?? 'untrusted',
        declared: CAPABILITIES.filter((each) => model.declared.includes(each)),
        grants: new Set(CAPABILITIES.filter((each) => model.grants.includes(each))),
        phase: model.phase && { name: 'p', directives: new Set(model.phase) },
      };
      const receipts = memoryReceiptStore();
      const report = await governedRun(
        {
          crypto,
          isolation: inThread,
          receipts,
          environment: ENVIRONMENT,
          journal: memoryJournal(),
        },
        {
          ...{ executor, name: 'relay', version: '1.0.0', limits: DEFAULT_LIMITS },
          input: { context: { directives } },
          policy: governed,
          means: { ...means, budgets },
        },
      );
      const allowed = performedByModel(list, model);
      assert.deepEqual(happened, allowed);
      const { receipt } = report;
      assert.equal(receipt.directives.length, directives.length);
      const entries = receipt.directives.flatMap(({ decision, hash }, place) => {
        assert.equal(hash, crypto.sha256(canonicalBytes(directives[place] ?? null)));
        return decision === 'performed' || decision === 'withheld' ? [place] : [];
      });
      assert.deepEqual(entries, allowed);
      seen.lists++;
      seen.performed += allowed.length;
    }),
    { numRuns: 2_000 },
  );
  // The policies must not be so strict that nothing ever happens.
  assert.ok(seen.performed > seen.lists / 4, `${seen.performed} effects in ${seen.lists} lists`);
});
