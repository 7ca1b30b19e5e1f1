import { assemble } from './wat.ts';

const IMPORT = '(import "mashin" "set_output" (func $set_output (param i32 i32)))';

/**
 * Counts its runs in every kind of global and in memory, on a page that it has to ask for, and answers
 * with all of them: `{"result":"…"}` with 3 characters a count. Each count is the same as the others.
 */
export const COUNTER = assemble(`(module ${IMPORT}
  (memory (export "memory") 1)
  (data (i32.const 0) "{\\"result\\":\\"000000000000000\\"}")
  (global $a (mut i32) (i32.const 0))
  (global $b (mut i64) (i64.const 0))
  (global $c (mut f32) (f32.const 0))
  (global $d (mut f64) (f64.const 0))
  (global $started (mut i32) (i32.const 0))
  (func $start (global.set $started (i32.add (global.get $started) (i32.const 1))))
  (start $start)
  (func $write (param $at i32) (param $n i32)
    (i32.store8 (local.get $at)
      (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 100))))
    (i32.store8 offset=1 (local.get $at)
      (i32.add (i32.const 48) (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
    (i32.store8 offset=2 (local.get $at)
      (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10)))))
  (func (export "plan")
    (if (i32.ne (global.get $started) (i32.const 1)) (then unreachable))
    (if (i32.eq (memory.size) (i32.const 1)) (then (drop (memory.grow (i32.const 1)))))
    (global.set $a (i32.add (global.get $a) (i32.const 1)))
    (global.set $b (i64.add (global.get $b) (i64.const 0x100000001)))
    (global.set $c (f32.sub (global.get $c) (f32.const 0.5)))
    (global.set $d (f64.add (global.get $d) (f64.const 1e-300)))
    (i32.store (i32.const 100000) (i32.add (i32.load (i32.const 100000)) (i32.const 1)))
    (call $write (i32.const 11) (global.get $a))
    (call $write (i32.const 14) (i32.wrap_i64 (i64.shr_u (global.get $b) (i64.const 32))))
    (call $write (i32.const 17) (i32.trunc_f32_s (f32.mul (global.get $c) (f32.const -2))))
    (call $write (i32.const 20) (i32.trunc_f64_s (f64.nearest (f64.mul (global.get $d) (f64.const 1e300)))))
    (call $write (i32.const 23) (i32.load (i32.const 100000)))
    (call $set_output (i32.const 0) (i32.const 28))))`);

/** What {@link COUNTER} answers in its `n`-th run. */
export function counted(n: number): string {
  return String(n).padStart(3, '0').repeat(5);
}
