import assert from "node:assert/strict";
import { test } from "uvu";
import { serveTimers } from "../../runtime/scheduler/engine.ts";
import { flushAll } from "../../runtime/scheduler/output.ts";
import { SUSPEND, ULP, ULP_FLAG, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_ROUTINE } from "../../wire/pvm.ts";
import { WASI_ERRNO, WASI_FUNCTION } from "../../wire/wasi.ts";
import { TestMachine } from "../machine.ts";
import {
  type Actor,
  actor,
  IDLE,
  leftovers,
  type Process,
  type ProcessOptions,
  processOf,
} from "../one-thread.ts";

const { badf, fault, inval, spipe, success } = WASI_ERRNO;
const LIST = 0x40;
const DONE = 0x80;

function one(options: Partial<ProcessOptions> = {}): { p: Process; a: Actor; end: () => void } {
  const p = processOf(IDLE, { ulps: 1, ...options });
  return { p, a: actor(p, 0), end: () => assert.equal(leftovers(p), "") };
}

/** fd_write of texts, as one list. */
function write(a: Actor, fd: number, ...texts: string[]): number {
  let at = 0x1000;
  texts.forEach((text, i) => {
    const bytes = new TextEncoder().encode(text);
    a.bytes.set(bytes, at);
    a.view.setUint32(LIST + 8 * i, at, true);
    a.view.setUint32(LIST + 8 * i + 4, bytes.length, true);
    at += bytes.length;
  });
  return a.wasi("fd_write", fd, LIST, texts.length, DONE);
}
const texts = (p: Process): string[] => p.printed.splice(0).map(({ fd, text }) => `${fd}:${text}`);

test("every routine of the two tables that is not refused is there, with as many parameters", () => {
  const { p, end } = one();
  const { pvm, wasi_snapshot_preview1: wasi } = p.engines[0]!.imports;
  for (const name of Object.keys(PVM_ROUTINE)) assert.equal(typeof pvm[name], "function", name);
  for (const [name, { route }] of Object.entries(WASI_FUNCTION))
    assert.equal(typeof wasi[name], route === "refused" ? "undefined" : "function", name);
  for (const name of Object.keys(pvm)) assert.ok(name in PVM_ROUTINE, name);
  for (const name of Object.keys(wasi)) assert.ok(name in WASI_FUNCTION, name);
  end();
});

test("output comes by lines; what has no newline yet waits for it, or for the end", () => {
  const { p, a, end } = one();
  assert.equal(write(a, 1, "one ", "line\n", "and"), success);
  assert.equal(a.view.getUint32(DONE, true), 12);
  assert.deepEqual(texts(p), ["1:one line\n"]);
  write(a, 2, "an error\n");
  write(a, 1, " more\nlast");
  assert.deepEqual(texts(p), ["2:an error\n", "1:and more\n"]);
  flushAll(p.engines[0]!, a.ulp);
  assert.deepEqual(texts(p), ["1:last"]);
  end();
});

test("a tag stands before each line", () => {
  const { p, a, end } = one({ tag: true });
  write(a, 1, "a\nb\n\nc");
  assert.deepEqual(texts(p), ["1:[t40001] a\n[t40001] b\n[t40001] \n"]);
  flushAll(p.engines[0]!, a.ulp);
  assert.deepEqual(texts(p), ["1:[t40001] c"]);
  end();
});

test("a line longer than the limit goes out in pieces, none lost", () => {
  const { p, a, end } = one();
  const long = "x".repeat(0x9000);
  for (let i = 0; i < 5; i++) write(a, 1, long);
  flushAll(p.engines[0]!, a.ulp);
  const pieces = p.printed.splice(0).map(({ text }) => text);
  assert.equal(pieces.join(""), long.repeat(5));
  assert.equal(pieces[0]!.length, LIMITS.outputLineBytes);
  end();
});

