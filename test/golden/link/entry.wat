(module
  (type (;0;) (func (param i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32) (result i32)))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (result i32)))
  (type (;4;) (func))
  (type (;5;) (func (param i32 i32 i32)))
  (import "upvm" "memory" (memory (;0;) 1 65536 shared))
  (import "upvm" "ctl" (memory (;1;) 1 1 shared))
  (import "upvm" "heap" (memory (;2;) 64 32767 shared))
  (import "pvm" "pvm_recv" (func $recv (type 0)))
  (import "pvm" "pvm_upkint" (func $upkint (type 1)))
  (import "upvm" "poll" (func $poll (type 3)))
  (import "upvm" "frames" (func $frames (type 2)))
  (import "upvm" "unpack_room" (func $unpack_room (type 2)))
  (import "test" "flag" (func $flag (type 3)))
  (func $take (type 2) (param i32) (result i32)
    (local i32 i32 i32 i32)
    block  ;; label = @1
      block  ;; label = @2
        global.get 1
        i32.eqz
        br_if 0 (;@2;)
        block  ;; label = @3
          block  ;; label = @4
            global.get 2
            i32.const 4
            i32.sub
            i32.load 2 align=1
            i32.const 0
            i32.sub
            br_table 1 (;@3;) 0 (;@4;)
          end
          unreachable
        end
        global.get 2
        i32.const 8
        i32.sub
        local.tee 2
        global.set 2
        i32.const 1
        local.set 1
        br 1 (;@1;)
      end
      local.get 0
      i32.const 7
      local.set 4
      local.set 3
    end
    i32.const 0
    local.set 1
    local.get 3
    local.get 4
    call $recv.1
    global.get 1
    if  ;; label = @1
      i32.const 8
      i32.const 0
      call $upvm_push
      local.set 2
      i32.const 0
      return
    end
    drop
    i32.const 16
    i32.const 1
    i32.const 1
    call $pvm_upkint
    drop
    i32.const 16
    i32.load)
  (func $count (type 2) (param i32) (result i32)
    (local i32 i32 i32 i32)
    global.get 1
    if  ;; label = @1
      local.get 0
      call $count__resumed_
      return
    end
    loop  ;; label = @1
      call $flag
      local.set 4
      local.get 4
      if  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            try_table  ;; label = @5
              (catch 0 0 (;@4;))
              call $upvm_poll
            end
            br 1 (;@3;)
          end
          i32.const 16
          i32.const 1
          call $upvm_push
          local.set 3
          local.get 3
          local.get 0
          i32.store 2 align=1
          local.get 3
          local.get 1
          i32.store 2 offset=4 align=1
          throw 0
        end
      end
      loop  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          call $flag
          br_if 2 (;@1;)
          br 1 (;@2;)
        end
      end
    end
    local.get 1)
  (func $main (type 3) (result i32)
    (local i32 i32 i32 i32)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          global.get 1
          i32.eqz
          br_if 0 (;@3;)
          block  ;; label = @4
            block  ;; label = @5
              block  ;; label = @6
                global.get 2
                i32.const 4
                i32.sub
                i32.load 2 align=1
                i32.const 2
                i32.sub
                br_table 2 (;@4;) 1 (;@5;) 0 (;@6;)
              end
              unreachable
            end
            global.get 2
            i32.const 8
            i32.sub
            local.tee 1
            global.set 2
            local.get 1
            i32.load 2 align=1
            local.set 2
            i32.const 2
            local.set 0
            br 3 (;@1;)
          end
          global.get 2
          i32.const 8
          i32.sub
          local.tee 1
          global.set 2
          local.get 1
          i32.load 2 align=1
          local.set 2
          i32.const 1
          local.set 0
          br 1 (;@2;)
        end
        global.get 0
        i32.const -1
        local.set 3
        local.set 2
      end
      i32.const 0
      local.set 0
      local.get 2
      local.get 3
      call $take
      global.get 1
      if  ;; label = @2
        i32.const 8
        i32.const 2
        call $upvm_push
        local.set 1
        local.get 1
        local.get 2
        i32.store 2 align=1
        i32.const 0
        return
      end
      i32.add
      global.set 0
      global.get 0
      i32.const 10
      i32.mul
      i32.const 100
      local.set 3
      local.set 2
    end
    i32.const 0
    local.set 0
    local.get 2
    block (result i32)  ;; label = @1
      block  ;; label = @2
        try_table (result i32)  ;; label = @3
          (catch 0 0 (;@2;))
          local.get 3
          call $count
        end
        br 1 (;@1;)
      end
      i32.const 1
      global.set 1
      i32.const 8
      i32.const 3
      call $upvm_push
      local.set 1
      local.get 1
      local.get 2
      i32.store 2 align=1
      i32.const 0
      return
    end
    i32.add)
  (func $upvm_init (type 4)
    i32.const 8
    i32.const 0
    i32.const 5
    memory.init 0)
  (func $recv.1 (type 0) (param i32 i32) (result i32)
    (local i32)
    global.get 1
    if  ;; label = @1
      i32.const 0
      global.set 1
      i32.const 0
      i32.load 1 offset=4 align=1
      i32.load 2 offset=60 align=1
      return
    end
    local.get 0
    local.get 1
    call $recv
    local.tee 2
    i32.const -2147483648
    i32.eq
    if  ;; label = @1
      i32.const 1
      global.set 1
    end
    local.get 2)
  (func $upvm_copy_out (type 5) (param i32 i32 i32)
    local.get 2
    i32.const 256
    i32.gt_u
    if  ;; label = @1
      local.get 0
      local.get 1
      local.get 2
      memory.copy 0 2
      return
    end
    loop  ;; label = @1
      local.get 2
      i32.const 16
      i32.ge_u
      if  ;; label = @2
        local.get 0
        local.get 1
        v128.load 2 align=1
        v128.store align=1
        local.get 0
        i32.const 16
        i32.add
        local.set 0
        local.get 1
        i32.const 16
        i32.add
        local.set 1
        local.get 2
        i32.const 16
        i32.sub
        local.set 2
        br 1 (;@1;)
      end
    end
    local.get 2
    i32.const 8
    i32.and
    if  ;; label = @1
      local.get 0
      local.get 1
      i64.load 2 align=1
      i64.store align=1
      local.get 0
      i32.const 8
      i32.add
      local.set 0
      local.get 1
      i32.const 8
      i32.add
      local.set 1
    end
    local.get 2
    i32.const 4
    i32.and
    if  ;; label = @1
      local.get 0
      local.get 1
      i32.load 2 align=1
      i32.store align=1
      local.get 0
      i32.const 4
      i32.add
      local.set 0
      local.get 1
      i32.const 4
      i32.add
      local.set 1
    end
    local.get 2
    i32.const 2
    i32.and
    if  ;; label = @1
      local.get 0
      local.get 1
      i32.load16_u 2 align=1
      i32.store16 align=1
      local.get 0
      i32.const 2
      i32.add
      local.set 0
      local.get 1
      i32.const 2
      i32.add
      local.set 1
    end
    local.get 2
    i32.const 1
    i32.and
    if  ;; label = @1
      local.get 0
      local.get 1
      i32.load8_u 2
      i32.store8
      local.get 0
      i32.const 1
      i32.add
      local.set 0
      local.get 1
      i32.const 1
      i32.add
      local.set 1
    end)
  (func $pvm_upkint (type 1) (param i32 i32 i32) (result i32)
    (local i32 i32 i32)
    local.get 2
    i32.const 1
    i32.eq
    if  ;; label = @1
      loop  ;; label = @2
        local.get 1
        i32.const 1
        i32.sub
        i32.const 0
        i32.load 1 offset=4 align=1
        local.tee 3
        i32.load 2 offset=96 align=1
        local.get 3
        i32.load 2 offset=92 align=1
        local.tee 4
        i32.sub
        i32.const 2
        i32.shr_u
        i32.lt_u
        if  ;; label = @3
          local.get 1
          i32.const 1
          i32.eq
          if  ;; label = @4
            local.get 0
            local.get 4
            i32.load 2 align=1
            i32.store align=1
          else
            local.get 0
            local.get 4
            local.get 1
            i32.const 2
            i32.shl
            call $upvm_copy_out
          end
          local.get 3
          local.get 4
          local.get 1
          i32.const 2
          i32.shl
          i32.add
          i32.store 2 offset=92 align=1
          i32.const 0
          return
        end
        local.get 5
        i32.eqz
        if  ;; label = @3
          i32.const 1
          local.set 5
          local.get 1
          i32.const 2
          i32.shl
          call $unpack_room
          br_if 1 (;@2;)
        end
      end
    end
    local.get 0
    local.get 1
    local.get 2
    call $upkint)
  (func $upvm_poll (type 4)
    global.get 1
    if  ;; label = @1
      i32.const 0
      global.set 1
      return
    end
    call $poll
    if  ;; label = @1
      throw 0
    end)
  (func $upvm_poll_returning (type 4)
    global.get 1
    if  ;; label = @1
      i32.const 0
      global.set 1
      return
    end
    call $poll
    if  ;; label = @1
      i32.const 1
      global.set 1
    end)
  (func $upvm_push (type 0) (param i32 i32) (result i32)
    (local i32)
    global.get 2
    local.tee 2
    local.get 0
    i32.add
    global.get 3
    i32.gt_u
    if  ;; label = @1
      i32.const 0
      i32.load 1 offset=4 align=1
      local.get 2
      i32.store 2 offset=104 align=1
      local.get 0
      call $frames
      local.set 2
      i32.const 0
      i32.load 1 offset=4 align=1
      i32.load 2 offset=108 align=1
      global.set 3
    end
    local.get 2
    local.get 0
    i32.add
    global.set 2
    global.get 2
    i32.const 4
    i32.sub
    local.get 1
    i32.store 2 align=1
    local.get 2)
  (func $count__resumed_ (type 2) (param i32) (result i32)
    (local i32 i32 i32 i32)
    block  ;; label = @1
      block  ;; label = @2
        global.get 1
        i32.eqz
        br_if 0 (;@2;)
        block  ;; label = @3
          block  ;; label = @4
            global.get 2
            i32.const 4
            i32.sub
            i32.load 2 align=1
            i32.const 1
            i32.sub
            br_table 1 (;@3;) 0 (;@4;)
          end
          unreachable
        end
        global.get 2
        i32.const 16
        i32.sub
        local.tee 3
        global.set 2
        local.get 3
        i32.load 2 align=1
        local.set 0
        local.get 3
        i32.load 2 offset=4 align=1
        local.set 1
        i32.const 1
        local.set 2
        br 1 (;@1;)
      end
    end
    loop  ;; label = @1
      block  ;; label = @2
        local.get 2
        br_if 0 (;@2;)
        call $flag
        local.set 4
      end
      local.get 4
      local.get 2
      i32.or
      if  ;; label = @2
        i32.const 0
        local.set 2
        block  ;; label = @3
          block  ;; label = @4
            try_table  ;; label = @5
              (catch 0 0 (;@4;))
              call $upvm_poll
            end
            br 1 (;@3;)
          end
          i32.const 16
          i32.const 1
          call $upvm_push
          local.set 3
          local.get 3
          local.get 0
          i32.store 2 align=1
          local.get 3
          local.get 1
          i32.store 2 offset=4 align=1
          throw 0
        end
      end
      loop  ;; label = @2
        block  ;; label = @3
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          block  ;; label = @4
            local.get 1
            i32.const 3
            i32.add
            local.set 1
            local.get 1
            local.get 0
            i32.lt_u
            br_if 0 (;@4;)
            br 1 (;@3;)
          end
          call $flag
          br_if 2 (;@1;)
          br 1 (;@2;)
        end
      end
    end
    local.get 1)
  (func $upvm_resume (type 1) (param i32 i32 i32) (result i32)
    (local i32)
    local.get 0
    global.set 2
    local.get 1
    global.set 3
    local.get 2
    i32.eqz
    if  ;; label = @1
      i32.const 2
      global.set 1
    end
    block  ;; label = @1
      block  ;; label = @2
        try_table  ;; label = @3
          (catch 0 0 (;@2;))
          call $main
          local.set 3
        end
        br 1 (;@1;)
      end
      global.get 2
      return
    end
    global.get 1
    if  ;; label = @1
      i32.const 0
      global.set 1
      global.get 2
      return
    end
    i32.const 0
    i32.load 1 offset=4 align=1
    local.get 3
    i32.store 2 offset=120 align=1
    i32.const 0)
  (tag (;0;) (type 4))
  (global (;0;) (mut i32) (i32.const 0))
  (global (;1;) (mut i32) (i32.const 0))
  (global (;2;) (mut i32) (i32.const 0))
  (global (;3;) (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "main" (func $main))
  (data (;0;) "hello"))
