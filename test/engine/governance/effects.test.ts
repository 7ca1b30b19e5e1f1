// The interpreter with handlers: what is performed, what it costs, what is kept back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sha256 } from '../../../engine/crypto/crypto.ts';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { canonicalBytes, type JsonValue } from '../../../engine/encoding/json.ts';
import { createBudgets } from '../../../engine/governance/budgets.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  performed,
  refused,
} from '../../../engine/governance/effect.ts';
import { type Governing, govern } from '../../../engine/governance/govern.ts';
import type { Hook, HookVerdict } from '../../../engine/governance/hook.ts';
import type { Decision, Means, Policy } from '../../../engine/governance/types.ts';
import type { Directive } from '../../../engine/runtime/types.ts';
import { CAPABILITIES } from '../../../engine/whitelist/directives.ts';
import { wellFormed } from './well-formed.ts';

const HTTP = wellFormed('http_request');
const MEMORY = wellFormed('memory_op');
const CALL = wellFormed('call_machine');

const POLICY: Policy = {
  trust: 'reviewed',
  declared: CAPABILITIES,
  grants: new Set(['net.http', 'memory']),
};

type Perform = (request: EffectRequest) => EffectOutcome | Promise<EffectOutcome>;

function handler(tag: string, perform: Perform, more: Partial<EffectHandler> = {}): EffectHandler {
  return { tags: [tag], capability: 'net.http', perform: async (r) => perform(r), ...more };
}

function meansOf(...handlers: readonly EffectHandler[]): Means {
  return {
    handlers: new Map(handlers.flatMap((each) => each.tags.map((tag) => [tag, each] as const))),
  };
}

function run(directives: readonly Directive[], means: Means, more: Partial<Governing> = {}) {
  return govern(nobleCrypto, directives, { policy: POLICY, means, ...more });
}

function told({ decision, stage, reason }: Decision): string {
  return [decision, stage, reason].filter((part) => part !== undefined).join(' ');
}

const OK = handler('http_request', () => performed({ status: 200 }));

test('a granted directive is performed, and its result hashed', async () => {
  const [decision] = await run([HTTP], meansOf(OK));
  assert.deepEqual(decision, {
    directive: HTTP,
    hash: nobleCrypto.sha256(canonicalBytes(HTTP)),
    decision: 'performed',
    stage: 'execute',
    result: { status: 200 },
    resultHash: nobleCrypto.sha256(canonicalBytes({ status: 200 })),
  });
});

test('without a grant, or without a handler, nothing is called', async () => {
  const calls: string[] = [];
  const spy = (tag: string) =>
    handler(tag, () => {
      calls.push(tag);
      return performed(null);
    });
  const means = meansOf(spy('call_machine'), spy('http_request'));
  const decisions = await run([CALL, MEMORY, HTTP], means);
  assert.deepEqual(decisions.map(told), [
    'recorded execute NotGranted(machine.call)',
    'recorded execute NoHandler(memory_op)',
    'performed execute',
  ]);
  assert.deepEqual(calls, ['http_request']);
});

test('a failure is data: the executor sees it, the receipt names its code, the list goes on', async () => {
  const means = meansOf(
    handler('http_request', () => failed('timeout', 'the server did not answer')),
    handler('memory_op', () => performed(1)),
  );
  const [http, memory] = await run([HTTP, MEMORY], means);
  assert.ok(http && memory);
  assert.equal(told(http), 'performed execute EffectFailed(timeout)');
  const result = { error: { code: 'timeout', message: 'the server did not answer' } };
  assert.deepEqual(http.result, result);
  assert.equal(http.resultHash, nobleCrypto.sha256(canonicalBytes(result)));
  assert.equal(told(memory), 'performed execute');
});

test('a handler that rejects, throws or answers what is no JSON has failed', async () => {
  const hostile: readonly Perform[] = [
    () => Promise.reject(new Error('secret path')),
    () => {
      throw new Error('secret path');
    },
    () => performed('\ud800'),
    () => performed(undefined as unknown as JsonValue),
    () => performed(Number.NaN),
  ];
  for (const perform of hostile) {
    const [decision] = await run([HTTP], meansOf(handler('http_request', perform)));
    assert.match(
      told(decision as Decision),
      /^performed execute EffectFailed\((handler-failed|malformed-result)\)$/,
    );
    assert.doesNotMatch(JSON.stringify(decision), /secret path/);
  }
});

