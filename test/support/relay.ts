import { assemble } from './wat.ts';

/**
 * Asks for what it is told to: the list `directives` of its context, whatever it is. Its result is the
 * `previous` of its context, or null. A context value of more than 16 MiB traps.
 */
export const RELAY = assemble(`(module
  (import "mashin" "set_output" (func $set_output (param i32 i32)))
  (import "mashin" "context_len" (func $context_len (param i32 i32) (result i32)))
  (import "mashin" "context_read" (func $context_read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 512)
  (data (i32.const 0) "{\\"result\\":")
  (data (i32.const 16) ",\\"directives\\":")
  (data (i32.const 64) "directives")
  (data (i32.const 96) "previous")
  (data (i32.const 128) "null")
  (data (i32.const 136) "[]")
  (func $put (param $at i32) (param $from i32) (param $len i32) (result i32)
    (memory.copy (local.get $at) (local.get $from) (local.get $len))
    (i32.add (local.get $at) (local.get $len)))
  (func $value (param $at i32) (param $key i32) (param $len i32)
      (param $else i32) (param $elselen i32) (result i32)
    (if (result i32) (i32.lt_s (call $context_len (local.get $key) (local.get $len)) (i32.const 0))
      (then (call $put (local.get $at) (local.get $else) (local.get $elselen)))
      (else (i32.add (local.get $at)
        (call $context_read (local.get $key) (local.get $len) (local.get $at))))))
  (func (export "plan") (local $at i32)
    (local.set $at (call $put (i32.const 1024) (i32.const 0) (i32.const 10)))
    (local.set $at (call $value (local.get $at)
      (i32.const 96) (i32.const 8) (i32.const 128) (i32.const 4)))
    (local.set $at (call $put (local.get $at) (i32.const 16) (i32.const 14)))
    (local.set $at (call $value (local.get $at)
      (i32.const 64) (i32.const 10) (i32.const 136) (i32.const 2)))
    (i32.store8 (local.get $at) (i32.const 125))
    (call $set_output (i32.const 1024)
      (i32.sub (i32.add (local.get $at) (i32.const 1)) (i32.const 1024)))))`);
