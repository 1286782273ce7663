/**
 * The message box: messages under a name and an index, that any task can read.
 *
 * Owns: the keys `mbox/<class>/<index>` and the rules of who may do what. An entry belongs to the task that put it; only
 * that task may overwrite or delete it, unless it was put with PvmMboxOverWritable. It goes with its owner's lease, unless
 * it was put with PvmMboxPersistent; then its owner becomes 0, and without PvmMboxOverWritable nobody deletes it any more.
 * Source: pvm_putinfo(3PVM), and PVM 3.4.6 where it differs: putting into an entry of one's own overwrites it;
 * PvmMboxMultiInstance takes the first free index from the direct index on; pvm_delinfo returns the index; a pattern is
 * no regular expression but a part of the name, with "*" for anything.
 *
 *     value: owner | flags | encoding | tid that packed it | the message …     (four words, little-endian)
 */
import type { KeptEntry } from "../wire/checkpoint.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR, tidText } from "../wire/pvm.ts";
import type { Answer, RequestOf } from "../wire/requests.ts";
import type { Entry } from "./control-store.ts";
import type { Handler, Machine } from "./machine.ts";
import { jobOf } from "./tids.ts";

const {
  PvmMboxPersistent,
  PvmMboxMultiInstance,
  PvmMboxOverWritable,
  PvmMboxFirstAvail,
  PvmMboxReadAndDelete,
  PvmMboxWaitForInfo,
  PvmMboxDirectIndexShift,
} = PVM_CONSTANT;
const { PvmDenied, PvmNotFound, PvmBadParam, PvmNoTask, PvmNoMem, PvmOutOfRes, PvmSysErr, PvmNoData } =
  PVM_ERROR;

const ROOT = "mbox/";
/** Bits of a direct index. */
const DIRECT_MASK = 0x1fffff;
const HEAD_BYTES = 16;
const INT_BYTES = 4;

/** An entry as its rules see it. */
interface Item {
  readonly key: string;
  readonly index: number;
  readonly revision: number;
  readonly created: number;
  readonly owner: number;
  readonly flags: number;
  readonly encoding: number;
  readonly src: number;
  readonly data: Uint8Array;
}

type New = Omit<Item, "key" | "index" | "revision" | "created">;

function classPrefix(name: string): string {
  return `${ROOT}${encodeURIComponent(name)}/`;
}

/** Indices have their digits filled up, so that the order of keys is theirs. */
function keyOf(name: string, index: number): string {
  return classPrefix(name) + String(index).padStart(10, "0");
}

function itemOf(key: string, { value, revision, created }: Entry): Item {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const [owner, flags, encoding, src] = [0, 4, 8, 12].map((at) => view.getInt32(at, true));
  const index = Number(key.slice(key.lastIndexOf("/") + 1));
  const data = value.subarray(HEAD_BYTES);
  return {
    key,
    index,
    revision,
    created,
    owner: owner!,
    flags: flags!,
    encoding: encoding!,
    src: src!,
    data,
  };
}

function packed({ owner, flags, encoding, src, data }: New): Uint8Array {
  const value = new Uint8Array(HEAD_BYTES + data.length);
  const view = new DataView(value.buffer);
  [owner, flags, encoding, src].forEach((word, i) => {
    view.setInt32(4 * i, word, true);
  });
  value.set(data, HEAD_BYTES);
  return value;
}

function nameOf(key: string): string {
  return decodeURIComponent(key.slice(ROOT.length, key.lastIndexOf("/")));
}

async function itemsOf(machine: Machine, name: string): Promise<Item[]> {
  return (await machine.store.list(classPrefix(name))).map(([key, entry]) => itemOf(key, entry));
}

async function itemAt(machine: Machine, name: string, index: number): Promise<Item | undefined> {
  const key = keyOf(name, index);
  const entry = await machine.store.get(key);
  return entry === undefined ? undefined : itemOf(key, entry);
}

function mayChange(item: Item, tid: number): boolean {
  return item.owner === tid || (item.flags & PvmMboxOverWritable) !== 0;
}

/** Does `attempt` until it gives a result: others may change what it has just looked at. */
async function retry(attempt: () => Promise<Answer | undefined>): Promise<Answer> {
  for (let n = 0; n < LIMITS.storeRetries; n++) {
    const answer = await attempt();
    if (answer !== undefined) return answer;
  }
  return { value: PvmSysErr.code };
}

/** Writes an entry where there is none (`old` undefined) or in place of one. Undefined: another was quicker. */
async function write(
  machine: Machine,
  name: string,
  index: number,
  old: Item | undefined,
  entry: New,
): Promise<Answer | undefined> {
  // Nobody's stays.
  const lease = entry.owner === 0 ? undefined : await machine.leaseOf(entry.owner);
  if (lease === undefined && entry.owner !== 0) return { value: PvmNoTask.code };
  if (HEAD_BYTES + entry.data.length > machine.store.txnBytesMax) return { value: PvmNoMem.code };
  const { entries, bytes } = machine.box;
  if (old === undefined && entries >= LIMITS.mboxEntries) return { value: PvmOutOfRes.code };
  if (bytes + entry.data.length - (old?.data.length ?? 0) > LIMITS.mboxBytes) return { value: PvmNoMem.code };
  const key = keyOf(name, index);
  const persistent = (entry.flags & PvmMboxPersistent) !== 0;
  const change = { key, value: packed(entry), ...(!persistent && lease !== undefined && { lease }) };
  if (!(await machine.store.txn([{ key, revision: old?.revision ?? 0 }], [change]))) return undefined;
  if (persistent && entry.owner !== 0) machine.box.keepsAfter(entry.owner, key);
  await serveParked(machine, name);
  return { value: index };
}