test('what its grant does not cover is denied: before hooks where it can be told, else by the handler', async () => {
  const judged = { ...OK, judge: () => ({ code: 'host-not-granted', message: 'a.example' }) };
  const asked: string[] = [];
  const hook: Hook = {
    name: 'h',
    ask: async () => {
      asked.push('h');
      return { artifactHash: null, verdict: 'allow' };
    },
  };
  const early = await run([HTTP, HTTP], { ...meansOf(judged), preHooks: [hook] });
  assert.deepEqual(early.map(told), [
    'denied permission GrantRefused(host-not-granted: a.example)',
    'skipped permission SkippedAfterDenial(1)',
  ]);
  assert.deepEqual(asked, []);
  const late = handler('http_request', () => refused('address-refused', '127.0.0.1'));
  assert.deepEqual((await run([HTTP, HTTP], meansOf(late))).map(told), [
    'denied execute GrantRefused(address-refused: 127.0.0.1)',
    'skipped execute SkippedAfterDenial(1)',
  ]);
});

test('a directive out of its phase is denied', async () => {
  const phase = { name: 'gather', directives: new Set(['http_request']) };
  const decisions = await run([HTTP, MEMORY], meansOf(OK), { policy: { ...POLICY, phase } });
  assert.deepEqual(decisions.map(told), [
    'performed execute',
    'denied phase OutOfPhase(memory_op, gather)',
  ]);
});

test('budgets: calls, bytes and money, each used up by itself', async () => {
  const spending = handler('http_request', () => performed(null, { bytes: 60, money: 2 }), {
    price: () => 3,
  });
  const after = async (limits: object) => {
    const budgets = createBudgets({ 'net.http': limits });
    return (await run([HTTP, HTTP, HTTP, HTTP], { ...meansOf(spending), budgets })).map(told);
  };
  const twice = (kind: string) => [
    'performed execute',
    'performed execute',
    `denied permission BudgetOverdrawn(net.http, ${kind})`,
    'skipped permission SkippedAfterDenial(3)',
  ];
  assert.deepEqual(await after({ calls: 2 }), twice('calls'));
  assert.deepEqual(await after({ bytes: 120 }), twice('bytes'));
  // The third costs at most 3, and 2 are left.
  assert.deepEqual(await after({ money: 6 }), twice('money'));
  assert.equal((await after({})).length, 4);
});

test('a handler is told what is left, and cannot give back more than it took', async () => {
  const allowances: unknown[] = [];
  const greedy = handler('http_request', ({ allowance }) => {
    allowances.push(allowance);
    return performed(null, { bytes: -1_000, money: Number.NaN });
  });
  const budgets = createBudgets({ 'net.http': { bytes: 100, money: 10 } });
  const decisions = await run([HTTP, HTTP], { ...meansOf(greedy), budgets });
  assert.deepEqual(allowances, [{ bytes: 100, money: 10 }]);
  assert.equal(
    told(decisions[1] as Decision),
    'denied permission BudgetOverdrawn(net.http, bytes)',
  );
});

test('secrets are taken out before a result is hashed, shown to a guardrail or answered', async () => {
  const seen: unknown[] = [];
  const guardrail: Hook = {
    name: 'g',
    ask: async ({ effect }) => {
      seen.push(effect);
      return { artifactHash: null, verdict: 'allow' };
    },
  };
  const echoing = handler('http_request', () => performed({ echo: 'token hunter2' }));
  const redact = (value: JsonValue): JsonValue =>
    JSON.parse(JSON.stringify(value).replaceAll('hunter2', '[secret T]'));
  const means = { ...meansOf(echoing), redact, guardrails: [guardrail] };
  const decisions = await run([HTTP], means);
  assert.deepEqual(decisions[0]?.result, { echo: 'token [secret T]' });
  assert.equal(
    decisions[0]?.resultHash,
    nobleCrypto.sha256(canonicalBytes({ echo: 'token [secret T]' })),
  );
  assert.doesNotMatch(JSON.stringify([decisions, seen]), /hunter2/);
});

function answering(name: string, verdict: HookVerdict, hash = 'a'): Hook {
  return {
    name,
    ask: async () => ({ artifactHash: hash.repeat(64) as Sha256, verdict, reason: 'because' }),
  };
}

