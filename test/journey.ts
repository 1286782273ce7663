/**
 * A program in two processes of this one, whose ULPs move between them while they run: each move is an image.
 *
 * Owns: the two processes, with engines of their own, and what stands for links between them: calls. It has the steps of a
 * move without its protocol, which calls do not need: what one of them has taken, the other has at once.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { linkInfo } from "../runtime/link/link-info.ts";
import { Filling } from "../runtime/migrate/filling.ts";
import { type FrozenUlp, WHY_NOT } from "../runtime/migrate/freezer.ts";
import { imageOf } from "../runtime/migrate/image.ts";
import { readImage } from "../runtime/migrate/restore.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import {
  copyOf,
  drainOutbox,
  keepOutgoing,
  leavingAgain,
  type Outgoing,
  releaseLeaving,
  releaseOutgoing,
} from "../runtime/scheduler/outbox.ts";
import { takeOutside } from "../runtime/scheduler/outside.ts";
import { ownService } from "../upvm/host-process.ts";
import { nodeFiles } from "../upvm/node-file-edge.ts";
import type { RunOptions, RunResult } from "../upvm/run.ts";
import { type PartProcess, runHere } from "../upvm/run-here.ts";
import { HEAD, STOP } from "../wire/layout.ts";
import { tidBaseOf, tidOf } from "../wire/pvm.ts";
import { LIMIT_MS } from "./command.ts";

export interface Journey {
  /** What each ULP printed, in order. */
  readonly printed: ReadonlyMap<number, string>;
  readonly results: readonly RunResult[];
  readonly moves: number;
  /** Of all images. */
  readonly bytes: number;
}

export interface JourneyOptions extends Omit<RunOptions, "output" | "module"> {
  readonly module: Uint8Array;
  readonly ulps: number;
  /** Of the sequence that chooses who moves, and when. */
  readonly seed: number;
  /** Most milliseconds between two moves. */
  readonly everyMs: number;
  /** For a test of the tests: changes a ULP on its way. */
  readonly spoil?: (ulp: FrozenUlp, process: PartProcess) => void;
}

const BASE = tidBaseOf(1);

class Side {
  process!: PartProcess;
  readonly beganMs = performance.now();
  readonly nowMs = (): number => performance.now() - this.beganMs;
}

/** Runs a program to its end, while its ULPs travel. Nothing may be left behind anywhere. */
export async function journey(options: JourneyOptions): Promise<Journey> {
  const { module, ulps, seed, everyMs, spoil, ...rest } = options;
  const sides = [new Side(), new Side()] as const;
  /** Side where each ULP is. */
  const at = Array.from({ length: ulps }, (_, index) => index % 2);
  const printed = new Map<number, string>();
  const decoder = new TextDecoder();
  const output = (_: number, bytes: Uint8Array, tid: number): void => {
    printed.set(tid, (printed.get(tid) ?? "") + decoder.decode(bytes));
  };
  const deliver = (message: Outgoing): void => {
    const { to, src, tag, context, wid, encoding } = message;
    const there = sides[at[to - BASE - 1]!]!.process.library;
    assert.ok(takeOutside(there, { to, src, tag, context, wid, encoding, data: copyOf(message) }));
  };
  const drain = (side: Side, keep: (message: Outgoing) => boolean = () => false): void => {
    if (side.process === undefined) return;
    drainOutbox(side.process.library, (message) => {
      if (keep(message)) return;
      deliver(message);
      releaseOutgoing(side.process.library, message);
    });
  };
  const runs = sides.map((side, own) =>
    runHere(
      { cores: 2, heapBytes: 64 << 20, ...rest, module, ulps, output },
      {
        elsewhere: (index) => at[index] !== own,
        engines: 2,
        tidBase: BASE,
        stays: true,
        begun: (process) => {
          side.process = process;
          drain(side);
          return ownService(process.host);
        },
        outgoing: () => drain(side),
        away: (parcel) => sides[at[parcel.index]!]!.process.freezer.route(parcel),
        ended: async () => drain(side),
      },
    ),
  );
  let state = seed;
  const random = (n: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
  const hash = createHash("sha256").update(module).digest();
  const points = linkInfo(module)!.points;
  let [moves, total] = [0, 0];
  const move = async (index: number): Promise<void> => {
    const [from, to] = [sides[at[index]!]!, sides[1 - at[index]!]!];
    const ulp = await from.process.freezer.freeze(index);
    if (typeof ulp === "string") {
      assert.ok(ulp === "ended" || ulp === "stopped", WHY_NOT[ulp]);
      return;
    }
    // All that it has sent has come before it can send from there.
    drain(from);
    spoil?.(ulp, from.process);
    const grants = (rest.grants ?? []).map(({ guest }) => guest);
    const { library } = to.process;
    const image = imageOf(from.process.library, ulp, { hash, nowMs: from.nowMs(), grants });
    const reading = readImage({
      library,
      programOf: () => library.programs[0],
      points: () => points,
      nowMs: to.nowMs,
      grants: rest.grants ?? [],
      files: nodeFiles(),
    });
    const filling = new Filling(reading);
    for (const piece of image.pieces) assert.equal(filling.write(piece), piece.length);
    const incoming = filling.end();
    const { messages, parcels } = from.process.freezer.release(ulp);
    at[index] = 1 - at[index]!;
    to.process.freezer.admit(
      incoming,
      () => {
        const held: number[] = [];
        drain(to, (message) => {
          if (message.to !== tidOf(index, BASE)) return false;
          held.push(keepOutgoing(library, message));
          return true;
        });
        return held;
      },
      parcels,
    );
    for (const message of messages) {
      const leaving = leavingAgain(from.process.library, message, tidOf(index, BASE));
      deliver(leaving);
      releaseLeaving(from.process.library, leaving);
    }
    moves++;
    total += image.bytes;
  };
  const live = (): number =>
    sides.reduce((sum, { process }) => sum + Atomics.load(process.library.w, HEAD.live), -2);
  while (sides.some(({ process }) => process === undefined)) await pause(1);
  const tooLate = performance.now() + LIMIT_MS;
  while (live() > 0) {
    if (performance.now() > tooLate) break;
    const first = random(ulps);
    // Now and then several at once.
    const group = random(4) === 0 ? 2 : 1;
    await Promise.all(Array.from({ length: group }, (_, i) => move((first + i) % ulps)));
    await pause(random(everyMs + 1));
  }
  const stuck = live();
  for (const { process } of sides) stopProcess(process.library, STOP.done);
  const results = await Promise.all(runs);
  assert.equal(
    stuck,
    0,
    `ULPs that do not end: ${stuck}\n${results.map(({ ulps }) => JSON.stringify(ulps))}`,
  );
  for (const { leaks } of results) assert.equal(leaks, "");
  return { printed, results, moves, bytes: total };
}
