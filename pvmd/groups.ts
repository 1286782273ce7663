/**
 * Requests about groups: of jobs that have several processes, or may get them.
 *
 * Owns: who is answered when. The book of groups (group-book.ts) decides: requests are dealt with in the order in which they
 * came. Whoever has changed a group goes on when the store has it (kept-groups.ts).
 */
import type { Answer, RequestOf } from "../wire/requests.ts";
import type { Outcome } from "./group-book.ts";
import type { Handler, Machine } from "./machine.ts";

/** Others go on, and so does who asked, unless it waits. */
async function settle(machine: Machine, { value, released }: Outcome): Promise<Answer | undefined> {
  await machine.groups.kept();
  for (const each of released) machine.host.answer(each.request, { value: each.value });
  return value === undefined ? undefined : { value };
}

/** A member has its end watched: it leaves its groups then. One that has ended meanwhile needs no answer. */
export const joinGroup: Handler<"joinGroup"> = async (machine, { tid, body }) => {
  if (!machine.host.watchEnd(tid)) return undefined;
  const value = machine.groups.book.join(tid, body.name);
  await machine.groups.kept();
  return { value };
};

export const leaveGroup: Handler<"leaveGroup"> = (machine, { tid, body }) =>
  settle(machine, machine.groups.book.leave(tid, body.name));

export const groupSize: Handler<"groupSize"> = async ({ groups }, { tid, body }) => ({
  value: groups.book.size(tid, body.name),
});

export const groupInstance: Handler<"groupInstance"> = async ({ groups }, { tid, body }) => ({
  value: groups.book.instance(tid, body.name, body.task),
});

export const groupTid: Handler<"groupTid"> = async ({ groups }, { tid, body }) => ({
  value: groups.book.tid(tid, body.name, body.instance),
});

export const groupTids: Handler<"groupTids"> = async ({ groups }, { tid, body }) => {
  const tids = groups.book.tids(tid, body.name);
  return typeof tids === "number" ? { value: tids } : { value: tids.length, ints: tids };
};

/** Own instance number, or what is wrong with that or with the root. */
export const groupRole: Handler<"groupRole"> = async ({ groups }, { tid, body }) => {
  const instance = groups.book.instance(tid, body.name, tid);
  if (instance < 0) return { value: instance };
  const root = groups.book.tid(tid, body.name, body.root);
  return { value: root < 0 ? root : instance };
};

export const barrier: Handler<"barrier"> = (machine, request) => {
  const { name, count } = request.body;
  return settle(machine, machine.groups.book.barrier(request, name, count));
};

export const freezeGroup: Handler<"freezeGroup"> = (machine, request: RequestOf<"freezeGroup">) => {
  const { name, size } = request.body;
  return settle(machine, machine.groups.book.freeze(request, name, size));
};

/** A task has ended or left PVM, and so has left its groups: nothing else is seen of its end before. */
export async function leaveGroups(machine: Machine, tid: number): Promise<void> {
  await settle(machine, { value: undefined, released: machine.groups.book.left(tid) });
}
