/** Stages of a move that the simulation (test/property/migration.test.ts) reaches never or seldom: limits, and bad luck. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Migration } from "../../runtime/migrate/migration.ts";
import type { MoveEffect, MoveEvent, MoveFrameKind } from "../../runtime/migrate/moves.ts";
import { LIMITS } from "../../wire/limits.ts";

type Effect = MoveEffect<string>;
const TID = 7;

/** Process 0 of three, which has ULP 7 and some more. */
class Source {
  readonly protocol = new Migration<string>(0, [0, 1, 2]);
  nowMs = 1000;

  constructor() {
    for (let tid = 1; tid <= 40; tid++) this.take({ kind: "created", tid, location: { member: 0, move: 0 } });
  }

  take(event: MoveEvent): readonly Effect[] {
    return this.protocol.take(event, this.nowMs);
  }

  frame(from: number, kind: MoveFrameKind, tid = TID, move = 1): readonly Effect[] {
    // A destination that says MIGABORT says that its source has it.
    const member = kind === "MIGABORT" ? 0 : from;
    return this.take({ kind: "frame", from, frame: { kind, tid, move, member } });
  }

  order(tid = TID, to = 1): readonly Effect[] {
    return this.take({ kind: "order", order: tid, tid, to });
  }

  /** To where its state is on the way to process 1. */
  shipping(): this {
    this.order();
    this.frame(1, "PREPARED");
    this.take({ kind: "frozen", tid: TID, move: 1 });
    this.frame(1, "MIGACK");
    assert.deepEqual(kinds(this.frame(2, "MIGACK")), ["shipLate", "FLUSHED 1"]);
    return this;
  }

  after(ms: number): readonly Effect[] {
    this.nowMs += ms;
    return this.take({ kind: "tick" });
  }
}

const kinds = (effects: readonly Effect[]): string[] =>
  effects.map((effect) => (effect.kind === "send" ? `${effect.frame.kind} ${effect.to}` : effect.kind));
const refusals = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) =>
    effect.kind === "answer" && !effect.outcome.moved ? [effect.outcome.refused.code] : [],
  );

