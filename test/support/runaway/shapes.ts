// Executors that never end by themselves, in every shape that WebAssembly has for that.

import { assemble } from '../wat.ts';
import { BINARY_SHAPES } from './binary-shapes.ts';
import type { RunawayEnd, Shape } from './shape.ts';

const TABLE = '(table $t 4 funcref) (elem (i32.const 0) $f $g)';
const NOTHING = '(func $f) (func $g)';

/** An executor with this plan, behind other fields. */
function executor(plan: string, fields = ''): string {
  return `(module
    (type $v (func)) (type $i (func (param i32) (result i32)))
    (import "mashin" "get_input_len" (func $host (result i32)))
    (memory (export "memory") 1 16)
    (global $n (export "count") (mut i32) (i32.const 0))
    ${fields}
    (func (export "plan") ${plan}))`;
}

function text(
  end: RunawayEnd,
  shapes: Readonly<Record<string, readonly [plan: string, fields?: string]>>,
): Shape[] {
  return Object.entries(shapes).map(([name, [plan, fields]]) => ({
    name,
    end,
    bytes: () => assemble(executor(plan, fields)),
  }));
}

const COUNT = '(global.set $n (i32.add (global.get $n) (i32.const 1)))';

const LOOPS = text('out-of-fuel', {
  'an empty loop': ['(loop $l (br $l))'],
  'a loop that works': [`(loop $l ${COUNT} (br $l))`],
  'nested loops': ['(loop $a (loop $b (loop $c (br_if $c (i32.const 0)) (br $a))))'],
  'an inner loop that ends, in one that does not': [
    `(local $i i32) (loop $a (local.set $i (i32.const 100))
      (loop $b (br_if $b (local.tee $i (i32.sub (local.get $i) (i32.const 1))))) (br $a))`,
  ],
  'a loop by br_if': ['(loop $l (br_if $l (i32.const 1)))'],
  'a loop from the arms of an if': [
    '(loop $l (if (i32.eqz (global.get $n)) (then (br $l)) (else (br $l))))',
  ],
  'a loop by br_table alone': ['(loop $l (br_table $l $l $l (global.get $n)))'],
  'a loop by the default of br_table': ['(loop $l (block $b (br_table $b $l (i32.const 9))))'],
  'a loop with parameters and results': [
    '(drop (i32.const 1) (loop $l (param i32) (result i32) (i32.const 1) (i32.add) (br $l)))',
  ],
  'a loop behind dead code': [
    '(block $b (br $b) (loop $d (br $d)) (unreachable)) (loop $l (br $l))',
  ],
  'a loop whose other half is dead': ['(loop $l (br $l) (loop $d (br $d)) (unreachable))'],
  'a loop in a called function': ['(call $f)', '(func $f (loop $l (br $l)))'],
  'a loop in the start function': ['', '(func $s (loop $l (br $l))) (start $s)'],
  'a loop that calls': ['(loop $l (call $f) (br $l))', NOTHING],
  'a loop that calls what has nothing to pay': [
    '(loop $l (drop (call $k (i32.const 1))) (br $l))',
    '(func $k (param i32) (result i32) (local.get 0))',
  ],
  'a loop that calls the host': ['(loop $l (drop (call $host)) (br $l))'],
  'a loop that calls through the table': [
    '(loop $l (call_indirect (type $v) (i32.const 1)) (br $l))',
    `${NOTHING} ${TABLE}`,
  ],
  'a loop of floating-point work': [
    '(local $x f64) (loop $l (local.set $x (f64.sqrt (f64.add (local.get $x) (f64.const 1)))) (br $l))',
  ],
  'two loops that jump over each other': [
    '(block $out (loop $a (block $b (br_if $b (i32.const 1)) (br $out)) (loop $c (br $a))))',
  ],
});

const TAIL_CALLS = text('out-of-fuel', {
  'a tail call of itself': ['(return_call $p)', '(func $p (return_call $p))'],
  'tail calls of each other': [
    '(return_call $p)',
    '(func $p (return_call $q)) (func $q (return_call $p))',
  ],
  'a tail call through the table': [
    '(call $p)',
    `(func $f (return_call_indirect (type $v) (i32.const 0))) (func $g) ${TABLE}
     (func $p (return_call $f))`,
  ],
  'a tail call with parameters': [
    '(drop (call $p (i32.const 0)))',
    '(func $p (param i32) (result i32) (return_call $p (i32.add (local.get 0) (i32.const 1))))',
  ],
  'a tail call behind a call': ['(call $p)', '(func $f) (func $p (call $f) (return_call $p))'],
  'a tail call behind a call, with operands left': [
    '(call $p)',
    '(func $f) (func $p (i32.const 1) (i32.const 2) (call $f) (return_call $p))',
  ],
  'a tail call out of a loop': [
    '(call $p)',
    '(func $p (loop $l (br_if $l (i32.const 0)) (return_call $p)))',
  ],
});

const WHOLE = '(i32.const 0) (i32.const 65536)';

const BULK = text('out-of-fuel', {
  'memory.fill of all': [
    `(loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $l))`,
  ],
  'memory.copy of all': [`(loop $l (memory.copy (i32.const 0) ${WHOLE}) (br $l))`],
  'memory.init': [
    '(loop $l (memory.init $d (i32.const 0) (i32.const 0) (i32.const 8)) (br $l))',
    '(data $d "touchstone")',
  ],
  'memory.grow by nothing': ['(loop $l (drop (memory.grow (i32.const 0))) (br $l))'],
  'memory.grow beyond the maximum': ['(loop $l (drop (memory.grow (i32.const 100))) (br $l))'],
  'table.fill of all': [
    '(loop $l (table.fill $big (i32.const 0) (ref.null func) (i32.const 10000)) (br $l))',
    '(table $big 10000 funcref)',
  ],
  'table.copy of all': [
    '(loop $l (table.copy $big $big (i32.const 0) (i32.const 0) (i32.const 10000)) (br $l))',
    '(table $big 10000 funcref)',
  ],
  'table.grow by nothing': [
    '(loop $l (drop (table.grow $big (ref.null func) (i32.const 0))) (br $l))',
    '(table $big 1 funcref)',
  ],
});

