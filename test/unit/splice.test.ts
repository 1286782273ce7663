/** net/splice.ts: what a daemon has of bytes that it carries is bounded, they keep their order, and ends are told. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Link } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { type Handlers, Rpc } from "../../net/rpc.ts";
import { splice } from "../../net/splice.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";

const process = { role: "process", vm: "lab", host: "h1", job: 1, member: 0 } as const;
const daemon = { role: "pvmd", vm: "lab", host: "h2" } as const;

/** A daemon between two peers, with what it has told them of ends. */
function between() {
  const left = memoryLinks(process, daemon);
  const right = memoryLinks(process, daemon);
  let over = 0;
  const ways = splice(new Rpc(left.b, {}), new Rpc(right.b, {}), () => over++);
  const whys: string[] = [];
  const handlers: Handlers = {
    routeEnd: ({ why }) => {
      whys.push(why);
      return { body: undefined };
    },
  };
  new Rpc(left.a, handlers);
  new Rpc(right.a, handlers);
  return { left, right, ways, whys, over: () => over };
}
const routed = (...body: Uint8Array[]) => ({ type: FRAME.ROUTED, a: 0, b: 0, c: 0, body });
const turn = (): Promise<void> => new Promise((go) => setImmediate(go));
function collect(link: Link): number[] {
  const got: number[] = [];
  link.onStream(FRAME.ROUTED, () => ({ add: (piece) => got.push(...piece), end: () => {}, drop: () => {} }));
  return got;
}

test("bytes go both ways, in order", async () => {
  const { left, right } = between();
  const [atLeft, atRight] = [collect(left.a), collect(right.a)];
  for (let i = 0; i < 200; i++) {
    left.a.send(routed(Uint8Array.of(i)));
    right.a.send(routed(Uint8Array.of(255 - i), Uint8Array.of(7)));
  }
  await turn();
  assert.deepEqual(
    atRight,
    Array.from({ length: 200 }, (_, i) => i),
  );
  assert.deepEqual(atLeft, Array.from({ length: 200 }, (_, i) => [255 - i, 7]).flat());
});

test("a peer that takes nothing: so much is kept for it, and then the other is read no more", async () => {
  const { left, right } = between();
  // What the daemon sends there is not told as written.
  const waiting: (() => void)[] = [];
  let held = 0;
  right.b.send = ({ body }, written) => {
    for (const piece of body) held += piece.length;
    if (written !== undefined) waiting.push(written);
  };
  const piece = new Uint8Array(100_000);
  const sent = 100;
  for (let i = 0; i < sent; i++) left.a.send(routed(piece));
  await turn();
  assert.ok(held > LIMITS.routeBytes && held <= LIMITS.routeBytes + piece.length, `${held} bytes are kept`);
  assert.equal(left.a.queuedBytes > 90 * piece.length, true, "the rest is with who wrote it");
  const before = held;
  for (const written of waiting.splice(0)) written();
  await turn();
  assert.ok(held > before && held < sent * piece.length, "as much again is read when that has gone");
  while (waiting.length > 0) {
    for (const written of waiting.splice(0)) written();
    await turn();
  }
  assert.equal(held, sent * piece.length);
});

test("the memory that bytes were read to is used again, not before they are written", async () => {
  const { left, right } = between();
  const [sink] = sinks(left.b);
  const waiting: (() => void)[] = [];
  const bodies: Uint8Array[] = [];
  right.b.send = ({ body }, written) => {
    bodies.push(...body);
    if (written !== undefined) waiting.push(written);
  };
  const first = sink.room!(10)!;
  first.fill(1);
  sink.add(first);
  const second = sink.room!(10)!;
  assert.notEqual(second.buffer, first.buffer, "the first is on its way");
  second.fill(2);
  sink.add(second);
  for (const written of waiting.splice(0)) written();
  const third = sink.room!(10)!;
  assert.ok(third.buffer === first.buffer || third.buffer === second.buffer);
  assert.deepEqual(
    bodies.map(([byte]) => byte),
    [1, 2],
  );

  /** What takes the daemon's frames of a link, as the link itself would ask for it. */
  function sinks(link: Link) {
    const { intake } = link as unknown as { intake: { begin: (head: object, bytes: number) => never } };
    return [intake.begin({ type: FRAME.ROUTED, a: 0, b: 0, c: 0 }, 10)] as [
      import("../../net/link.ts").FrameSink,
    ];
  }
});

test("when one side breaks the other is told why, behind what came before, and it is over once", async () => {
  const { left, right, whys, over } = between();
  const got = collect(right.a);
  left.a.send(routed(Uint8Array.of(1, 2)));
  await turn();
  left.cut();
  await turn();
  assert.deepEqual(got, [1, 2]);
  assert.equal(right.a.end?.why, "left");
  assert.equal(whys.length, 1);
  assert.match(whys[0]!, /^process 0 of job 1 on h1: /);
  assert.equal(over(), 1);
});

test("what the peer of one side has told is what the other is told, and a way that ends in order needs no word", async () => {
  const told = between();
  told.ways.told(told.left.b, "the process has ended");
  told.left.cut();
  await turn();
  assert.deepEqual(told.whys, ["the process has ended"]);
  const orderly = between();
  orderly.left.a.close();
  await turn();
  assert.deepEqual([orderly.whys, orderly.right.a.end?.why], [[], "left"]);
});

test.run();