test("a destination that does not answer is given up, and told so", () => {
  const source = new Source();
  assert.deepEqual(kinds(source.order()), ["offer", "freeze"]);
  source.take({ kind: "frozen", tid: TID, move: 1 });
  assert.deepEqual(kinds(source.frame(2, "MIGACK")), []);
  assert.deepEqual(kinds(source.after(LIMITS.moveFlushMs - 1)), []);
  const effects = source.after(1);
  assert.deepEqual(kinds(effects), ["stopShipping", "MIGABORT 1", "MIGABORT 2", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["noAnswer"]);
  // Its yes comes too late, and the next attempt is another one.
  assert.deepEqual(source.frame(1, "PREPARED"), []);
  const [offer] = source.order();
  assert.equal(offer?.kind === "offer" && offer.frame.move, 2);
});

test("a destination that refuses while the ULP is being stopped is answered for when it runs again, so that it can go elsewhere", () => {
  const source = new Source();
  source.order();
  const frame = { kind: "PREPARED", tid: TID, move: 1, member: 0 } as const;
  const refused = { code: "noMemory", detail: "" } as const;
  assert.deepEqual(source.take({ kind: "frame", from: 1, frame: { ...frame, refused } }), []);
  const effects = source.take({ kind: "frozen", tid: TID, move: 1 });
  assert.deepEqual(kinds(effects), ["MIGABORT 1", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["noMemory"]);
  assert.deepEqual(kinds(source.order(TID, 2)), ["offer", "freeze"]);
});

test("one that refuses when all others have been told is taken back", () => {
  const source = new Source();
  source.order();
  source.take({ kind: "frozen", tid: TID, move: 1 });
  const frame = { kind: "PREPARED", tid: TID, move: 1, member: 0 } as const;
  const refused = { code: "files", detail: "" } as const;
  const effects = source.take({ kind: "frame", from: 1, frame: { ...frame, refused } });
  assert.deepEqual(kinds(effects), ["stopShipping", "MIGABORT 1", "MIGABORT 2", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["files"]);
  assert.equal(source.protocol.unfinished, 0);
});

test("the state leaves before anybody has answered, and the destination decides when all have", () => {
  const source = new Source();
  source.order();
  const told = source.take({ kind: "frozen", tid: TID, move: 1 });
  assert.deepEqual(kinds(told), ["MIGRATING 2", "MIGRATING 1", "shipMemory", "ship"]);
  assert.deepEqual(kinds(source.take({ kind: "shipped", tid: TID, move: 1, bytes: 9 })), []);
  source.frame(1, "PREPARED");
  // Of the destination too: here it is one of several.
  const clear = { kind: "MIGACK", tid: TID, move: 1, member: 0, isClear: true } as const;
  assert.deepEqual(kinds(source.take({ kind: "frame", from: 1, frame: clear })), []);
  assert.deepEqual(kinds(source.frame(2, "MIGACK")), ["shipLate", "FLUSHED 1"]);
  const there = new Migration<string>(1, [0, 1, 2]);
  const take = (event: MoveEvent) => kinds(there.take(event, 5));
  const weight = { memoryBytes: 1, heapBytes: 1 };
  const frames = [
    { kind: "PREPARE", tid: TID, move: 1, member: 0, revision: 0 },
    { kind: "MIGRATING", tid: TID, move: 1, member: 1, weight },
  ] as const;
  for (const frame of frames) take({ kind: "frame", from: 0, frame });
  assert.deepEqual(take({ kind: "judged", tid: TID, move: 1 }), ["PREPARED 0"]);
  assert.deepEqual(take({ kind: "weighed", tid: TID, move: 1 }), ["MIGACK 0"]);
  assert.deepEqual(take({ kind: "received", tid: TID, move: 1 }), []);
  const flushed = { kind: "FLUSHED", tid: TID, move: 1, member: 0 } as const;
  // Only its source can say so.
  assert.deepEqual(take({ kind: "frame", from: 2, frame: flushed }), []);
  assert.deepEqual(take({ kind: "frame", from: 0, frame: flushed }), ["claim"]);
});

test("a destination with nobody beside it knows by itself whether anything of it is on its way", () => {
  for (const sent of [7, 8]) {
    const world = (own: number) =>
      new Migration<string>(own, [0, 1], { keepsFrom: () => false, sentTo: () => sent, takenFrom: () => 7 });
    const [source, there] = [world(0), world(1)];
    const take = (of: Migration<string>, event: MoveEvent) => of.take(event, 5);
    const weight = { memoryBytes: 1, heapBytes: 1 };
    take(source, { kind: "created", tid: TID, location: { member: 0, move: 0 } });
    take(source, { kind: "order", order: 1, tid: TID, to: 1 });
    const [told] = take(source, { kind: "frozen", tid: TID, move: 1, weight });
    assert.ok(told?.kind === "send" && told.frame.taken === 7);
    const prepare = { kind: "PREPARE", tid: TID, move: 1, member: 0, revision: 0 } as const;
    take(there, { kind: "frame", from: 0, frame: prepare });
    take(there, { kind: "judged", tid: TID, move: 1 });
    take(there, { kind: "frame", from: 0, frame: told.frame });
    const [ack] = take(there, { kind: "weighed", tid: TID, move: 1 });
    assert.ok(ack?.kind === "send" && ack.frame.isClear === (sent === 7));
    const whole = kinds(take(there, { kind: "received", tid: TID, move: 1 }));
    assert.deepEqual(whole, sent === 7 ? ["claim"] : []);
    const late = kinds(take(source, { kind: "frame", from: 1, frame: ack.frame }));
    assert.deepEqual(late, sent === 7 ? [] : ["shipLate", "FLUSHED 1"]);
    // It may be there by now: only the control store says that it stays.
    assert.deepEqual(kinds(take(source, { kind: "lost", member: 1 })), ["stopShipping", "claim"]);
  }
});

test("a process that does not acknowledge stops a move, and the ULP goes on at home", () => {
  const source = new Source();
  source.order();
  source.frame(1, "PREPARED");
  const told = source.take({ kind: "frozen", tid: TID, move: 1 });
  assert.deepEqual(kinds(told), ["MIGRATING 2", "MIGRATING 1", "shipMemory", "ship"]);
  source.frame(1, "MIGACK");
  const effects = source.after(LIMITS.moveFlushMs);
  assert.deepEqual(kinds(effects), ["stopShipping", "MIGABORT 1", "MIGABORT 2", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["notFlushed"]);
  // An acknowledgement of this attempt is none of the next.
  source.order();
  source.frame(1, "PREPARED", TID, 2);
  source.take({ kind: "frozen", tid: TID, move: 2 });
  source.frame(1, "MIGACK", TID, 2);
  assert.deepEqual(source.frame(2, "MIGACK", TID, 1), []);
  assert.deepEqual(kinds(source.frame(2, "MIGACK", TID, 2)), ["shipLate", "FLUSHED 1"]);
});

test("what cannot be stopped in time stays, and goes on when it stops after all", () => {
  const source = new Source();
  source.order();
  source.frame(1, "PREPARED");
  assert.deepEqual(refusals(source.after(LIMITS.moveFreezeMs)), ["notFrozen"]);
  assert.deepEqual(refusals(source.order()), ["moving"]);
  assert.deepEqual(kinds(source.take({ kind: "frozen", tid: TID, move: 1 })), ["thaw"]);
  assert.equal(source.protocol.unfinished, 0);
});

test("those that cannot be stopped are in nobody's way: others that wait are begun with when they are refused", () => {
  const source = new Source();
  for (let tid = 1; tid <= 2 * LIMITS.movesAtOnce + 1; tid++) source.order(tid);
  // Called off, or too late: neither can be stopped.
  const next = kinds(source.take({ kind: "callOff", tid: 1, queued: false }));
  assert.deepEqual(next, ["MIGABORT 1", "answer", "offer", "freeze"]);
  for (let tid = 2; tid <= LIMITS.movesAtOnce + 1; tid++) source.frame(1, "PREPARED", tid);
  const others = source.after(LIMITS.moveFreezeMs);
  assert.deepEqual(refusals(others), Array(LIMITS.movesAtOnce).fill("notFrozen"));
  assert.equal(kinds(others).filter((kind) => kind === "freeze").length, LIMITS.movesAtOnce);
  const last = 2 * LIMITS.movesAtOnce + 1;
  const told = kinds(source.take({ kind: "frozen", tid: last, move: 1 }));
  assert.deepEqual(told, ["MIGRATING 2", "MIGRATING 1", "shipMemory", "ship"]);
});

test("messages to a ULP whose state is on the way wait, and go to it in order when it has moved", () => {
  const source = new Source();
  source.order();
  source.frame(1, "PREPARED");
  source.take({ kind: "frozen", tid: TID, move: 1 });
  const send = (message: string): unknown => source.protocol.sent(TID, { src: 8, message });
  // Before the barrier they travel with it.
  assert.equal(send("early"), "here");
  source.frame(1, "MIGACK");
  source.frame(2, "MIGACK");
  assert.equal(send("a"), "held");
  assert.equal(send("b"), "held");
  assert.deepEqual(source.protocol.locations.waiting, [TID]);
  source.take({ kind: "shipped", tid: TID, move: 1, bytes: 500 });
  const effects = source.frame(1, "MIGRATED");
  assert.deepEqual(kinds(effects), ["free", "answer", "release"]);
  const release = effects.find((effect) => effect.kind === "release");
  assert.deepEqual([release?.to, release?.held], [1, ["a", "b"]]);
  assert.deepEqual(source.protocol.locations.waiting, []);
  assert.equal(send("c"), 1);
  assert.equal(source.protocol.unfinished, 0);
});

test("once its state may be there, only the control store says that it stays", () => {
  const source = new Source().shipping();
  source.take({ kind: "shipped", tid: TID, move: 1, bytes: 500 });
  assert.deepEqual(kinds(source.after(LIMITS.moveDecideMs)), ["claim"]);
  // Word of the destination changes nothing any more: its revision has to be known for the next move.
  assert.deepEqual(source.frame(1, "MIGABORT"), []);
  assert.deepEqual(source.take({ kind: "settled", tid: TID, move: 1, result: "unknown" }), []);
  assert.deepEqual(kinds(source.after(LIMITS.moveAskAgainMs)), ["claim"]);
  assert.deepEqual(kinds(source.take({ kind: "settled", tid: TID, move: 1, result: "refused" })), ["read"]);
  const owner = { member: 0, revision: 12 };
  const effects = source.take({ kind: "owner", tid: TID, move: 1, owner });
  assert.deepEqual(kinds(effects), ["MIGABORT 1", "MIGABORT 2", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["noAnswer"]);
  const [offer] = source.order();
  assert.equal(offer?.kind === "offer" && offer.frame.revision, 12);
});

test("a destination that is gone after it had committed takes the ULP with it", () => {
  const source = new Source().shipping();
  source.take({ kind: "shipped", tid: TID, move: 1, bytes: 500 });
  source.protocol.sent(TID, { src: 8, message: "a" });
  assert.deepEqual(kinds(source.take({ kind: "lost", member: 1 })), ["claim"]);
  source.take({ kind: "settled", tid: TID, move: 1, result: "refused" });
  const effects = source.take({ kind: "owner", tid: TID, move: 1, owner: { member: 1, revision: 9 } });
  assert.deepEqual(kinds(effects), ["free", "answer", "release"]);
  const release = effects.find((effect) => effect.kind === "release");
  assert.equal(release?.to, "nowhere");
  assert.equal(source.protocol.sent(TID, { src: 8, message: "b" }), "nowhere");
});

test("who cannot learn from the control store whose a ULP is says so at last, and runs it never", () => {
  const source = new Source().shipping();
  const seen = new Set<string>();
  const add = (effects: readonly Effect[]): void => {
    for (const kind of kinds(effects)) seen.add(kind);
  };
  add(source.take({ kind: "lost", member: 1 }));
  for (let n = 0; n <= LIMITS.moveStoreTries; n++) add(source.after(LIMITS.moveAskAgainMs));
  assert.deepEqual([...seen], ["stopShipping", "claim", "cutOff"]);
  assert.equal(source.protocol.nextMs, Number.POSITIVE_INFINITY);
});

test("so many moves as the limit says are under way, the others wait", () => {
  const source = new Source();
  const ordered = [];
  for (let tid = 1; tid <= LIMITS.movesAtOnce + 1; tid++) ordered.push(...kinds(source.order(tid)));
  assert.deepEqual(ordered, Array(LIMITS.movesAtOnce).fill(["offer", "freeze"]).flat());
  assert.deepEqual(refusals(source.order(LIMITS.movesAtOnce + 1)), ["moving"]);
  const frame = { kind: "PREPARED", tid: 1, move: 1, member: 0 } as const;
  const refused = { code: "noMemory", detail: "" } as const;
  assert.deepEqual(source.take({ kind: "frame", from: 1, frame: { ...frame, refused } }), []);
  const effects = source.take({ kind: "frozen", tid: 1, move: 1 });
  assert.deepEqual(kinds(effects), ["MIGABORT 1", "answer", "thaw", "offer", "freeze"]);
  assert.deepEqual(refusals(effects), ["noMemory"]);
});

test("a process takes no more ULPs of another at once than that", () => {
  const destination = new Migration<string>(1, [0, 1]);
  const replies = [];
  for (let tid = 1; tid <= LIMITS.movesAtOnce + 1; tid++) {
    const frame = { kind: "PREPARE", tid, move: 1, member: 0, revision: 0 } as const;
    replies.push(...destination.take({ kind: "frame", from: 0, frame }, 0));
  }
  const last = replies.at(-1);
  assert.equal(last?.kind === "send" && last.frame.refused?.code, "tooMany");
});

test("a ULP that has grown too large is refused when it has been stopped, before any of its state is taken in", () => {
  const weight = { memoryBytes: 1 << 30, heapBytes: 100 };
  const refused = { code: "noMemory", detail: "12 MB are free" } as const;
  const source = new Source();
  const destination = new Migration<string>(1, [0, 1, 2]);
  const there = (event: MoveEvent) => destination.take(event, 5);
  const prepare = { kind: "PREPARE", tid: TID, move: 1, member: 0, revision: 0 } as const;
  there({ kind: "frame", from: 0, frame: prepare });
  there({ kind: "judged", tid: TID, move: 1 });
  source.order();
  const told = source.take({ kind: "frozen", tid: TID, move: 1, weight });
  source.frame(1, "PREPARED");
  // Only the destination has to know.
  assert.deepEqual(
    told.map((effect) => effect.kind === "send" && effect.frame.weight),
    [undefined, weight, false, false],
  );
  source.frame(2, "MIGACK");
  const frame = { kind: "MIGRATING", tid: TID, move: 1, member: 1, weight } as const;
  assert.deepEqual(kinds(there({ kind: "frame", from: 0, frame })), ["weigh"]);
  // Only its source knows.
  assert.deepEqual(kinds(there({ kind: "frame", from: 2, frame })), ["MIGACK 2"]);
  const no = there({ kind: "weighed", tid: TID, move: 1, refused });
  assert.deepEqual(kinds(no), ["MIGABORT 0", "discard"]);
  const abort = { kind: "MIGABORT", tid: TID, move: 1, member: 0, refused } as const;
  const effects = source.take({ kind: "frame", from: 1, frame: abort });
  assert.deepEqual(kinds(effects), ["stopShipping", "MIGABORT 1", "MIGABORT 2", "answer", "thaw"]);
  assert.deepEqual(refusals(effects), ["noMemory"]);
  assert.equal(source.protocol.unfinished, 0);
  // There is room for it: that is an acknowledgement as any.
  there({ kind: "frame", from: 0, frame: { ...prepare, move: 2 } });
  there({ kind: "judged", tid: TID, move: 2 });
  there({ kind: "frame", from: 0, frame: { ...frame, move: 2 } });
  assert.deepEqual(kinds(there({ kind: "weighed", tid: TID, move: 2 })), ["MIGACK 0"]);
  // That may be known before all else is.
  there({ kind: "frame", from: 0, frame: { ...abort, move: 2 } });
  there({ kind: "frame", from: 0, frame: { ...prepare, move: 3 } });
  there({ kind: "frame", from: 0, frame: { ...frame, move: 3 } });
  there({ kind: "weighed", tid: TID, move: 3, refused });
  assert.deepEqual(kinds(there({ kind: "judged", tid: TID, move: 3 })), ["discard", "PREPARED 0"]);
  assert.equal(destination.nextMs, Number.POSITIVE_INFINITY);
});

test("an order is refused by name, and nothing happens", () => {
  const source = new Source();
  source.take({ kind: "leaving", member: 2 });
  source.take({ kind: "ended", tid: 3 });
  source.take({ kind: "created", tid: 90, location: { member: 2, move: 0 } });
  const orders = [
    [TID, 0, "already"],
    [TID, 2, "leaving"],
    [TID, 9, "unknownHost"],
    [3, 1, "ended"],
    [90, 1, "notHere"],
    [91, 1, "notHere"],
  ] as const;
  for (const [tid, to, code] of orders) assert.deepEqual(refusals(source.order(tid, to)), [code]);
  assert.equal(source.protocol.unfinished, 0);
});

test("a ULP that ends while its destination is asked has ended, and the destination forgets it", () => {
  const source = new Source();
  source.order();
  const effects = source.take({ kind: "ended", tid: TID });
  assert.deepEqual(kinds(effects), ["MIGABORT 1", "answer"]);
  assert.deepEqual(refusals(effects), ["ended"]);
});

test("a tid that nobody has got yet is asked for again with each message, and found when it was given", () => {
  const { protocol } = new Source();
  const say = (event: MoveEvent): readonly Effect[] => protocol.take(event, 1000);
  const sent = (message: string) => protocol.sent(99, { src: 1, message });
  assert.equal(sent("a"), "unknown");
  assert.deepEqual(say({ kind: "notMade", tid: 99 }), [
    { kind: "release", tid: 99, to: "nowhere", held: ["a"] },
  ]);
  assert.deepEqual([protocol.unfinished, protocol.locations.waiting], [0, []]);
  assert.equal(sent("b"), "unknown");
  const created = say({ kind: "created", tid: 99, location: { member: 2, move: 0 } });
  assert.deepEqual(created, [{ kind: "release", tid: 99, to: 2, held: ["b"] }]);
  // The answer was late: it is known by now.
  assert.deepEqual(say({ kind: "notMade", tid: 99 }), []);
  assert.equal(sent("c"), 2);
});

test.run();
