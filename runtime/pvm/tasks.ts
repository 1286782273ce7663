/**
 * Who is who: parent, siblings, tasks.
 *
 * Owns: what a program sees of the other ULPs. An SPMD program's ULPs are each other's siblings; they were
 * not spawned by anybody, so they have no parent.
 */
import { HEAD, ULP, ULP_STATE } from "../../wire/layout.ts";
import { PLUGIN_BIT } from "../../wire/plugins.ts";
import { PVM_ERROR, tidOf } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { hasLeft } from "../scheduler/left.ts";
import { isOutside } from "../scheduler/outside.ts";
import { ulpAt } from "../scheduler/queue.ts";
import { getState, type UlpAt } from "../scheduler/state.ts";
import { ulpOf } from "../scheduler/ulp.ts";
import { ask, asksMachine, type Continuation } from "./ask.ts";
import { check, fail, note } from "./errors.ts";
import { currentContext, isPlace, putText } from "./guest.ts";
import { join } from "./membership.ts";
import { plugins } from "./plugins.ts";
import { isTaskTid } from "./tids.ts";

/** Ints of a row of pvm_tasks_get: tid, parent, host, flag, pid. */
const TASK_ROW_INTS = 5;
/** PVM's TF_CONN, "connected", which its pvm_tasks gives for a running task, and TF_FORKD, "spawned". */
const CONNECTED = 4;
const SPAWNED = 2;

/** ULPs that pvm_tasks tells of, in order of their tids; undefined: no such host. */
function tasksOf(e: EngineState, where: number): UlpAt[] | undefined {
  const alive = (ulp: UlpAt) => ulp !== 0 && getState(e.w, ulp) !== ULP_STATE.exited && !hasLeft(e.w, ulp);
  const base = e.w[HEAD.tidBase]!;
  if (where !== 0 && where !== base) {
    if (!isTaskTid(where) || (where & ~0x3ffff) !== base) return undefined;
    const ulp = ulpOf(e.w, where);
    return alive(ulp) ? [ulp] : [];
  }
  const n = Atomics.load(e.w, HEAD.ulps);
  return Array.from({ length: n }, (_, index) => ulpAt(e.w, index)).filter(alive);
}

/** Stores rows, as many as there is room for. @returns how many there are */
function putRows(e: EngineState, all: readonly (readonly number[])[], rows: number, room: number): number {
  const stored = Math.max(0, Math.min(all.length, room));
  if (stored > 0 && (rows === 0 || !isPlace(e, rows, stored * TASK_ROW_INTS * 4)))
    return fail(e, "pvm_tasks", "PvmBadParam");
  const { view } = currentContext(e);
  all.slice(0, stored).forEach((row, i) => {
    row.forEach((value, k) => {
      view.setInt32((rows >>> 0) + (i * TASK_ROW_INTS + k) * 4, value, true);
    });
  });
  return all.length;
}

function ownTasks(e: EngineState, where: number, rows: number, room: number): number {
  const { w } = e;
  const tasks = tasksOf(e, where);
  if (tasks === undefined) return fail(e, "pvm_tasks", "PvmNoHost");
  const all = tasks.map((ulp) => {
    const parent = w[ulp + ULP.parentTid]!;
    const spawned = parent === PVM_ERROR.PvmNoParent.code ? 0 : SPAWNED;
    return [w[ulp + ULP.tid]!, Math.max(0, parent), w[HEAD.tidBase]!, CONNECTED + spawned, 0];
  });
  return putRows(e, all, rows, room);
}

/** A resource manager has said which tasks there are, or is there no more. */
export const tasksAnswered: Continuation = (e, { value, ints }, keep) => {
  const [where, rows, room] = keep as [number, number, number];
  if (value < 0) return check(e, "pvm_tasks", value);
  if (ints === undefined) return ownTasks(e, where, rows, room);
  const all = Array.from({ length: value }, (_, i) => ints.slice(i * TASK_ROW_INTS, (i + 1) * TASK_ROW_INTS));
  return putRows(e, all, rows, room);
};

/** It may have ended since pvm_tasks told of it: no mistake, and nothing is printed. */
export const taskNameAnswered: Continuation = (e, { value, texts }, [at, bytes]) => {
  if (value < 0) return note(e, value);
  return putText(e, texts?.[0] ?? "", at!, bytes!) ?? fail(e, "pvm_tasks", "PvmBadParam");
};

export function taskCalls(e: EngineState) {
  const { w } = e;
  return {
    /** PvmNoParent is no error that is printed. */
    pvm_parent(): number {
      join(e);
      return w[e.current + ULP.parentTid]!;
    },
    pvm_siblings_get(tids: number, capacity: number): number {
      join(e);
      const n = w[e.current + ULP.siblingCount]!;
      const first = w[e.current + ULP.siblingFirst]!;
      const stored = Math.max(0, Math.min(n, capacity));
      if (stored > 0 && (tids === 0 || !isPlace(e, tids, stored * 4)))
        return fail(e, "pvm_siblings", "PvmBadParam");
      const { view } = currentContext(e);
      for (let i = 0; i < stored; i++)
        view.setInt32((tids >>> 0) + i * 4, tidOf(first + i, w[HEAD.tidBase]!), true);
      return n;
    },
    pvm_tasks_get(where: number, rows: number, capacity: number): number {
      join(e);
      if ((plugins(e) & PLUGIN_BIT.rm) === 0 && !asksMachine(e)) return ownTasks(e, where, rows, capacity);
      return ask(e, "tasks", { where }, [where, rows, capacity]);
    },
    pvm_task_name(tid: number, at: number, bytes: number): number {
      const ulp = ulpOf(w, tid);
      if (asksMachine(e) && (ulp === 0 || isOutside(w, ulp)))
        return ask(e, "taskName", { task: tid }, [at, bytes]);
      if (ulp === 0) return fail(e, "pvm_tasks", "PvmNoTask");
      const length = putText(e, e.programs[w[ulp + ULP.module]!]?.name ?? "", at, bytes);
      return length ?? fail(e, "pvm_tasks", "PvmBadParam");
    },
  };
}
