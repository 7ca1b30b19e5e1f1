import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGate } from '../../../engine/gate/admit.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { governedRun } from '../../../engine/governed/run.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../../engine/runtime/types.ts';
import { runTrytetRequest, type TrytetServices } from '../../../engine/trytet/run.ts';
import { memoryNonceStore } from '../../../engine/voucher/nonce-store.ts';
import {
  mintTrytetVoucher,
  serializeTrytetVoucher,
  type TrytetGrant,
} from '../../../engine/voucher/trytet-voucher.ts';
import { environment, stranger as place } from '../../support/gate.ts';
import { crypto, EXPIRY, issuer, stranger, trytetEnvironment } from '../voucher/fixtures.ts';
import { IMPURE, PURE, request, services } from './fixtures.ts';

const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The services, and what they ran. */
function watched(changes: Partial<TrytetServices> = {}) {
  const ran: { limits: RunLimits; entry: string; input: unknown }[] = [];
  const usual = services();
  const all = {
    ...usual,
    run: (...args: Parameters<TrytetServices['run']>) => {
      ran.push(args[1]);
      return usual.run(...args);
    },
    ...changes,
  };
  return { ran, services: all };
}

async function crashOf(changes: object, on: Partial<TrytetServices> = {}) {
  const { ran, services: used } = watched(on);
  const result = await runTrytetRequest(used, request(changes));
  assert.deepEqual(ran, [], 'nothing ran');
  assert.deepEqual([result.fuel_consumed, result.execution_duration_us], [0, 0]);
  assert.ok(typeof result.status === 'object', JSON.stringify(result.status));
  return result.status.Crash;
}

test('a request with a pure module runs here, through the gate, and has its result', async () => {
  const result = await runTrytetRequest(services(), request());
  assert.match(result.tet_id, UUID_V8);
  assert.deepEqual(
    { ...result, tet_id: '', fuel_consumed: 0 },
    {
      tet_id: '',
      status: 'Success',
      telemetry: {
        stdout_lines: ['{"directives":[],"result":{"a":1,"b":2}}'],
        stderr_lines: [],
        memory_used_kb: 192,
      },
      execution_duration_us: 125,
      fuel_consumed: 0,
      mutated_files: {},
    },
  );
  assert.ok(result.fuel_consumed > 0 && result.fuel_consumed <= 50_000_000);
});

test('fuel, memory and entry are what the request says, and the input is empty', async () => {
  const { ran, services: used } = watched();
  await runTrytetRequest(used, request());
  const asked = { allocated_fuel: 1_234, max_memory_mb: 9, target_function: 'other' };
  const { telemetry } = await runTrytetRequest(used, request(asked));
  assert.deepEqual(telemetry.stderr_lines, ['info: one', 'info: two']);
  await runTrytetRequest(used, request({ max_memory_mb: 2 ** 32 - 1 }));
  const limits = { ...DEFAULT_LIMITS, fuel: 50_000_000, memoryPages: 64 };
  assert.deepEqual(ran, [
    { input: {}, limits, entry: 'plan' },
    { input: {}, limits: { ...limits, fuel: 1_234, memoryPages: 144 }, entry: 'other' },
    { input: {}, limits: { ...limits, memoryPages: 65_536 }, entry: 'plan' },
  ]);
});

test('limits that a request does not state are those of the services', async () => {
  const { fuel: _, memoryPages: __, ...rest } = DEFAULT_LIMITS;
  const result = await runTrytetRequest(
    services({ limits: { ...rest, outputBytes: 10 } }),
    request(),
  );
  assert.ok(typeof result.status === 'object');
  assert.equal(result.status.Crash.error_type, 'security_violation');
});

for (const [target_function, error_type] of [
  ['gives_up', 'unreachable'],
  ['divides', 'integer_divide_by_zero'],
  ['reads_beyond', 'memory_out_of_bounds'],
  ['misleads', 'memory_out_of_bounds'],
  ['deep', 'stack_overflow'],
  ['nothing', 'unknown_trap'],
  ['absent', 'engine_spawn'],
] as const) {
  test(`a module whose "${target_function}" is called crashes as ${error_type}`, async () => {
    const { status } = await runTrytetRequest(services(), request({ target_function }));
    assert.ok(typeof status === 'object');
    assert.equal(status.Crash.error_type, error_type);
    const isOfModule = ['gives_up', 'divides', 'reads_beyond'].includes(target_function);
    if (isOfModule) {
      const offset = status.Crash.instruction_offset ?? 0;
      assert.ok(offset > 8 && offset < PURE.length, `offset ${offset}`);
    }
  });
}