test("streams: what is open, what can be done with it", () => {
  const { p, a, end } = one();
  assert.equal(write(a, 0, "no"), badf);
  assert.equal(write(a, 3, "no"), badf);
  assert.equal(a.wasi("fd_write", 1, 0xfffc, 1, DONE), fault);
  a.view.setUint32(LIST, 0xfff0, true);
  a.view.setUint32(LIST + 4, 0x20, true);
  assert.equal(a.wasi("fd_write", 1, LIST, 1, DONE), fault);
  assert.deepEqual(texts(p), []);
  assert.equal(a.wasi("fd_read", 0, LIST, 1, DONE), fault);
  a.view.setUint32(LIST + 4, 0x8, true);
  assert.equal(a.wasi("fd_read", 0, LIST, LIMITS.ioPieces + 1, DONE), inval);
  assert.equal(a.wasi("fd_read", 0, LIST, 1, DONE), success);
  assert.equal(a.view.getUint32(DONE, true), 0, "standard input is at its end");
  assert.equal(a.wasi("fd_seek", 1, 0n, 0, DONE), spipe);
  assert.equal(a.wasi("fd_seek", 5, 0n, 0, DONE), badf);
  assert.equal(a.wasi("fd_fdstat_get", 1, 0x200), success);
  assert.equal(a.view.getUint8(0x200), 2);
  assert.equal(a.wasi("fd_filestat_get", 1, 0x200), success);
  assert.equal(a.view.getUint8(0x210), 2);
  assert.equal(a.wasi("fd_prestat_get", 3, DONE), badf);
  assert.equal(a.wasi("path_open", 3, 0, 0, 0, 0, 0n, 0n, 0, DONE), badf);
  assert.equal(a.wasi("fd_readdir", 3, 0, 0, 0n, 0), badf);
  write(a, 1, "held");
  assert.equal(a.wasi("fd_close", 1), success);
  assert.deepEqual(texts(p), ["1:held"]);
  assert.equal(write(a, 1, "no"), badf);
  assert.equal(a.wasi("fd_close", 1), badf);
  end();
});

test("clocks, arguments, environment and random numbers are what the process gives", () => {
  const { p, a, end } = one({ args: ["prog", "-x"], env: ["A=1", "B=two"] });
  p.nowMs = 1500;
  assert.equal(a.wasi("clock_time_get", 1, 0n, DONE), success);
  assert.equal(a.view.getBigUint64(DONE, true), 1_500_000_000n);
  assert.equal(a.wasi("clock_time_get", 0, 0n, DONE), success);
  assert.equal(a.view.getBigUint64(DONE, true), 1_700_000_001_500_000_000n);
  assert.equal(a.wasi("clock_time_get", 9, 0n, DONE), inval);
  assert.equal(a.wasi("clock_res_get", 1, DONE), success);
  const list = (name: string): string[] => {
    a.wasi(`${name}_sizes_get`, DONE, DONE + 4);
    a.wasi(`${name}_get`, 0x300, 0x400);
    const bytes = a.bytes.slice(0x400, 0x400 + a.view.getUint32(DONE + 4, true));
    return new TextDecoder().decode(bytes).split("\0").slice(0, a.view.getUint32(DONE, true));
  };
  assert.deepEqual(list("args"), ["prog", "-x"]);
  assert.deepEqual(list("environ"), ["A=1", "B=two"]);
  assert.equal(a.wasi("random_get", 0x500, 16), success);
  assert.ok(a.bytes.slice(0x500, 0x510).every((byte) => byte === 7));
  assert.equal(a.bytes[0x510], 0);
  assert.equal(a.wasi("random_get", 0xfff8, 16), fault);
  end();
});

/** A subscription of poll_oneoff for a clock. */
function subscribe(a: Actor, i: number, user: bigint, ns: bigint, absolute = false): void {
  const at = 0x2000 + 48 * i;
  a.view.setBigUint64(at, user, true);
  a.view.setUint8(at + 8, 0);
  a.view.setUint32(at + 16, 1, true);
  a.view.setBigUint64(at + 24, ns, true);
  a.view.setUint16(at + 40, absolute ? 1 : 0, true);
}

