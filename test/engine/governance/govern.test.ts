import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { govern } from '../../../engine/governance/govern.ts';
import type { Hook, HookAnswer, HookQuestion } from '../../../engine/governance/hook.ts';
import { allowed, TRUST_LEVELS } from '../../../engine/governance/trust.ts';
import type { GovernanceEvent, Means, Policy } from '../../../engine/governance/types.ts';
import type { Directive } from '../../../engine/runtime/types.ts';
import { CAPABILITIES, DIRECTIVES } from '../../../engine/whitelist/directives.ts';
import { WELL_FORMED, wellFormed } from './well-formed.ts';

const REVIEWED: Policy = {
  trust: 'reviewed',
  declared: ['net.http', 'machine.call'],
  grants: new Set(),
};
const HTTP = wellFormed('http_request');
const CALL = wellFormed('call_machine');
const EXEC = wellFormed('exec_command');

/** Governs without any means to perform. */
function hooked(hooks: Pick<Means, 'preHooks' | 'guardrails'>): Means {
  return { handlers: new Map(), ...hooks };
}

/** A hook of the test's own: a text denies. */
function hook(name: string, check: (question: HookQuestion) => string | undefined): Hook {
  const answer = (reason: string | undefined): HookAnswer =>
    reason === undefined
      ? { artifactHash: null, verdict: 'allow' }
      : { artifactHash: null, verdict: 'deny', reason };
  return { name, ask: async (question) => answer(check(question)) };
}

async function decide(directives: readonly Directive[], policy = REVIEWED, means?: Means) {
  const decisions = await govern(nobleCrypto, directives, { policy, means });
  return decisions.map(({ decision, stage, reason }) => [decision, stage, reason].join(' '));
}

async function trace(directives: readonly Directive[], means?: Means) {
  const events: GovernanceEvent[] = [];
  const observer = (event: GovernanceEvent) => void events.push(event);
  await govern(nobleCrypto, directives, { policy: REVIEWED, means, observer });
  return events.map(({ index, stage, outcome }) => `${index} ${stage} ${outcome}`);
}

test('every directive at every trust level is recorded or denied as Allowed says', async () => {
  for (const trust of TRUST_LEVELS) {
    for (const declared of [[], ...CAPABILITIES.map((capability) => [capability]), CAPABILITIES]) {
      for (const directive of WELL_FORMED.values()) {
        const capability = DIRECTIVES.get(directive.type)?.capability ?? null;
        const policy = { trust, declared, grants: new Set<never>() };
        const [decision] = await govern(nobleCrypto, [directive], { policy });
        if (capability === null || allowed(trust, capability, declared)) {
          assert.equal(decision?.decision, 'recorded');
        } else {
          assert.equal(decision?.decision, 'denied');
          assert.equal(decision?.reason, `CapabilityDenied(${capability}, ${trust})`);
        }
      }
    }
  }
});

test('trust denies what the level can never hold, permission what is not declared', async () => {
  assert.deepEqual(await decide([HTTP], { ...REVIEWED, trust: 'tested' }), [
    'denied trust CapabilityDenied(net.http, tested)',
  ]);
  assert.deepEqual(await decide([EXEC]), [
    'denied permission CapabilityDenied(compute.exec, reviewed)',
  ]);
});

test('an allowed directive is recorded, and says why it was not performed', async () => {
  assert.deepEqual(await decide([HTTP, wellFormed('broadcast')]), [
    'recorded execute NotGranted(net.http)',
    'recorded execute NoHandler(broadcast)',
  ]);
  assert.deepEqual(await decide([HTTP], { ...REVIEWED, grants: new Set(['net.http']) }), [
    'recorded execute NoHandler(http_request)',
  ]);
});

test('a grant allows nothing that trust or permission denies', async () => {
  const grants = new Set(CAPABILITIES);
  assert.deepEqual(await decide([wellFormed('code_eval')], { ...REVIEWED, grants }), [
    'denied permission CapabilityDenied(compute.exec, reviewed)',
  ]);
  assert.deepEqual(await decide([HTTP], { trust: 'untrusted', declared: CAPABILITIES, grants }), [
    'denied trust CapabilityDenied(net.http, untrusted)',
  ]);
});

test('a command is performed at trust level system alone, and recorded below it without a grant', async () => {
  const declared = CAPABILITIES;
  const grants = new Set(CAPABILITIES);
  for (const trust of TRUST_LEVELS) {
    const [granted] = await decide([EXEC], { trust, declared, grants });
    assert.equal(
      granted,
      trust === 'system'
        ? 'recorded execute NoHandler(exec_command)'
        : `denied trust CapabilityDenied(compute.exec, ${trust})`,
    );
  }
  assert.deepEqual(await decide([EXEC], { trust: 'reviewed', declared, grants: new Set() }), [
    'recorded execute NotGranted(compute.exec)',
  ]);
});

test('the list stops at the first denial, and later directives are skipped', async () => {
  assert.deepEqual(await decide([CALL, EXEC, HTTP, EXEC]), [
    'recorded execute NotGranted(machine.call)',
    'denied permission CapabilityDenied(compute.exec, reviewed)',
    'skipped permission SkippedAfterDenial(2)',
    'skipped permission SkippedAfterDenial(2)',
  ]);
});

