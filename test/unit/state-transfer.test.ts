/** The state of a ULP as it comes over a link: where it is read to. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type Frame, ProtocolError } from "../../net/link.ts";
import { hexOf } from "../../runtime/migrate/image-head.ts";
import type { MoveFrame } from "../../runtime/migrate/moves.ts";
import { restoreUlp } from "../../upvm/application-checkpoint.ts";
import { encodeMove } from "../../upvm/move-frames.ts";
import { Mover, type MoverWorld } from "../../upvm/mover.ts";
import type { PartProcess } from "../../upvm/run-here.ts";
import { type ComingMove, ComingState } from "../../upvm/state-transfer.ts";
import { IMAGE_VERSION, PAGE_BYTES } from "../../wire/image.ts";
import { LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, FRAME_NAME } from "../../wire/protocol.ts";
import { tidOf } from "../../wire/pvm.ts";
import type { Process } from "../one-thread.ts";
import { Timeline } from "../timeline.ts";
import {
  admit,
  begun,
  blocks,
  destination,
  frozen,
  HASH,
  imaged,
  joined,
  ownActor,
  pair,
  say,
} from "../two-processes.ts";

/** A move of a ULP that was said to have so many pages. */
const move = (pages: number): ComingMove => ({
  from: 0,
  move: 1,
  promised: { memoryBytes: pages * PAGE_BYTES, heapBytes: 0 },
});

/** Bytes of the image of a ULP with a memory of so many pages, all of them written, and where it may go. */
async function stateOf(pages: number): Promise<{ q: Process; bytes: Uint8Array }> {
  const [p, q] = pair();
  ownActor(p, 0).call("pvm_mytid");
  begun(p, 0);
  const ulp = await frozen(p, 0);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 4, shared: true });
  new Uint8Array(memory.buffer).fill(1);
  (ulp.parcel as { memory?: WebAssembly.Memory }).memory = memory;
  return { q, bytes: joined(imaged(p, ulp)) };
}

test("pages are read to their place in the new memory, and what belongs into the process heap is not", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  // Longer than any read that is worth while: it is not read to the heap all the same.
  const text = "m".repeat(4 * LIMITS.stateReadBytes);
  a.call("pvm_initsend", 1);
  for (const [at, letter] of [...text].entries()) a.bytes[1024 + at] = letter.charCodeAt(0);
  a.call("pvm_pkbyte", 1024, text.length, 1);
  a.call("pvm_send", a.tid, 4);
  say(a, a.tid, 1, 1);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4, shared: true });
  const words = new Int32Array(memory.buffer);
  for (let at = 0; at < (5 * PAGE_BYTES) / 16; at++) words[at] = at + 1;
  begun(p, 0);
  const ulp = await frozen(p, 0);
  (ulp.parcel as { memory?: WebAssembly.Memory }).memory = memory;
  const bytes = joined(imaged(p, ulp));
  const failed: string[] = [];
  const coming = new ComingState(move(2), destination(q), ({ detail }) => failed.push(detail));
  const sink = coming.sink(0);
  const heap = q.library.heap.u8.buffer;
  let inPlace = 0;
  for (let from = 0; from < bytes.length; ) {
    const most = Math.min(10_000, bytes.length - from);
    const place = sink.room!(most);
    const count = place === undefined ? Math.min(most, 1000) : place.length;
    const some = bytes.subarray(from, from + count);
    if (place === undefined) sink.add(some);
    else {
      assert.ok(place.buffer !== heap, "bytes of the process heap are offered to a socket");
      place.set(some);
      inPlace += count;
      sink.add(place);
    }
    from += count;
  }
  assert.ok(coming.end(1), failed.join());
  assert.ok(inPlace > PAGE_BYTES, `${inPlace} bytes were read to their place`);
  const there = new Int32Array(coming.incoming!.parcel.memory!.buffer);
  assert.deepEqual(there.slice(0, words.length), words);
  admit(q, coming.incoming!);
  p.freezer.release(ulp);
});

test("a state that is not wanted any more has no place for what comes yet", async () => {
  const { q, bytes } = await stateOf(1);
  const clean = blocks(q);
  const coming = new ComingState(move(1), destination(q), ({ detail }) => assert.fail(detail));
  const sink = coming.sink(0);
  sink.add(bytes.subarray(0, bytes.length - PAGE_BYTES / 2));
  assert.ok(sink.room!(PAGE_BYTES) !== undefined);
  coming.drop();
  assert.equal(sink.room!(PAGE_BYTES), undefined);
  sink.add(bytes.subarray(bytes.length - PAGE_BYTES / 2));
  assert.deepEqual(blocks(q), clean);
});

test("a ULP takes no more memory than its source has said, whatever its image says", async () => {
  const { q, bytes } = await stateOf(3);
  const clean = blocks(q);
  const refused: string[] = [];
  const coming = new ComingState(move(4), destination(q), ({ code, detail }) =>
    refused.push(`${code}: ${detail}`),
  );
  assert.equal(coming.toCome.memoryBytes, 4 * PAGE_BYTES);
  coming.weighed({ memoryBytes: 3 * PAGE_BYTES - 1, heapBytes: 5 });
  assert.deepEqual(coming.toCome, { memoryBytes: 3 * PAGE_BYTES - 1, heapBytes: 5 });
  coming.sink(0).add(bytes);
  assert.deepEqual(refused, ["noMemory: it has 196608 bytes, and was said to have 196607"]);
  assert.equal(coming.end(1), false);
  assert.deepEqual(blocks(q), clean);
  const taken = new ComingState(move(3), destination(q), ({ detail }) => assert.fail(detail));
  taken.sink(0).add(bytes);
  assert.ok(taken.end(1));
  assert.equal(taken.toCome.memoryBytes, 0);
  taken.drop();
  assert.deepEqual(blocks(q), clean);
});

