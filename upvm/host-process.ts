/**
 * Who serves what the ULPs of this process ask of the virtual machine.
 *
 * Owns: when a request is no longer on its way, and bugs of the service. The requests go to a `Server`: a service of the
 * process's own (`ownService`: a run without a daemon is a virtual machine by itself), or another's. It runs on the process's own
 * thread.
 */
import { MemoryStore } from "../pvmd/memory-store.ts";
import { OneHost } from "../pvmd/one-host.ts";
import { Service } from "../pvmd/service.ts";
import { relayUnits } from "../runtime/pvm/relay.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { ring } from "../runtime/scheduler/mailbox.ts";
import { HEAD, STOP } from "../wire/layout.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Request, RequestKind } from "../wire/requests.ts";
import type { LocalHost } from "./local-host.ts";

/** Deals with a request. Resolves when it is answered, parked or done, and all that follows from it for now too. */
export type Server = (request: Request) => Promise<void>;

/** The service of a virtual machine that is this process alone. */
export function ownService(host: LocalHost): Server {
  const service = new Service(new MemoryStore(), host, new OneHost(host));
  return (request) => service.take(request);
}

/** The same for one ULP with a process of its own (`--isolate`): what is about other tasks is PvmNotImpl. */
export function isolatedService(host: LocalHost): Server {
  const serve = ownService(host);
  return async (request) => {
    if (ABOUT_OTHERS.includes(request.kind)) host.answer(request, { value: PVM_ERROR.PvmNotImpl.code });
    else await serve(request);
  };
}

/** What needs the other tasks of the virtual machine. */
const ABOUT_OTHERS: readonly RequestKind[] = [
  "kill",
  "sendsig",
  "pstat",
  "notify",
  "halt",
  "putinfo",
  "recvinfo",
  "delinfo",
  "mboxinfo",
  "insert",
  "lookup",
  "delete",
  "regHoster",
  "regTasker",
  "regRm",
  "regTracer",
];

export class HostProcess {
  private readonly library: Library;
  private readonly serve: Server;
  /** What the service threw: bugs of ours. */
  private readonly bugs: unknown[] = [];

  constructor(library: Library, serve: Server) {
    this.library = library;
    this.serve = serve;
  }

  /** A ULP asks. Never fails: what is our bug stops the run, and throwBug tells of it. */
  async take(request: Request): Promise<void> {
    try {
      await this.serve(request);
    } catch (error) {
      this.bugs.push(error);
      stopProcess(this.library, STOP.failed);
    }
    if (request.kind === "relay") this.relayed(request.body.data.length);
    this.settled();
  }

  /** @throws what the service threw */
  throwBug(): void {
    if (this.bugs.length > 0) throw this.bugs[0];
  }

  /** A message to another job has been passed on: whoever waits for that looks again. */
  private relayed(bytes: number): void {
    const { w } = this.library;
    Atomics.sub(w, HEAD.relayed, relayUnits(bytes));
    Atomics.notify(w, HEAD.relayed);
  }

  /** A request is dealt with. If all engines sleep, one has to look whether that was the last thing to wait for. */
  private settled(): void {
    const { w, process: descriptor } = this.library;
    const others = Atomics.sub(w, HEAD.outside, 1) - 1;
    if (others === 0 && Atomics.load(w, HEAD.idleEngines) === descriptor.engines) ring(this.library, 0);
  }
}
