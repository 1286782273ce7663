/** The engine on the process's own thread: what it waits for, and for how long; with the test's thread as the process's. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import type { Parcel, UlpFailure } from "../../runtime/scheduler/engine-state.ts";
import { initialise } from "../../runtime/scheduler/init.ts";
import { demandAttention } from "../../runtime/scheduler/mailbox.ts";
import { PLACEMENT } from "../../runtime/scheduler/placement.ts";
import type { Program } from "../../runtime/scheduler/programs.ts";
import { ulpAt } from "../../runtime/scheduler/queue.ts";
import { getState } from "../../runtime/scheduler/state.ts";
import { OVER, TURN, TurnPatience } from "../../runtime/scheduler/turn.ts";
import { OwnEngine } from "../../upvm/node-own-engine.ts";
import { TurnRoom } from "../../upvm/turn-room.ts";
import { HEAD, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { program, TID0 } from "../wat-programs.ts";

interface Ran {
  readonly engine: OwnEngine;
  readonly w: Int32Array<SharedArrayBuffer>;
  readonly failures: UlpFailure[];
  readonly parcels: Parcel[];
  readonly words: Int32Array<SharedArrayBuffer>;
  /** The engine's control page, when it has had a turn. */
  readonly ctl: () => WebAssembly.Memory;
  /** Output that has not been taken: each takes one. */
  readonly printed: (() => void)[];
}

/** @param elsewhere  ULPs of another process. @param outbox  there is something in the outbox */
function start(body: string, ulps = 1, elsewhere = -1, outbox: () => void = () => {}): Ran {
  const wasm = program(body) as Uint8Array<ArrayBuffer>;
  const { info } = link(wasm);
  const linked = {
    ...{ id: 0, name: "test", module: new WebAssembly.Module(wasm) },
    ...{ pages: info.pages, stateBytes: info.stateBytes, tables: info.tables },
  };
  const failures: UlpFailure[] = [];
  const parcels: Parcel[] = [];
  const printed: (() => void)[] = [];
  const options = {
    ...{ args: ["test"], env: [], grants: [], input: false, tag: false, outside: true },
    ...{ hostName: "here", handoff: true, framesBytes: LIMITS.framesBytesMax, shuffle: 0 },
  };
  const events = {
    output: () => new Promise<void>((taken) => printed.push(taken)),
    news: (_: number, news: { kind: string; failure?: UlpFailure }) => {
      if (news.kind === "failed") failures.push(news.failure!);
      if (news.kind === "outbox") outbox();
    },
    parcel: (parcel: Parcel) => parcels.push(parcel),
  };
  const words = new Int32Array(new SharedArrayBuffer(TURN.words * 4));
  const beganMs = performance.timeOrigin + performance.now();
  let engine: OwnEngine | undefined;
  let ctl: WebAssembly.Memory | undefined;
  const { library } = initialise(
    {
      ...{ program: linked, ulps, engines: 1, heapBytes: 16 << 20, place: PLACEMENT.block },
      ...(elsewhere >= 0 && { elsewhere: (index: number) => index === elsewhere }),
    },
    {
      prepare: (made) => {
        const watch = {
          words,
          start: (memory: WebAssembly.Memory) => {
            ctl = memory;
          },
        };
        engine = new OwnEngine(made, { engine: options, beganMs }, events, watch);
      },
      start: () => {},
    },
  );
  return { engine: engine!, w: library.w, words, ctl: () => ctl!, failures, parcels, printed };
}

/** Has the event loop go on until something holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    assert.ok(turns < 1_000_000, "it never came to that");
    await nextTurn();
  }
}

/** Prints 32 KiB again and again. */
const PRINTS = `(func (export "_start")
  (i32.store (i32.const 72) (i32.const 1024))
  (i32.store (i32.const 76) (i32.const 32768))
  (loop $again
    (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80)))
    (br $again)))`;

test("ULPs whose output nobody takes wait without end, and are stopped and frozen meanwhile", async () => {
  const { now } = performance;
  let later = 0;
  performance.now = () => now.call(performance) + later;
  try {
    const { engine, w, parcels, printed } = start(PRINTS, 2);
    const isFull = () => w[HEAD.outputBytes]! > LIMITS.outputBytes;
    const stateOf = (index: number) => getState(w, ulpAt(w, index));
    await until(isFull);
    const held = w[HEAD.outputBytes]!;
    assert.ok(held < LIMITS.outputBytes + (1 << 20), `${held}`);
    for (let turns = 0; turns < 20; turns++) {
      later += LIMITS.outboxWaitMs;
      const before = performance.now();
      await until(() => performance.now() > before + 2 * LIMITS.turnAgainMs);
    }
    assert.equal(w[HEAD.outputBytes], held);
    engine.send(0, { kind: "stop", index: 0, signum: 9 });
    await until(() => stateOf(0) === ULP_STATE.exited);
    engine.send(0, { kind: "freeze", index: 1 });
    await until(() => parcels.length === 1);
    assert.deepEqual([parcels[0]!.kind, w[HEAD.outputBytes]], ["ulp", held]);
    for (const taken of printed.splice(0)) taken();
    await until(() => !isFull());
    assert.equal(await engine.interrupt(), true);
  } finally {
    performance.now = now;
  }
});

