/**
 * Contexts of the virtual machine: pvm_newcontext and pvm_freecontext.
 *
 * Owns: the keys `context/` of the store, one for each context that is allotted, and `contexts`, the last that was.
 * Ids are CONTEXT_BASE + 1 and on, as PVM's first host gives them; a freed one is given out again when all have been.
 * Who reads and writes does it in one transaction, so that two hosts never allot the same one.
 * As PVM 3.4.6 any task may free any context; contexts outlive the task that asked for them.
 */
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR, TID_BASE } from "../wire/pvm.ts";
import type { ControlStore } from "./control-store.ts";

const LAST = "contexts";
const keyOf = (context: number): string => `context/${context}`;
const NONE = new Uint8Array();

/** @returns a context that nobody has; PvmOutOfRes: all are in use, or others were faster LIMITS.storeTries times */
export async function newContext(store: ControlStore): Promise<number> {
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
      { key: keyOf(context), value: NONE },
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
export async function freeContext(store: ControlStore, context: number): Promise<number> {
  const key = keyOf(context);
  const found = await store.get(key);
  if (found === undefined) return PVM_ERROR.PvmNotFound.code;
  const done = await store.txn([{ key, revision: found.revision }], [{ key }]);
  return done === undefined ? PVM_ERROR.PvmNotFound.code : PVM_ERROR.PvmOk.code;
}
