import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import {
  AdmissionError,
  type AdmittedExecutor,
  createGate,
  openAdmitted,
} from '../../../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { leb, moduleOf, section } from '../../support/bytes.ts';
import { certificateFor, certifier, environment, NOW } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';

const PURE = assemble(`(module (import "mashin" "get_input_len" (func (result i32)))
  (memory (export "memory") 1) (func (export "plan")))`);
const IMPURE = assemble(`(module (import "env" "abort" (func)) (func (export "plan") (call 0)))`);

let certificate: Uint8Array;
before(async () => {
  certificate = await certificateFor(PURE);
});

function admitted(gate = createGate(environment())): AdmittedExecutor {
  const admission = gate.admit({ tier: 1, bytes: PURE, certificate });
  assert.ok(admission.admitted);
  return admission.executor;
}

const policyOf = (minimumTier: 1 | 2 | 3) =>
  environment({ policy: { ...DEFAULT_POLICY, minimumTier } });

describe('an admitted executor', () => {
  test('carries what it is, frozen, and opens for the runtime', () => {
    const executor = admitted();
    assert.equal(executor.tier, 1);
    assert.equal(executor.purityMethod, 'wasm_certified');
    assert.ok(Object.isFrozen(executor));
    assert.deepEqual(openAdmitted(executor).copyBytes(), PURE);
    openAdmitted(executor).copyBytes().fill(0);
    assert.deepEqual(openAdmitted(executor).copyBytes(), PURE);
    assert.throws(() => Object.assign(executor, { tier: 3 }), TypeError);
  });

  test('cannot be made, copied or forged', () => {
    const real = admitted();
    const Maker = real.constructor as new (...args: unknown[]) => AdmittedExecutor;
    const contents = openAdmitted(real);
    assert.throws(() => new Maker(), AdmissionError);
    assert.throws(() => new Maker(Symbol('gate'), real, contents), AdmissionError);
    assert.throws(() => new Maker(Symbol.for('gate'), real, contents), AdmissionError);
    assert.throws(() => Reflect.construct(Maker, [undefined, real, contents]), AdmissionError);
    class Sub extends (Maker as new (...args: unknown[]) => object) {}
    assert.throws(() => new Sub(Symbol('gate'), real, contents), AdmissionError);
    const forgeries: readonly unknown[] = [
      { ...real },
      Object.create(real),
      Object.create(Object.getPrototypeOf(real), Object.getOwnPropertyDescriptors(real)),
      Object.setPrototypeOf(
        { tier: 1, copyBytes: contents.copyBytes },
        Object.getPrototypeOf(real),
      ),
      structuredClone({ ...real }),
      structuredClone(real),
      new Proxy(real, {}),
      JSON.parse(JSON.stringify(real)),
      contents,
      contents.copyBytes(),
      PURE,
      null,
      undefined,
      'executor',
    ];
    for (const forgery of forgeries) {
      assert.throws(() => openAdmitted(forgery as AdmittedExecutor), AdmissionError);
    }
  });

  test('keeps no way to its contents that a caller could take', () => {
    const executor = admitted();
    assert.deepEqual(Reflect.ownKeys(executor).sort(), [
      'artifactHash',
      'certificateHash',
      'purityMethod',
      'tier',
      'whitelistHash',
    ]);
    assert.ok(Object.isFrozen(Object.getPrototypeOf(executor)));
  });

  test('is dropped by a change of whitelist, keys or policy', () => {
    const gate = createGate(environment());
    const executor = admitted(gate);
    gate.update(environment());
    assert.throws(() => openAdmitted(executor), /changed since the executor was admitted/);
    assert.ok(openAdmitted(admitted(gate)));
  });

  test('is dropped when its certifier expires', () => {
    let now = NOW;
    const trust = makeTrustStore([
      { key: certifier.publicKey, role: 'certifier', validUntil: NOW + 1000 },
    ]);
    const executor = admitted(createGate(environment({ trust, now: () => now })));
    assert.ok(openAdmitted(executor));
    now += 1000;
    assert.throws(() => openAdmitted(executor), /its validity has ended/);
  });

  // The type checker holds the same at compile time: `npm test` runs it over this file, and an
  // expected error that does not come is itself an error.
  test('has no other maker in the types', () => {
    const { artifactHash, certificateHash, whitelistHash, tier, purityMethod } = admitted();
    const lookAlike = { artifactHash, certificateHash, whitelistHash, tier, purityMethod };
    const copy = { ...admitted() };
    const compileTimeOnly = (take: (executor: AdmittedExecutor) => void) => {
      // @ts-expect-error a plain object lacks the private contents
      take(lookAlike);
      // @ts-expect-error a spread copy lacks them too
      take(copy);
      // @ts-expect-error bytes are not admitted
      take(PURE);
      // @ts-expect-error a compiled module is not admitted
      take(new WebAssembly.Module(openAdmitted(admitted()).copyBytes()));
    };
    assert.equal(typeof compileTimeOnly, 'function');
  });
});