test('an unknown tag is denied and made safe to show', async () => {
  assert.deepEqual(await decide([{ type: 'launch' }]), [
    'denied trust DirectiveNotImplemented(launch)',
  ]);
  assert.deepEqual(await decide([{ type: '__proto__' }]), [
    'denied trust DirectiveNotImplemented(__proto__)',
  ]);
  assert.deepEqual(await decide([{ type: 'a\u202e\n' }]), [
    'denied trust DirectiveNotImplemented(a\\u{202e}\\u{a})',
  ]);
  const endless = [{ type: 'x'.repeat(1_000_000) }];
  const [long] = await govern(nobleCrypto, endless, { policy: REVIEWED });
  assert.ok((long?.reason ?? '').length < 100);
});

test('a malformed directive is denied whatever the trust', async () => {
  assert.deepEqual(
    await decide([{ type: 'http_request', url: 'https://a.example/' }], {
      ...REVIEWED,
      trust: 'system',
    }),
    ['denied trust InvalidDirective(http_request: "method" is missing)'],
  );
});

test('pre-hooks are asked in order, and the first denial stops all that follows', async () => {
  const asked: string[] = [];
  const asking = (name: string, answer?: string) =>
    hook(name, ({ directive: { type } }) => {
      asked.push(`${name} ${type}`);
      return type === 'http_request' ? answer : undefined;
    });
  const means = hooked({ preHooks: [asking('a'), asking('b', 'not on a Friday'), asking('c')] });
  assert.deepEqual(await decide([CALL, HTTP, CALL], REVIEWED, means), [
    'recorded execute NotGranted(machine.call)',
    'denied pre-hooks HookDenied(b: not on a Friday)',
    'skipped pre-hooks SkippedAfterDenial(2)',
  ]);
  assert.deepEqual(asked, [
    'a call_machine',
    'b call_machine',
    'c call_machine',
    'a http_request',
    'b http_request',
  ]);
});

test('a hook that throws or answers nonsense denies', async () => {
  const asks: readonly unknown[] = [
    () => {
      throw new Error('lost');
    },
    () => Promise.reject(new Error('lost')),
    () => undefined,
    async () => undefined,
    async () => ({ artifactHash: null, verdict: 'yes' }),
    async () => ({ artifactHash: null, verdict: 'allowed', reason: 'x' }),
  ];
  for (const ask of asks) {
    const failing = { name: 'h', ask } as Hook;
    assert.deepEqual(await decide([CALL], REVIEWED, hooked({ preHooks: [failing] })), [
      'denied pre-hooks HookFailed(h)',
    ]);
    assert.deepEqual(await decide([CALL], REVIEWED, hooked({ guardrails: [failing] })), [
      'denied guardrails HookFailed(h)',
    ]);
  }
});

test('guardrails judge what execute did', async () => {
  const guardrails = [
    hook('only-granted', ({ effect }) =>
      effect?.reason?.startsWith('NotGranted') ? 'no grant' : undefined,
    ),
  ];
  assert.deepEqual(
    await decide([wellFormed('broadcast'), CALL, HTTP], REVIEWED, hooked({ guardrails })),
    [
      'recorded execute NoHandler(broadcast)',
      'denied guardrails HookDenied(only-granted: no grant)',
      'skipped guardrails SkippedAfterDenial(2)',
    ],
  );
});

test('an observer sees the stages in order; provenance and broadcast run also after a denial', async () => {
  assert.deepEqual(await trace([CALL, EXEC, HTTP]), [
    '0 trust passed',
    '0 permission passed',
    '0 execute passed',
    '0 provenance passed',
    '0 broadcast passed',
    '1 trust passed',
    '1 permission denied',
    '1 provenance passed',
    '1 broadcast passed',
    '2 provenance passed',
    '2 broadcast passed',
  ]);
  const both = [hook('h', () => undefined)];
  assert.deepEqual(await trace([CALL], hooked({ preHooks: both, guardrails: both })), [
    '0 trust passed',
    '0 permission passed',
    '0 pre-hooks passed',
    '0 execute passed',
    '0 guardrails passed',
    '0 provenance passed',
    '0 broadcast passed',
  ]);
});

test('an observer that throws or rejects changes nothing', async () => {
  const governed = (observer?: () => void) =>
    govern(nobleCrypto, [CALL, EXEC, HTTP], { policy: REVIEWED, observer });
  const plain = await governed();
  const throwing = await governed(() => {
    throw new Error('observer');
  });
  const rejecting = await governed(() => Promise.reject(new Error('observer')));
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would surface here
  assert.deepEqual(throwing, plain);
  assert.deepEqual(rejecting, plain);
});

test('the hash of a decision is the SHA-256 of the canonical directive', async () => {
  const directive: Directive = { url: 'u', type: 'http_request', method: 'GET' };
  const [decision] = await govern(nobleCrypto, [directive], { policy: REVIEWED });
  const canonical = '{"method":"GET","type":"http_request","url":"u"}';
  assert.equal(decision?.hash, createHash('sha256').update(canonical).digest('hex'));
});