test("poll_oneoff sleeps until the soonest clock; only this ULP waits", () => {
  const { p, a, end } = one();
  const e = p.engines[0]!;
  subscribe(a, 0, 11n, 5_000_000n);
  subscribe(a, 1, 22n, 3_000_000n);
  assert.equal(a.wasi("poll_oneoff", 0x2000, 0x3000, 2, DONE), SUSPEND);
  assert.equal(p.library.w[a.ulp + ULP.state], ULP_STATE.blocked);
  assert.equal(e.timers.nextMs, 3);
  p.nowMs = 3;
  serveTimers(e);
  assert.equal(a.resumed(), success);
  assert.equal(a.view.getUint32(DONE, true), 1);
  assert.equal(a.view.getBigUint64(0x3000, true), 22n);
  // A time that has passed: at once.
  subscribe(a, 0, 33n, 1_000_000n, true);
  assert.equal(a.wasi("poll_oneoff", 0x2000, 0x3000, 1, DONE), success);
  assert.equal(a.view.getBigUint64(0x3000, true), 33n);
  assert.equal(a.wasi("poll_oneoff", 0x2000, 0x3000, 0, DONE), inval);
  assert.equal(a.wasi("poll_oneoff", 0xfff0, 0x3000, 1, DONE), fault);
  end();
});

/** A list of one piece of memory for fd_read. */
function readList(a: Actor, at: number, bytes: number): void {
  a.view.setUint32(LIST, at, true);
  a.view.setUint32(LIST + 4, bytes, true);
}

test("a read of standard input suspends the first ULP until the process has read some; others are at its end", async () => {
  const p = processOf(IDLE, { ulps: 2, input: true });
  const machine = new TestMachine(p);
  machine.inputs.push(new TextEncoder().encode("abc"));
  const [first, second] = [actor(p, 0), actor(p, 1)];
  readList(first, 0x1000, 8);
  assert.equal(first.wasi("fd_read", 0, LIST, 1, DONE), SUSPEND);
  assert.equal(p.library.w[first.ulp + ULP.state], ULP_STATE.blocked);
  readList(second, 0x1000, 8);
  assert.equal(second.wasi("fd_read", 0, LIST, 1, DONE), success);
  assert.equal(second.view.getUint32(DONE, true), 0);
  await machine.serve();
  assert.equal(first.resumed(), success);
  assert.equal(first.view.getUint32(DONE, true), 3);
  assert.equal(new TextDecoder().decode(first.bytes.slice(0x1000, 0x1003)), "abc");
  assert.equal(first.wasi("fd_read", 0, LIST, 1, DONE), SUSPEND);
  await machine.serve();
  assert.deepEqual([first.resumed(), first.view.getUint32(DONE, true)], [success, 0], "its end");
  assert.equal(leftovers(p), "");
});

test("a poll waits for standard input or its time, and tells which it was", async () => {
  const p = processOf(IDLE, { ulps: 1, input: true });
  const machine = new TestMachine(p);
  const a = actor(p, 0);
  subscribe(a, 0, 11n, 5_000_000n);
  subscribe(a, 1, 22n, 0n);
  a.view.setUint8(0x2000 + 48 + 8, 1);
  a.view.setUint32(0x2000 + 48 + 16, 0, true);
  for (const [came, user] of [
    [true, 22n],
    [false, 11n],
  ] as const) {
    machine.inputCame = came;
    assert.equal(a.wasi("poll_oneoff", 0x2000, 0x3000, 2, DONE), SUSPEND);
    await machine.serve();
    assert.equal(a.resumed(), success);
    assert.equal(a.view.getUint32(DONE, true), 1);
    assert.equal(a.view.getBigUint64(0x3000, true), user);
  }
  assert.equal(leftovers(p), "");
});

test("proc_exit ends the program with its code, whatever catches the exception", () => {
  const { p, a, end } = one();
  assert.throws(() => a.wasi("proc_exit", 7));
  assert.equal(p.library.w[a.ulp + ULP.exitCode], 7);
  assert.ok((p.library.w[a.ulp + ULP.flags]! & ULP_FLAG.exiting) !== 0);
  end();
});

test.run();
