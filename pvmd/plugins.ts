/**
 * Plug-ins: pvm_reg_tasker, pvm_reg_hoster, pvm_reg_tracer, what they send to the daemon, and their ends.
 *
 * Owns: who is registered, and what waits for whom. One of each kind; a second tasker is PvmAlready, a second hoster or
 * tracer takes the place of the first, as in PVM 3.4.6. Without a plug-in the service does its work itself, and so it does
 * with what waited for one that ends or leaves PVM. The resource manager is resource-manager.ts.
 * Differs from PVM: a ULP cannot fork. A tasker lets a task run by sending SM_STTASK with its tid back to the daemon.
 */
import { SM } from "../wire/plugins.ts";
import { PVM_ERROR, type PvmErrorName } from "../wire/pvm.ts";
import type { RequestOf } from "../wire/requests.ts";
import { addAll, howMany, nameOfLine } from "./hosts.ts";
import type { Handler, Machine } from "./machine.ts";
import { notify } from "./notify.ts";
import { Packer, Unpacker } from "./plugin-data.ts";
import { register } from "./plugin-register.ts";
import { addFor, execute, handOver, tellManager } from "./resource-manager.ts";

const OK = { value: PVM_ERROR.PvmOk.code };
const SIGTERM = 15;
/** Tids of hosts are multiples of this. */
const HOST_STEP = 0x40000;

export const regTasker: Handler<"regTasker"> = async (machine, { tid }) => {
  const other = machine.plugins.registered("tasker");
  if (other !== undefined && other.tid !== tid) return { value: PVM_ERROR.PvmAlready.code };
  return (await register(machine, "tasker", { tid })) ? OK : { value: PVM_ERROR.PvmAlready.code };
};
export const regHoster: Handler<"regHoster"> = async (machine, { tid }) =>
  (await register(machine, "hoster", { tid })) ? OK : { value: PVM_ERROR.PvmAlready.code };
export const regTracer: Handler<"regTracer"> = async (machine, { tid, body }) =>
  (await register(machine, "tracer", { tid, wants: body.wants })) ? OK : { value: PVM_ERROR.PvmAlready.code };

/** What a plug-in has sent to the daemon. Of anyone else, or what cannot be read, is dropped, as in PVM. */
export const toDaemon: Handler<"toDaemon"> = async (machine, request) => {
  const { host, plugins } = machine;
  const { tid, body } = request;
  const data = new Unpacker(body.data);
  const manages = plugins.registered("rm")?.tid === tid;
  switch (body.tag) {
    case SM.SM_STTASK.tag:
    case SM.SM_TASKX.tag: {
      const task = data.int();
      if (data.bad) break;
      if (body.tag === SM.SM_STTASK.tag) {
        if (plugins.held.get(task) !== tid) break;
        plugins.held.delete(task);
        host.begin(task);
      } else if (plugins.registered("tasker")?.tid === tid) {
        plugins.held.delete(task);
        host.stop(task, SIGTERM);
      }
      break;
    }
    case SM.SM_STHOSTACK.tag:
      hosted(machine, request, data);
      break;
    case SM.SM_EXEC.tag:
      if (manages) await execute(machine, request, data);
      break;
    case SM.SM_ADD.tag:
      if (manages) await addFor(machine, request, data);
      break;
    case SM.SM_HANDOFF.tag:
      if (manages) await handOver(machine, data);
      break;
  }
  return undefined;
};

