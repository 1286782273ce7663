/**
 * This process as a host of the virtual machine, and the service of a machine that has no other.
 *
 * Owns: the way between the service (pvmd/) and the ULPs: answers, and when a request is no longer on its way. It runs on
 * the process's own thread.
 */
import type { Host } from "../pvmd/host.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { Service } from "../pvmd/service.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { ring } from "../runtime/scheduler/mailbox.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { HEAD, STOP, ULP } from "../wire/layout.ts";
import type { Answer, Request } from "../wire/requests.ts";
import type { EngineThreads } from "./node-process.ts";
import type { Loader } from "./program-loader.ts";

export class HostProcess implements Host {
  private readonly library: Library;
  private readonly threads: EngineThreads;
  private readonly loader: Loader;
  private readonly service: Service;
  /** What a handler of the service threw: a bug of ours. */
  private readonly bugs: unknown[] = [];

  constructor(library: Library, threads: EngineThreads, loader: Loader) {
    this.library = library;
    this.threads = threads;
    this.loader = loader;
    this.service = new Service(new MemoryStore(), this);
  }

  /** A ULP asks. Never fails: what is our bug stops the run, and throwBug tells of it. */
  async take(request: Request): Promise<void> {
    try {
      await this.service.take(request);
    } catch (error) {
      this.bugs.push(error);
      stopProcess(this.library, STOP.failed);
    }
    this.settled();
  }

  /** @throws what a handler of the service threw */
  throwBug(): void {
    if (this.bugs.length > 0) throw this.bugs[0];
  }

  answer(request: Request, answer: Answer): void {
    const { w } = this.library;
    const ulp = ulpOf(w, request.tid);
    const { kind, serial } = request;
    const parcel = { kind: "answer", index: w[ulp + ULP.index]!, of: kind, serial, answer } as const;
    this.threads.send(Atomics.load(w, ulp + ULP.engine), parcel);
  }

  load(name: string): Promise<number> {
    return this.loader.row(this.library, this.threads, name);
  }

  /** A request is dealt with. If all engines sleep, one has to look whether that was the last thing to wait for. */
  private settled(): void {
    const { w, process: descriptor } = this.library;
    const others = Atomics.sub(w, HEAD.outside, 1) - 1;
    if (others === 0 && Atomics.load(w, HEAD.idleEngines) === descriptor.engines) ring(this.library, 0);
  }
}
