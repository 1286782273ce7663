/**
 * The virtual machine's service for engines of the test's own thread (one-thread.ts): the real service and store over a
 * host of arrays.
 *
 * Owns: that host. Programs are found by name in `programs`.
 */
import type { Execution, Host, Notice } from "../pvmd/host.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { OneHost } from "../pvmd/one-host.ts";
import type { CreateOrder } from "../pvmd/router.ts";
import { Service } from "../pvmd/service.ts";
import { indexOf } from "../pvmd/tids.ts";
import { serveMail, serveWakes } from "../runtime/scheduler/engine.ts";
import type { Parcel } from "../runtime/scheduler/engine-state.ts";
import { pushWake } from "../runtime/scheduler/mailbox.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { ENGINE, HEAD, INBOX_CLOSED, ULP, ULP_FLAG } from "../wire/layout.ts";
import { DAEMON_TID, PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request } from "../wire/requests.ts";
import { IDLE, type Process } from "./one-thread.ts";

/** The host of arrays: engines are served by whoever has it. */
export class TestHost implements Host {
  readonly p: Process;
  /** Names of programs that can be loaded. */
  readonly programs: string[] = [];
  /** Names that were asked for. */
  readonly loads: string[] = [];

  constructor(p: Process) {
    this.p = p;
  }

  /** Engines take what has come to them. */
  serveEngines(): void {
    for (const e of this.p.engines) {
      serveMail(e);
      serveWakes(e);
    }
  }

  send(engine: number, parcel: Parcel): void {
    const { mail, library } = this.p;
    mail[engine]!.push(parcel);
    Atomics.add(library.w, library.heap.engineRow(engine) + ENGINE.mail, 1);
  }

  answer({ kind: of, tid, serial }: Request, answer: Answer): void {
    const { w } = this.p.library;
    const ulp = ulpOf(w, tid);
    this.send(w[ulp + ULP.engine]!, { kind: "answer", index: w[ulp + ULP.index]!, of, serial, answer });
  }

  readonly name = "here";
  halted = false;
  /** Names of hosts that can be found. */
  readonly reachable: string[] = [];

  post({ to, tag, context = 0, src = DAEMON_TID, wid = 0, data }: Notice): void {
    const { w } = this.p.library;
    const ulp = ulpOf(w, to);
    if (ulp === 0) return;
    const index = w[ulp + ULP.index]!;
    this.send(w[ulp + ULP.engine]!, { kind: "notice", index, src, context, tag, wid, data });
  }

  execute({ by, ...task }: Execution): void {
    const { w } = this.p.library;
    const ulp = ulpOf(w, by);
    this.send(w[ulp + ULP.engine]!, { kind: "exec", index: w[ulp + ULP.index]!, ...task });
  }

  /** As Member.create (pvmd/router.ts), at once. */
  async createOrdered({ tids, siblingFirst, ...task }: CreateOrder): Promise<readonly number[]> {
    const indices = tids.map(indexOf);
    this.send(0, { kind: "create", order: 1, indices, siblingFirst: indexOf(siblingFirst), ...task });
    this.serveEngines();
    return this.p.created.shift()!.codes;
  }

  begin(tid: number): void {
    const { w, heap } = this.p.library;
    pushWake({ w, heap, alone: false }, ulpOf(w, tid));
  }

  setPlugins(bits: number): void {
    this.p.library.w[HEAD.plugins] = bits;
  }

  stop(tid: number, signum: number): void {
    const { w } = this.p.library;
    const ulp = ulpOf(w, tid);
    if (ulp !== 0) this.send(w[ulp + ULP.engine]!, { kind: "stop", index: w[ulp + ULP.index]!, signum });
  }

  has(tid: number): boolean {
    const { w } = this.p.library;
    const ulp = ulpOf(w, tid);
    const left = (w[ulp + ULP.flags]! & ULP_FLAG.left) !== 0;
    return ulp !== 0 && !left && w[ulp + ULP.inbox] !== INBOX_CLOSED;
  }

  watchEnd(tid: number): boolean {
    const { w } = this.p.library;
    if (this.has(tid)) w[ulpOf(w, tid) + ULP.tellEnd] = 1;
    return this.has(tid);
  }

  clock(): readonly [number, number] {
    return [1_700_000_000, 250_000];
  }

  async resolves(name: string): Promise<boolean> {
    return this.reachable.includes(name);
  }

  halt(): void {
    this.halted = true;
  }

  /** What standard input gives; none: its end. */
  readonly inputs: Uint8Array[] = [];
  /** What a wait for standard input ends with. */
  inputCame = true;

  async input(bytes: number): Promise<Uint8Array> {
    return (this.inputs.shift() ?? new Uint8Array(0)).subarray(0, bytes);
  }

  async inputReady(): Promise<boolean> {
    return this.inputCame;
  }

  async load(name: string): Promise<number> {
    this.loads.push(name);
    const found = this.programs.indexOf(name);
    if (found < 0) return PVM_ERROR.PvmNoFile.code;
    const program = { ...IDLE, id: found + 1, name };
    this.p.engines.forEach((_, engine) => {
      this.send(engine, { kind: "program", program });
    });
    return program.id;
  }
}

export class TestMachine extends TestHost {
  readonly store = new MemoryStore();
  private readonly service: Service;

  constructor(p: Process) {
    super(p);
    this.service = new Service(this.store, this, new OneHost(this));
  }

  /**
   * Deals with all requests that there are, and with those that follow; engines take what comes of it.
   *
   * @param look  sees each before it is dealt with
   */
  async serve(look: (request: Request) => void = () => {}): Promise<void> {
    const { p } = this;
    while (p.asked.length > 0) {
      const request = p.asked.shift()!;
      look(request);
      await this.service.take(request);
      Atomics.sub(p.library.w, HEAD.outside, 1);
      this.serveEngines();
    }
  }
}