/** pvm_addhosts: hosts that can be started are the hoster's, if there is one. */
export const addhosts: Handler<"addhosts"> = async (machine, request) => {
  const { host, hosts: table, plugins } = machine;
  const { hosts } = request.body;
  const hoster = plugins.registered("hoster");
  if (hoster === undefined || hoster.tid === request.tid) {
    const codes = await addAll(machine, hosts);
    return { value: howMany(codes), ints: codes };
  }
  const codes = [...(await table.check(hosts))];
  const open = codes.flatMap((code, i) => (code === PVM_ERROR.PvmOk.code ? [i] : []));
  if (open.length === 0) return { value: 0, ints: codes };
  const { SM_STHOST, SM_STHOSTACK } = SM;
  for (const place of open) codes[place] = PVM_ERROR.PvmCantStart.code;
  const first = Math.max(...table.all().map(({ tid }) => tid)) + HOST_STEP;
  const wid = plugins.park({ request, by: hoster.tid, tag: SM_STHOSTACK.tag, codes, open, first });
  const data = new Packer().ints(open.length);
  open.forEach((place, i) => {
    const [name = "", ...options] = (hosts[place] ?? "").trim().split(/\s+/);
    data
      .ints(first + HOST_STEP * i)
      .text(options.join(" "))
      .text(name)
      .text(`$PVM_ROOT/lib/pvmd -s -n${name}`)
      // As PVM has it: the command on Windows, and the virtual machine's id. Neither is there.
      .text("")
      .text("");
  });
  host.post({ to: hoster.tid, tag: SM_STHOST.tag, wid, data: data.data() });
  return undefined;
};

/** A hoster has answered: an error's name, or what a daemon has printed, for each host. */
function hosted(machine: Machine, { tid, body }: RequestOf<"toDaemon">, data: Unpacker): void {
  const parked = machine.plugins.answered(tid, body.tag, body.wid);
  if (parked?.request.kind !== "addhosts") return;
  const { hosts: lines } = parked.request.body;
  while (!data.ended && !data.bad) {
    const place = parked.open[(data.int() - (parked.first ?? 0)) / HOST_STEP];
    const status = data.text();
    if (place === undefined) continue;
    const error = PVM_ERROR[status as PvmErrorName];
    // What one has printed proves nothing: its host has joined, or is PvmCantStart as it was.
    const joined = machine.hosts.all().find(({ name }) => name === nameOfLine(lines[place] ?? ""));
    if (error !== undefined && error.code < 0) parked.codes[place] = error.code;
    else if (joined !== undefined) parked.codes[place] = joined.tid;
  }
  machine.host.answer(parked.request, { value: howMany(parked.codes), ints: parked.codes });
}

/**
 * A plug-in has so many messages unread, or the heap of its process is so full, that it cannot be asked. Who waits for it gets
 * PvmNoMem; a task that it cannot be told to start ends; a notification is the service's own.
 */
export const undelivered: Handler<"undelivered"> = async (machine, { tid, body }) => {
  const { host, plugins } = machine;
  const { src, tag, wid } = body;
  const data = new Unpacker(body.data);
  if (tag === SM.SM_STTASK.tag) {
    const task = data.int();
    if (plugins.held.get(task) !== tid) return undefined;
    plugins.held.delete(task);
    host.stop(task, SIGTERM);
  } else if (tag === SM.SM_NOTIFY.tag) {
    const [what = 0, context = 0, notice = 0, count = 0] = data.ints(4);
    const tids = data.ints(data.left);
    const body = { what, context, tag: notice, count, tids };
    await notify(machine, { kind: "notify", tid: src, serial: 0, body });
  } else {
    const parked = plugins.answered(tid, parkedFor(tag), wid);
    if (parked !== undefined) host.answer(parked.request, { value: PVM_ERROR.PvmNoMem.code });
  }
  return undefined;
};

/** Tag of the answer to a question. */
function parkedFor(tag: number): number {
  return tag === SM.SM_STHOST.tag ? SM.SM_STHOSTACK.tag : tag;
}

/** A task has ended or left PVM: what waited for it goes on, and a resource manager hears of its tasks' ends. */
export async function pluginEnded(machine: Machine, tid: number): Promise<void> {
  const { host, plugins } = machine;
  const manager = plugins.managed.get(tid);
  plugins.managed.delete(tid);
  if (manager !== undefined) tellManager(machine, manager, tid);
  const { requests, held } = plugins.forget(tid);
  for (const task of held) host.begin(task);
  for (const request of requests) await machine.again(request);
}
