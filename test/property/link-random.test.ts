/**
 * Random programs, linked and suspended at random, compute what they compute unlinked.
 *
 * The programs are made from a seed: nested blocks, loops and branches, values left on the operand stack across
 * calls, indirect calls, recursion, locals of every type. UPVM_SEED=n replays one.
 */
import assert from "node:assert";
import { test } from "uvu";
import { linkInStages, runLinked, runPlain, seeded, watToWasm } from "../link-stages.ts";

const SEEDS = 80;

class Generator {
  private readonly random: () => number;
  private labels: { name: string; isLoop: boolean; value: boolean }[] = [];
  private count = 0;
  private fuel = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  private pick(n: number): number {
    return Math.floor(this.random() * n);
  }

  module(): string {
    const funcs = [0, 1, 2, 3].map((i) => this.func(i)).join("\n");
    return `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (type $one (func (param i32) (result i32)))
  (memory 1)
  (table funcref (elem $f0 $f1 $f2 $f3))
  (global $depth (mut i32) (i32.const 0))
  (global $fuel (mut i32) (i32.const 1000))
  (global $g (mut i64) (i64.const 12345))
  (data (i32.const 16) "some bytes to begin with")
  ${funcs}
  (func (export "main") (result i32) (local $i i32) (local $s i32)
    (loop $again
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (call $f0 (local.get $i))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 12))))
    (i32.add (local.get $s) (i32.wrap_i64 (global.get $g)))))`;
  }

  private func(i: number): string {
    this.labels = [];
    this.fuel = 40;
    return `(func $f${i} (type $one) (param $p i32) (result i32)
    (local $a i32) (local $b i32) (local $l i64) (local $d f64) (local $f f32) (local $v v128) (local $n i32)
    (if (i32.or (i32.gt_s (global.get $depth) (i32.const 4)) (i32.lt_s (global.get $fuel) (i32.const 0)))
      (then (return (i32.add (local.get $p) (call $yield)))))
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    ${this.statements(4)}
    (local.set $a (i32.add (local.get $a) (i32.trunc_sat_f64_s (local.get $d))))
    (local.set $a (i32.xor (local.get $a) (i32.wrap_i64 (local.get $l))))
    (local.set $a (i32.xor (local.get $a) (i32x4.extract_lane 2 (local.get $v))))
    (local.set $a (i32.add (local.get $a) (i32.trunc_sat_f32_s (local.get $f))))
    (global.set $g (i64.add (global.get $g) (i64.extend_i32_s (local.get $a))))
    (local.set $n ${this.expr(3)})
    (global.set $depth (i32.sub (global.get $depth) (i32.const 1)))
    (local.get $n))`;
  }

  private statements(depth: number): string {
    return Array.from({ length: 1 + this.pick(3) }, () => this.statement(depth)).join("\n    ");
  }

  private statement(depth: number): string {
    if (depth <= 0 || --this.fuel < 0)
      return `(local.set $b (i32.add (local.get $b) (i32.const ${this.pick(100)})))`;
    switch (this.pick(10)) {
      case 0:
        return `(local.set $a ${this.expr(depth)})`;
      case 1:
        return `(local.set $l (i64.add (local.get $l) (i64.extend_i32_u ${this.expr(depth - 1)})))`;
      case 2:
        return `(local.set $d (f64.add (local.get $d) (f64.convert_i32_s ${this.expr(depth - 1)})))`;
      case 3:
        return `(if ${this.expr(depth - 1)} (then ${this.statements(depth - 1)}) (else ${this.statements(depth - 1)}))`;
      case 4:
        return this.loop(depth);
      case 5:
        return `(local.set $v (i32x4.add (local.get $v) (i32x4.splat ${this.expr(depth - 1)})))`;
      case 6:
        return this.inBlock(
          false,
          (name) =>
            `(block ${name} ${this.statements(depth - 1)} (br_if ${name} ${this.expr(depth - 1)}) ${this.statements(depth - 1)})`,
        );
      case 7:
        return `(i32.store offset=64 (i32.and ${this.expr(depth - 1)} (i32.const 1020)) ${this.expr(depth - 1)})`;
      case 8:
        return this.table(depth);
      default:
        return `(local.set $f (f32.add (local.get $f) (f32.convert_i32_s ${this.expr(depth - 1)})))`;
    }
  }

