/**
 * pvm_notify: messages to a task when another ends, or when hosts come and go.
 *
 * Owns: the keys `notify/<what>/<about>/<who>/<n>`. Who asked has them under its lease, so they go with it. An event that
 * has happened already is told at once, and so is one whose notification is cancelled. Who asks about new hosts is told so
 * often as it said, or always; its wish is one for each tag and context, and the next one takes its place.
 * Tasks reach each other without routes of their own: none is ever added, and a route that somebody asks about is gone, as
 * between PVM's tasks without PvmRouteDirect.
 * Source: pvm_notify(3PVM), and what PVM 3.4.6 does where the page is silent.
 */
import type { KeptWish } from "../wire/checkpoint.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../wire/pvm.ts";
import type { RequestOf } from "../wire/requests.ts";
import type { Entry } from "./control-store.ts";
import { hostOfTask } from "./hosts.ts";
import { decode, encode, type Handler, type Machine } from "./machine.ts";
import { Packer } from "./plugin-data.ts";
import { isTask } from "./tids.ts";

const { PvmTaskExit, PvmHostDelete, PvmHostAdd, PvmRouteAdd, PvmRouteDelete, PvmNotifyCancel } = PVM_CONSTANT;
const OK = { value: PVM_ERROR.PvmOk.code };
const BAD_PARAM = { value: PVM_ERROR.PvmBadParam.code };

const ints = (...values: readonly number[]): Uint8Array => new Packer().ints(...values).data();

interface Wish {
  readonly to: number;
  readonly tag: number;
  readonly context: number;
  /** As it was asked for: what the message holds. */
  readonly about: number;
}
/** `left`: how often it is told yet, -1: always. */
interface HostsWish extends Omit<Wish, "about"> {
  readonly left: number;
}

export const notify: Handler<"notify"> = async (machine, request) => {
  const { tag, count, tids } = request.body;
  const cancel = (request.body.what & PvmNotifyCancel) !== 0;
  const what = request.body.what & ~PvmNotifyCancel;
  if (tag < 0 || what < PvmTaskExit || what > PvmRouteDelete) return BAD_PARAM;
  // No route will be added: there is nothing to tell, and nothing to remember.
  if (what === PvmRouteAdd) return OK;
  if (what === PvmHostAdd) return watchHosts(machine, request, cancel ? 0 : count, cancel);
  if (count < 1) return BAD_PARAM;
  if (what === PvmTaskExit && !tids.every(isTask)) return BAD_PARAM;
  for (const about of tids) {
    if (cancel && what !== PvmRouteDelete) await cancelWish(machine, request, what, about);
    else if (what === PvmRouteDelete || hasHappened(machine, what, keyOf(machine, what, about)))
      tell(machine, request, about);
    else if (!(await remember(machine, request, what, about, keyOf(machine, what, about))))
      return { value: PVM_ERROR.PvmOutOfRes.code };
  }
  return OK;
};

/** A task has ended: tells all who asked for it. */
export function tellOfEnd(machine: Machine, tid: number): Promise<void> {
  return tellOf(machine, PvmTaskExit, tid);
}

/** A host is no more: tells all who asked for it. */
export function tellOfHost(machine: Machine, host: number): Promise<void> {
  return tellOf(machine, PvmHostDelete, host);
}

async function tellOf(machine: Machine, what: number, about: number): Promise<void> {
  for (const [key, entry] of await machine.store.list(`notify/${what}/${about}/`)) {
    if (await take(machine, key, entry)) {
      const wish = decode<Wish>(entry.value);
      machine.host.post({ to: wish.to, tag: wish.tag, context: wish.context, data: ints(wish.about) });
    }
  }
}

/** Hosts have joined: tells all who asked for it how many, and their tids. */
export async function tellOfHosts(machine: Machine, hosts: readonly number[]): Promise<void> {
  for (const [key, { value, revision }] of await machine.store.list(`notify/${PvmHostAdd}/`)) {
    const { left, ...wish } = decode<HostsWish>(value);
    if (left > 0) {
      const lease = await machine.leaseOf(wish.to);
      const change = left === 1 ? { key } : { key, value: encode({ ...wish, left: left - 1 }) };
      // Another wish has taken its place meanwhile, or who had it has ended.
      if (lease === undefined) continue;
      const changes = [{ ...change, ...(left > 1 && { lease }) }];
      if ((await machine.store.txn([{ key, revision }], changes)) === undefined) continue;
    }
    const { to, tag, context } = wish;
    machine.host.post({ to, tag, context, data: ints(hosts.length, ...hosts) });
  }
}

/** Wishes for new hosts, so many; 0: no more. One that is cancelled is told as if it had happened, with no host. */
async function watchHosts(
  machine: Machine,
  { tid, body }: RequestOf<"notify">,
  count: number,
  cancel: boolean,
): Promise<{ value: number }> {
  const { store } = machine;
  const { tag, context } = body;
  const key = `notify/${PvmHostAdd}/0/${tid}/${context}.${tag}`;
  const lease = await machine.leaseOf(tid);
  if (lease === undefined) return { value: PVM_ERROR.PvmNoTask.code };
  const wish: HostsWish = { to: tid, tag, context, left: Math.max(count, ALWAYS) };
  const before = await store.get(key);
  if (count !== 0 && before === undefined && (await wishesFor(machine, tid)) >= LIMITS.notifiesPerTask)
    return { value: PVM_ERROR.PvmOutOfRes.code };
  await store.txn([], [count === 0 ? { key } : { key, value: encode(wish), lease }]);
  if (cancel && before !== undefined) machine.host.post({ to: tid, tag, context, data: ints(0) });
  return OK;
}
const ALWAYS = -1;

