/**
 * An application process, as a process: a pvmd starts it (node-processes.ts) for one job.
 *
 * Owns: its two threads, and its end. This file's thread only waits for the other (node-application-thread.ts): that is the
 * process's own, has the stack that ULPs need, and may run an engine; this one sees to it that none of its turns lasts. The
 * process is told how by one line of JSON on standard input, which stays open as long as the pvmd lives: when it ends, so does
 * the process. The key is in no argument and in no variable.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import { demandAttention } from "../runtime/scheduler/mailbox.ts";
import { OVER, TURN } from "../runtime/scheduler/turn.ts";
import { EXIT } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { ThreadSetup } from "./node-application-thread.ts";
import { codeExtension } from "./node-package.ts";
import { countExternalMemory } from "./node-v8.ts";

/** Runs the process, to its end. */
export async function applicationMain(): Promise<void> {
  // Ctrl-C goes to all processes of a terminal; the master tells what to do.
  process.on("SIGINT", () => {});
  const lines = createInterface({ input: process.stdin });
  const [line] = (await once(lines, "line")) as [string];
  lines.on("close", () => process.exit(EXIT.failed));
  countExternalMemory();
  const words = new Int32Array(new SharedArrayBuffer(TURN.words * 4));
  const thread = new Worker(new URL(`./node-application-thread${codeExtension}`, import.meta.url), {
    workerData: { setup: JSON.parse(line), words } satisfies ThreadSetup,
    resourceLimits: { stackSizeMb: LIMITS.engineStackMb },
  });
  const watcher = new TurnWatcher(words);
  thread.on("message", (ctl: WebAssembly.Memory) => watcher.start(ctl));
  thread.on("error", (error) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = EXIT.bug;
  });
  thread.on("exit", (code) => process.exit(process.exitCode ?? code));
}

/** Ends turns of the engine that last. */
class TurnWatcher {
  private readonly words: Int32Array<SharedArrayBuffer>;
  private last = 0;
  private quiet = 0;

  constructor(words: Int32Array<SharedArrayBuffer>) {
    this.words = words;
  }

  start({ buffer }: WebAssembly.Memory): void {
    this.quiet = 0;
    this.later(new Int32Array(buffer as SharedArrayBuffer));
  }

  /** Twice in the time that a turn may last. Nothing waits for this thread: it may be late. */
  private later(ctl: Int32Array<SharedArrayBuffer>): void {
    const times = Math.max(1, Atomics.load(this.words, TURN.patience));
    setTimeout(
      () => {
        if (this.look(ctl) || !this.rests()) this.later(ctl);
      },
      (times * LIMITS.turnMs) / 2,
    );
  }

  /** From now on a turn has it start again; false: one that began just now takes it for awake. */
  private rests(): boolean {
    const { words } = this;
    Atomics.store(words, TURN.watched, 0);
    return Atomics.load(words, TURN.running) === 0 || Atomics.exchange(words, TURN.watched, 1) !== 0;
  }

  /** @returns false: nothing has run for some time */
  private look(ctl: Int32Array<SharedArrayBuffer>): boolean {
    const { words } = this;
    const turn = Atomics.load(words, TURN.running);
    if (turn !== 0 && turn === this.last) {
      Atomics.store(words, TURN.over, OVER.lasted);
      demandAttention(ctl);
    }
    this.quiet = turn === 0 ? this.quiet + 1 : 0;
    this.last = turn;
    return this.quiet < LIMITS.quietLooks;
  }
}
