;; Plans nothing: the result is the input, as it stands. For trying out a host.
;;
;; Memory, one page that never grows:
;;      0  {"result":
;;     10  the input, at most 1024 bytes, then }
;;   2048  the error document

(module
  (import "mashin" "get_input_len" (func $get_input_len (result i32)))
  (import "mashin" "get_input" (func $get_input (param $ptr i32)))
  (import "mashin" "set_output" (func $set_output (param $ptr i32) (param $len i32)))

  (memory (export "memory") 1 1)
  (data (i32.const 0) "{\"result\":")
  (data (i32.const 2048) "{\"error\":{\"message\":\"the input is longer than 1024 bytes\"}}")

  (func $plan (export "plan")
    (local $len i32)
    (local.set $len (call $get_input_len))
    (if (i32.gt_u (local.get $len) (i32.const 1024))
      (then (call $fail))
      (else (call $answer (local.get $len)))))

  (func $answer (param $len i32)
    (call $get_input (i32.const 10))
    (i32.store8 (i32.add (i32.const 10) (local.get $len)) (i32.const 125)) ;; }
    (call $set_output (i32.const 0) (i32.add (local.get $len) (i32.const 11))))

  (func $fail
    (call $set_output (i32.const 2048) (i32.const 59))))
