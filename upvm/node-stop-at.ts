/**
 * A process that stops itself (SIGSTOP) at a stage of a move, for tests that kill it just there.
 *
 * Owns: the variable UPVM_STOP_AT, which names a file, and the stages, one of which the file names. It is read when the process
 * begins, and stops it once. Only tests set the variable; a file that cannot be read, or names no stage, is refused: its test
 * would wait for what never comes. Without the variable nothing is read and nothing stops.
 */
import { readFileSync } from "node:fs";
import type { MoveEffect, MoveFrameKind } from "../runtime/migrate/moves.ts";
import { UpvmError } from "../wire/errors.ts";
import { fileWords } from "./node-files.ts";

/** What `MoverWorld.reached` is told: an effect of the protocol, or the kind of a frame that it sends. PREPARE goes by `offer`. */
type Stage = Exclude<MoveEffect<unknown>["kind"], "send"> | Exclude<MoveFrameKind, "PREPARE">;

const STAGES: Readonly<Record<Stage, true>> = {
  ...{
    offer: true,
    freeze: true,
    thaw: true,
    shipMemory: true,
    ship: true,
    shipLate: true,
    stopShipping: true,
    free: true,
  },
  ...{ judge: true, weigh: true, adopt: true, discard: true, claim: true, read: true, release: true },
  ...{ migrated: true, answer: true, cutOff: true },
  ...{ PREPARED: true, MIGRATING: true, MIGACK: true, FLUSHED: true, MIGRATED: true, MIGABORT: true },
};

/** It has stopped within this time, milliseconds. */
const STOP_MS = 100;
/** Characters of what is no stage that are told. */
const TOLD_LENGTH = 40;

/**
 * @param file  value of UPVM_STOP_AT; undefined: nothing is tested
 * @returns what is to be told each stage
 * @throws UpvmError FILE_NOT_FOUND; USAGE: it names no stage
 */
export function stopAt(file: string | undefined): (stage: string) => void {
  let wanted = file === undefined ? undefined : stageIn(file);
  return (stage) => {
    if (stage !== wanted) return;
    wanted = undefined;
    process.kill(process.pid, "SIGSTOP");
    // Another thread may take the signal: this one does nothing until it stops too.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STOP_MS);
  };
}

function stageIn(path: string): string {
  let stage: string;
  try {
    stage = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new UpvmError("FILE_NOT_FOUND", { path, why: fileWords(error) });
  }
  if (Object.hasOwn(STAGES, stage)) return stage;
  const why = `Cannot stop at "${stage.slice(0, TOLD_LENGTH)}", which ${path} names (UPVM_STOP_AT): it is no stage of a move`;
  throw new UpvmError("USAGE", { why, hint: `stages are ${Object.keys(STAGES).join(", ")}` });
}