test("chunks come in order, and as many as their sender has counted", async () => {
  const { q } = await stateOf(1);
  const coming = new ComingState(move(1), destination(q), ({ detail }) => assert.fail(detail));
  assert.throws(() => coming.sink(1), ProtocolError);
  const other = new ComingState(move(1), destination(q), ({ detail }) => assert.fail(detail));
  other.sink(0);
  assert.throws(() => other.sink(0), ProtocolError);
  const short = new ComingState(move(1), destination(q), ({ detail }) => assert.fail(detail));
  short.sink(0);
  assert.throws(() => short.end(2), ProtocolError);
  for (const state of [coming, other, short]) state.drop();
});

test("only the source of a move sends its state and says what it needs, and it has to", () => {
  const [, q] = pair();
  const sent: string[] = [];
  const free = 4 * PAGE_BYTES;
  const world = {
    member: 1,
    process: { library: q.library, loader: { points: [] }, nowMs: () => 0, grants: [] },
    links: { send: (to: number, { type, c }: Frame) => sent.push(`${FRAME_NAME.get(type)} ${c} to ${to}`) },
    hashes: [hexOf(HASH)],
    nowMs: () => 0,
    after: () => {},
    availableBytes: () => free,
    reached: () => {},
  };
  const mover = new Mover(world as unknown as MoverWorld, [0, 1, 2], []);
  const offer = { hash: hexOf(HASH), bytes: PAGE_BYTES, abi: LINK_ABI, image: IMAGE_VERSION };
  const told = (from: number, frame: Omit<MoveFrame, "move" | "member">): string[] => {
    sent.length = 0;
    mover.frame(from, encodeMove({ move: 1, member: frame.kind === "MIGRATING" ? 1 : 0, ...frame }));
    return [...sent];
  };
  const [first, second] = [tidOf(0), tidOf(1)];
  const needs = (pages: number) => ({ memoryBytes: pages * PAGE_BYTES, heapBytes: 0 });
  assert.deepEqual(told(0, { kind: "PREPARE", tid: first, revision: 0, offer }), ["ULP_PREPARED 1 to 0"]);
  assert.throws(() => told(0, { kind: "MIGRATING", tid: first }), ProtocolError);
  const weighed = told(0, { kind: "MIGRATING", tid: first, weight: needs(3) });
  assert.deepEqual(weighed, ["ULP_MIGACK 0 to 0"]);
  // What was promised to one is not there for another.
  assert.deepEqual(told(0, { kind: "PREPARE", tid: second, revision: 0, offer }), ["ULP_PREPARED 1 to 0"]);
  assert.deepEqual(told(0, { kind: "MIGRATING", tid: second, weight: needs(2) }), ["ULP_MIGABORT 0 to 0"]);
  // Another's chunk is not looked at.
  const chunk = { type: FRAME.ULP_STATE, a: first, b: 1, c: 7 };
  const end = { type: FRAME.ULP_STATE_END, a: first, b: 1, c: 7, body: [] };
  mover.state(2, chunk).add(new Uint8Array(10));
  assert.equal(mover.frame(2, end), true);
  assert.throws(() => mover.state(0, chunk), ProtocolError);
  assert.throws(() => mover.frame(0, end), ProtocolError);
});

test("a state that is cut or changed anywhere is refused once, or whole, and nothing of it stays", async () => {
  const { q, bytes } = await stateOf(2);
  const clean = blocks(q);
  const chance = new Timeline(7);
  const headBytes = 4096;
  for (let i = 0; i < 150; i++) {
    const changed = bytes.slice(0, chance.below(3) === 0 ? chance.below(bytes.length + 1) : bytes.length);
    const near = chance.below(2) === 0 ? headBytes : changed.length;
    for (let n = chance.below(4); n > 0 && changed.length > 0; n--)
      changed[chance.below(Math.min(near, changed.length))] = chance.below(256);
    let refused = 0;
    const coming = new ComingState(move(2), destination(q), () => refused++);
    const step = 1 + chance.below(60_000);
    let chunks = 0;
    for (let at = 0; at < changed.length; at += step) {
      const sink = coming.sink(chunks++);
      const some = changed.subarray(at, at + step);
      const place = chance.below(2) === 0 ? sink.room!(some.length) : undefined;
      place?.set(some.subarray(0, place.length));
      if (place !== undefined) sink.add(place);
      sink.add(some.subarray(place?.length ?? 0));
    }
    const isWhole = coming.end(chunks);
    assert.equal(refused, isWhole ? 0 : 1);
    coming.drop();
    assert.deepEqual(blocks(q), clean);
  }
});

test("a ULP comes from a checkpoint only where there is memory for it, and nothing is left of it where there is not", async () => {
  const { q, bytes } = await stateOf(3);
  const before = blocks(q);
  const { grants } = destination(q);
  const process = { ...q, nowMs: () => q.nowMs, grants, loader: { points: [] } } as unknown as PartProcess;
  const asked = { hash: hexOf(HASH), program: 0 };
  let free = 2 * PAGE_BYTES;
  const restored = () => restoreUlp(process, bytes, asked, () => {}, { availableBytes: () => free });
  assert.match(restored()!, /^there is too little memory: 0 MB are free, it needs 1$/);
  assert.deepEqual(blocks(q), before);
  free = 3 * PAGE_BYTES;
  assert.equal(restored(), undefined);
  assert.equal(restored(), "it is in this process already");
});

test.run();
