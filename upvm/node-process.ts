/**
 * The process's own thread: starts engine threads, takes what they tell, stops them.
 *
 * Owns: the threads and their ports, time slices, interruption. It runs no ULP; it waits for events.
 */
import { lookup } from "node:dns/promises";
import { availableParallelism, hostname } from "node:os";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { stopProcess } from "../runtime/scheduler/end.ts";
import type { EngineOptions, Parcel } from "../runtime/scheduler/engine-state.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { askForLook, demandAttention, ring } from "../runtime/scheduler/mailbox.ts";
import { ENGINE, HEAD, STOP } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { EngineNews, EngineSetup, Engines, NumberedNews } from "./engine-thread.ts";
import type { Surroundings } from "./local-host.ts";
import { NewsOrder } from "./news-order.ts";
import { codeExtension } from "./node-package.ts";
import { countExternalMemory } from "./node-v8.ts";

/** What the engines tell, save output's way back and the end. */
export interface ProcessEvents {
  readonly output: (fd: number, bytes: Uint8Array, tid: number) => unknown;
  readonly news: (
    engine: number,
    news: Exclude<EngineNews, { kind: "output" | "stopped" | "parcel" }>,
  ) => void;
  /** What is sent to this thread in place of an engine: for ULPs that no engine has. */
  readonly parcel: (parcel: Parcel) => void;
}

export interface ProcessOptions {
  readonly engine: EngineOptions;
  /** Milliseconds since 1970. */
  readonly beganMs: number;
}

/** Processors of this machine that the process may use. */
export function processorCount(): number {
  return availableParallelism();
}

/** This machine among others. */
export const surroundings: Surroundings = {
  hostName: hostname(),
  resolves: (name) =>
    lookup(name).then(
      () => true,
      () => false,
    ),
};

export class EngineThreads implements Engines {
  private readonly library: Library;
  private readonly events: ProcessEvents;
  private readonly workers: Worker[];
  private readonly stopped: Promise<void>[];
  private readonly order = new NewsOrder();

  /** Starts the threads; they wait for nothing and run at once. */
  constructor(library: Library, options: ProcessOptions, events: ProcessEvents) {
    countExternalMemory();
    this.library = library;
    this.events = events;
    const ports = portMatrix(library.process.engines);
    const told = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const url = new URL(`./node-engine${codeExtension}`, import.meta.url);
    this.workers = ports.map((own, index) => {
      const workerData: EngineSetup = {
        index,
        heap: library.memory,
        ctl: library.ctlMemories,
        ports: own,
        programs: library.programs,
        options: options.engine,
        beganMs: options.beganMs,
        told,
      };
      const transferList = own.filter((port) => port !== undefined);
      return new Worker(url, {
        workerData,
        transferList,
        resourceLimits: { stackSizeMb: LIMITS.engineStackMb },
      });
    });
    this.stopped = this.workers.map((worker, engine) => this.listen(worker, engine, events));
  }

  /**
   * Ends when every engine's loop has ended and its thread is gone. @throws what a thread died of: a bug of
   * ours
   */
  async ended(): Promise<void> {
    await Promise.all(this.stopped);
  }

  /** Sends a parcel to an engine, and wakes it or has its running ULP look; or to this thread (HEAD.engines). */
  send(engine: number, parcel: Parcel): void {
    const { w, heap, ctl } = this.library;
    if (engine === this.library.process.engines) {
      this.events.parcel(parcel);
      return;
    }
    this.workers[engine]!.postMessage(parcel);
    Atomics.add(w, heap.engineRow(engine) + ENGINE.mail, 1);
    ring(this.library, engine);
    if (parcel.kind !== "program") demandAttention(ctl[engine]!);
  }

  /**
   * Stops all engines; a ULP that runs says where it is at its next poll. One that does not poll is given
   * LIMITS.interruptMs, and then its thread is ended by force.
   *
   * @returns false if that had to be
   */
  async interrupt(): Promise<boolean> {
    stopProcess(this.library, STOP.interrupted);
    const tooLong = new Promise<"late">((done) => setTimeout(done, LIMITS.interruptMs, "late").unref());
    if ((await Promise.race([this.ended(), tooLong])) !== "late") return true;
    await Promise.all(this.workers.map((worker) => worker.terminate()));
    return false;
  }

  private listen(worker: Worker, engine: number, events: ProcessEvents): Promise<void> {
    return new Promise((done, fail) => {
      worker.on("message", ({ number, news }: NumberedNews) =>
        this.order.take(number, () => takeNews(this.library, events, engine, news, fail)),
      );
      worker.on("error", (error) => {
        stopProcess(this.library, STOP.failed);
        fail(error);
      });
      worker.on("exit", (code) => {
        // Ended by force, or it died: maybe between its number and what it was about to tell.
        if (code !== 0) this.order.giveUp();
        done();
      });
    });
  }
}

/** Passes on what an engine tells; what it prints counts until it has been taken. */
export function takeNews(
  { w }: Library,
  events: ProcessEvents,
  engine: number,
  news: EngineNews,
  fail: (error: unknown) => void,
): void {
  if (news.kind === "output") {
    const taken = (): void => {
      Atomics.sub(w, HEAD.outputBytes, news.bytes.length);
      Atomics.notify(w, HEAD.outputBytes);
    };
    const waits = events.output(news.fd, news.bytes, news.tid);
    if (waits instanceof Promise) waits.then(taken, fail);
    else taken();
  } else if (news.kind === "parcel") events.parcel(news.parcel);
  else if (news.kind !== "stopped") events.news(engine, news);
}

/**
 * Has each engine's running ULP call the engine at its next poll, again and again: for time slices, where it gives way,
 * or for the profile, which it tells where it is.
 *
 * @returns ends that
 */
export function startTicks(library: Library, everyMs: number, why: number): () => void {
  const timer = setInterval(() => {
    for (const ctl of library.ctl) demandAttention(ctl, why);
  }, everyMs);
  return () => clearInterval(timer);
}

/**
 * While ULPs wait for a time, has running ones look now and then whether it has come, and while others of their engine could
 * run, how long these have waited: a ULP that computes without end does not keep a sleeper of its engine from waking.
 *
 * @returns ends that
 */
export function startClock(library: Library): () => void {
  const { w } = library;
  const timer = setInterval(() => {
    const all = Atomics.load(w, HEAD.outside) !== 0;
    for (const [engine, ctl] of library.ctl.entries()) if (all || hasOthers(library, engine)) askForLook(ctl);
  }, LIMITS.lookForTimersMs);
  return () => clearInterval(timer);
}

/** True if an engine has ULPs that could run, or that other threads have woken, beside the one that does. */
function hasOthers({ w, heap }: Library, engine: number): boolean {
  const row = heap.engineRow(engine);
  return Atomics.load(w, row + ENGINE.runnable) !== 0 || Atomics.load(w, row + ENGINE.wakes) !== 0;
}

/** A channel between every two engines: matrix[i][j] is where i sends to and receives from j. */
function portMatrix(engines: number): (MessagePort | undefined)[][] {
  const matrix = Array.from({ length: engines }, () =>
    new Array<MessagePort | undefined>(engines).fill(undefined),
  );
  for (let i = 0; i < engines; i++) {
    for (let j = i + 1; j < engines; j++) {
      const { port1, port2 } = new MessageChannel();
      matrix[i]![j] = port1;
      matrix[j]![i] = port2;
    }
  }
  return matrix;
}