  private inBlock(isLoop: boolean, make: (name: string) => string, value = false): string {
    const name = `$L${this.count++}`;
    this.labels.push({ name, isLoop, value });
    const text = make(name);
    this.labels.pop();
    return text;
  }

  private loop(depth: number): string {
    const saved = this.labels;
    return this.inBlock(true, (name) => {
      // Its own counter, kept in memory beyond what statements write: the loop ends whatever its body does.
      const at = 2048 + 8 * this.count;
      const next = `(i32.store (i32.const ${at}) (i32.add (i32.load (i32.const ${at})) (i32.const 1)))`;
      this.labels = [...saved];
      const body = this.statements(depth - 1);
      this.labels = [...saved, { name, isLoop: true, value: false }];
      return `(i32.store (i32.const ${at}) (i32.const 0)) (loop ${name} ${body} ${next}
      (br_if ${name} (i32.lt_s (i32.load (i32.const ${at})) (i32.const ${1 + this.pick(3)}))))`;
    });
  }

  private table(depth: number): string {
    return this.inBlock(false, (outer) =>
      this.inBlock(
        false,
        (inner) =>
          `(block ${outer} (block ${inner} (br_table ${inner} ${outer} ${inner} (i32.and ${this.expr(depth - 1)} (i32.const 3))))
      ${this.statements(depth - 1)})`,
      ),
    );
  }

  private expr(depth: number): string {
    if (depth <= 0 || --this.fuel < 0) {
      return (
        ["(local.get $p)", "(local.get $a)", "(local.get $b)", `(i32.const ${this.pick(1000) - 500})`][
          this.pick(4)
        ] ?? ""
      );
    }
    const e = (): string => this.expr(depth - 1);
    switch (this.pick(12)) {
      case 0:
        return `(i32.add ${e()} (call $yield))`;
      case 1:
        return `(i32.sub ${e()} ${e()})`;
      case 2:
        return `(i32.mul ${e()} ${e()})`;
      case 3:
        return `(i32.add ${e()} (call $f${this.pick(4)} ${e()}))`;
      case 4:
        return `(call_indirect (type $one) ${e()} (i32.and ${e()} (i32.const 3)))`;
      case 5:
        return `(if (result i32) ${e()} (then ${e()}) (else ${e()}))`;
      case 6:
        return `(select ${e()} ${e()} ${e()})`;
      case 7:
        return `(local.tee $b ${e()})`;
      case 8:
        return this.inBlock(
          false,
          (name) =>
            `(block ${name} (result i32) ${e()} (br_if ${name} ${e()} ${e()}) (drop) ${this.statements(1)} (drop) ${e()})`,
          true,
        );
      case 9:
        return `(i32.load offset=64 (i32.and ${e()} (i32.const 1020)))`;
      case 10:
        return `(i32.wrap_i64 (i64.mul (i64.extend_i32_s ${e()}) (i64.add (local.get $l) (i64.extend_i32_u ${e()}))))`;
      default:
        return `(i32.add (i32.add ${e()} ${e()}) (call $yield))`;
    }
  }
}

test("random programs give the same result whenever they are suspended and moved", () => {
  const only = process.env["UPVM_SEED"];
  const first = only === undefined ? 1 : Number(only);
  let suspensions = 0;
  for (let seed = first; seed < (only === undefined ? first + SEEDS : first + 1); seed++) {
    // Half of them can only be stopped at polls: they unwind by exception.
    const text = new Generator(seed).module();
    const wasm = watToWasm(seed % 2 === 0 ? text : text.replaceAll("(call $yield)", "(i32.const 0)"));
    assert(
      WebAssembly.validate(wasm as Uint8Array<ArrayBuffer>),
      `seed ${seed}: the generator made an invalid program`,
    );
    const plain = runPlain(wasm);
    const stages = linkInStages(wasm);
    for (const suspend of [0, 0.05, 0.5]) {
      const linked = runLinked(stages, { seed, suspend, move: 0.05 });
      const replay = `replay with UPVM_SEED=${seed} node test/property/link-random.test.ts`;
      assert.equal(linked.exitCode, plain.exitCode, replay);
      suspensions += linked.suspensions;
    }
  }
  assert(suspensions > 100, `only ${suspensions} suspensions: the programs did not test anything`);
});

test.run();
