/**
 * The virtual machine's service for engines of the test's own thread (one-thread.ts): the real service and store over a
 * host of arrays.
 *
 * Owns: that host. Programs are found by name in `programs`.
 */
import type { Host } from "../pvmd/host.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { Service } from "../pvmd/service.ts";
import { serveMail, serveWakes } from "../runtime/scheduler/engine.ts";
import type { Parcel } from "../runtime/scheduler/engine-state.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { ENGINE, HEAD, ULP } from "../wire/layout.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request } from "../wire/requests.ts";
import { IDLE, type Process } from "./one-thread.ts";

export class TestMachine implements Host {
  readonly p: Process;
  readonly store = new MemoryStore();
  /** Names of programs that can be loaded. */
  readonly programs: string[] = [];
  /** Names that were asked for. */
  readonly loads: string[] = [];
  private readonly service: Service;

  constructor(p: Process) {
    this.p = p;
    this.service = new Service(this.store, this);
  }

  /** Deals with all requests that there are, and with those that follow; engines take what comes of it. */
  async serve(): Promise<void> {
    const { p } = this;
    while (p.asked.length > 0) {
      await this.service.take(p.asked.shift()!);
      Atomics.sub(p.library.w, HEAD.outside, 1);
      for (const e of p.engines) {
        serveMail(e);
        serveWakes(e);
      }
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
