;; A ULP that does nothing but exist: it waits for a message from the first ULP, which sends it when the last is
;; there. What remains is what creating and keeping a ULP costs.
;;
;; The last ULP (tid = first + count - 1, count from pvm_gsize) tells the first; the first tells all, one by one.
(module
  (import "pvm" "pvm_mytid" (func $mytid (result i32)))
  (import "pvm" "pvm_gsize" (func $gsize (param i32) (result i32)))
  (import "pvm" "pvm_initsend" (func $initsend (param i32) (result i32)))
  (import "pvm" "pvm_send" (func $send (param i32 i32) (result i32)))
  (import "pvm" "pvm_recv" (func $recv (param i32 i32) (result i32)))
  (memory (export "memory") 1)

  (func (export "_start")
    (local $me i32) (local $last i32) (local $to i32)
    (local.set $me (call $mytid))
    (local.set $last (i32.add (i32.const 0x40000) (call $gsize (i32.const 0))))
    (drop (call $initsend (i32.const 0)))
    (if (i32.eq (local.get $me) (local.get $last))
      (then (drop (call $send (i32.const 0x40001) (i32.const 1)))))
    (if (i32.eq (local.get $me) (i32.const 0x40001))
      (then
        (drop (call $recv (i32.const -1) (i32.const 1)))
        (local.set $to (i32.const 0x40001))
        (loop $each
          (if (i32.lt_s (local.get $to) (local.get $last))
            (then
              (local.set $to (i32.add (local.get $to) (i32.const 1)))
              (drop (call $send (local.get $to) (i32.const 2)))
              (br $each)))))
      (else (drop (call $recv (i32.const 0x40001) (i32.const 2)))))))