/** First index from `from` on that no entry has. */
function freeIndex(items: readonly Item[], from: number): number {
  const taken = new Set(items.map(({ index }) => index));
  let index = from;
  while (taken.has(index)) index++;
  return index;
}

export const putinfo: Handler<"putinfo"> = (machine, { tid, body }) => {
  const { name, flags, encoding, data } = body;
  const direct = (flags >> PvmMboxDirectIndexShift) & DIRECT_MASK;
  const entry: New = { owner: tid, flags, encoding, src: tid, data };
  return retry(async () => {
    if ((flags & PvmMboxMultiInstance) !== 0) {
      const index = freeIndex(await itemsOf(machine, name), direct);
      return write(machine, name, index, undefined, entry);
    }
    const old = await itemAt(machine, name, direct);
    if (old !== undefined && !mayChange(old, tid)) return { value: PvmDenied.code };
    return write(machine, name, direct, old, entry);
  });
};

/** The entry that a reader asks for. */
async function wanted(
  machine: Machine,
  { name, index, flags }: RequestOf<"recvinfo">["body"],
): Promise<Item | undefined> {
  if ((flags & PvmMboxFirstAvail) === 0) return itemAt(machine, name, index);
  return (await itemsOf(machine, name)).find((item) => item.index >= index);
}

/** Undefined: another has changed the entry meanwhile. */
async function read(machine: Machine, { tid, body }: RequestOf<"recvinfo">): Promise<Answer | undefined> {
  const item = await wanted(machine, body);
  if (item === undefined) return { value: PvmNotFound.code };
  if ((body.flags & PvmMboxReadAndDelete) !== 0) {
    if (!mayChange(item, tid)) return { value: PvmDenied.code };
    const { key, revision } = item;
    if (!(await machine.store.txn([{ key, revision }], [{ key }]))) return undefined;
  }
  return { value: item.encoding, ints: [item.src], bytes: item.data.slice() };
}

export const recvinfo: Handler<"recvinfo"> = async (machine, request) => {
  const waits = (request.body.flags & PvmMboxWaitForInfo) !== 0;
  return await (waits ? readOrPark(machine, request) : retry(() => read(machine, request)));
};

/**
 * Undefined: there is no such entry, and the request is parked. Nothing may come between the last look and that, since
 * who writes an entry serves only those that are parked by then.
 */
async function readOrPark(machine: Machine, request: RequestOf<"recvinfo">): Promise<Answer | undefined> {
  const { box } = machine;
  for (;;) {
    const { changes } = box;
    const answer = await retry(() => read(machine, request));
    if (answer.value !== PvmNotFound.code) return answer;
    if (box.changes !== changes) continue;
    box.park(request);
    return undefined;
  }
}

/** Those who wait for an entry of this class look again, in the order in which they came. */
async function serveParked(machine: Machine, name: string): Promise<void> {
  for (const request of machine.box.takeParked(name)) {
    if (!machine.host.has(request.tid)) continue;
    const answer = await readOrPark(machine, request);
    if (answer !== undefined) machine.host.answer(request, answer);
  }
}

function remove(machine: Machine, tid: number, name: string, index: number): Promise<Answer> {
  return retry(async () => {
    const item = await itemAt(machine, name, index);
    if (item === undefined) return { value: PvmNotFound.code };
    if (!mayChange(item, tid)) return { value: PvmDenied.code };
    const { key, revision } = item;
    return (await machine.store.txn([{ key, revision }], [{ key }])) ? { value: index } : undefined;
  });
}

export const delinfo: Handler<"delinfo"> = (machine, { tid, body }) =>
  remove(machine, tid, body.name, body.index);

