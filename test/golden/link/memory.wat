(module
  (type (;0;) (func (param i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32) (result i32)))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (result i32)))
  (type (;4;) (func))
  (import "upvm" "memory" (memory (;0;) 1 65536 shared))
  (import "upvm" "ctl" (memory (;1;) 1 1 shared))
  (import "upvm" "heap" (memory (;2;) 64 32767 shared))
  (import "pvm" "pvm_recv" (func $recv (type 0)))
  (import "pvm" "pvm_upkint" (func $upkint (type 1)))
  (func $take (type 2) (param i32) (result i32)
    local.get 0
    i32.const 7
    call $recv
    drop
    i32.const 16
    i32.const 1
    i32.const 1
    call $upkint
    drop
    i32.const 16
    i32.load)
  (func $count (type 2) (param i32) (result i32)
    (local i32)
    loop  ;; label = @1
      local.get 1
      i32.const 3
      i32.add
      local.set 1
      local.get 1
      local.get 0
      i32.lt_u
      br_if 0 (;@1;)
    end
    local.get 1)
  (func $main (type 3) (result i32)
    global.get 0
    i32.const -1
    call $take
    i32.add
    global.set 0
    global.get 0
    i32.const 10
    i32.mul
    i32.const 100
    call $count
    i32.add)
  (func $upvm_init (type 4)
    i32.const 8
    i32.const 0
    i32.const 5
    memory.init 0)
  (global (;0;) (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "main" (func $main))
  (data (;0;) "hello"))