describe('the bytes that are admitted', () => {
  test('are copied when another thread could change them', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(PURE.length));
    shared.set(PURE);
    const admission = createGate(environment()).admit({ tier: 1, bytes: shared, certificate });
    assert.ok(admission.admitted);
  });

  test('are read once from a request that would answer differently later', () => {
    let asked = 0;
    const request = {
      tier: 1 as const,
      certificate,
      get bytes() {
        return asked++ === 0 ? PURE : IMPURE;
      },
    };
    const admission = createGate(environment()).admit(request);
    assert.ok(admission.admitted);
    assert.equal(asked, 1);
    assert.deepEqual(openAdmitted(admission.executor).copyBytes(), PURE);
  });

  test('must compile: what the walker reads and V8 refuses is not admitted', async () => {
    // A body with an unknown instruction: outside of what the gate's own reader looks at.
    const broken = assemble('(module (memory (export "memory") 1) (func (export "plan") (nop)))');
    const at = broken.lastIndexOf(0x01, broken.indexOf(0x0a, 8) + 8);
    const gate = createGate(policyOf(3));
    const bytes = broken.slice();
    bytes[at] = 0xff;
    const admission = gate.admit({ tier: 3, bytes });
    assert.ok(!admission.admitted);
    assert.equal(admission.failed, 'proof-validation');
    assert.match(admission.detail, /^V8 refuses the module/);
  });
});

describe('tiers', () => {
  test('2 takes what classifies as pure without a certificate, and nothing else', () => {
    const gate = createGate(policyOf(2));
    const pure = gate.admit({ tier: 2, bytes: PURE });
    assert.ok(pure.admitted);
    assert.equal(pure.executor.purityMethod, 'static_analysis');
    assert.equal(pure.executor.certificateHash, null);
    const impure = gate.admit({ tier: 2, bytes: IMPURE });
    assert.ok(!impure.admitted);
    assert.match(impure.detail, /env\.abort is impure/);
  });

  test('3 takes anything, and says so', () => {
    const admission = createGate(policyOf(3)).admit({ tier: 3, bytes: IMPURE });
    assert.ok(admission.admitted);
    assert.equal(admission.executor.purityMethod, 'unchecked');
  });

  test('2 and 3 refuse types that V8 would compare for seconds, before V8 sees them', () => {
    const types = Array.from({ length: 40_000 }, () => [0x60, 0, 0]).flat();
    const bytes = moduleOf(section(1, [...leb(40_000), ...types]));
    for (const tier of [2, 3] as const) {
      assert.throws(() => createGate(policyOf(3)).admit({ tier, bytes }), { code: 'too-large' });
    }
  });

  test('weaker than the minimum are refused', () => {
    for (const [minimum, tier] of [
      [1, 2],
      [1, 3],
      [2, 3],
    ] as const) {
      const admission = createGate(policyOf(minimum)).admit({ tier, bytes: PURE });
      assert.ok(!admission.admitted);
      assert.equal(admission.failed, 'policy');
      assert.match(admission.detail, new RegExp(`weaker than tier ${minimum}, the minimum here`));
    }
  });

  test('weaker than designated are refused, whatever the minimum', () => {
    const gate = createGate(policyOf(3));
    for (const tier of [2, 3] as const) {
      const admission = gate.admit({ tier, bytes: PURE, designatedTier: 1 });
      assert.ok(!admission.admitted);
      assert.match(admission.detail, /designated tier 1 and cannot be loaded as tier/);
    }
  });
});