test("output goes on when what was printed has been taken", async () => {
  const { engine, w, printed } = start(PRINTS);
  for (let round = 0; round < 3; round++) {
    await until(() => w[HEAD.outputBytes]! > LIMITS.outputBytes);
    for (const taken of printed.splice(0)) taken();
  }
  await engine.interrupt();
});

test("output that nobody takes is looked at less and less often", async () => {
  const { setTimeout: really } = globalThis;
  const asked: (number | undefined)[] = [];
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    asked.push(ms);
    return really(run, 0);
  }) as typeof setTimeout;
  try {
    const { engine } = start(PRINTS);
    await until(() => asked.length >= 7);
    assert.deepEqual(asked.slice(0, 7), [2, 4, 8, 16, 32, 32, 32]);
    await engine.interrupt();
  } finally {
    globalThis.setTimeout = really;
  }
});

test("messages wait so long for room and are refused then, however long output has waited", () => {
  const room = new TurnRoom();
  const wait = LIMITS.outboxWaitMs;
  const look = (output: boolean, messages: boolean, nowMs: number) => {
    const { waits, refused } = room.look({ output, messages }, nowMs);
    return [waits, refused];
  };
  assert.deepEqual(look(false, false, 0), [false, false]);
  assert.deepEqual(look(true, false, 1), [true, false]);
  assert.deepEqual(look(true, false, 1 + wait), [true, false]);
  assert.deepEqual(look(true, true, 2 + wait), [true, false]);
  assert.deepEqual(look(false, true, 1 + 2 * wait), [true, false]);
  assert.deepEqual(look(false, true, 2 + 2 * wait), [false, true]);
  assert.deepEqual(look(true, true, 3 + 2 * wait), [true, true]);
  assert.deepEqual(look(false, false, 4 + 2 * wait), [false, false]);
  assert.deepEqual(look(false, true, 5 + 2 * wait), [true, false]);
});

test("a wait longer than a timer can be takes the longest timer", async () => {
  const { setTimeout: really } = globalThis;
  const asked: (number | undefined)[] = [];
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    asked.push(ms);
    return really(run, 0).unref();
  }) as typeof setTimeout;
  try {
    const { engine } = start(`(func (export "_start")
      (i32.store (i32.const 16) (i32.const 3000000))
      (drop (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 16))))`);
    await until(() => asked.length > 0);
    assert.equal(asked[0], 2 ** 31 - 1);
    await engine.interrupt();
  } finally {
    globalThis.setTimeout = really;
  }
});

test("with nothing to run it looks at the sockets for a while, and then sleeps", async () => {
  const { setImmediate: really } = globalThis;
  let asked = 0;
  globalThis.setImmediate = ((run: () => void) => {
    asked += 1;
    return really(run);
  }) as typeof setImmediate;
  const rests = () => new Promise((rested) => setTimeout(rested, 20));
  try {
    const { engine } = start(`(func (export "_start")
      (drop (call $pvm_recv (i32.const -1) (i32.const 1))))`);
    // The first is that of its first turn.
    await until(() => asked >= 2);
    await rests();
    const before = asked;
    await rests();
    assert.equal(asked, before);
    await engine.interrupt();
  } finally {
    globalThis.setImmediate = really;
  }
});

test("a message to another process leaves when its sender waits, and not behind all others that can run", async () => {
  const states: string[] = [];
  let ran: Ran | undefined;
  const body = `(func (export "_start")
    (if (i32.eq (call $pvm_mytid) (i32.const ${TID0})) (then
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_send (i32.const ${TID0 + 2}) (i32.const 1)))
      (drop (call $pvm_recv (i32.const -1) (i32.const 1))))))`;
  ran = start(body, 3, 2, () => {
    const state = (index: number) => String(getState(ran!.w, ulpAt(ran!.w, index)));
    states.push(`${state(0)} ${state(1)}`);
  });
  // As the own thread leaves it when it has taken all.
  ran.w[HEAD.outboxAsleep] = 1;
  await until(() => getState(ran!.w, ulpAt(ran!.w, 1)) === ULP_STATE.exited);
  // The other has not had its turn yet.
  assert.deepEqual(states, [`${ULP_STATE.blocked} ${ULP_STATE.unInit}`]);
  await ran.engine.interrupt();
});

/** Sends to another process, does something, and counts for many milliseconds. @returns its state when the message left */
async function stateWhenLeft(before: string, behind: string): Promise<number | undefined> {
  let state: number | undefined;
  let ran: Ran | undefined;
  const body = `(func (export "_start") (local $i i32)
    (drop (call $pvm_initsend (i32.const 0)))
    ${before}
    (drop (call $pvm_send (i32.const ${TID0 + 1}) (i32.const 1)))
    ${behind}
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 30000000)))))`;
  ran = start(body, 2, 1, () => {
    state ??= getState(ran!.w, ulpAt(ran!.w, 0));
  });
  ran.w[HEAD.outboxAsleep] = 1;
  await until(() => state !== undefined);
  await ran.engine.interrupt();
  return state;
}

