/**
 * Checkpoints, in an application process: all its ULPs stop where they are, become images, and go on; or come from images.
 *
 * Owns: which are stopped for that. Freezing and images are runtime/migrate/; when it is done is the master's
 * (pvmd/checkpoints.ts).
 */
import type { Handlers } from "../net/rpc.ts";
import { Filling, ImageError } from "../runtime/migrate/filling.ts";
import { type FrozenUlp, WHY_NOT } from "../runtime/migrate/freezer.ts";
import { imageOf, whyNoImage } from "../runtime/migrate/image.ts";
import { readImage } from "../runtime/migrate/restore.ts";
import { awaitsService } from "../runtime/scheduler/blocking.ts";
import { isOutside } from "../runtime/scheduler/outside.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { getState } from "../runtime/scheduler/state.ts";
import { HEAD, ULP, ULP_STATE } from "../wire/layout.ts";
import { tidText } from "../wire/pvm.ts";
import type { PartProcess } from "./run-here.ts";

export class Stopped {
  private readonly process: PartProcess;
  private readonly frozen = new Map<number, FrozenUlp>();

  constructor(process: PartProcess) {
    this.process = process;
  }

  /** Stops all ULPs that are here. @returns tid and program's row of each; why one has no image just now */
  async freeze(): Promise<{ ulps: [number, number][]; why?: string }> {
    const { library, freezer } = this.process;
    const { w } = library;
    const here = Array.from({ length: w[HEAD.ulps]! }, (_, index) => index).filter((index) => {
      const ulp = ulpAt(w, index);
      return ulp !== 0 && getState(w, ulp) !== ULP_STATE.exited && !isOutside(w, ulp);
    });
    const whys: string[] = [];
    await Promise.all(
      here.map(async (index) => {
        const ulp = await freezer.freeze(index);
        if (typeof ulp === "object") this.frozen.set(w[ulp.ulp + ULP.tid]!, ulp);
        else if (ulp !== "ended") whys.push(`${tidText(w[ulpAt(w, index) + ULP.tid]!)}: ${WHY_NOT[ulp]}`);
      }),
    );
    for (const [tid, ulp] of this.frozen) {
      const why = this.whyNot(ulp);
      if (why !== undefined) whys.push(`${tidText(tid)}: ${why}`);
    }
    const ulps = [...this.frozen].map(([tid, { ulp }]): [number, number] => [tid, w[ulp + ULP.module]!]);
    return { ulps, ...(whys.length > 0 && { why: whys[0]! }) };
  }

  /** What the virtual machine is about to answer is in no image. */
  private whyNot({ ulp, kept }: FrozenUlp): string | undefined {
    const { w } = this.process.library;
    if (awaitsService(w, ulp)) return "it waits for the virtual machine's answer";
    if (kept.length > 0) return "news of the virtual machine is on its way to it";
    return whyNoImage(w, ulp);
  }

  thaw(): void {
    for (const ulp of this.frozen.values()) this.process.freezer.thaw(ulp);
    this.frozen.clear();
  }

  /** Image of a ULP that is stopped, in one piece. */
  image(tid: number, hash: string): Uint8Array {
    const { library, grants, nowMs } = this.process;
    const ulp = this.frozen.get(tid);
    if (ulp === undefined) throw new Error(`bug: ${tidText(tid)} is not stopped`);
    const image = imageOf(library, ulp, {
      hash: Uint8Array.fromHex(hash),
      nowMs: nowMs(),
      grants: grants.map(({ guest }) => guest),
    });
    const all = new Uint8Array(image.bytes);
    let at = 0;
    for (const piece of image.pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

/**
 * A ULP goes on here from its image.
 *
 * @param drain  empties the outbox: what is in it for the ULP goes into its inbox
 * @returns why it cannot
 */
export function restoreUlp(
  { library, freezer, grants, files, nowMs, loader }: PartProcess,
  image: Uint8Array,
  { hash, program }: { readonly hash: string; readonly program: number },
  drain: () => void,
): string | undefined {
  try {
    const filling = new Filling(
      readImage({
        library,
        programOf: (found) => (found === hash ? library.programs[program] : undefined),
        points: () => loader.points[program],
        nowMs,
        grants,
        ...(files && { files }),
      }),
    );
    filling.write(image);
    freezer.admit(filling.end(), () => {
      drain();
      return [];
    });
    return undefined;
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    throw error;
  }
}

/** What the master may ask of a process that runs. */
export function checkpointHandlers(
  running: Promise<PartProcess>,
  drain: () => void,
): Pick<Handlers, "jobFreeze" | "jobThaw" | "jobImage" | "ulpRestore"> {
  const stopped = running.then((process) => new Stopped(process));
  return {
    jobFreeze: async () => {
      const body = await (await stopped).freeze();
      // All that they have sent is on its way before this is answered.
      drain();
      return { body };
    },
    jobThaw: async () => {
      (await stopped).thaw();
      return { body: undefined };
    },
    jobImage: async ({ tid, hash }) => ({ body: {}, bytes: (await stopped).image(tid, hash) }),
    ulpRestore: async (body, bytes) => {
      const why = restoreUlp(await running, bytes, body, drain);
      return { body: why === undefined ? {} : { why } };
    },
  };
}
