/**
 * This process as a host of the virtual machine: the way from its service (pvmd/) to the ULPs that are here.
 *
 * Owns: what is done to ULPs of this process for the virtual machine: answers, messages, new tasks, signals. It runs on
 * the process's own thread. Who serves the requests of the ULPs, and where, is not its business: host-process.ts.
 */
import type { Execution, Host, Notice } from "../pvmd/host.ts";
import type { CreateOrder } from "../pvmd/router.ts";
import { indexOf } from "../pvmd/tids.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import type { NoticeParcel } from "../runtime/scheduler/engine-state.ts";
import { hasLeft } from "../runtime/scheduler/left.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { pushWake } from "../runtime/scheduler/mailbox.ts";
import { isOutside, takeOutside } from "../runtime/scheduler/outside.ts";
import { isMigrating, type UlpAt } from "../runtime/scheduler/state.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { HEAD, INBOX_CLOSED, STOP, ULP } from "../wire/layout.ts";
import { DAEMON_TID, PVM_CONSTANT } from "../wire/pvm.ts";
import type { Answer, Request } from "../wire/requests.ts";
import type { Engines } from "./engine-thread.ts";
import type { Loader } from "./program-loader.ts";
import type { InputSource } from "./run.ts";

const { PvmDataDefault } = PVM_CONSTANT;

/** What a host knows of the world. */
export interface Surroundings {
  readonly hostName: string;
  /** True if a host of this name can be found. */
  readonly resolves: (name: string) => Promise<boolean>;
  /** Standard input of the first ULP. */
  readonly input?: InputSource | undefined;
}

function hasEnded(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): boolean {
  return Atomics.load(w, ulp + ULP.inbox) === INBOX_CLOSED;
}

export class LocalHost implements Host {
  readonly name: string;
  private readonly library: Library;
  private readonly threads: Engines;
  private readonly loader: Loader;
  private readonly known: Surroundings;
  /** Orders to make tasks that an engine has not dealt with yet, by number. */
  private readonly orders = new Map<number, (codes: readonly number[]) => void>();
  private lastOrder = 0;

  constructor(library: Library, threads: Engines, loader: Loader, known: Surroundings) {
    this.name = known.hostName;
    this.known = known;
    this.library = library;
    this.threads = threads;
    this.loader = loader;
  }

  answer({ tid, kind, serial }: Pick<Request, "tid" | "kind" | "serial">, answer: Answer): void {
    const { w } = this.library;
    const ulp = this.alive(tid);
    if (ulp === 0) return;
    const parcel = { kind: "answer", index: w[ulp + ULP.index]!, of: kind, serial, answer } as const;
    this.threads.send(Atomics.load(w, ulp + ULP.engine), parcel);
  }

  /**
   * With several engines straight into the ULP's inbox, which it has wherever it is in this process: a parcel lies with the engine
   * that had the ULP until that looks, and what is sent to the next one could overtake it. One engine gets it as a parcel: it may
   * have its ULPs' inboxes for itself (EngineState.alone), and it takes parcels in order.
   */
  post({ to, tag, context = 0, src = DAEMON_TID, wid = 0, data }: Notice): void {
    const { w } = this.library;
    const ulp = this.alive(to);
    if (ulp === 0) return;
    const index = w[ulp + ULP.index]!;
    const message = { src, context, tag, wid, data };
    const isHere = !isOutside(w, ulp) || isMigrating(w, ulp);
    const posted = w[HEAD.engines]! > 1 && isHere;
    if (posted && takeOutside(this.library, { ...message, to, encoding: PvmDataDefault })) return;
    const parcel: NoticeParcel = { kind: "notice", index, ...message, ...(posted && { dropped: true }) };
    this.threads.send(Atomics.load(w, ulp + ULP.engine), parcel);
  }

  execute({ by, ...task }: Execution): void {
    const { w } = this.library;
    const ulp = this.alive(by);
    if (ulp === 0) return;
    this.threads.send(Atomics.load(w, ulp + ULP.engine), {
      kind: "exec",
      index: w[ulp + ULP.index]!,
      ...task,
    });
  }

  /**
   * Makes tasks with the tids that the virtual machine has allotted; they wait for `begin`. As Member.create (router.ts): all
   * engines have the program.
   */
  createOrdered({ tids, siblingFirst, ...task }: CreateOrder): Promise<readonly number[]> {
    this.lastOrder += 1;
    const order = this.lastOrder;
    const made = new Promise<readonly number[]>((done) => this.orders.set(order, done));
    const indices = tids.map(indexOf);
    const parcel = { kind: "create", order, indices, siblingFirst: indexOf(siblingFirst), ...task } as const;
    this.threads.send(0, parcel);
    return made;
  }

  /** An engine has dealt with an order. */
  created(order: number, codes: readonly number[]): void {
    this.orders.get(order)?.(codes);
    this.orders.delete(order);
  }

  begin(tid: number): void {
    const { w, heap, rung } = this.library;
    const ulp = this.alive(tid);
    if (ulp !== 0 && !isOutside(w, ulp)) pushWake({ w, heap, rung, alone: false }, ulp);
  }

  setPlugins(bits: number): void {
    Atomics.store(this.library.w, HEAD.plugins, bits);
  }

  stop(tid: number, signum: number): void {
    const { w } = this.library;
    const ulp = this.alive(tid);
    if (ulp === 0) return;
    this.threads.send(Atomics.load(w, ulp + ULP.engine), {
      kind: "stop",
      index: w[ulp + ULP.index]!,
      signum,
    });
  }

  has(tid: number): boolean {
    const { w } = this.library;
    const ulp = ulpOf(w, tid);
    return ulp !== 0 && !hasEnded(w, ulp) && !hasLeft(w, ulp);
  }

  watchEnd(tid: number): boolean {
    const { w } = this.library;
    const ulp = ulpOf(w, tid);
    if (ulp === 0) return false;
    // First the word, then the look: it ends in the other order (end.ts).
    Atomics.store(w, ulp + ULP.tellEnd, 1);
    return this.has(tid);
  }

  clock(): readonly [number, number] {
    const us = Math.round((performance.timeOrigin + performance.now()) * 1000);
    return [Math.floor(us / 1_000_000), us % 1_000_000];
  }

  resolves(name: string): Promise<boolean> {
    return this.known.resolves(name);
  }

  halt(): void {
    stopProcess(this.library, STOP.halted);
  }

  load(name: string): Promise<number> {
    return this.loader.row(this.library, this.threads, name);
  }

  async input(bytes: number): Promise<Uint8Array> {
    return (await this.known.input?.read(bytes)) ?? new Uint8Array(0);
  }

  async inputReady(ms: number): Promise<boolean> {
    return (await this.known.input?.ready(ms)) ?? true;
  }

  /**
   * A ULP that has not ended, 0: there is none. One of another process, or on its way to one, is the process's own thread's
   * (freezer.ts).
   */
  private alive(tid: number): UlpAt {
    const { w } = this.library;
    const ulp = ulpOf(w, tid);
    return ulp === 0 || hasEnded(w, ulp) ? (0 as UlpAt) : ulp;
  }
}
