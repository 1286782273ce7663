/**
 * `upvm inspect TID`, in the application process that has the ULP: its descriptor (paper, 3.2.1), as it is at one moment.
 *
 * Owns: nothing. The ULP is frozen, looked at and given back; it neither notices nor loses its place among the waiting. One that is
 * frozen already, since it moves or is in a checkpoint, is told as that, without what only its engine knows.
 */
import type { Handlers } from "../net/rpc.ts";
import { rowOf } from "../runtime/heap/positions.ts";
import { type FrozenUlp, WHY_NOT, type WhyNot } from "../runtime/migrate/freezer.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { drainInbox } from "../runtime/scheduler/mailbox.ts";
import { isOutside } from "../runtime/scheduler/outside.ts";
import { getState, isMigrating, stateText, type UlpAt } from "../runtime/scheduler/state.ts";
import { ownBlocks } from "../runtime/scheduler/uheap.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { doingText } from "../runtime/scheduler/wait-text.ts";
import { BTAB, GBUF, MSG, ULP, ULP_FLAG } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { UlpLook } from "../wire/rpc-job.ts";
import type { PartProcess } from "./run-here.ts";

/** @param begun  resolves when the process has its ULPs */
export function lookHandlers(begun: Promise<PartProcess>): Handlers {
  return {
    ulpLook: async ({ tid }) => ({ body: await look(await begun, tid) }),
  };
}

async function look(
  { library, freezer }: PartProcess,
  tid: number,
): Promise<{ look?: UlpLook; why?: string }> {
  const { w } = library;
  const ulp = ulpOf(w, tid);
  if (ulp === 0 || (isOutside(w, ulp) && !isMigrating(w, ulp))) return { why: WHY_NOT.unknown };
  // As it is but for being looked at.
  const before: Before = {
    state: stateText(getState(w, ulp)),
    doing: doingText(w, ulp),
    engine: w[ulp + ULP.engine]!,
    module: w[ulp + ULP.module]!,
  };
  const frozen: FrozenUlp | WhyNot = await freezer.freeze(w[ulp + ULP.index]!);
  if (frozen === "moving") return { look: { ...before, ...NOTHING, state: `${before.state}+migrating` } };
  if (typeof frozen === "string") return { why: WHY_NOT[frozen] };
  try {
    drainInbox(w, ulp);
    const memoryBytes = frozen.parcel.memory?.buffer.byteLength ?? 0;
    return { look: { ...before, ...descriptor(library, ulp), memoryBytes } };
  } finally {
    freezer.thaw(frozen);
  }
}

type Before = Pick<UlpLook, "state" | "doing" | "engine" | "module">;

const NOTHING: Omit<UlpLook, keyof Before> = {
  ...{ memoryBytes: 0, heapBlocks: 0, heapBytes: 0, frameBytes: 0, context: 0, parent: 0, flags: [] },
  ...{ switches: 0, sent: 0, received: 0, messages: 0, queue: [], buffers: [] },
};

function descriptor({ w, gb }: Library, ulp: UlpAt): Omit<UlpLook, keyof Before> {
  const word = (name: keyof typeof ULP): number => w[ulp + ULP[name]]!;
  const queue: UlpLook["queue"] = [];
  for (let at = word("msgqHead"); at !== 0 && queue.length < LIMITS.lookRows; at = w[(at >> 2) + MSG.next]!) {
    const [src, tag, bytes] = [MSG.src, MSG.tag, MSG.bytes].map((one) => w[(at >> 2) + one]!);
    queue.push([src!, tag!, bytes!]);
  }
  const buffers: UlpLook["buffers"] = [];
  for (let lbid = 1; lbid <= word("btabRows") && buffers.length < LIMITS.lookRows; lbid++) {
    const gbid = w[rowOf(w, ulp, lbid) + BTAB.gbid]!;
    if (gbid <= 0) continue;
    const use = lbid === word("sbid") ? "send" : lbid === word("rbid") ? "receive" : "";
    buffers.push([lbid, use, gb.length(gbid), w[(gbid >> 2) + GBUF.refs]!]);
  }
  const [heapBlocks, heapBytes] = ownBlocks(w, ulp);
  const flags = Object.entries(ULP_FLAG).flatMap(([name, bit]) =>
    (word("flags") & bit) === 0 ? [] : [name],
  );
  return {
    ...{ heapBlocks, heapBytes, memoryBytes: 0, flags },
    ...{
      frameBytes: word("framesTop") - word("framesBase"),
      context: word("context"),
      parent: word("parentTid"),
    },
    ...{ switches: word("switches"), sent: word("sent"), received: word("received") },
    ...{ messages: word("msgqCount"), queue, buffers },
  };
}
