/**
 * Contexts of the virtual machine: pvm_newcontext and pvm_freecontext.
 *
 * Owns: the keys `context/` of the store, one for each context that is allotted, and `contexts`, the last that was.
 * Ids are CONTEXT_BASE + 1 and on, as PVM's first host gives them; a freed one is given out again when all have been.
 * Who reads and writes does it in one transaction, so that two hosts never allot the same one.
 * As PVM 3.4.6 any task may free any context; contexts outlive the task that asked for them.
 * The value of a key is the jobs that have the context: that of the task which asked for it. A job that goes on from its
 * checkpoint has those that it had, whatever has become of them: if another job has one meanwhile, both do, and it is free when
 * neither does. Their messages do not meet but where a task sends to another job's.
 */
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR, TID_BASE } from "../wire/pvm.ts";
import type { ControlStore } from "./control-store.ts";

const LAST = "contexts";
const PREFIX = "context/";
const keyOf = (context: number): string => `${PREFIX}${context}`;

/** Jobs that have a context. Who has frees it for itself; another, for all (PVM's manual does not ask who it is). */
const jobsIn = (value: Uint8Array): number[] => {
  const text = new TextDecoder().decode(value);
  return text === "" ? [] : text.split(" ").map(Number);
};
const textOf = (jobs: readonly number[]): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode([...jobs].sort((a, b) => a - b).join(" "));

/** Contexts that a job has, in order. */
export async function contextsOf(store: ControlStore, job: number): Promise<number[]> {
  const all = await store.list(PREFIX);
  return all
    .filter(([, { value }]) => jobsIn(value).includes(job))
    .map(([key]) => Number(key.slice(PREFIX.length)))
    .sort((a, b) => a - b);
}

/** A job has these, whoever else does. @throws StoreError */
export async function haveAgain(
  store: ControlStore,
  job: number,
  contexts: readonly number[],
): Promise<void> {
  for (const context of contexts)
    await changed(store, context, (jobs = []) => (jobs.includes(job) ? jobs : [...jobs, job]));
}

/** @param tell  the jobs that are to have the context, by those that have: undefined: nobody. None: it is free. @returns PvmOk, or an error */
async function changed(
  store: ControlStore,
  context: number,
  tell: (jobs: number[] | undefined) => readonly number[] | undefined,
): Promise<number> {
  const key = keyOf(context);
  for (let tries = 0; tries < LIMITS.storeTries; tries++) {
    const found = await store.get(key);
    const jobs = tell(found && jobsIn(found.value));
    if (jobs === undefined) return PVM_ERROR.PvmNotFound.code;
    const change = jobs.length === 0 ? { key } : { key, value: textOf(jobs) };
    if ((await store.txn([{ key, revision: found?.revision ?? 0 }], [change])) !== undefined)
      return PVM_ERROR.PvmOk.code;
  }
  return PVM_ERROR.PvmOutOfRes.code;
}

/** @returns a context that nobody has; PvmOutOfRes: all are in use, or others were faster LIMITS.storeTries times */
export async function newContext(store: ControlStore, job: number): Promise<number> {
  for (let tries = 0; tries < LIMITS.storeTries; tries++) {
    const last = await store.get(LAST);
    const before = last === undefined ? TID_BASE : Number(new TextDecoder().decode(last.value));
    const context = await freeAfter(store, before);
    if (context < 0) return context;
    const value = new TextEncoder().encode(String(context));
    const compare = [
      { key: LAST, revision: last?.revision ?? 0 },
      { key: keyOf(context), revision: 0 },
    ];
    const done = await store.txn(compare, [
      { key: LAST, value },
      { key: keyOf(context), value: textOf([job]) },
    ]);
    if (done !== undefined) return context;
  }
  return PVM_ERROR.PvmOutOfRes.code;
}

async function freeAfter(store: ControlStore, before: number): Promise<number> {
  for (let step = 1; step <= LIMITS.contexts; step++) {
    const context = TID_BASE + 1 + ((before - TID_BASE - 1 + step) % LIMITS.contexts);
    if ((await store.get(keyOf(context))) === undefined) return context;
  }
  return PVM_ERROR.PvmOutOfRes.code;
}

/** @returns PvmOk; PvmNotFound: it is not allotted, as PvmBaseContext never is */
export function freeContext(store: ControlStore, context: number, job: number): Promise<number> {
  return changed(
    store,
    context,
    (jobs) => jobs && (jobs.includes(job) ? jobs.filter((each) => each !== job) : []),
  );
}
