/**
 * pvm_spawn: ULPs that a running ULP starts (paper, 3.3).
 *
 * Owns: finding the program, making the ULPs, their arguments. A program that is known by its name is used
 * again; else the virtual machine is asked to load and compile it, once for all engines, and the caller waits
 * for that. In a run that was given no way to load programs, the static SPMD mode of the paper, only the running
 * programs themselves can be spawned: for any other name pvm_spawn does nothing, as the paper has it, returns
 * 0, and stores PvmNoFile for each task.
 * With one process for each ULP (`--isolate`) nothing can be spawned: 0, and PvmNotImpl for each.
 * All tasks are on this host. PvmTaskHost with another host than `.` is PvmNoHost for each task; so is PvmTaskArch
 * with another architecture than WASM. Debug, trace and front-end flags are ignored, and so is a working folder.
 */
import { HEAD, ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { HOST_ARCH, PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { release } from "../scheduler/end.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { pushWake } from "../scheduler/mailbox.ts";
import { inheritOptions } from "../scheduler/more.ts";
import { announceOutput } from "../scheduler/output-messages.ts";
import { append } from "../scheduler/queue.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { reserveIndices, ucreate, uislocal } from "../scheduler/ulp.ts";
import { ask, type Continuation } from "./ask.ts";
import { fail } from "./errors.ts";
import { cText, currentContext, getInt, isPlace } from "./guest.ts";
import { giveTexts, setExported } from "./program-texts.ts";

/** Arguments of a spawned ULP, most. */
const ARGS_MAX = 4096;

/** What a spawn asks for: kept in the descriptor of a caller that waits for the program. */
interface Request {
  /** `char **` in the caller's memory, NULL for none. */
  readonly argv: number;
  readonly ntask: number;
  readonly tids: number;
  readonly flag: number;
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

/** As many new ULPs as there is room for, not yet in any queue. */
function createTasks(
  e: EngineState,
  program: number,
  args: readonly string[],
  { ntask, flag }: Request,
): UlpAt[] {
  const tid = e.w[e.current + ULP.tid]!;
  const noParent = (flag & PVM_CONSTANT.PvmNoSpawnParent) !== 0;
  const n = Math.min(ntask, LIMITS.ulps - Atomics.load(e.w, HEAD.ulps));
  const first = n > 0 ? reserveIndices(e.w, n) : -1;
  const made: UlpAt[] = [];
  for (let i = 0; first >= 0 && i < n; i++) {
    const ulp = ucreate(e, first + i, {
      program,
      engine: (first + i) % e.engines,
      parentTid: noParent ? PVM_ERROR.PvmParentNotSet.code : tid,
      siblingFirst: first,
      siblingCount: n,
      context: e.w[e.current + ULP.context]!,
    });
    if (ulp === 0) break;
    if (!giveTexts(e, ulp, args) || !inheritOptions(e, e.current, ulp)) {
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
function start(e: EngineState, program: number, request: Request): number {
  const { argv, ntask, tids } = request;
  const name = e.programs[program]?.name ?? "";
  const args = [name, ...(textList(e, argv) ?? [])];
  const made = createTasks(e, program, args, request);
  const { view } = currentContext(e);
  for (let i = 0; i < ntask && tids !== 0; i++) {
    const ulp = made[i];
    const value = ulp === undefined ? PVM_ERROR.PvmOutOfRes.code : e.w[ulp + ULP.tid]!;
    view.setInt32((tids >>> 0) + 4 * i, value, true);
  }
  for (const ulp of made) {
    announceOutput(e, ulp, e.w[e.current + ULP.tid]!);
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

/** True if the only host there is, or its architecture, is what the caller wants. A folder may follow behind ":". */
function isHere(e: EngineState, flag: number, where: string): boolean {
  const name = where.split(":", 1)[0] ?? "";
  let here = true;
  if ((flag & PVM_CONSTANT.PvmTaskHost) !== 0) here = name === "." || name === e.options.hostName;
  else if ((flag & PVM_CONSTANT.PvmTaskArch) !== 0) here = name === HOST_ARCH;
  return (flag & PVM_CONSTANT.PvmHostCompl) !== 0 ? !here : here;
}

/** The virtual machine has loaded a program, or has not. */
export const spawnLoaded: Continuation = (e, { value }, keep) => {
  const [argv, ntask, tids, flag] = keep as [number, number, number, number];
  const request: Request = { argv, ntask, tids, flag };
  return value < 0 ? refuse(e, request, value) : start(e, value, request);
};

export function spawnCalls(e: EngineState) {
  return {
    pvm_spawn(task: number, argv: number, flag: number, where: number, ntask: number, tids: number): number {
      const name = task === 0 ? undefined : cText(e, task);
      const host = where === 0 ? "" : cText(e, where);
      if (name === undefined || host === undefined || textList(e, argv) === undefined || ntask < 1)
        return fail(e, "pvm_spawn", "PvmBadParam");
      if (!isPlace(e, tids, 4 * ntask)) return fail(e, "pvm_spawn", "PvmBadParam");
      const request: Request = { argv, ntask, tids, flag };
      if (!isHere(e, flag, host)) return refuse(e, request, PVM_ERROR.PvmNoHost.code);
      if (name === "") return refuse(e, request, PVM_ERROR.PvmNoFile.code);
      if (e.options.outside) return refuse(e, request, PVM_ERROR.PvmNotImpl.code);
      const known = e.programs.findIndex((program) => program?.name === name);
      if (known >= 0) return start(e, known, request);
      return ask(e, "load", { name }, [argv, ntask, tids, flag]);
    },
    pvm_spawn_environ(list: number): number {
      const env = textList(e, list);
      if (env === undefined) return fail(e, "pvm_spawn", "PvmBadParam");
      return setExported(e, env) ? PVM_ERROR.PvmOk.code : fail(e, "pvm_spawn", "PvmNoMem");
    },
  };
}
