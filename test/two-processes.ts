/**
 * Two processes on the test's own thread, and a ULP that goes from one to the other as an image.
 *
 * Owns: the steps of a move without its protocol: freeze, image, bytes in chunks, restore, let go.
 */
import assert from "node:assert/strict";
import { Filling } from "../runtime/migrate/filling.ts";
import type { FrozenUlp } from "../runtime/migrate/freezer.ts";
import { type Image, imageOf } from "../runtime/migrate/image.ts";
import type { Incoming } from "../runtime/migrate/incoming.ts";
import { type Destination, readImage } from "../runtime/migrate/restore.ts";
import { serveMail } from "../runtime/scheduler/engine.ts";
import { drainOutbox, keepOutgoing } from "../runtime/scheduler/outbox.ts";
import { append } from "../runtime/scheduler/queue.ts";
import { getState, setState, type UlpAt } from "../runtime/scheduler/state.ts";
import { HEAD, ULP, ULP_FLAG, ULP_STATE } from "../wire/layout.ts";
import { type Actor, actor, IDLE, type Process, processOf } from "./one-thread.ts";

/** Stands for the hash of the one program of a test. */
export const HASH = Uint8Array.from({ length: 32 }, (_, i) => i * 7);

/** Takes a ULP off its engine; the engine looks at its mail once. */
export async function frozen(p: Process, index: number): Promise<FrozenUlp> {
  const result = await asked(p, index);
  assert.ok(typeof result === "object", `it is not frozen: ${String(result)}`);
  return result;
}

/** The same, whatever comes of it. */
export async function asked(p: Process, index: number): ReturnType<Process["freezer"]["freeze"]> {
  const result = p.freezer.freeze(index);
  serveAll(p);
  return await result;
}

/** Each engine comes to a poll, and looks at its mail once. */
export function serveAll(p: Process): void {
  for (const e of p.engines) {
    // Between two calls of an actor is where it is suspended.
    if (e.current === 0 || getState(e.w, e.current) !== ULP_STATE.running) continue;
    setState(e.w, e.current, ULP_STATE.runnable);
    append(e.w, e.runq, e.current);
    e.current = 0 as UlpAt;
  }
  for (const e of p.engines) serveMail(e);
}

export function imaged(p: Process, ulp: FrozenUlp): Image {
  return imageOf(p.library, ulp, {
    hash: HASH,
    nowMs: p.nowMs,
    grants: p.engines[0]!.options.grants.map(({ guest }) => guest),
  });
}

export function destination(q: Process, more: Partial<Destination> = {}): Destination {
  const { files } = q.engines[0]!.edge;
  return {
    library: q.library,
    programOf: (hash) => (hash.startsWith("00070e15") ? q.library.programs[0] : undefined),
    nowMs: () => q.nowMs,
    grants: q.engines[0]!.options.grants,
    ...(files && { files }),
    ...more,
  };
}

/** Bytes of an image in one piece of their own. */
export function joined({ pieces, bytes }: Image): Uint8Array {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Reads an image, `chunk` bytes at a time: by turns from a chunk, and from where the bytes belong. */
export function read(to: Destination, bytes: Uint8Array, chunk = bytes.length): Incoming {
  const filling = new Filling(readImage(to));
  for (let from = 0, turn = 0; from < bytes.length; turn++) {
    const room = turn % 2 === 1 ? filling.room(chunk) : undefined;
    const some = bytes.subarray(from, from + (room?.length ?? chunk));
    room?.set(some);
    assert.equal(filling.write(room?.subarray(0, some.length) ?? some), some.length);
    from += some.length;
  }
  return filling.end();
}

/** Lets a ULP that was read go on; messages of this process that lie in its outbox come with it. */
export function admit(q: Process, incoming: Incoming): void {
  q.freezer.admit(incoming, () => {
    const held: number[] = [];
    drainOutbox(q.library, (message) => held.push(keepOutgoing(q.library, message)));
    return held;
  });
  for (const e of q.engines) serveMail(e);
}

/** A whole move. What came for the ULP after its image is returned. */
export async function hop(p: Process, q: Process, index: number, chunk?: number): Promise<number[]> {
  const ulp = await frozen(p, index);
  const incoming = read(destination(q), joined(imaged(p, ulp)), chunk);
  const { messages } = p.freezer.release(ulp);
  admit(q, incoming);
  return messages;
}

/** An actor of the test runs as if it had an instance: its image has a memory. */
export function begun(p: Process, index: number): void {
  const { w } = p.library;
  const flags = p.ulp(index) + ULP.flags;
  w[flags] = w[flags]! | ULP_FLAG.started;
}

/** Kinds of blocks that a process has now, and how many: nothing of a ULP that has gone may be among them. */
export function blocks(p: Process): Record<number, number> {
  const found: Record<number, number> = {};
  for (const { arena } of [...p.engines, p.library]) arena.trim();
  for (const { kind } of p.library.heap.liveBlocks()) found[kind] = (found[kind] ?? 0) + 1;
  return found;
}

export function counts({ library: { w } }: Process): { live: number; outside: number } {
  return { live: w[HEAD.live]!, outside: w[HEAD.outside]! };
}

export const outside = { outside: true } as const;

/** Two processes of the same job: ULP 0 is at home in the first, the others in the second. */
export function pair(ulps = 2): [Process, Process] {
  return [
    processOf(IDLE, { ulps, elsewhere: (index) => index !== 0, ...outside }),
    processOf(IDLE, { ulps, elsewhere: (index) => index === 0, ...outside }),
  ];
}

/** An actor whose ULP can be frozen. */
export function ownActor(p: Process, index: number): Actor {
  begun(p, index);
  return actor(p, index);
}

/** Sends one int. */
export function say(from: Actor, to: number, tag: number, value: number): void {
  from.call("pvm_initsend", 1);
  from.view.setInt32(0x10, value, true);
  from.call("pvm_pkint", 0x10, 1, 1);
  assert.equal(from.call("pvm_send", to, tag), 0);
}