const GROWTH = [
  ...text('pages', {
    'memory.grow without end': ['(loop $l (drop (memory.grow (i32.const 1))) (br $l))'],
    'memory.grow by everything': ['(loop $l (drop (memory.grow (i32.const 15))) (br $l))'],
  }),
  ...text('elements', {
    'table.grow without end': [
      '(loop $l (drop (table.grow $big (ref.null func) (i32.const 1000))) (br $l))',
      '(table $big 1 funcref)',
    ],
  }),
];

const RECURSION = text('call-depth', {
  'a function that calls itself': ['(call $f)', '(func $f (call $f))'],
  'functions that call each other': ['(call $f)', '(func $f (call $g)) (func $g (call $f))'],
  'a function that calls itself through the table': [
    '(call $f)',
    `(func $f (call_indirect (type $v) (i32.const 0))) (func $g) ${TABLE}`,
  ],
  'recursion in the start function': ['', '(func $s (call $s)) (start $s)'],
  'recursion from within a loop': ['(call $f)', '(func $f (loop $l (call $f) (br $l)))'],
  'recursion behind a condition': [
    '(call $f)',
    `(func $f ${COUNT} (if (global.get $n) (then (call $f))))`,
  ],
  'recursion with many operands waiting': [
    '(drop (call $f (i32.const 1)))',
    `(func $f (param i32) (result i32) ${'(local.get 0) '.repeat(2_000)} (call $f)
      ${'(i32.add) '.repeat(1_999)})`,
  ],
  'recursion with vectors': [
    '(call $f (v128.const i32x4 0 0 0 0))',
    `(func $f (param v128) (local ${'v128 '.repeat(100)}) (call $f (local.get 0)))`,
  ],
  'recursion with 50,000 locals': [
    '(call $f)',
    `(func $f (local ${'i64 '.repeat(49_990)}) (call $f))`,
  ],
  'recursion with 1,000 parameters': [
    `(call $f ${'(i64.const 0) '.repeat(1_000)})`,
    `(func $f (param ${'i64 '.repeat(1_000)}) (call $f ${Array.from({ length: 1_000 }, (_, i) => `(local.get ${i})`).join(' ')}))`,
  ],
  'recursion that is a tail call every other time': [
    '(call $f)',
    '(func $f (return_call $g)) (func $g (call $f))',
  ],
});

const TAG = '(tag $e (param i32))';

const LEGACY = [
  ...text('out-of-fuel', {
    'throw and catch in a loop': [
      '(loop $l (try (do (throw $e (i32.const 1))) (catch $e (drop))) (br $l))',
      TAG,
    ],
    'a catch that is the loop': [
      '(loop $l (try (do (throw $e (i32.const 1))) (catch $e (drop) (br $l))))',
      TAG,
    ],
    'a loop in a handler': [
      '(try (do (throw $e (i32.const 1))) (catch $e (drop) (loop $l (br $l))))',
      TAG,
    ],
    'catch_all around a callee without end': [
      '(loop $l (try (do (call $f)) (catch_all)) (br $l))',
      '(func $f (loop $l (br $l)))',
    ],
    'rethrow in a loop': [
      `(loop $l (try (do (try (do (throw $e (i32.const 1))) (catch_all (rethrow 0)))) (catch_all))
        (br $l))`,
      TAG,
    ],
    'delegate in a loop': [
      '(loop $l (try $o (do (try (do (throw $e (i32.const 1))) (delegate $o))) (catch_all)) (br $l))',
      TAG,
    ],
    'an exception out of a called function, in a loop': [
      '(loop $l (try (do (call $f)) (catch $e (drop))) (br $l))',
      `${TAG} (func $f (throw $e (i32.const 1)))`,
    ],
    'a tail call from within try': [
      '(call $p)',
      '(func $p (try (do (return_call $p)) (catch_all)))',
    ],
  }),
  ...text('call-depth', {
    'recursion in try with catch_all': [
      '(call $f)',
      '(func $f (try (do (call $f)) (catch_all (call $f))))',
    ],
    'recursion in a handler': [
      '(call $f)',
      `${TAG} (func $f (try (do (throw $e (i32.const 1))) (catch $e (drop) (call $f))))`,
    ],
  }),
];

/** What only newer engines run, and the assembler knows. */
const NEWER = [
  ...text('out-of-fuel', {
    'try_table whose handler is the loop': [
      '(loop $l (result i32) (try_table (catch_all $l) (throw $e (i32.const 1))) (i32.const 1)) (drop)',
      TAG,
    ],
    'throw_ref in a loop': [
      `(loop $l (block $h (result exnref) (try_table (catch_all_ref $h) (throw $e (i32.const 1)))
        (unreachable)) (drop) (br $l))`,
      TAG,
    ],
  }),
  ...text('call-depth', {
    'recursion in try_table': [
      '(call $f)',
      '(func $f (block $b (try_table (catch_all $b) (call $f))))',
    ],
  }),
];

/** Every shape. What this V8 does not know is left out by those who run them. */
export const SHAPES: readonly Shape[] = [
  ...LOOPS,
  ...TAIL_CALLS,
  ...BULK,
  ...GROWTH,
  ...RECURSION,
  ...LEGACY,
  ...NEWER,
  ...BINARY_SHAPES,
];
