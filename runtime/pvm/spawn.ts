/**
 * pvm_spawn: ULPs that a running ULP starts (paper, 3.3).
 *
 * Owns: finding the program, making the ULPs, their arguments. A program that is known by its name is used
 * again; else the virtual machine is asked to load and compile it, once for all engines, and the caller waits
 * for that. In a run that was given no way to load programs, the static SPMD mode of the paper, only the running
 * programs themselves can be spawned: for any other name pvm_spawn does nothing, as the paper has it, returns
 * 0, and stores PvmNoFile for each task.
 * With one process for each ULP (`--isolate`) nothing can be spawned: 0, and PvmNotImpl for each.
 * All tasks are on this host. PvmTaskHost with another host than `.` is PvmNoHost; so is PvmTaskArch with
 * another architecture than WASM. Debug, trace and front-end flags are ignored.
 */
import { BLOCK_KIND, HEAD, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { release } from "../scheduler/end.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { pushWake } from "../scheduler/mailbox.ts";
import { inheritOptions } from "../scheduler/more.ts";
import { append } from "../scheduler/queue.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { umalloc } from "../scheduler/uheap.ts";
import { reserveIndices, ucreate, uislocal } from "../scheduler/ulp.ts";
import { ask, type Continuation } from "./ask.ts";
import { fail } from "./errors.ts";
import { cText, currentContext, getInt, isPlace } from "./guest.ts";

/** The one architecture that there is. */
const ARCH = "WASM";
/** Arguments of a spawned ULP, most. */
const ARGS_MAX = 4096;

/** What a spawn asks for: kept in the descriptor of a caller that waits for the program. */
interface Request {
  /** `char **` in the caller's memory, NULL for none. */
  readonly argv: number;
  readonly ntask: number;
  readonly tids: number;
}

/** Texts of a NULL-terminated list of strings; undefined: bad address. */
function textList(e: EngineState, list: number): string[] | undefined {
  const texts: string[] = [];
  if (list === 0) return texts;
  for (let at = list; texts.length <= ARGS_MAX; at += 4) {
    if (!isPlace(e, at, 4)) return undefined;
    const text = getInt(e, at);
    if (text === 0) return texts;
    const found = cText(e, text);
    if (found === undefined) return undefined;
    texts.push(found);
  }
  return undefined;
}

/** Arguments of the running ULP: its own if it was spawned, else the process's. */
export function argsOf(e: EngineState): readonly string[] {
  const at = e.w[e.current + ULP.argsAt]!;
  if (at === 0) return e.options.args;
  const { u8 } = e.heap;
  const bytes = e.w[at >> 2]!;
  // A copy: TextDecoder takes no shared memory.
  return new TextDecoder()
    .decode(u8.slice(at + 4, at + 4 + bytes))
    .split("\0")
    .slice(0, -1);
}

/** Gives a ULP its arguments, each with its NUL. False: the heap is full. */
function setArgs(e: EngineState, ulp: UlpAt, args: readonly string[]): boolean {
  const bytes = new TextEncoder().encode(args.map((text) => `${text}\0`).join(""));
  const at = umalloc(e, ulp, 4 + bytes.length, BLOCK_KIND.args);
  if (at === 0) return false;
  e.w[at >> 2] = bytes.length;
  e.heap.u8.set(bytes, at + 4);
  e.w[ulp + ULP.argsAt] = at;
  return true;
}

/** As many new ULPs as there is room for, not yet in any queue. */
function createTasks(e: EngineState, program: number, args: readonly string[], ntask: number): UlpAt[] {
  const n = Math.min(ntask, LIMITS.ulps - Atomics.load(e.w, HEAD.ulps));
  const first = n > 0 ? reserveIndices(e.w, n) : -1;
  const made: UlpAt[] = [];
  for (let i = 0; first >= 0 && i < n; i++) {
    const ulp = ucreate(e, first + i, {
      program,
      engine: (first + i) % e.engines,
      parentTid: e.w[e.current + ULP.tid]!,
      siblingFirst: first,
      siblingCount: n,
      context: e.w[e.current + ULP.context]!,
    });
    if (ulp === 0) break;
    if (!setArgs(e, ulp, args) || !inheritOptions(e, e.current, ulp)) {
      release(e, ulp);
      break;
    }
    made.push(ulp);
  }
  for (const ulp of made) e.w[ulp + ULP.siblingCount] = made.length;
  return made;
}

/**
 * Makes the ULPs, and stores their tids; what could not be made is PvmOutOfRes. @returns how many were made
 */
function start(e: EngineState, program: number, { argv, ntask, tids }: Request): number {
  const name = e.programs[program]?.name ?? "";
  const args = [name, ...(textList(e, argv) ?? [])];
  const made = createTasks(e, program, args, ntask);
  const { view } = currentContext(e);
  for (let i = 0; i < ntask; i++) {
    const ulp = made[i];
    const value = ulp === undefined ? PVM_ERROR.PvmOutOfRes.code : e.w[ulp + ULP.tid]!;
    if (tids !== 0) view.setInt32((tids >>> 0) + 4 * i, value, true);
  }
  for (const ulp of made) {
    if (uislocal(e, ulp)) append(e.w, e.runq, ulp);
    else pushWake(e, ulp);
  }
  return made.length;
}

/** No task could be started, for the same reason. */
function refuse(e: EngineState, { ntask, tids }: Request, code: number): number {
  const { view } = currentContext(e);
  for (let i = 0; i < ntask && tids !== 0; i++) view.setInt32((tids >>> 0) + 4 * i, code, true);
  return 0;
}

/** True if the only host there is, or its architecture, is what the caller wants. */
function isHere(flag: number, where: string): boolean {
  const name = where.split(":", 1)[0] ?? "";
  let here = true;
  if ((flag & PVM_CONSTANT.PvmTaskHost) !== 0) here = name === "." || name === "localhost";
  else if ((flag & PVM_CONSTANT.PvmTaskArch) !== 0) here = name === ARCH;
  return (flag & PVM_CONSTANT.PvmHostCompl) !== 0 ? !here : here;
}

/** The virtual machine has loaded a program, or has not. */
export const spawnLoaded: Continuation = (e, { value }, [argv, ntask, tids]) => {
  const request: Request = { argv: argv!, ntask: ntask!, tids: tids! };
  return value < 0 ? refuse(e, request, value) : start(e, value, request);
};

export function spawnCalls(e: EngineState) {
  return {
    pvm_spawn(task: number, argv: number, flag: number, where: number, ntask: number, tids: number): number {
      const name = task === 0 ? undefined : cText(e, task);
      const host = where === 0 ? "" : cText(e, where);
      if (name === undefined || host === undefined || textList(e, argv) === undefined || ntask < 1)
        return fail(e, "pvm_spawn", "PvmBadParam");
      if (ntask > LIMITS.ulps || !isPlace(e, tids, 4 * ntask)) return fail(e, "pvm_spawn", "PvmBadParam");
      if (!isHere(flag, host)) return fail(e, "pvm_spawn", "PvmNoHost");
      const request: Request = { argv, ntask, tids };
      if (e.options.outside) return refuse(e, request, PVM_ERROR.PvmNotImpl.code);
      const known = e.programs.findIndex((program) => program?.name === name);
      if (known >= 0) return start(e, known, request);
      return ask(e, "load", { name }, [argv, ntask, tids]);
    },
  };
}
