/**
 * What the virtual machine has for the tasks of a job, for its checkpoint, and how they get it back: groups, notifications, the
 * message box, contexts, and who waits there.
 *
 * Owns: when it is looked at: all tasks of the job are stopped, and have no answer on their way. What each of these means is its
 * own file's (group-book.ts, notify.ts, message-box.ts, contexts.ts).
 */
import type { Kept } from "../wire/checkpoint.ts";
import { PLUGIN_BIT, type PluginKind } from "../wire/plugins.ts";
import { tidText } from "../wire/pvm.ts";
import type { Request } from "../wire/requests.ts";
import { contextsOf, haveAgain } from "./contexts.ts";
import type { Machine } from "./machine.ts";
import { entriesOf, entryInTheWay, putAgain } from "./message-box.ts";
import { wishAgain, wishesOf } from "./notify.ts";

/** All but what the router knows of tasks. */
type OfService = Omit<Kept, "tasks">;

/** What is kept, and what entries of the message box hold; a text: why it cannot be. */
export type KeptNow<K> = { readonly kept: K; readonly data: readonly Uint8Array[] } | string;

/** @param told  waits until tasks have been told all that is known to the store */
export async function keep(
  machine: Machine,
  job: number,
  tids: ReadonlySet<number>,
  told: () => Promise<unknown>,
): Promise<KeptNow<OfService>> {
  const { groups, box, plugins, hosts } = machine;
  for (const kind of Object.keys(PLUGIN_BIT) as PluginKind[]) {
    const tid = plugins.registered(kind)?.tid;
    if (tid !== undefined && tids.has(tid))
      return `${tidText(tid)} serves the virtual machine as its ${PLUGIN[kind]}`;
  }
  const wishes = await wishesOf(machine, tids);
  const { entries, data } = await entriesOf(machine, job, tids);
  // A wish that is not there any more, and whose message is on its way: what is told from now on is seen by the flush.
  await told();
  const readers = box.waiting().filter(({ tid }) => tids.has(tid));
  const kept = {
    groups: groups.book.kept(tids),
    hosts: hosts.all().map(({ tid, name }): [number, string] => [tid, name]),
    wishes,
    entries,
    readers: readers.map(({ tid, serial, body }) => ({ tid, serial, ...body })),
    contexts: await contextsOf(machine.store, job),
  };
  return { kept, data };
}

const PLUGIN: Readonly<Record<PluginKind, string>> = {
  rm: "resource manager",
  tasker: "tasker",
  hoster: "hoster",
  tracer: "tracer",
};

/** @returns why a job cannot have again what it had: another task has it now */
export function inTheWay(machine: Machine, job: number, { entries }: Kept): Promise<string | undefined> {
  return entryInTheWay(machine, job, entries);
}

/** Before any task of the job runs. @returns why they cannot have all */
export async function giveBack(
  machine: Machine,
  job: number,
  kept: Kept,
  data: Uint8Array,
): Promise<string | undefined> {
  await haveAgain(machine.store, job, kept.contexts);
  return await putAgain(machine, job, kept.entries, data);
}

/** When all tasks of the job are there, and before any asks for something: those who waited wait on. */
export async function askAgain(
  machine: Machine,
  { groups, wishes, readers, hosts }: Kept,
  deal: (request: Request) => Promise<void>,
): Promise<void> {
  await machine.groups.kept();
  for (const { name, waits } of groups)
    for (const { kind, tid, serial, count } of waits)
      await deal(
        kind === "barrier"
          ? { kind, tid, serial, body: { name, count } }
          : { kind, tid, serial, body: { name, size: count } },
      );
  for (const { tid, serial, ...body } of readers) await deal({ kind: "recvinfo", tid, serial, body });
  await wishAgain(machine, wishes, new Map(hosts));
}
