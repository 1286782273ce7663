/**
 * The hub of a run with one process for each ULP (`--isolate`): passes messages on, sees who has ended, and
 * finds out that all wait for ever.
 *
 * Owns: the protocol between the hub and the processes. Pure: what comes goes in by `take` and `tick`, what
 * goes to the processes comes out by `send`. The processes are node-isolate.ts (hub's side) and
 * node-isolated.ts.
 *
 * Deadlock (Mattern's four counters): in waves, every process tells whether it is idle, how many messages it
 * has sent, how many it has taken. If all were idle in two waves one after the other, and the sums are the
 * same in both and equal to each other, no message is on its way and none will be sent.
 */
import type { OutsideMessage } from "../runtime/scheduler/outside.ts";
import { TID_BASE } from "../wire/pvm.ts";
import type { RunResult } from "./run.ts";

/** What a process tells the hub. */
export type FromPart =
  | { readonly kind: "out"; readonly message: OutsideMessage }
  | { readonly kind: "print"; readonly fd: number; readonly bytes: Uint8Array; readonly tid: number }
  | ({ readonly kind: "state"; readonly wave: number; readonly idle: boolean } & Counts)
  /** Its ULP has ended, or was stopped. */
  | ({ readonly kind: "ended"; readonly result: RunResult } & Counts)
  /** It could not start: an UpvmError's text. */
  | { readonly kind: "refused"; readonly message: string };

/** What the hub tells a process. */
export type ToPart =
  | { readonly kind: "in"; readonly message: OutsideMessage }
  | { readonly kind: "exited"; readonly index: number }
  | { readonly kind: "ask"; readonly wave: number }
  | { readonly kind: "stop"; readonly reason: "deadlock" | "interrupted" };

export interface Counts {
  readonly sent: number;
  readonly received: number;
}

const NO_COUNTS: Counts = { sent: 0, received: 0 };

export class Hub {
  private readonly send: (part: number, message: ToPart) => void;
  private readonly running: Set<number>;
  /** Of the parts that have ended. */
  private readonly finalCounts: Counts[] = [];
  /** Messages to parts that had ended: sent, and never to be received. */
  private dropped = 0;
  private wave = 0;
  private answers = new Map<number, { readonly idle: boolean } & Counts>();
  /** Sent messages when all were idle in the wave before, undefined if they were not. */
  private quiet: number | undefined;
  private stopped = false;

  constructor(parts: number, send: (part: number, message: ToPart) => void) {
    this.send = send;
    this.running = new Set(Array.from({ length: parts }, (_, index) => index));
  }

  /** A part tells something about the run. */
  take(part: number, message: Extract<FromPart, { kind: "out" | "state" | "ended" }>): void {
    switch (message.kind) {
      case "out":
        this.passOn(message.message);
        break;
      case "state":
        if (message.wave !== this.wave) break;
        this.answers.set(part, message);
        this.judge();
        break;
      case "ended":
        this.end(part, message);
        break;
    }
  }

  /** A part is no more, whatever it was. */
  end(part: number, counts: Counts = NO_COUNTS): void {
    if (!this.running.delete(part)) return;
    this.finalCounts.push(counts);
    this.quiet = undefined;
    for (const other of this.running) this.send(other, { kind: "exited", index: part });
    this.judge();
  }

  /** Time for a wave, if the last one is over. */
  tick(): void {
    if (this.stopped || this.running.size === 0 || this.answers.size < this.waiting) return;
    this.wave += 1;
    this.answers = new Map();
    this.waiting = this.running.size;
    for (const part of this.running) this.send(part, { kind: "ask", wave: this.wave });
  }
  private waiting = 0;

  stop(reason: "deadlock" | "interrupted"): void {
    if (this.stopped) return;
    this.stopped = true;
    for (const part of this.running) this.send(part, { kind: "stop", reason });
  }

  private passOn(message: OutsideMessage): void {
    const part = message.to - TID_BASE - 1;
    if (this.running.has(part)) this.send(part, { kind: "in", message });
    else this.dropped += 1;
  }

  /** Looks whether a wave is complete, and what it says. */
  private judge(): void {
    const states = [...this.running].map((part) => this.answers.get(part));
    if (states.length === 0 || states.some((state) => state === undefined)) return;
    this.waiting = 0;
    const all: Counts[] = [...states.map((state) => state ?? NO_COUNTS), ...this.finalCounts];
    const sent = all.reduce((sum, counts) => sum + counts.sent, 0);
    const received = all.reduce((sum, counts) => sum + counts.received, this.dropped);
    const idle = states.every((state) => state?.idle) && sent === received;
    if (idle && this.quiet === sent) this.stop("deadlock");
    this.quiet = idle ? sent : undefined;
  }
}
