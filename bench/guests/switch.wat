;; Context switch between two ULPs (Table IX): each yields to the other by turns.
;;
;;     switch DEPTH      how many frames lie between the entry function and the one that yields: one digit
;;
;; Text, because the depth of the stack is what is measured: no compiler adds or inlines a frame here. The first ULP
;; prints, for each batch, the nanoseconds that BATCH yields of its own took, as 16 hex digits; as many yields of the
;; other ULP lie between them.
(module
  (import "pvm" "pvm_mytid" (func $mytid (result i32)))
  (import "pvm" "pvm_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; 0 iovec · 16 line to print · 64 time · 128 argv · 1024 arguments' text
  (global $batches i32 (i32.const 40))
  (global $batch i32 (i32.const 10000))

  (func $now (result i64)
    (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 64)))
    (i64.load (i32.const 64)))

  (func $print (param $value i64)
    (local $at i32) (local $digit i32)
    (if (i32.ne (call $mytid) (i32.const 0x40001)) (then (return)))
    (local.set $at (i32.const 31))
    (loop $digits
      (local.set $digit (i32.wrap_i64 (i64.and (local.get $value) (i64.const 15))))
      (i32.store8 (local.get $at)
        (i32.add (local.get $digit)
          (select (i32.const 87) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 9)))))
      (local.set $value (i64.shr_u (local.get $value) (i64.const 4)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $digits (i32.ge_u (local.get $at) (i32.const 16))))
    (i32.store8 (i32.const 32) (i32.const 10))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 17))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  ;; Calls itself until `depth` frames lie above the entry function, and yields there.
  (func $down (param $depth i32)
    (local $b i32) (local $i i32) (local $start i64)
    (if (i32.gt_u (local.get $depth) (i32.const 1))
      (then (call $down (i32.sub (local.get $depth) (i32.const 1))) (return)))
    (loop $again
      (local.set $start (call $now))
      (local.set $i (global.get $batch))
      (loop $yields
        (drop (call $yield))
        (br_if $yields (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (call $print (i64.sub (call $now) (local.get $start)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $b) (global.get $batches)))))

  (func (export "_start")
    (local $depth i32) (local $b i32) (local $i i32) (local $start i64)
    (drop (call $args (i32.const 128) (i32.const 1024)))
    (local.set $depth (i32.sub (i32.load8_u (i32.load (i32.const 132))) (i32.const 48)))
    (if (local.get $depth) (then (call $down (local.get $depth)) (return)))
    (loop $again
      (local.set $start (call $now))
      (local.set $i (global.get $batch))
      (loop $yields
        (drop (call $yield))
        (br_if $yields (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (call $print (i64.sub (call $now) (local.get $start)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $b) (global.get $batches))))))
