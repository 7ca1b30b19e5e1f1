// The five bypass classes of the paper (theorem 5.5): dynamic dispatch, code evaluation, native code
// loading, spawning a process, loading a module. Each attempt is refused by the gate, or trapped by
// the runtime, or turns out to be data; none is an effect.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askGate, calling, planning, run, whitelistOf } from './executors.ts';

/** A module that imports a function and calls it, and would answer if the call came back. */
function importing(module: string, name: string, type = ''): string {
  const parameters = [...type.matchAll(/i32|i64|f64|externref/g)].map(([t]) =>
    t === 'externref' ? '(ref.null extern)' : `(${t}.const 0)`,
  );
  return `(module
    (import "${module}" "${name}" (func $attempt ${type && `(param ${type})`}))
    (import "mashin" "set_output" (func $set_output (param i32 i32)))
    (memory (export "memory") 1) (data (i32.const 0) "{\\"result\\":1}")
    (func (export "plan") (call $attempt ${parameters.join(' ')})
      (call $set_output (i32.const 0) (i32.const 12))))`;
}

const ATTEMPTS: Readonly<Record<string, readonly (readonly [string, string, string?])[]>> = {
  'dynamic dispatch': [
    ['env', 'apply', 'i32 i32'],
    ['env', 'emscripten_asm_const_int', 'i32 i32 i32'],
    ['env', 'invoke_ii', 'i32 i32'],
    ['mashin', 'call', 'i32 i32'],
    ['wasm:js-string', 'cast', 'externref'],
    ['Reflect', 'apply'],
  ],
  'code evaluation': [
    ['env', 'eval', 'i32 i32'],
    ['env', 'emscripten_run_script', 'i32'],
    ['js', 'Function', 'i32'],
    ['globalThis', 'eval'],
    ['mashin', 'eval', 'i32 i32'],
  ],
  'native code loading': [
    ['env', 'dlopen', 'i32 i32'],
    ['env', 'load_nif', 'i32 i32'],
    ['process', 'dlopen', 'i32'],
    ['GOT.func', 'puts'],
  ],
  'spawning a process': [
    ['wasi_snapshot_preview1', 'proc_spawn', 'i32 i32'],
    ['wasix_32v1', 'proc_fork', 'i32 i32'],
    ['env', 'fork'],
    ['wasi', 'thread-spawn', 'i32'],
    ['mashin', 'spawn', 'i32 i32'],
    ['node:child_process', 'execSync', 'i32'],
  ],
  'loading a module': [
    ['env', 'require', 'i32 i32'],
    ['node:fs', 'readFileSync', 'i32'],
    ['WebAssembly', 'instantiate', 'i32 i32'],
    ['mashin', 'load_module', 'i32 i32'],
    ['env', 'import', 'i32'],
  ],
  'the prototypes of host objects': [
    ['__proto__', 'constructor'],
    ['__proto__', 'toString'],
    ['constructor', 'constructor'],
    ['toString', 'call'],
    ['mashin', '__proto__'],
    ['mashin', 'constructor', 'i32'],
    ['mashin', 'toString'],
    ['mashin', 'hasOwnProperty', 'i32'],
  ],
  'names that look alike': [
    ['mashin', 'log\\00', 'i32 i32 i32'],
    ['mashin', 'Log', 'i32 i32 i32'],
    ['mashin ', 'log', 'i32 i32 i32'],
    ['m\\d0\\b0shin', 'log', 'i32 i32 i32'],
    ['mashin', 'log\\e2\\80\\8b', 'i32 i32 i32'],
    ['mashin', 'log', 'i32 i32'],
    ['mashin', 'set_output', 'i64 i64'],
    ['', ''],
  ],
};

for (const [bypass, attempts] of Object.entries(ATTEMPTS)) {
  for (const [module, name, type] of attempts) {
    const source = importing(module, name, type);
    test(`${bypass}: "${module}" "${name}" (${type ?? ''}) passes no gate, and traps where unchecked`, async () => {
      for (const tier of [1, 2] as const) {
        const admission = await askGate(source, { tier });
        assert.equal(admission.admitted, false);
        assert.equal(!admission.admitted && admission.failed, 'conclusion');
      }
      const outcome = await run(source, { tier: 3 });
      assert.equal(outcome.status, 'trap');
      assert.equal(outcome.problem?.code, 'unlisted-import');
      assert.equal(outcome.output, undefined);
    });
  }
}

