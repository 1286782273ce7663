/**
 * Checkpoints, in an application process: all its ULPs stop where they are, become images, and go on; or come from images.
 *
 * Owns: which are stopped for that. Freezing and images are runtime/migrate/; when it is done is the master's
 * (pvmd/checkpoints.ts).
 */
import type { Handlers } from "../net/rpc.ts";
import { Filling, ImageError } from "../runtime/migrate/filling.ts";
import { type FrozenUlp, WHY_NOT, type WhyNot } from "../runtime/migrate/freezer.ts";
import { imageOf, whyNoImage } from "../runtime/migrate/image.ts";
import type { ImageHead } from "../runtime/migrate/image-head.ts";
import type { Weight } from "../runtime/migrate/moves.ts";
import { readImage } from "../runtime/migrate/restore.ts";
import { awaitsService } from "../runtime/scheduler/blocking.ts";
import { moreOf } from "../runtime/scheduler/more.ts";
import { isOutside } from "../runtime/scheduler/outside.ts";
import { ulpAt } from "../runtime/scheduler/queue.ts";
import { getState, type UlpAt } from "../runtime/scheduler/state.ts";
import { PAGE_BYTES } from "../wire/image.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE, WAIT } from "../wire/layout.ts";
import { MORE } from "../wire/more.ts";
import { tidText } from "../wire/pvm.ts";
import { REQUEST, REQUEST_KINDS, type RequestKind } from "../wire/requests.ts";
import type { PeerLinks } from "./peer-links.ts";
import { noRoom, type Room } from "./room.ts";
import type { PartProcess } from "./run-here.ts";

/** Requests that wait until another task does something. */
const WAITS_FOR_TASKS: readonly RequestKind[] = ["barrier", "freezeGroup", "recvinfo"];

/** Nobody else comes to a process whose ULPs come from images. */
const NOTHING: Weight = { memoryBytes: 0, heapBytes: 0 };

/** Numbers of a ULP's requests that are not answered: with message handlers also that of a barrier that one has interrupted. */
function openRequests(w: Int32Array, ulp: UlpAt): number[] {
  const more = moreOf(w, ulp);
  const isInBarrier = more !== 0 && w[more + MORE.asked] !== 0 && w[more + MORE.answer] === SUSPEND;
  return [
    ...(isInBarrier ? [w[more + MORE.asked]!] : []),
    ...(w[ulp + ULP.wait] === WAIT.service ? [w[ulp + ULP.request]!] : []),
  ];
}

/** Those that are here, as far as they are stopped. */
export interface StoppedUlps {
  /** Tid and program's row of each. */
  readonly ulps: [number, number][];
  /** Those that wait for other tasks, and the numbers of their requests. */
  readonly waits: [number, number][];
  /** Why one is not stopped, or has no image just now. */
  readonly why?: string;
}

export class Stopped {
  private readonly process: PartProcess;
  private readonly frozen = new Map<number, FrozenUlp>();
  /** ULPs that are being stopped, by index. One that has not stopped in time is so until it does. */
  private readonly stopping = new Map<number, Promise<FrozenUlp | WhyNot>>();
  /** Who stops stays so. */
  private isHeld = false;
  /** Ends the wait of `freeze`. */
  private giveUp: () => void = () => {};

  constructor(process: PartProcess) {
    this.process = process;
  }

  /**
   * Stops all ULPs that are here and are not. One that has got its answer meanwhile, or news, takes it and is stopped again, all
   * others stand still: so after a few times all are, however often they ask.
   *
   * One that computes without polls may stop in hours: who asks sets the time for that, which is over with `thaw`.
   */
  async freeze(): Promise<StoppedUlps> {
    const { library, freezer } = this.process;
    const { w } = library;
    this.isHeld = true;
    let isOver = false;
    const over = new Promise<void>((done) => {
      this.giveUp = () => {
        isOver = true;
        done();
      };
    });
    for (const [tid, ulp] of this.frozen) {
      if (ulp.kept.length === 0) continue;
      freezer.thaw(ulp);
      this.frozen.delete(tid);
    }
    const here = Array.from({ length: w[HEAD.ulps]! }, (_, index) => index).filter((index) => {
      const ulp = ulpAt(w, index);
      const is = ulp !== 0 && getState(w, ulp) !== ULP_STATE.exited && !isOutside(w, ulp);
      return is && !this.frozen.has(w[ulp + ULP.tid]!);
    });
    for (const index of here) if (!this.stopping.has(index)) this.stop(index);
    const whys: string[] = [];
    const name = (index: number): string => tidText(w[ulpAt(w, index) + ULP.tid]!);
    const all = [...this.stopping].map(async ([index, result]) => {
      const ulp = await result;
      if (typeof ulp !== "object" && ulp !== "ended") whys.push(`${name(index)}: ${WHY_NOT[ulp]}`);
    });
    await Promise.race([Promise.all(all), over]);
    if (isOver) {
      const [late] = this.stopping.keys();
      const why = late === undefined ? "its ULPs go on" : `${name(late)}: it could not be stopped in time`;
      return { ulps: [], waits: [], why };
    }
    return this.standing(whys);
  }