/** True if a name has the pattern's parts in it, in their order. "" and "*" match every name. */
export function matchesPattern(name: string, pattern: string): boolean {
  let from = 0;
  for (const part of pattern.split("*")) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

/** Classes in the order in which they came to be. */
export const mboxinfo: Handler<"mboxinfo"> = async ({ store }, { body }) => {
  const classes = new Map<string, Item[]>();
  for (const [key, entry] of await store.list(ROOT)) {
    const name = nameOf(key);
    if (!matchesPattern(name, body.pattern)) continue;
    const items = classes.get(name) ?? [];
    classes.set(name, items);
    items.push(itemOf(key, entry));
  }
  const age = (items: readonly Item[]): number => Math.min(...items.map(({ created }) => created));
  const sorted = [...classes].sort(([, a], [, b]) => age(a) - age(b));
  const ints = sorted.flatMap(([, items], i) =>
    items.flatMap(({ index, owner, flags }) => [i, index, owner, flags]),
  );
  return { value: sorted.length, texts: sorted.map(([name]) => name), ints };
};

/** pvm_insert of PVM 3.3: an int in an entry that stays when its owner ends. */
export const insert: Handler<"insert"> = (machine, { tid, body }) => {
  const data = new Uint8Array(INT_BYTES);
  new DataView(data.buffer).setInt32(0, body.data, true);
  const flags = PvmMboxPersistent | PvmMboxMultiInstance;
  const entry: New = { owner: tid, flags, encoding: PVM_CONSTANT.PvmDataDefault, src: tid, data };
  return retry(async () => {
    if (body.req >= 0 && (await itemAt(machine, body.name, body.req)) !== undefined)
      return { value: PvmDenied.code };
    const index = body.req >= 0 ? body.req : freeIndex(await itemsOf(machine, body.name), 0);
    return write(machine, body.name, index, undefined, entry);
  });
};

export const lookup: Handler<"lookup"> = async (machine, { body }) => {
  const item =
    body.req >= 0 ? await itemAt(machine, body.name, body.req) : (await itemsOf(machine, body.name))[0];
  if (item === undefined) return { value: PvmNotFound.code };
  if (item.data.length < INT_BYTES) return { value: PvmNoData.code };
  const { buffer, byteOffset } = item.data;
  return { value: item.index, ints: [new DataView(buffer, byteOffset).getInt32(0, true)] };
};

export const deleteEntry: Handler<"delete"> = async (machine, { tid, body }) =>
  body.req < 0 ? { value: PvmBadParam.code } : remove(machine, tid, body.name, body.req);

/** A task has ended: what it leaves behind belongs to nobody, and it waits for nothing. */
export async function abandonEntries(machine: Machine, tid: number): Promise<void> {
  machine.box.unpark(tid);
  for (const key of machine.box.takeKept(tid)) {
    await retry(async () => {
      const entry = await machine.store.get(key);
      const item = entry === undefined ? undefined : itemOf(key, entry);
      if (item?.owner !== tid) return { value: 0 };
      const change = { key, value: packed({ ...item, owner: 0 }) };
      return (await machine.store.txn([{ key, revision: item.revision }], [change]))
        ? { value: 0 }
        : undefined;
    });
  }
}

// For checkpoints

/** Entries of tasks of a job, and those that its tasks have left behind, in the order in which they came to be; what they hold. */
export async function entriesOf(
  { store }: Machine,
  job: number,
  tids: ReadonlySet<number>,
): Promise<{ entries: KeptEntry[]; data: Uint8Array[] }> {
  const all = (await store.list(ROOT)).map(([key, entry]) => itemOf(key, entry));
  const own = all.filter((item) => tids.has(item.owner) || isLeftBy(item, job, tids));
  own.sort((a, b) => a.created - b.created);
  const entries = own.map(({ key, index, owner, flags, encoding, src, data }): KeptEntry => {
    const kept = tids.has(owner) ? owner : 0;
    return { name: nameOf(key), index, owner: kept, flags, encoding, src, bytes: data.length };
  });
  return { entries, data: own.map(({ data }) => data) };
}

/** Left behind by a task of the job that has ended; it may be about to be. */
function isLeftBy({ owner, src, flags }: Item, job: number, tids: ReadonlySet<number>): boolean {
  if ((flags & PvmMboxPersistent) === 0) return false;
  return owner === 0 ? jobOf(src) === job : jobOf(owner) === job && !tids.has(owner);
}

/** @returns why entries of a job that goes on cannot be where they were: another task has one there now */
export async function entryInTheWay(
  machine: Machine,
  job: number,
  entries: readonly KeptEntry[],
): Promise<string | undefined> {
  for (const { name, index } of entries) {
    const found = await itemAt(machine, name, index);
    if (found !== undefined && !isLeftBy(found, job, new Set())) return ofAnother(found, name);
  }
  return undefined;
}

function ofAnother({ owner, index }: Item, name: string): string {
  const whose = owner === 0 ? "another task, which has ended," : tidText(owner);
  return `${whose} has entry ${index} of ${name} in the message box now`;
}

/** Puts entries of a job that goes on where they were. @returns why not all are */
export async function putAgain(
  machine: Machine,
  job: number,
  entries: readonly KeptEntry[],
  data: Uint8Array,
): Promise<string | undefined> {
  let at = 0;
  for (const { name, index, bytes, ...entry } of entries) {
    const item: New = { ...entry, data: data.slice(at, at + bytes) };
    at += bytes;
    let why: string | undefined;
    const { value } = await retry(async () => {
      const old = await itemAt(machine, name, index);
      if (old === undefined || isLeftBy(old, job, new Set())) return write(machine, name, index, old, item);
      why = ofAnother(old, name);
      return { value: PvmDenied.code };
    });
    if (value < 0) return why ?? `the message box has no room for entry ${index} of ${name} (${value})`;
  }
  return undefined;
}
