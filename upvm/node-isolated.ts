/**
 * A process of `--isolate`: one ULP, in a process of its own. Started by node-isolate.ts, which it talks to.
 *
 * Owns: taking in messages of other processes, and telling whether it is idle.
 */
import { stopProcess } from "../runtime/scheduler/end.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { copyOf, drainOutbox, releaseOutgoing } from "../runtime/scheduler/outbox.ts";
import { endedOutside, type OutsideMessage, takeOutside } from "../runtime/scheduler/outside.ts";
import { ENGINE, HEAD, STOP } from "../wire/layout.ts";
import { TID_BASE } from "../wire/pvm.ts";
import { isolatedService } from "./host-process.ts";
import type { FromPart, ToPart } from "./isolate.ts";
import { nodeInput } from "./node-input.ts";
import type { RunOptions } from "./run.ts";
import { runHere } from "./run-here.ts";

/** What this process begins with. */
export interface PartSetup {
  readonly index: number;
  /** Its standard input is the program's. */
  readonly input: boolean;
  readonly options: Omit<RunOptions, "output" | "signal" | "loadProgram" | "place" | "input">;
}

/** Pause before a message that found no room is tried again, milliseconds. */
const TRY_AGAIN_MS = 5;

class PartProcess {
  private library: Library | undefined;
  /** Messages that found no room yet, in order. */
  private waiting: OutsideMessage[] = [];
  private received = 0;
  private readonly early: ToPart[] = [];

  async run({ index, options, input }: PartSetup): Promise<void> {
    const source = input ? nodeInput() : undefined;
    const result = await runHere(
      {
        ...options,
        ...(source !== undefined && { input: source }),
        output: (fd, bytes, tid) => tell({ kind: "print", fd, bytes, tid }),
      },
      {
        elsewhere: (other) => other !== index,
        engines: 1,
        tidBase: TID_BASE,
        begun: ({ library, host }) => {
          this.begin(library);
          return isolatedService(host);
        },
        stays: false,
        outgoing: () => this.sendOut(),
        ended: async () => this.sendOut(),
      },
    );
    source?.close();
    const counts = { sent: this.sent(), received: this.received };
    tell({ kind: "ended", result, ...counts });
    process.disconnect?.();
  }

  take(message: ToPart): void {
    const { library } = this;
    if (library === undefined) {
      this.early.push(message);
      return;
    }
    switch (message.kind) {
      case "in":
        this.waiting.push(message.message);
        this.deliver(library);
        break;
      case "exited":
        endedOutside(library, message.index);
        break;
      case "ask":
        tell({
          kind: "state",
          wave: message.wave,
          idle: this.isIdle(library),
          sent: this.sent(),
          received: this.received,
        });
        break;
      case "stop":
        stopProcess(library, message.reason === "deadlock" ? STOP.deadlock : STOP.interrupted);
        break;
    }
  }

  private begin(library: Library): void {
    this.library = library;
    this.sendOut();
    for (const message of this.early.splice(0)) this.take(message);
  }

  private sendOut(): void {
    const { library } = this;
    if (library === undefined) return;
    drainOutbox(library, (message) => {
      const { to, src, tag, context, wid, encoding } = message;
      tell({ kind: "out", message: { to, src, tag, context, wid, encoding, data: copyOf(message) } });
      releaseOutgoing(library, message);
    });
  }

  private deliver(library: Library): void {
    while (this.waiting.length > 0 && takeOutside(library, this.waiting[0]!)) {
      this.waiting.shift();
      this.received += 1;
    }
    if (this.waiting.length > 0) setTimeout(() => this.deliver(library), TRY_AGAIN_MS);
  }

  private sent(): number {
    return this.library === undefined ? 0 : Atomics.load(this.library.w, HEAD.sentOutside);
  }

  /** True if the engine sleeps, has nothing to take, and its ULP waits for messages only. */
  private isIdle({ w, heap }: Library): boolean {
    const row = heap.engineRow(0);
    return (
      this.waiting.length === 0 &&
      Atomics.load(w, HEAD.idleEngines) === 1 &&
      Atomics.load(w, row + ENGINE.wakes) === 0 &&
      Atomics.load(w, row + ENGINE.mail) === 0 &&
      Atomics.load(w, HEAD.outside) === 1
    );
  }
}

function tell(message: FromPart): void {
  process.send?.(message);
}

if (process.send !== undefined) {
  const part = new PartProcess();
  process.once("message", (setup: PartSetup) => {
    process.on("message", (message: ToPart) => part.take(message));
    part.run(setup).catch((error: unknown) => {
      tell({ kind: "refused", message: error instanceof Error ? error.message : String(error) });
      process.disconnect?.();
    });
  });
  // Ctrl-C goes to all processes of the terminal; the hub tells what to do.
  process.on("SIGINT", () => {});
}
