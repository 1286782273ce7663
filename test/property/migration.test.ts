/**
 * The migration protocol in a simulation of 2 to 6 processes: random moves, hosts killed at every step, a control store
 * that loses requests and answers, clocks that differ, processes that join; with links that keep order, and with a
 * transport that reorders below a layer that does.
 *
 * UPVM_SEED=n runs one seed; UPVM_SEEDS=n so many.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Tally } from "../migration-parts.ts";
import { World } from "../migration-world.ts";

const one = process.env["UPVM_SEED"];
const seeds = Number(process.env["UPVM_SEEDS"] ?? 1000);
const first = one === undefined ? 1 : Number(one);
const last = one === undefined ? seeds : first;

for (const reorders of [false, true]) {
  const tally: Tally = new Map();

  test(`no ULP runs twice, no message is lost, doubled or overtaken, nothing is left${reorders ? ", though the transport reorders" : ""}`, () => {
    for (let seed = first; seed <= last; seed++) {
      try {
        new World({ seed, reorders }, tally).run();
      } catch (error) {
        console.log(`to see it again: UPVM_SEED=${seed} node test/property/migration.test.ts`);
        throw error;
      }
    }
  });

  test(`every part of the protocol is reached${reorders ? ", though the transport reorders" : ""}`, () => {
    if (one !== undefined) return;
    const parts = [
      ...[
        "moved",
        "carried",
        "late",
        "alone",
        "clear",
        "sent after",
        "held",
        "nowhere",
        "killed",
        "joined",
        "thaw",
        "discard",
        "too heavy",
        "read",
        "locate",
      ],
      ...[
        "already",
        "moving",
        "notHere",
        "unknownHost",
        "noMemory",
        "notFrozen",
        "notReceived",
        "lost",
        "ended",
        "calledOff",
      ],
    ];
    const never = parts.filter((part) => (tally.get(part) ?? 0) < 10);
    assert.deepEqual(never, [], JSON.stringify([...tally]));
  });
}

test.run();
