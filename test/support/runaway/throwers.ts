import { assemble } from '../wat.ts';

/** The two ways to catch everything that a call throws. */
export const CATCHES = {
  legacy: (call: string) => `(try (do ${call}) (catch_all))`,
  standard: (call: string) => `(block $caught (try_table (catch_all $caught) ${call}))`,
} as const;

/**
 * An executor that throws from a recursion of some depth and catches outside of it, some times over,
 * and then recurses for ever, counting.
 */
export function thrower(rounds: number, depth: number, way: keyof typeof CATCHES): Uint8Array {
  return assemble(`(module
    (memory (export "memory") 1)
    (tag $e)
    (global $n (export "count") (mut i32) (i32.const 0))
    (func $deep (param i32)
      (if (i32.eqz (local.get 0)) (then (throw $e)))
      (call $deep (i32.sub (local.get 0) (i32.const 1))))
    (func $ever (global.set $n (i32.add (global.get $n) (i32.const 1))) (call $ever))
    (func (export "plan") (local $left i32)
      (local.set $left (i32.const ${rounds}))
      (block $done (loop $l
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        ${CATCHES[way](`(call $deep (i32.const ${depth}))`)}
        (br $l)))
      (call $ever)))`);
}