test("a message to another process leaves when its sender computes on", async () => {
  assert.equal(await stateWhenLeft("", ""), ULP_STATE.runnable);
});

test("a message to another process leaves when its sender has received what was there already", async () => {
  const { now } = performance;
  const stands = performance.now();
  performance.now = () => stands;
  try {
    const toItself = `(drop (call $pvm_send (i32.const ${TID0}) (i32.const 1)))`;
    const received = "(drop (call $pvm_recv (i32.const -1) (i32.const 1)))";
    assert.equal(await stateWhenLeft(toItself, received), ULP_STATE.runnable);
    // The clock stands: nothing else has it leave before its sender ends.
    assert.equal(await stateWhenLeft(toItself, ""), ULP_STATE.exited);
  } finally {
    performance.now = now;
  }
});

test("a turn may last longer where to end it was in vain, and not where ULPs wait for a time or something has come", () => {
  const patience = new TurnPatience();
  const behind = (came: boolean, timers = false): number => patience.behindLasted(came, timers);
  assert.deepEqual([behind(false), behind(false), behind(false)], [2, 4, LIMITS.turnPatience]);
  assert.equal(behind(true), 1);
  assert.deepEqual([behind(false), behind(false, true), behind(false)], [2, 1, 2]);
  // A deadline is kept by looking when a turn ends.
  assert.ok(LIMITS.turnMs <= LIMITS.lookForTimersMs);
});

test("turns do not last longer while a ULP waits for a time, from then on", async () => {
  // The first sleeps, the second computes.
  const { engine, words } = start(
    `(func (export "_start") (local $i i32)
      (if (i32.eq (call $pvm_mytid) (i32.const ${TID0})) (then
        (i32.store (i32.const 16) (i32.const 1))
        (drop (call $pvm_trecv (i32.const -1) (i32.const 1) (i32.const 16)))))
      (loop $again
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 1000000)))))`,
    2,
  );
  words[TURN.patience] = LIMITS.turnPatience;
  await until(() => words[TURN.patience] === 1);
  await engine.interrupt();
});

/** Asks for the time again and again. */
const LOOKS_AT_CLOCK = `(func (export "_start")
  (loop $again
    (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 64)))
    (br $again)))`;

/**
 * Has each turn be ended as one that lasts, by another thread, and stops the engine behind the sixth.
 *
 * @param between  called between the fourth turn and the fifth; what it is handed tells how many there were, whenever it is called
 * @returns the patience that each of them was told
 */
async function patienceOf(ran: Ran, between: (turns: () => number) => void): Promise<number[]> {
  const { engine, words, ctl } = ran;
  const { now } = performance;
  const told: number[] = [];
  let turn = 0;
  // Called while the ULP runs: what follows is what other threads do meanwhile.
  performance.now = () => {
    if (words[TURN.running] !== turn && words[TURN.running] !== 0) {
      turn = words[TURN.running]!;
      told.push(words[TURN.patience]!);
      words[TURN.over] = OVER.lasted;
      demandAttention(new Int32Array(ctl().buffer as SharedArrayBuffer));
      if (told.length === 4) queueMicrotask(() => between(() => told.length));
    }
    return now.call(performance);
  };
  try {
    await until(() => told.length >= 6);
  } finally {
    performance.now = now;
    await engine.interrupt();
  }
  return told.slice(0, 6);
}

test("a turn that another thread has ended in vain has the next one last longer, until something has come", async () => {
  const ran = start(LOOKS_AT_CLOCK);
  // Nobody runs that program.
  const parcel = { kind: "program", program: { id: 1 } as Program } as const;
  assert.deepEqual(await patienceOf(ran, () => ran.engine.send(0, parcel)), [0, 2, 4, 4, 1, 2]);
});

test("a ULP is frozen between two turns: the others' next turn is not waited for, and does not last longer", async () => {
  const ran = start(LOOKS_AT_CLOCK, 2);
  const seen: [kinds: string[], turns: number][] = [];
  const told = await patienceOf(ran, (turns) => {
    // As an order that is read just then.
    ran.engine.send(0, { kind: "freeze", index: 1 });
    queueMicrotask(() => seen.push([ran.parcels.map(({ kind }) => kind), turns()]));
  });
  assert.deepEqual(seen, [[["ulp"], 4]]);
  assert.deepEqual(told, [0, 2, 4, 4, 1, 2]);
});

test("a trap 30 calls deep tells all of them", async () => {
  const limit = Error.stackTraceLimit;
  try {
    const { engine, failures } = start(`
      (func $deeper (param $calls i32)
        (if (i32.eqz (local.get $calls)) (then unreachable))
        (call $deeper (i32.sub (local.get $calls) (i32.const 1))))
      (func (export "_start") (call $deeper (i32.const 29)))`);
    await until(() => failures.length > 0);
    const calls = failures[0]!.stack.match(/wasm-function\[\d+\]/g) ?? [];
    const innermost = calls[0];
    assert.equal(calls.filter((call) => call === innermost).length, 30, failures[0]!.stack);
    await engine.ended();
  } finally {
    Error.stackTraceLimit = limit;
  }
});

test.run();