test('a guardrail that denies withholds the result of an effect that happened', async () => {
  const means = { ...meansOf(OK), guardrails: [answering('g', 'deny')] };
  const [first, second] = await run([HTTP, HTTP], means);
  assert.ok(first && second);
  assert.equal(told(first), 'withheld guardrails HookDenied(g: because)');
  assert.equal(first.resultHash, nobleCrypto.sha256(canonicalBytes({ status: 200 })));
  assert.deepEqual(first.result, {
    error: { code: 'withheld', message: 'a guardrail holds what came of this directive back' },
  });
  assert.deepEqual(first.hooks, [{ artifactHash: 'a'.repeat(64), verdict: 'deny' }]);
  assert.equal(told(second), 'skipped guardrails SkippedAfterDenial(1)');
});

test('review asks a person, and is a denial without one', async () => {
  const reviewed = async (review?: () => Promise<boolean>) => {
    const reviewer = review && { review };
    const means = { ...meansOf(OK), preHooks: [answering('h', 'review')], reviewer };
    const [decision] = await run([HTTP], means);
    return told(decision as Decision);
  };
  assert.equal(await reviewed(), 'denied pre-hooks ReviewUnavailable(h: because)');
  assert.equal(await reviewed(async () => true), 'performed execute');
  assert.equal(await reviewed(async () => false), 'denied pre-hooks ReviewDenied(h: because)');
  const rejecting = () => Promise.reject(new Error('closed'));
  assert.equal(await reviewed(rejecting), 'denied pre-hooks ReviewDenied(h: because)');
  const vague = (async () => 'yes') as unknown as () => Promise<boolean>;
  assert.equal(await reviewed(vague), 'denied pre-hooks ReviewDenied(h: because)');
});

test('a hook is asked about the tags that it names alone', async () => {
  const choosy = { ...answering('h', 'deny'), directives: new Set(['memory_op']) };
  const means = { ...meansOf(OK), preHooks: [choosy] };
  const decisions = await run([HTTP, MEMORY], means);
  assert.deepEqual(decisions.map(told), [
    'performed execute',
    'denied pre-hooks HookDenied(h: because)',
  ]);
  assert.equal(decisions[0]?.hooks, undefined);
});

test('the journal knows of an effect before it begins, and of what was decided before it', async () => {
  const log: string[] = [];
  const openJournal = async () => {
    log.push('open');
    return {
      begin: (index: number) => void log.push(`begin ${index}`),
      decide: (index: number, decision: Decision) =>
        void log.push(`decide ${index} ${decision.decision}`),
    };
  };
  const logging = handler('http_request', () => {
    log.push('effect');
    return performed(null);
  });
  const means = { ...meansOf(logging), guardrails: [answering('g', 'deny')] };
  const policy: Policy = { ...POLICY, grants: new Set(['net.http']) };
  const guarded = {
    ...means,
    guardrails: [{ ...answering('g', 'deny'), directives: new Set(['http_request']) }],
  };
  await run([MEMORY, HTTP, CALL], guarded, { policy, openJournal });
  assert.deepEqual(log, [
    'open',
    'decide 0 recorded',
    'begin 1',
    'effect',
    'decide 1 performed',
    'decide 1 withheld',
    'decide 2 skipped',
  ]);
});

test('an effect that the journal cannot remember does not happen', async () => {
  let happened = 0;
  const counting = handler('http_request', () => {
    happened++;
    return performed(null);
  });
  const failing = [
    async () => Promise.reject(new Error('the disk is full')),
    async () => ({
      begin: () => {
        throw new Error('the disk is full');
      },
      decide: () => {},
    }),
  ];
  for (const openJournal of failing) {
    const decisions = await run([HTTP, HTTP], meansOf(counting), { openJournal });
    assert.deepEqual(decisions.map(told), [
      'denied execute NotJournalled(http_request)',
      'skipped execute SkippedAfterDenial(1)',
    ]);
  }
  assert.equal(happened, 0);
});

test('a run that is cancelled performs nothing more', async () => {
  const abort = new AbortController();
  const cancelling = handler('http_request', ({ signal }) => {
    abort.abort();
    return signal.aborted ? failed('cancelled', 'it was cancelled') : performed(null);
  });
  const decisions = await run([HTTP, HTTP], meansOf(cancelling), { signal: abort.signal });
  assert.deepEqual(decisions.map(told), [
    'performed execute EffectFailed(cancelled)',
    'skipped trust Cancelled(govern)',
  ]);
});
