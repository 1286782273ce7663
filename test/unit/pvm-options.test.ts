/** Options of pvm_setopt by their rules: what each takes, refuses and hands to children; pvm_getnoresets. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { FRAGMENT_BYTES, INHERITED, type Option, PVM_OPTION } from "../../wire/options.ts";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import { type Actor, actor } from "../one-thread.ts";

const { PvmBadParam, PvmNotImpl } = PVM_ERROR;
const AT = 0x100;
const rows: readonly Option[] = Object.values(PVM_OPTION);
const code = (name: keyof typeof PVM_OPTION): number => PVM_OPTION[name].code;

function alone() {
  const { actors, errors, end } = party(1);
  const [a] = actors as [Actor];
  return {
    a,
    errors,
    end,
    set: (what: number, value: number) => a.call("pvm_setopt", what, value),
    get: (what: number) => a.call("pvm_getopt", what),
  };
}

test("every option begins with its initial value, and those that are not there have none", () => {
  const { errors, get, end } = alone();
  for (const { code: what, rule, initial } of rows)
    assert.equal(get(what), rule === "none" ? PvmBadParam.code : initial, String(what));
  errors();
  for (const what of [0, -1, 26, 0x7fffffff]) assert.equal(get(what), PvmBadParam.code);
  assert.deepEqual(errors(), Array(4).fill("pvm_getopt(): Bad parameter"));
  end();
});

/** By rule: what is taken, and what is refused and with which error. */
const RULES: Readonly<Record<Option["rule"], { good: number[]; bad: number[]; error?: number }>> = {
  any: { good: [5, -1, 0x7fffffff, 0], bad: [] },
  route: { good: [1, 2, 3], bad: [0, 4, -1] },
  trace: { good: [1, 2, 3], bad: [0, 4, -1] },
  fragment: {
    good: [FRAGMENT_BYTES.least, 4096, FRAGMENT_BYTES.most],
    bad: [0, FRAGMENT_BYTES.least - 1, FRAGMENT_BYTES.most + 1],
  },
  tid: { good: [0x40001, 0], bad: [0x40002, 5, -1] },
  // Without the tid that they belong to they stay 0, and that is no error.
  self: { good: [], bad: [] },
  read: { good: [], bad: [0, 1], error: PvmNotImpl.code },
  none: { good: [], bad: [0, 1], error: PvmNotImpl.code },
};

test("pvm_setopt takes what the option's rule takes, returns the value before, and changes nothing else", () => {
  for (const { code: what, rule, initial } of rows) {
    const { set, get, end } = alone();
    // Printing is not what this is about.
    if (what !== code("PvmAutoErr")) set(code("PvmAutoErr"), 0);
    const { good, bad, error = PvmBadParam.code } = RULES[rule];
    let before = initial;
    for (const value of good) {
      const kept = what === code("PvmNoReset") ? (value === 0 ? 0 : 1) : value;
      assert.equal(set(what, value), before, `${what} ${value}`);
      assert.equal(get(what), kept);
      before = kept;
    }
    for (const value of bad) assert.equal(set(what, value), error, `${what} ${value}`);
    if (rule !== "none") assert.equal(get(what), before);
    for (const other of rows)
      if (other.code !== what && other.rule !== "none" && other.code !== code("PvmAutoErr"))
        assert.equal(get(other.code), other.initial, `${what} changes ${other.code}`);
    end();
  }
});

test("an option that is not there cannot be set", () => {
  const { set, errors, end } = alone();
  for (const what of [0, -1, 26]) assert.equal(set(what, 1), PvmBadParam.code);
  assert.deepEqual(errors(), Array(3).fill("pvm_setopt(): Bad parameter"));
  end();
});

test("the tag of the own output or trace is kept only if there is somebody to send it to", () => {
  const { a, set, get, end } = alone();
  for (const [tid, tag] of [
    ["PvmSelfOutputTid", "PvmSelfOutputCode"],
    ["PvmSelfTraceTid", "PvmSelfTraceCode"],
  ] as const) {
    assert.equal(set(code(tag), 7), 0);
    assert.equal(get(code(tag)), 0);
    assert.equal(set(code(tid), a.tid), 0);
    assert.equal(set(code(tag), 7), 0);
    assert.equal(get(code(tag)), 7);
    assert.equal(set(code(tid), 0), a.tid);
  }
  end();
});

test("a spawned task has what its parent wants for children, for itself and its own; all else is initial", async () => {
  const { p, actors, ask, end } = party(1);
  const [a] = actors as [Actor];
  const wanted = (what: number): number => {
    const { rule } = rows.find((row) => row.code === what)!;
    return rule === "tid" ? a.tid : rule === "trace" ? 2 : 40 + what;
  };
  const own = rows.filter(
    ({ rule, code: what }) => rule !== "none" && rule !== "read" && what !== code("PvmNoReset"),
  );
  for (const { code: what, rule } of own)
    a.call("pvm_setopt", what, rule === "route" ? 1 : rule === "fragment" ? 100 : wanted(what));
  assert.equal(await ask(a, "pvm_spawn", a.text("test"), 0, 0, 0, 1, AT), 1);
  const child = actor(p, 1);
  for (const { code: what, rule, initial } of rows) {
    if (rule === "none") continue;
    const from = INHERITED.find(({ to }) => to === what)?.from;
    assert.equal(child.call("pvm_getopt", what), from === undefined ? initial : wanted(from), String(what));
  }
  end();
});

test("pvm_getnoresets: who has PvmNoReset, as many as there is room for", () => {
  const { actors, errors, end } = party(3);
  const [a, b, c] = actors as [Actor, Actor, Actor];
  const tids = (n: number) => Array.from({ length: n }, (_, i) => a.view.getInt32(AT + 4 * i, true));
  assert.equal(a.call("pvm_noresets_get", AT, 4), 0);
  for (const who of [a, c]) assert.equal(who.call("pvm_setopt", code("PvmNoReset"), 1), 0);
  assert.equal(a.call("pvm_noresets_get", AT, 4), 2);
  assert.deepEqual(tids(2), [a.tid, c.tid]);
  a.view.setInt32(AT + 4, 9, true);
  assert.equal(a.call("pvm_noresets_get", AT, 1), 2);
  assert.deepEqual(tids(2), [a.tid, 9]);
  assert.equal(b.call("pvm_noresets_get", 0, 0), 2);
  for (const at of [0, 0x10000]) assert.equal(a.call("pvm_noresets_get", at, 4), PvmBadParam.code);
  assert.deepEqual(errors(), Array(2).fill("pvm_getnoresets(): Bad parameter"));
  assert.equal(a.call("pvm_setopt", code("PvmNoReset"), 0), 1);
  assert.equal(a.call("pvm_noresets_get", AT, 4), 1);
  end();
});

test.run();
