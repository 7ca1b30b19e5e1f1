import { createGate } from '../../../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import type { TrytetRequest } from '../../../engine/trytet/request.ts';
import { parseTrytetRequest } from '../../../engine/trytet/request.ts';
import type { TrytetServices } from '../../../engine/trytet/run.ts';
import { environment } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';
import { crypto, NOW } from '../voucher/fixtures.ts';

const ANSWER = '{\\22result\\22:{\\22b\\22:2,\\22a\\22:1}}';
const MESSAGE = 'one\\0atwo';

/** A pure module with an answer, an error, a log, traps and greed, each under a name of its own. */
export const PURE = assemble(`(module
  (import "mashin" "set_output" (func $set_output (param i32 i32)))
  (import "mashin" "log" (func $log (param i32 i32 i32)))
  (memory (export "memory") 3 64)
  (data (i32.const 0) "${ANSWER}")
  (data (i32.const 100) "${MESSAGE}")
  (data (i32.const 200) "{\\22error\\22:{\\22message\\22:\\22no plan\\22}}")
  (func $answer (call $set_output (i32.const 0) (i32.const 24)))
  (func (export "plan") (call $answer))
  (func (export "other") (call $log (i32.const 2) (i32.const 100) (i32.const 7)) (call $answer))
  (func (export "fails") (call $set_output (i32.const 200) (i32.const 31)))
  (func (export "gives_up") (unreachable))
  (func (export "divides") (drop (i32.div_u (i32.const 1) (i32.const 0))))
  (func (export "reads_beyond") (drop (i32.load (i32.const 0x7fffffff))))
  (func (export "misleads") (call $set_output (i32.const -1) (i32.const 24)))
  (func (export "nothing"))
  (func (export "spins") (loop (br 0)))
  (func $deep (export "deep") (call $deep) (call $deep)))`);

/** A module with an import that is not on the whitelist. */
export const IMPURE = assemble(`(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "plan")))`);

/** The JSON text of a request for the pure module, with fields as given. */
export function requestText(changes: object = {}): string {
  return JSON.stringify({ payload: [...PURE], max_memory_mb: 4, ...changes });
}

export function request(changes: object = {}): TrytetRequest {
  return parseTrytetRequest(requestText(changes), 'a request');
}

/** Admits by static analysis, and runs in this thread. */
export function services(changes: Partial<TrytetServices> = {}): TrytetServices {
  let microseconds = 0;
  return {
    crypto,
    gate: createGate(
      environment({ policy: { ...DEFAULT_POLICY, minimumTier: 2 }, now: () => NOW }),
    ),
    run: (executor, about) => runExecutor(executor, about, inThread),
    vouchers: { accepted: 'never' },
    clock: () => {
      microseconds += 125.4;
      return microseconds;
    },
    ...changes,
  };
}
