/**
 * pvm_spawn: ULPs that a running ULP starts (paper, 3.3).
 *
 * Owns: finding the program, making the ULPs, their arguments. A program that is known by its name is used
 * again; else the virtual machine is asked to load and compile it, once for all engines, and the caller waits
 * for that. In a run that was given no way to load programs, the static SPMD mode of the paper, only the running
 * programs themselves can be spawned: for any other name pvm_spawn does nothing, as the paper has it, returns
 * 0, and stores PvmNoFile for each task.
 * With one process for each ULP (`--isolate`) nothing can be spawned: 0, and PvmNotImpl for each.
 * While a plug-in is registered, the virtual machine is asked first: a resource manager may place the tasks, a tasker lets
 * them run, a tracer gets their output and trace events. Without one that costs a look at a word.
 * In a virtual machine of one process all tasks are on this host. PvmTaskHost with another host than `.` is PvmNoHost for
 * each task; so is PvmTaskArch with another architecture than WASM. One of many hosts is always asked: it says where the
 * tasks go, and which tids they have (pvmd/router.ts), and each process makes its own (`createOrdered`). Debug and front-end
 * flags are ignored, and so is a working folder.
 */
import { HEAD, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { MASK_WORDS } from "../../wire/more.ts";
import { INHERITED, OPTION_DEFAULT, PVM_OPTION, TASK_TRACE } from "../../wire/options.ts";
import { SPAWN_ANSWER, TRACER } from "../../wire/plugins.ts";
import { HOST_ARCH, PVM_CONSTANT, PVM_ERROR, tidOf } from "../../wire/pvm.ts";
import { release } from "../scheduler/end.ts";
import { forward } from "../scheduler/engine.ts";
import {
  COUNTER,
  type CreateParcel,
  count,
  type EngineState,
  type ExecParcel,
} from "../scheduler/engine-state.ts";
import { pushWake } from "../scheduler/mailbox.ts";
import { inheritOptions, optionOf, setOption } from "../scheduler/more.ts";
import { announceOutput } from "../scheduler/output-messages.ts";
import { isOutside } from "../scheduler/outside.ts";
import { append, ulpAt } from "../scheduler/queue.ts";
import { getState, type UlpAt } from "../scheduler/state.ts";
import { announceTrace, giveMask, maskOf, updateTracing } from "../scheduler/trace.ts";
import { reserveIndices, ucreate, ucreateKnown, uislocal, ulpElsewhere } from "../scheduler/ulp.ts";
import { ask, asksMachine, type Continuation, tell } from "./ask.ts";
import { check, fail } from "./errors.ts";
import { cText, currentContext, getInt, isPlace, putInt } from "./guest.ts";
import { join } from "./membership.ts";
import { plugins } from "./plugins.ts";
import { argsOf, envOf, exportedTexts, giveTexts, setExported } from "./program-texts.ts";

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

/** What plug-ins make of it. */
interface Terms {
  /** Tasks are made, and a tasker lets them run. */
  readonly held: boolean;
  /** What a tracer wants of them: TRACER; its tid 0: there is none. */
  readonly tracer: readonly number[];
}
const NO_TERMS: Terms = { held: false, tracer: [0] };

/** New tasks: their parent, what they begin with. */
interface Batch {
  readonly program: number;
  readonly count: number;
  readonly parentTid: number;
  readonly args: readonly string[];
  /** Absent: what the running ULP exports. */
  readonly env?: readonly string[];
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

/** As many new ULPs as there is room for, not yet in any queue, with options of the running one. */
function createTasks(e: EngineState, { program, count, parentTid, args, env }: Batch): UlpAt[] {
  const n = Math.min(count, LIMITS.ulps - Atomics.load(e.w, HEAD.ulps));
  const first = n > 0 ? reserveIndices(e.w, n) : -1;
  const made: UlpAt[] = [];
  for (let i = 0; first >= 0 && i < n; i++) {
    const ulp = ucreate(e, first + i, {
      program,
      engine: (first + i) % e.engines,
      parentTid,
      siblingFirst: first,
      siblingCount: n,
      context: e.w[e.current + ULP.context]!,
    });
    if (ulp === 0) break;
    const mask = maskOf(e.w, e.current, "childMask");
    if (!giveTexts(e, ulp, args, env) || !inheritOptions(e, e.current, ulp) || !giveMask(e, ulp, mask)) {
      release(e, ulp);
      break;
    }
    made.push(ulp);
  }
  for (const ulp of made) e.w[ulp + ULP.siblingCount] = made.length;
  return made;
}

/** What the parent of tasks that the running ULP spawns is. */
function parentFor(flag: number, tid: number): number {
  return (flag & PVM_CONSTANT.PvmNoSpawnParent) !== 0 ? PVM_ERROR.PvmParentNotSet.code : tid;
}

/** Lets new ULPs run, or has a tasker do so. */
function letRun(
  e: EngineState,
  made: readonly UlpAt[],
  parentTid: number,
  flags: number,
  held: boolean,
): void {
  for (const ulp of made) {
    announceOutput(e, ulp, parentTid);
    beginTrace(e, ulp, flags);
    if (held) continue;
    if (uislocal(e, ulp)) append(e.w, e.runq, ulp);
    else pushWake(e, ulp);
  }
  const [first] = made;
  if (!held || first === undefined) return;
  const tids = made.map((ulp) => e.w[ulp + ULP.tid]!);
  tell(e, e.current, "started", { tids, flags, args: argsOf(e, first), env: envOf(e, first) });
}

/** A new task's events: whether it makes any, and who is told of it. Without room for them it runs untraced. */
function beginTrace(e: EngineState, ulp: UlpAt, flags: number): void {
  if (e.w[ulp + ULP.moreAt] === 0) return;
  if (!updateTracing(e, ulp)) count(e, COUNTER.dropped, 1);
  announceTrace(e, ulp, flags);
}

/**
 * Makes the ULPs, and stores their tids; what could not be made is PvmOutOfRes. @returns how many were made
 */
function start(e: EngineState, program: number, request: Request, terms: Terms = NO_TERMS): number {
  const { argv, ntask, tids, flag } = request;
  const name = e.programs[program]?.name ?? "";
  const tid = e.w[e.current + ULP.tid]!;
  const args = [name, ...(textList(e, argv) ?? [])];
  const made = createTasks(e, { program, count: ntask, parentTid: parentFor(flag, tid), args });
  const { view } = currentContext(e);
  for (let i = 0; i < ntask && tids !== 0; i++) {
    const ulp = made[i];
    const value = ulp === undefined ? PVM_ERROR.PvmOutOfRes.code : e.w[ulp + ULP.tid]!;
    view.setInt32((tids >>> 0) + 4 * i, value, true);
  }
  if (terms.tracer[0] !== 0) for (const ulp of made) traceTo(e, ulp, terms.tracer);
  letRun(e, made, tid, flag, terms.held);
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

/** A plug-in has a say in a spawn: a resource manager has placed it, or it is to be done on these terms. */
export const spawnPlaced: Continuation = (e, { value, ints }, keep) => {
  const [argv, ntask, tids, flag] = keep as [number, number, number, number];
  const request: Request = { argv, ntask, tids, flag };
  const [how, ...rest] = ints ?? [SPAWN_ANSWER.start];
  if (how === undefined) return check(e, "pvm_spawn", value);
  if (how === SPAWN_ANSWER.placed) {
    // More than there can be are not told one by one.
    const last = rest.at(-1) ?? PVM_ERROR.PvmOutOfRes.code;
    const others = last < 0 ? last : PVM_ERROR.PvmOutOfRes.code;
    for (let i = 0; i < ntask && tids !== 0; i++) putInt(e, tids + 4 * i, rest[i] ?? others);
    return Math.min(value, ntask);
  }
  if (value < 0) return refuse(e, request, value);
  const [held, ...tracer] = rest;
  return start(e, value, request, { held: held === 1, tracer });
};

/** Asks the virtual machine, since a plug-in has a say in it, or there are other hosts. */
function askSpawn(e: EngineState, name: string, where: string, refused: number, request: Request): number {
  const { argv, ntask, tids, flag } = request;
  const option = (row: { readonly code: number }) => optionOf(e.w, e.current, row.code);
  const { PvmOutputTid, PvmOutputContext, PvmOutputCode } = PVM_OPTION;
  const { PvmTraceTid, PvmTraceContext, PvmTraceCode } = PVM_OPTION;
  const body = {
    name,
    flags: flag,
    where,
    count: ntask,
    args: textList(e, argv) ?? [],
    env: exportedTexts(e),
    output: [PvmOutputTid, PvmOutputContext, PvmOutputCode, PvmTraceTid, PvmTraceContext, PvmTraceCode].map(
      option,
    ),
    program: rowOf(e, name),
    refused,
    context: e.w[e.current + ULP.context]!,
    options: inherited(e, flag),
  };
  return ask(e, "spawn", body, [argv, ntask, tids, flag]);
}

/** Options that tasks of the running ULP begin with, and TASK_TRACE: number and value, one pair behind the other. */
function inherited(e: EngineState, flags: number): number[] {
  const options = [TASK_TRACE.flags, flags];
  if (e.w[e.current + ULP.moreAt] === 0) return options;
  for (const { from, to } of INHERITED) options.push(to, optionOf(e.w, e.current, from));
  for (const [i, word] of maskOf(e.w, e.current, "childMask").entries())
    options.push(TASK_TRACE.mask + i, word);
  return options;
}

/** Row of a program that is known by its name; -1: it is not. */
function rowOf(e: EngineState, name: string): number {
  return e.programs.findIndex((program) => program?.name === name);
}

/** A tracer takes what has no other place to go. */
function traceTo(e: EngineState, ulp: UlpAt, wants: readonly number[]): void {
  const at = (place: keyof typeof TRACER) => wants[TRACER[place]] ?? 0;
  const { PvmSelfOutputTid, PvmSelfTraceTid } = PVM_OPTION;
  if (optionOf(e.w, ulp, PvmSelfOutputTid.code) === 0)
    setOutput(e, ulp, [at("tid"), at("outputContext"), at("outputCode")]);
  if (optionOf(e.w, ulp, PvmSelfTraceTid.code) !== 0) return;
  setTrace(e, ulp, [at("tid"), at("traceContext"), at("traceCode")]);
  setOption(e, ulp, PVM_OPTION.PvmSelfTraceBuffer.code, at("traceBuffer"));
  setOption(e, ulp, PVM_OPTION.PvmSelfTraceOptions.code, at("traceOptions"));
  giveMask(e, ulp, wants.slice(TRACER.mask, TRACER.ints));
}

/** Tid, context and tag. A full heap leaves them as they are. */
function setOutput(e: EngineState, ulp: UlpAt, [tid = 0, context = 0, tag = 0]: readonly number[]): void {
  setOption(e, ulp, PVM_OPTION.PvmSelfOutputContext.code, context);
  setOption(e, ulp, PVM_OPTION.PvmSelfOutputCode.code, tag);
  setOption(e, ulp, PVM_OPTION.PvmSelfOutputTid.code, tid);
}
function setTrace(e: EngineState, ulp: UlpAt, [tid = 0, context = 0, tag = 0]: readonly number[]): void {
  setOption(e, ulp, PVM_OPTION.PvmSelfTraceContext.code, context);
  setOption(e, ulp, PVM_OPTION.PvmSelfTraceCode.code, tag);
  setOption(e, ulp, PVM_OPTION.PvmSelfTraceTid.code, tid);
}

/** Makes the tasks of a resource manager (SM_EXEC), as if it ran, on its engine. It hears of them by the service. */
export function execTasks(e: EngineState, parcel: ExecParcel): void {
  const { w } = e;
  const { index, wid, parent, name, flags, count, output } = parcel;
  const manager = ulpAt(w, index);
  if (getState(w, manager) === ULP_STATE.exited) return;
  const engine = Atomics.load(w, manager + ULP.engine);
  if (engine !== e.index) {
    forward(e, engine, parcel);
    return;
  }
  const known = rowOf(e, name);
  const program = known >= 0 ? known : parcel.program;
  const running = e.current;
  e.current = manager;
  let tids: number[];
  if (program < 0) tids = Array<number>(Math.min(count, LIMITS.ulps)).fill(program);
  else {
    const parentTid = parentFor(flags, parent);
    const args = [name, ...parcel.args];
    const made = createTasks(e, { program, count, parentTid, args, env: parcel.env });
    for (const ulp of made) {
      setOutput(e, ulp, output.slice(0, 3));
      setTrace(e, ulp, output.slice(3));
    }
    tids = made.map((ulp) => w[ulp + ULP.tid]!);
    while (tids.length < Math.min(count, LIMITS.ulps)) tids.push(PVM_ERROR.PvmOutOfRes.code);
    letRun(e, made, parent, flags, parcel.held);
  }
  tell(e, manager, "executed", { wid, tids });
  e.current = running;
}

/** Makes tasks that the virtual machine wants here: they are held, and it lets them run when all of their siblings are made. */
export function createOrdered(e: EngineState, parcel: CreateParcel): void {
  e.edge.created(
    parcel.order,
    parcel.indices.map((index) => createOne(e, index, parcel)),
  );
}

function createOne(e: EngineState, index: number, parcel: CreateParcel): number {
  const { w } = e;
  const { program, parent, siblingFirst, siblingCount, context, args, env, options } = parcel;
  const siblings = { siblingFirst, siblingCount };
  const spec = { program, engine: index % e.engines, parentTid: parent, context, ...siblings };
  // Somebody may have guessed its tid, and sent to it.
  const ulp = ulpElsewhere(e, tidOf(index, w[HEAD.tidBase]!));
  if (ulp === 0 || !isOutside(w, ulp) || getState(w, ulp) === ULP_STATE.exited)
    return PVM_ERROR.PvmOutOfRes.code;
  ucreateKnown(e, ulp, spec);
  let complete = giveTexts(e, ulp, args, env);
  const values = new Map<number, number>();
  for (let i = 0; i + 1 < options.length; i += 2) values.set(options[i]!, options[i + 1]!);
  for (const { code } of Object.values(PVM_OPTION))
    complete &&= setOption(e, ulp, code, values.get(code) ?? OPTION_DEFAULT[code]!);
  const mask = Array.from({ length: MASK_WORDS }, (_, i) => values.get(TASK_TRACE.mask + i) ?? 0);
  complete &&= giveMask(e, ulp, mask);
  if (!complete) {
    release(e, ulp);
    return PVM_ERROR.PvmOutOfRes.code;
  }
  announceOutput(e, ulp, parent);
  beginTrace(e, ulp, values.get(TASK_TRACE.flags) ?? 0);
  return PVM_ERROR.PvmOk.code;
}

export function spawnCalls(e: EngineState) {
  return {
    pvm_spawn(task: number, argv: number, flag: number, where: number, ntask: number, tids: number): number {
      const name = task === 0 ? undefined : cText(e, task);
      const host = where === 0 ? "" : cText(e, where);
      if (name === undefined || host === undefined || textList(e, argv) === undefined || ntask < 1)
        return fail(e, "pvm_spawn", "PvmBadParam");
      if (!isPlace(e, tids, 4 * ntask)) return fail(e, "pvm_spawn", "PvmBadParam");
      join(e);
      const request: Request = { argv, ntask, tids, flag };
      const { PvmNoHost, PvmNoFile } = PVM_ERROR;
      const refused = isHere(e, flag, host) ? (name === "" ? PvmNoFile.code : 0) : PvmNoHost.code;
      if (plugins(e) !== 0 || asksMachine(e)) return askSpawn(e, name, host, refused, request);
      if (refused < 0) return refuse(e, request, refused);
      if (e.options.outside) return refuse(e, request, PVM_ERROR.PvmNotImpl.code);
      const known = rowOf(e, name);
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