test('a certifier whose whitelist holds eval does not get it past the gate', async () => {
  const provedAgainst = whitelistOf([
    {
      module: 'env',
      name: 'eval',
      params: ['i32', 'i32'],
      results: [],
      class: 'pure',
      category: 'compute',
      doc: '',
    },
    {
      module: 'mashin',
      name: 'set_output',
      params: ['i32', 'i32'],
      results: [],
      class: 'pure',
      category: 'output',
      doc: '',
    },
  ]);
  const admission = await askGate(importing('env', 'eval', 'i32 i32'), { provedAgainst });
  assert.equal(!admission.admitted && admission.failed, 'classification');
});

const HOST_STATE = {
  'a table': '(import "env" "__indirect_function_table" (table 4 funcref))',
  'a table of host references': '(import "js" "table" (table 1 externref))',
  'a memory': '(import "env" "memory" (memory 1))',
  'a global': '(import "globalThis" "undefined" (global externref))',
  'a mutable global': '(import "env" "__stack_pointer" (global (mut i32)))',
  'a tag': '(import "env" "__cpp_exception" (tag (param i32)))',
  'a global named like a host function': '(import "mashin" "log" (global i32))',
};

for (const [what, field] of Object.entries(HOST_STATE)) {
  test(`${what} of the host is not shared, and a module that asks for it is not started`, async () => {
    const exported =
      what === 'a memory' ? '(export "memory" (memory 0))' : '(memory (export "memory") 1)';
    const source = `(module ${field} ${exported} (func $s unreachable) (start $s)
      (func (export "plan")))`;
    for (const tier of [1, 2] as const) {
      assert.equal((await askGate(source, { tier })).admitted, false);
    }
    const outcome = await run(source, { tier: 3 });
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'unlisted-import');
    assert.deepEqual(outcome.completed, ['gate']);
  });
}

test('dynamic dispatch reaches no function but those in the module’s own table', async () => {
  const fields =
    '(type $t (func)) (table 3 funcref) (elem (i32.const 1) $own) (func $own (unreachable))';
  for (const index of [0, 1, 2, 3, 1000, 0x7fffffff, -1]) {
    const body = `(call_indirect (type $t) (i32.const ${index}))`;
    const outcome = await run(planning(body, { fields }));
    assert.equal(outcome.status, 'trap');
    const expected =
      index === 1
        ? 'unreachable'
        : index === 0 || index === 2
          ? 'indirect-call-type-mismatch'
          : 'table-out-of-bounds';
    assert.equal(outcome.problem?.code, expected);
  }
});

test('a table that was grown holds nothing the module did not put there', async () => {
  const fields = '(type $t (func)) (table 1 funcref)';
  const body = `(drop (table.grow 0 (ref.null func) (i32.const 100)))
    (call_indirect (type $t) (i32.const 50))`;
  const outcome = await run(planning(body, { fields }));
  assert.equal(outcome.problem?.code, 'indirect-call-type-mismatch');
});

test('a host function called through a table is checked like any other call', async () => {
  const fields = '(type $t (func (param i32 i32))) (table funcref (elem $set_output))';
  const forged = '(call_indirect (type $t) (i32.const -8) (i32.const 64) (i32.const 0))';
  const outcome = await run(planning(forged, { fields }));
  assert.equal(outcome.problem?.code, 'host-bad-pointer');
});

test('an unlisted import called through a table traps too', async () => {
  const source = `(module (import "env" "eval" (func $eval)) (type $t (func))
    (table funcref (elem $eval)) (memory (export "memory") 1)
    (func (export "plan") (call_indirect (type $t) (i32.const 0))))`;
  const outcome = await run(source, { tier: 3 });
  assert.equal(outcome.problem?.code, 'unlisted-import');
  assert.match(outcome.problem.message, /env\.eval/);
});

test('an unlisted import as start function or entry traps too', async () => {
  const head = '(module (import "env" "fork" (func $fork)) (memory (export "memory") 1)';
  const started = await run(`${head} (start $fork) (func (export "plan")))`, { tier: 3 });
  const entered = await run(`${head} (export "plan" (func $fork)))`, { tier: 3 });
  for (const outcome of [started, entered]) {
    assert.equal(outcome.problem?.code, 'unlisted-import');
  }
});

