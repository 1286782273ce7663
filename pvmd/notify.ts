/**
 * pvm_notify: messages to a task when another ends, or when hosts come and go.
 *
 * Owns: the keys `notify/<what>/<about>/<who>/<n>`. Who asked has them under its lease, so they go with it. An event that
 * has happened already is told at once, and so is one whose notification is cancelled. There is one host and every task
 * reaches every other by shared memory: no host is deleted or added, no route is ever added, and a route that somebody
 * asks about is gone, as between PVM's tasks without PvmRouteDirect.
 * Source: pvm_notify(3PVM), and what PVM 3.4.6 does where the page is silent.
 */
import { LIMITS } from "../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR, TID_BASE } from "../wire/pvm.ts";
import type { RequestOf } from "../wire/requests.ts";
import type { Entry } from "./control-store.ts";
import { decode, encode, type Handler, type Machine } from "./machine.ts";
import { Packer } from "./plugin-data.ts";
import { hostOf, isTask } from "./tids.ts";

const { PvmTaskExit, PvmHostAdd, PvmRouteAdd, PvmRouteDelete, PvmNotifyCancel } = PVM_CONSTANT;
const OK = { value: PVM_ERROR.PvmOk.code };
const BAD_PARAM = { value: PVM_ERROR.PvmBadParam.code };

const ints = (value: number): Uint8Array => new Packer().ints(value).data();

interface Wish {
  readonly to: number;
  readonly tag: number;
  readonly context: number;
}

export const notify: Handler<"notify"> = async (machine, request) => {
  const { tag, count, tids } = request.body;
  const cancel = (request.body.what & PvmNotifyCancel) !== 0;
  const what = request.body.what & ~PvmNotifyCancel;
  if (tag < 0 || what < PvmTaskExit || what > PvmRouteDelete) return BAD_PARAM;
  // No host and no route will be added: there is nothing to tell, and nothing to remember.
  if (what === PvmHostAdd || what === PvmRouteAdd) return OK;
  if (count < 1) return BAD_PARAM;
  if (what === PvmTaskExit && !tids.every(isTask)) return BAD_PARAM;
  for (const about of tids) {
    if (cancel && what !== PvmRouteDelete) await cancelWish(machine, request, what, about);
    else if (what === PvmRouteDelete || (await hasHappened(machine, what, about)))
      tell(machine, request, about);
    else if (!(await remember(machine, request, what, about))) return { value: PVM_ERROR.PvmOutOfRes.code };
  }
  return OK;
};

/** A task has ended: tells all who asked for it. */
export async function tellOfEnd(machine: Machine, tid: number): Promise<void> {
  for (const [key, entry] of await machine.store.list(`notify/${PvmTaskExit}/${tid}/`)) {
    if (await take(machine, key, entry)) {
      const wish = decode<Wish>(entry.value);
      machine.host.post({ ...wish, data: ints(tid) });
    }
  }
}

async function hasHappened({ host }: Machine, what: number, about: number): Promise<boolean> {
  return what === PvmTaskExit ? !host.watchEnd(about) : hostOf(about) !== TID_BASE;
}

function tell({ host }: Machine, { tid, body }: RequestOf<"notify">, about: number): void {
  host.post({ to: tid, tag: body.tag, context: body.context, data: ints(about) });
}

/** Deletes a key unless another did. True: it is ours to act on. */
async function take({ store }: Machine, key: string, { revision }: Entry): Promise<boolean> {
  return (await store.txn([{ key, revision }], [{ key }])) !== undefined;
}

function prefixOf(what: number, about: number, who: number): string {
  return `notify/${what}/${about}/${who}/`;
}

/** As if it had happened: one message, for one such wish; none if there is none. */
async function cancelWish(
  machine: Machine,
  request: RequestOf<"notify">,
  what: number,
  about: number,
): Promise<void> {
  for (const [key, entry] of await machine.store.list(prefixOf(what, about, request.tid))) {
    if (decode<Wish>(entry.value).tag !== request.body.tag) continue;
    if (await take(machine, key, entry)) {
      tell(machine, request, about);
      return;
    }
  }
}

/** False: the task has too many, or has ended. */
async function remember(
  machine: Machine,
  { tid, body }: RequestOf<"notify">,
  what: number,
  about: number,
): Promise<boolean> {
  const { store } = machine;
  const wish: Wish = { to: tid, tag: body.tag, context: body.context };
  const lease = await machine.leaseOf(tid);
  if (lease === undefined) return false;
  const prefix = prefixOf(what, about, tid);
  for (let n = 0; n < LIMITS.notifiesPerTask; n++) {
    const key = `${prefix}${n}`;
    if (await store.txn([{ key, revision: 0 }], [{ key, value: encode(wish), lease }])) {
      // It may have ended while this was written: then nobody else tells of it.
      const entry = await store.get(key);
      if (
        entry !== undefined &&
        (await hasHappened(machine, what, about)) &&
        (await take(machine, key, entry))
      )
        machine.host.post({ ...wish, data: ints(about) });
      return true;
    }
  }
  return false;
}