  private stop(index: number): void {
    const { library, freezer } = this.process;
    const result = freezer.freeze(index);
    this.stopping.set(index, result);
    void result.then((ulp) => {
      this.stopping.delete(index);
      if (typeof ulp !== "object") return;
      if (this.isHeld) this.frozen.set(library.w[ulp.ulp + ULP.tid]!, ulp);
      else freezer.thaw(ulp);
    });
  }

  private standing(whys: string[]): StoppedUlps {
    const { w } = this.process.library;
    for (const [tid, ulp] of this.frozen) {
      const why = this.whyNot(ulp);
      if (why !== undefined) whys.push(`${tidText(tid)}: ${why}`);
    }
    const all = [...this.frozen];
    const ulps = all.map(([tid, { ulp }]): [number, number] => [tid, w[ulp + ULP.module]!]);
    const waits = all.flatMap(([tid, { ulp }]) =>
      openRequests(w, ulp).map((serial): [number, number] => [tid, serial]),
    );
    return { ulps, waits, ...(whys.length > 0 && { why: whys[0]! }) };
  }

  /** What the virtual machine is about to answer is in no image. Who waits for other tasks waits there (pvmd/checkpoints.ts). */
  private whyNot({ ulp, kept }: FrozenUlp): string | undefined {
    const { w } = this.process.library;
    const asked = REQUEST_KINDS[w[ulp + ULP.waitTag]!];
    if (awaitsService(w, ulp) && asked !== undefined && !WAITS_FOR_TASKS.includes(asked))
      return asked === "input" || asked === "inputReady"
        ? "it waits for standard input"
        : `it waits for the virtual machine's answer to ${REQUEST[asked].routine}`;
    if (kept.length > 0) return "news of the virtual machine is on its way to it";
    return whyNoImage(w, ulp);
  }

  /** The virtual machine has told something to one since it was stopped. */
  get hasNews(): boolean {
    return [...this.frozen.values()].some(({ kept }) => kept.length > 0);
  }

  /** All go on; those that are still being stopped, as soon as they have. */
  thaw(): void {
    this.isHeld = false;
    for (const ulp of this.frozen.values()) this.process.freezer.thaw(ulp);
    this.frozen.clear();
    this.giveUp();
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
 * @param edge  tells what the system has for it
 * @returns why it cannot
 */
export function restoreUlp(
  { library, freezer, grants, files, nowMs, loader }: PartProcess,
  image: Uint8Array,
  { hash, program }: { readonly hash: string; readonly program: number },
  drain: () => void,
  edge: Pick<Room, "availableBytes">,
): string | undefined {
  const expect = ({ pages }: ImageHead): void => {
    const availableBytes = (wanted: number): number => edge.availableBytes(wanted);
    const room: Room = { process: { library }, availableBytes, promised: NOTHING };
    const refused = noRoom(room, { memoryBytes: pages * PAGE_BYTES, heapBytes: 0 });
    if (refused !== undefined)
      throw new ImageError("memory", `there is too little memory: ${refused.detail}`);
  };
  try {
    const filling = new Filling(
      readImage({
        expect,
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

/**
 * What the master may ask of a process that runs.
 *
 * @param settle  empties the outbox. True: all that has come is with its ULPs, and nothing is on its way out
 */
export function checkpointHandlers(
  running: Promise<PartProcess>,
  settle: () => boolean,
  links: Pick<PeerLinks, "counts">,
  edge: Pick<Room, "availableBytes">,
): Pick<Handlers, "jobFreeze" | "jobSettled" | "jobThaw" | "jobImage" | "ulpRestore"> {
  const stopped = running.then((process) => new Stopped(process));
  return {
    jobSettled: async () => {
      const { hasNews } = await stopped;
      return { body: { settled: settle(), hasNews, ...links.counts() } };
    },
    jobFreeze: async () => {
      const body = await (await stopped).freeze();
      // All that they have sent is on its way before this is answered.
      settle();
      return { body };
    },
    jobThaw: async () => {
      (await stopped).thaw();
      return { body: undefined };
    },
    jobImage: async ({ tid, hash }) => ({ body: {}, bytes: (await stopped).image(tid, hash) }),
    ulpRestore: async (body, bytes) => {
      const why = restoreUlp(await running, bytes, body, settle, edge);
      return { body: why === undefined ? {} : { why } };
    },
  };
}