test('a module that never ends runs out of the fuel that it was given, all of it', async () => {
  const asked = { target_function: 'spins', allocated_fuel: 10_000 };
  const { status, fuel_consumed } = await runTrytetRequest(services(), request(asked));
  assert.deepEqual([status, fuel_consumed], ['OutOfFuel', 10_000]);
});

test('an executor that answers an error succeeds with it; too little memory is exceeded', async () => {
  const failed = await runTrytetRequest(services(), request({ target_function: 'fails' }));
  assert.equal(failed.status, 'Success');
  assert.deepEqual(failed.telemetry.stdout_lines, ['{"error":{"message":"no plan"}}']);
  const greedy = await runTrytetRequest(services(), request({ max_memory_mb: 0 }));
  assert.equal(greedy.status, 'MemoryExceeded');
});

for (const [changes, error_type, message] of [
  [{ call_depth: 5 }, 'mesh_execution_failed', /"call_depth" is 5/],
  [{ parent_snapshot_id: '' }, 'engine_spawn', /"parent_snapshot_id"/],
  [{ manifest: { name: 'x' } }, 'engine_spawn', /"manifest"/],
  [{ manifest: [] }, 'engine_spawn', /"manifest"/],
  [{ env: { A: '' } }, 'security_violation', /"env" .* no environment variables/],
  [JSON.parse('{"env":{"__proto__":"x"}}'), 'security_violation', /"env"/],
  [{ injected_files: { a: '' } }, 'security_violation', /"injected_files" .* no files/],
  [{ egress_policy: { hosts: [] } }, 'security_violation', /"egress_policy" .* no network/],
  [{ egress_policy: false }, 'security_violation', /"egress_policy"/],
  [{ allocated_fuel: 2 ** 53 }, 'EconomicViolation', /"allocated_fuel" is 9007199254740992/],
  [{ payload: null }, 'engine_spawn', /no "payload"/],
  [{ payload: null, alias: 'it\u202e' }, 'alias_not_found', /known here as "it\\u\{202e\}"/],
  [{ payload: [] }, 'engine_spawn', /./],
  [{ payload: [...PURE.slice(0, -1)] }, 'engine_spawn', /./],
  [{ payload: [0, 97, 115, 109, 13, 0, 1, 0] }, 'engine_spawn', /component/],
  [{ payload: [...IMPURE] }, 'security_violation', /conclusion: .*fd_write is impure/],
] as const) {
  test(`${JSON.stringify(changes).slice(0, 60)} is refused as ${error_type}`, async () => {
    const crash = await crashOf(changes);
    assert.equal(crash.error_type, error_type);
    assert.match(crash.message, message);
  });
}

test('what is there and empty is as if it were not; no fuel is out of fuel', async () => {
  const empty = { env: {}, injected_files: {}, manifest: {}, egress_policy: {}, call_depth: 4 };
  const { status } = await runTrytetRequest(services(), request({ ...empty, alias: 'me' }));
  assert.equal(status, 'Success');
  const { ran, services: used } = watched();
  const none = await runTrytetRequest(used, request({ allocated_fuel: 0 }));
  assert.deepEqual([none.status, ran], ['OutOfFuel', []]);
});

test('a gate whose policy asks for certificates runs none of it', async () => {
  const crash = await crashOf({}, { gate: createGate(environment()) });
  assert.equal(crash.error_type, 'security_violation');
  assert.match(crash.message, /policy: tier 2 is weaker/);
});

test('the id of a run is that of what was asked: every field counts, nothing else does', async () => {
  const idOf = async (changes: object) =>
    (await runTrytetRequest(services(), request(changes))).tet_id;
  assert.equal(await idOf({}), await idOf({}));
  const ids = await Promise.all(
    [
      {},
      { payload: [...IMPURE] },
      { payload: null },
      { alias: 'a' },
      { env: { A: 'b' } },
      { allocated_fuel: 1 },
      { allocated_fuel: 2 },
      { max_memory_mb: 5 },
      { target_function: 'other' },
      { call_depth: 1 },
      { manifest: { n: 9 } },
    ].map(idOf),
  );
  assert.equal(new Set(ids).size, ids.length);
});