test('of one name imported with two types, neither works where one is unlisted', async () => {
  const source = `(module
    (import "mashin" "log" (func $log (param i32 i32 i32)))
    (import "mashin" "log" (func $other (param i32)))
    (memory (export "memory") 1)
    (func (export "plan") (call $log (i32.const 0) (i32.const 0) (i32.const 0))))`;
  assert.equal((await askGate(source)).admitted, false);
  const outcome = await run(source, { tier: 3 });
  assert.equal(outcome.problem?.code, 'unlisted-import');
  assert.deepEqual(outcome.logs, []);
});

test('exports with names that hosts call are not called', async () => {
  const names = [
    '_start',
    '_initialize',
    '__wasm_call_ctors',
    'main',
    'toString',
    'valueOf',
    'then',
    'toJSON',
    'constructor',
    '__proto__',
    'malloc',
    'free',
    'cabi_realloc',
    'asyncify_start_rewind',
  ];
  const fields = names.map((n) => `(func (export "${n}") (unreachable))`).join('');
  const module = planning('(call $set_output (i32.const 0) (i32.const 12))', {
    fields: `${fields} (data (i32.const 0) "{\\"result\\":1}")`,
  });
  const outcome = await run(module);
  assert.equal(outcome.status, 'ok');
  assert.equal(outcome.result, 1);
});

const SCRIPT = "globalThis.touched = true; require('node:child_process').execSync('id')";

test('script text in a directive, a log or a result stays text', async () => {
  const code = JSON.stringify({ language: 'javascript', code: SCRIPT });
  const evaluation = calling('code_eval', code).replace(
    '(module',
    '(module (import "mashin" "code_eval" (func $code_eval (param i32 i32)))',
  );
  const outcome = await run(evaluation);
  assert.deepEqual(outcome.directives, [
    { type: 'code_eval', language: 'javascript', code: SCRIPT },
  ]);
  const command = JSON.stringify({ command: 'id', args: [SCRIPT] });
  const execution = calling('exec_command', command).replace(
    '(module',
    '(module (import "mashin" "exec_command" (func $exec_command (param i32 i32)))',
  );
  assert.equal((await run(execution)).directives[0]?.type, 'exec_command');
  assert.equal('touched' in globalThis, false);
});

test('a directive constructor of any module works, by its class and type', async () => {
  const sendMail = {
    module: 'acme',
    name: 'send_mail',
    params: ['i32', 'i32'],
    results: [],
    class: 'directive',
    category: 'directive',
    directive: 'mail',
    doc: '',
  };
  const output = {
    ...sendMail,
    module: 'mashin',
    name: 'set_output',
    class: 'pure',
    category: 'output',
  };
  const { directive: _, ...setOutput } = output;
  const source = `(module (import "acme" "send_mail" (func $send (param i32 i32)))
    (import "mashin" "set_output" (func $set_output (param i32 i32)))
    (memory (export "memory") 1) (data (i32.const 0) "{\\"to\\":\\"a\\"}{\\"result\\":1}")
    (func (export "plan") (call $send (i32.const 0) (i32.const 10))
      (call $set_output (i32.const 10) (i32.const 12))))`;
  const outcome = await run(source, { whitelist: whitelistOf([sendMail, setOutput]) });
  assert.deepEqual(outcome.directives, [{ type: 'mail', to: 'a' }]);
});

test('a whitelisted function that this runtime does not have is named, and nothing is started', async () => {
  const pure = { class: 'pure', category: 'compute', doc: '', results: [] };
  const functions = [
    { ...pure, module: 'acme', name: 'log', params: ['i32', 'i32', 'i32'] },
    { ...pure, module: 'mashin', name: 'toString', params: [] },
    { ...pure, module: 'mashin', name: 'log', params: ['i64'] },
    {
      ...pure,
      module: 'mashin',
      name: 'llm_call',
      params: ['i64', 'i64'],
      class: 'directive',
      category: 'directive',
      directive: 'llm_call',
    },
  ];
  for (const { module, name, params } of functions) {
    const source = `(module (import "${module}" "${name}" (func (param ${params.join(' ')})))
      (memory (export "memory") 1) (func $s unreachable) (start $s) (func (export "plan")))`;
    const outcome = await run(source, { whitelist: whitelistOf(functions) });
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'host-function-missing');
    assert.match(outcome.problem.message, new RegExp(`${module}\\.${name}`));
    assert.deepEqual(outcome.completed, ['gate']);
  }
});
