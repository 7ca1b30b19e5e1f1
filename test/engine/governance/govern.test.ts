import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { govern } from '../../../engine/governance/govern.ts';
import { allowed, TRUST_LEVELS } from '../../../engine/governance/trust.ts';
import type { GovernanceEvent, Policy } from '../../../engine/governance/types.ts';
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

function decide(directives: readonly Directive[], policy: Policy = REVIEWED) {
  return govern(nobleCrypto, directives, policy).map(({ decision, stage, reason }) =>
    [decision, stage, reason].join(' '),
  );
}

function trace(directives: readonly Directive[], policy: Policy = REVIEWED) {
  const events: GovernanceEvent[] = [];
  govern(nobleCrypto, directives, policy, (event) => events.push(event));
  return events.map(({ index, stage, outcome }) => `${index} ${stage} ${outcome}`);
}

test('every directive at every trust level is recorded or denied as Allowed says', () => {
  for (const trust of TRUST_LEVELS) {
    for (const declared of [[], ...CAPABILITIES.map((capability) => [capability]), CAPABILITIES]) {
      for (const directive of WELL_FORMED.values()) {
        const capability = DIRECTIVES.get(directive.type)?.capability ?? null;
        const [decision] = govern(nobleCrypto, [directive], { trust, declared, grants: new Set() });
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

test('trust denies what the level can never hold, permission what is not declared', () => {
  assert.deepEqual(decide([HTTP], { ...REVIEWED, trust: 'tested' }), [
    'denied trust CapabilityDenied(net.http, tested)',
  ]);
  assert.deepEqual(decide([EXEC]), ['denied permission CapabilityDenied(compute.exec, reviewed)']);
});

test('an allowed directive is recorded, and says why it was not performed', () => {
  assert.deepEqual(decide([HTTP, wellFormed('broadcast')]), [
    'recorded execute NotGranted(net.http)',
    'recorded execute NoHandler(broadcast)',
  ]);
  assert.deepEqual(decide([HTTP], { ...REVIEWED, grants: new Set(['net.http']) }), [
    'recorded execute NoHandler(http_request)',
  ]);
});

test('a grant allows nothing that trust or permission denies', () => {
  const grants = new Set(CAPABILITIES);
  assert.deepEqual(decide([EXEC], { ...REVIEWED, grants }), [
    'denied permission CapabilityDenied(compute.exec, reviewed)',
  ]);
  assert.deepEqual(decide([HTTP], { trust: 'untrusted', declared: CAPABILITIES, grants }), [
    'denied trust CapabilityDenied(net.http, untrusted)',
  ]);
});

test('the list stops at the first denial, and later directives are skipped', () => {
  assert.deepEqual(decide([CALL, EXEC, HTTP, EXEC]), [
    'recorded execute NotGranted(machine.call)',
    'denied permission CapabilityDenied(compute.exec, reviewed)',
    'skipped permission SkippedAfterDenial(2)',
    'skipped permission SkippedAfterDenial(2)',
  ]);
});

test('an unknown tag is denied and made safe to show', () => {
  assert.deepEqual(decide([{ type: 'launch' }]), ['denied trust DirectiveNotImplemented(launch)']);
  assert.deepEqual(decide([{ type: '__proto__' }]), [
    'denied trust DirectiveNotImplemented(__proto__)',
  ]);
  assert.deepEqual(decide([{ type: 'a\u202e\n' }]), [
    'denied trust DirectiveNotImplemented(a\\u{202e}\\u{a})',
  ]);
  const [long] = govern(nobleCrypto, [{ type: 'x'.repeat(1_000_000) }], REVIEWED);
  assert.ok((long?.reason ?? '').length < 100);
});

test('a malformed directive is denied whatever the trust', () => {
  assert.deepEqual(
    decide([{ type: 'http_request', url: 'https://a.example/' }], { ...REVIEWED, trust: 'system' }),
    ['denied trust InvalidDirective(http_request: "method" is missing)'],
  );
});

test('pre-hooks are asked in order, and the first denial stops all that follows', () => {
  const asked: string[] = [];
  const hook = (name: string, answer?: string) => ({
    name,
    check: ({ type }: Directive) => {
      asked.push(`${name} ${type}`);
      return type === 'http_request' ? answer : undefined;
    },
  });
  const policy = { ...REVIEWED, preHooks: [hook('a'), hook('b', 'not on a Friday'), hook('c')] };
  assert.deepEqual(decide([CALL, HTTP, CALL], policy), [
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

test('a hook that throws or answers nonsense denies', () => {
  const thrower = () => {
    throw new Error('lost');
  };
  const later: unknown = async () => undefined;
  for (const check of [thrower, later as () => undefined]) {
    assert.deepEqual(decide([CALL], { ...REVIEWED, preHooks: [{ name: 'h', check }] }), [
      'denied pre-hooks HookFailed(h)',
    ]);
    assert.deepEqual(decide([CALL], { ...REVIEWED, guardrails: [{ name: 'g', check }] }), [
      'denied guardrails HookFailed(g)',
    ]);
  }
});

test('guardrails judge what execute did', () => {
  const guardrails = [
    {
      name: 'only-granted',
      check: (_: Directive, { reason }: { readonly reason: string }) =>
        reason.startsWith('NotGranted') ? 'no grant' : undefined,
    },
  ];
  assert.deepEqual(decide([wellFormed('broadcast'), CALL, HTTP], { ...REVIEWED, guardrails }), [
    'recorded execute NoHandler(broadcast)',
    'denied guardrails HookDenied(only-granted: no grant)',
    'skipped guardrails SkippedAfterDenial(2)',
  ]);
});

test('an observer sees the stages in order; provenance and broadcast run also after a denial', () => {
  assert.deepEqual(trace([CALL, EXEC, HTTP]), [
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
  const both = [{ name: 'h', check: () => undefined }];
  assert.deepEqual(trace([CALL], { ...REVIEWED, preHooks: both, guardrails: both }), [
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
  const plain = govern(nobleCrypto, [CALL, EXEC, HTTP], REVIEWED);
  const throwing = govern(nobleCrypto, [CALL, EXEC, HTTP], REVIEWED, () => {
    throw new Error('observer');
  });
  const rejecting = govern(nobleCrypto, [CALL, EXEC, HTTP], REVIEWED, () =>
    Promise.reject(new Error('observer')),
  );
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would surface here
  assert.deepEqual(throwing, plain);
  assert.deepEqual(rejecting, plain);
});

test('the hash of a decision is the SHA-256 of the canonical directive', () => {
  const directive: Directive = { url: 'u', type: 'http_request', method: 'GET' };
  const [decision] = govern(nobleCrypto, [directive], REVIEWED);
  const canonical = '{"method":"GET","type":"http_request","url":"u"}';
  assert.equal(decision?.hash, createHash('sha256').update(canonical).digest('hex'));
});
