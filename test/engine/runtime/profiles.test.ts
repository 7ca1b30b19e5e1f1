import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { MEMORY_PROFILES, PROFILE_PAGES } from '../../../engine/runtime/profiles.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { compileMetered, MeteredInstance, PLENTY, withFixedMemory } from '../../support/metered.ts';
import { assemble } from '../../support/wat.ts';
import { admit, data, planning, programOf } from './executors.ts';

const OK = data('{"result":1}', 1_024);
const SAY = `(call $set_output (i32.const 1024) (i32.const ${OK.length}))`;

async function runWith(body: string, profile: (typeof MEMORY_PROFILES)[number], pages = 1) {
  const executor = await admit(planning(`${body} ${SAY}`, { fields: OK.field, pages }));
  const request = { input: {}, limits: DEFAULT_LIMITS, memoryProfile: profile };
  return { executor, outcome: await runExecutor(executor, request, inThread) };
}

const unless = (condition: string) => `(if (i32.eqz ${condition}) (then unreachable))`;

test('the profiles are those of the paper', () => {
  assert.deepEqual(PROFILE_PAGES, { tile: 1, edge: 4, browser: 16, standard: 64, high: 256 });
});

for (const profile of MEMORY_PROFILES) {
  const pages = PROFILE_PAGES[profile];

  test(`${profile}: the guest sees the pages it declares, and may grow to ${pages}`, async () => {
    const body = `
      ${unless('(i32.eq (memory.size) (i32.const 1))')}
      ${unless(`(i32.eq (memory.grow (i32.const ${pages - 1})) (i32.const 1))`)}
      ${unless(`(i32.eq (memory.size) (i32.const ${pages}))`)}
      (i32.store8 (i32.const ${pages * 65_536 - 1}) (i32.const 7))`;
    const { outcome } = await runWith(body, profile);
    assert.equal(outcome.status, 'ok', outcome.problem?.message);
  });

  test(`${profile}: growing beyond ${pages} pages ends the run`, async () => {
    const { outcome } = await runWith(`(drop (memory.grow (i32.const ${pages})))`, profile);
    assert.equal(outcome.status, 'memory-limit');
    assert.equal(outcome.problem?.code, 'memory-limit');
  });

  test(`${profile}: a module that needs more from its start is not run`, async () => {
    const { outcome } = await runWith('', profile, pages + 1);
    assert.equal(outcome.problem?.code, 'memory-profile');
    assert.match(outcome.problem?.message ?? '', new RegExp(`profile has ${pages}\\b`));
    assert.deepEqual(outcome.completed, ['gate']);
  });

  test(`${profile}: the memory itself never grows`, async () => {
    const { executor } = await runWith('', profile);
    const program = programOf(executor, { memoryProfile: profile });
    const module = new WebAssembly.Module(program.copyBytes());
    const imports = Object.fromEntries(
      WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]),
    );
    const { exports } = new WebAssembly.Instance(
      module,
      withFixedMemory(program, { mashin: imports }),
    );
    const { memory } = exports;
    assert.ok(memory instanceof WebAssembly.Memory);
    assert.equal(memory.buffer.byteLength, pages * 65_536);
    assert.throws(() => memory.grow(1), RangeError, 'not even its host can make it grow');
  });
}

test('the guest’s growing hands out what is there: the memory stays the same one', () => {
  const compiled = compileMetered(
    assemble(`(module (memory (export "memory") 1)
      (func (export "grow") (result i32) (memory.grow (i32.const 2)))
      (func (export "size") (result i32) (memory.size)))`),
    { fixedPages: PROFILE_PAGES.edge },
  );
  const left = { ...PLENTY, pages: PROFILE_PAGES.edge - 1 };
  const instance = new MeteredInstance(compiled, {}, left);
  const { memory, grow, size } = instance.exports;
  assert.ok(memory instanceof WebAssembly.Memory);
  assert.ok(typeof grow === 'function' && typeof size === 'function');
  const { buffer } = memory;
  assert.deepEqual([size(), grow(), size()], [1, 1, 3]);
  assert.throws(() => grow(), WebAssembly.RuntimeError);
  assert.equal(instance.stop, 'pages');
  assert.equal(memory.buffer, buffer, 'a memory that grows gets another buffer');
});

test('a run finds zeros wherever the one before wrote, handed out or not', async () => {
  const body = `
    ${unless('(i64.eqz (i64.load (i32.const 60000)))')}
    ${unless('(i64.eqz (i64.load (i32.const 262136)))')}
    (i64.store (i32.const 60000) (i64.const -1))
    (i64.store (i32.const 262136) (i64.const -1))
    (drop (memory.grow (i32.const 1)))`;
  const executor = await admit(planning(`${body} ${SAY}`, { fields: OK.field }));
  const request = { input: {}, limits: DEFAULT_LIMITS, memoryProfile: 'edge' } as const;
  for (let i = 0; i < 5; i++) {
    const outcome = await runExecutor(executor, request, inThread);
    assert.equal(outcome.status, 'ok', outcome.problem?.message);
  }
  const trapping = await admit(planning(`${body} unreachable`, { fields: OK.field }));
  for (let i = 0; i < 5; i++) {
    const { problem } = await runExecutor(trapping, request, inThread);
    assert.equal(problem?.code, 'unreachable');
    assert.equal((await runExecutor(executor, request, inThread)).status, 'ok');
  }
});

test('beyond the module’s own maximum memory.grow answers -1, as ever', async () => {
  const module = `(module
    (import "mashin" "set_output" (func $set_output (param i32 i32)))
    (memory (export "memory") 1 3) ${OK.field}
    (func (export "plan")
      ${unless('(i32.eq (memory.grow (i32.const 3)) (i32.const -1))')}
      ${unless('(i32.eq (memory.grow (i32.const 2)) (i32.const 1))')}
      ${unless('(i32.eq (memory.grow (i32.const 1)) (i32.const -1))')} ${SAY}))`;
  const request = { input: {}, limits: DEFAULT_LIMITS, memoryProfile: 'standard' } as const;
  const outcome = await runExecutor(await admit(module), request, inThread);
  assert.equal(outcome.status, 'ok', outcome.problem?.message);
});