async function wishesFor({ store }: Machine, tid: number): Promise<number> {
  return (await store.list(`notify/${PvmHostAdd}/0/${tid}/`)).length;
}

/** @param key  as keyOf has it */
function hasHappened(machine: Machine, what: number, key: number): boolean {
  if (what === PvmTaskExit) return !machine.host.watchEnd(key);
  return machine.hosts.all().every(({ tid }) => tid !== key);
}

/** Who asks, and what its message is to be. */
interface Asking {
  readonly tid: number;
  readonly body: Pick<RequestOf<"notify">["body"], "tag" | "context">;
}

function tell({ host }: Machine, { tid, body }: Asking, about: number): void {
  host.post({ to: tid, tag: body.tag, context: body.context, data: ints(about) });
}

/** Deletes a key unless another did. True: it is ours to act on. */
async function take({ store }: Machine, key: string, { revision }: Entry): Promise<boolean> {
  return (await store.txn([{ key, revision }], [{ key }])) !== undefined;
}

/** A host is asked about by its own tid, or by that of one of its tasks. */
function keyOf(machine: Machine, what: number, about: number): number {
  return what === PvmHostDelete ? hostOfTask(machine, about) : about;
}

/** As if it had happened: one message, for one such wish; none if there is none. */
async function cancelWish(
  machine: Machine,
  request: RequestOf<"notify">,
  what: number,
  about: number,
): Promise<void> {
  const prefix = `notify/${what}/${keyOf(machine, what, about)}/${request.tid}/`;
  for (const [key, entry] of await machine.store.list(prefix)) {
    const wish = decode<Wish>(entry.value);
    if (wish.tag !== request.body.tag || wish.about !== about) continue;
    if (await take(machine, key, entry)) {
      tell(machine, request, about);
      return;
    }
  }
}

/** False: the task has too many, or has ended. */
async function remember(
  machine: Machine,
  { tid, body }: Asking,
  what: number,
  about: number,
  of: number,
): Promise<boolean> {
  const { store } = machine;
  const wish: Wish = { to: tid, tag: body.tag, context: body.context, about };
  const lease = await machine.leaseOf(tid);
  if (lease === undefined) return false;
  const prefix = `notify/${what}/${of}/${tid}/`;
  for (let n = 0; n < LIMITS.notifiesPerTask; n++) {
    const key = `${prefix}${n}`;
    if (await store.txn([{ key, revision: 0 }], [{ key, value: encode(wish), lease }])) {
      // It may have ended while this was written: then nobody else tells of it.
      const entry = await store.get(key);
      if (entry !== undefined && hasHappened(machine, what, of) && (await take(machine, key, entry)))
        tell(machine, { tid, body }, about);
      return true;
    }
  }
  return false;
}

// For checkpoints

/** What tasks have asked for and not got. */
export async function wishesOf({ store }: Machine, tids: ReadonlySet<number>): Promise<KeptWish[]> {
  return (await store.list("notify/")).flatMap(([key, { value }]): KeptWish[] => {
    const [, what, of, who] = key.split("/").map(Number);
    if (!tids.has(who!)) return [];
    const { tag, context, about, left } = decode<Wish & HostsWish>(value);
    return [{ what: what!, about: about ?? 0, key: of!, to: who!, tag, context, left: left ?? 0 }];
  });
}

/**
 * Tasks that go on from a checkpoint ask for the same as before. What has happened since is told: a task or a host is not there, or
 * there are other hosts.
 *
 * @param then  hosts of that time, by tid: a host is the same if it has both, tid and name
 */
export async function wishAgain(
  machine: Machine,
  wishes: readonly KeptWish[],
  then: ReadonlyMap<number, string>,
): Promise<void> {
  const { host, hosts, store } = machine;
  const now = new Map(hosts.all().map(({ tid, name }) => [tid, name]));
  const fresh = [...now].filter(([tid, name]) => then.get(tid) !== name).map(([tid]) => tid);
  for (const { what, about, key, to, tag, context, left } of wishes) {
    const asking = { tid: to, body: { tag, context } };
    if (what === PvmHostAdd) {
      const lease = await machine.leaseOf(to);
      if (lease === undefined) continue;
      const rest = left > 0 && fresh.length > 0 ? left - 1 : left;
      const wish: HostsWish = { to, tag, context, left: rest };
      const at = `notify/${PvmHostAdd}/0/${to}/${context}.${tag}`;
      if (rest !== 0) await store.txn([], [{ key: at, value: encode(wish), lease }]);
      if (fresh.length > 0) host.post({ to, tag, context, data: ints(fresh.length, ...fresh) });
    } else if (what === PvmHostDelete && now.get(key) !== then.get(key)) tell(machine, asking, about);
    else if (hasHappened(machine, what, key)) tell(machine, asking, about);
    else await remember(machine, asking, what, about, key);
  }
}