const grant = (changes: Partial<TrytetGrant> = {}): TrytetGrant => ({
  provider_id: 'local_daemon',
  fuel_limit: 1_000_000n,
  expiry_timestamp: BigInt(EXPIRY),
  ...changes,
});

async function paid(changes: Partial<TrytetGrant> = {}, agent = issuer) {
  const voucher = await mintTrytetVoucher(crypto, agent, grant(changes));
  return { allocated_fuel: 1_000, voucher: JSON.parse(serializeTrytetVoucher(voucher)) };
}

const accepting = (accepted: 'if-present' | 'required', nonces = memoryNonceStore()) =>
  ({ accepted, ...trytetEnvironment({ nonces }) }) as const;

test('a voucher pays for one run, and only where such vouchers are accepted', async () => {
  const vouchers = accepting('required');
  const request_ = await paid();
  assert.match((await crashOf(request_)).message, /not accepted here/);
  const { ran, services: used } = watched({ vouchers });
  assert.equal((await runTrytetRequest(used, request(request_))).status, 'Success');
  assert.equal(ran[0]?.limits.fuel, 1_000);
  const again = await crashOf(request_, { vouchers });
  assert.deepEqual(
    [again.error_type, /: nonce: /.test(again.message)],
    ['EconomicViolation', true],
  );
});

test('a request without a voucher runs where none is required', async () => {
  const free = services({ vouchers: accepting('if-present') });
  assert.equal((await runTrytetRequest(free, request())).status, 'Success');
  const crash = await crashOf({}, { vouchers: accepting('required') });
  assert.deepEqual(crash.error_type, 'EconomicViolation');
});

for (const [name, make, message] of [
  ['of a stranger', () => paid({}, stranger), /: agent: .*not in the trust store/],
  ['for another provider', () => paid({ provider_id: 'elsewhere' }), /: provider: /],
  ['that expired', () => paid({ expiry_timestamp: 1n }), /: expiry: /],
  ['for less fuel', () => paid({ fuel_limit: 999n }), /the voucher pays for 999/],
  [
    'with a forged limit',
    async () => {
      const { voucher } = await paid();
      return { allocated_fuel: 1_000, voucher: { ...voucher, fuel_limit: 2_000_000 } };
    },
    /: signature: /,
  ],
] as const) {
  test(`a voucher ${name} is an EconomicViolation, also where none is required`, async () => {
    const crash = await crashOf(await make(), { vouchers: accepting('if-present') });
    assert.equal(crash.error_type, 'EconomicViolation');
    assert.match(crash.message, message);
  });
}

test('a voucher is not spent on a module that is refused', async () => {
  const nonces = memoryNonceStore();
  const on = { vouchers: accepting('required', nonces) };
  const request_ = await paid();
  await crashOf({ ...request_, payload: [...IMPURE] }, on);
  await crashOf({ ...request_, env: { A: 'b' } }, on);
  const { status } = await runTrytetRequest(services(on), request(request_));
  assert.equal(status, 'Success');
});

test('a governed run serves too, and leaves its receipt', async () => {
  const receipts = memoryReceiptStore();
  const governed = services({
    run: (executor, about) =>
      governedRun(
        { crypto, isolation: inThread, receipts, environment: place },
        {
          executor,
          ...about,
          name: 'trytet',
          version: '0',
          policy: { trust: 'untrusted', declared: [], grants: new Set() },
        },
      ),
  });
  const result = await runTrytetRequest(governed, request());
  assert.equal(result.status, 'Success');
  const trust = makeTrustStore([{ key: place.publicKey, role: 'environment' }]);
  const seen: unknown[] = [];
  const verdict = await verifyStoredChain(crypto, receipts.open('trytet'), trust, (receipt) =>
    seen.push([receipt.artifactHash, receipt.tier, receipt.purityMethod]),
  );
  assert.equal(verdict.verdict, 'valid');
  assert.deepEqual(seen, [[crypto.sha256(PURE), 2, 'static_analysis']]);
});

test('what the host fails at is no result of the module', async () => {
  const failing = services({ run: () => Promise.reject(new Error('the disk is full')) });
  await assert.rejects(runTrytetRequest(failing, request()), /the disk is full/);
});
