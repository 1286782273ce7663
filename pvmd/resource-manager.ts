/**
 * The resource manager: pvm_reg_rm. What tasks ask of the daemon goes to it as a message, and its answer to them.
 *
 * Owns: which requests, and the form of questions and answers, which are those of PVM 3.4.6's library: a wait id says what
 * an answer is for. The manager's own requests are the daemon's, as without one. It has tasks started with SM_EXEC.
 * A task that asks pvm_reg_rm while there is a manager asks that (SM_SCHED); SM_HANDOFF makes another one.
 */
import { SM, SPAWN_ANSWER } from "../wire/plugins.ts";
import { DAEMON_TID, HOST_ARCH, HOST_SIGNATURE, HOST_SPEED, PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request, RequestOf } from "../wire/requests.ts";
import { addAll, howMany } from "./hosts.ts";
import type { Handler, Machine } from "./machine.ts";
import { Packer, Unpacker } from "./plugin-data.ts";
import { register } from "./plugin-register.ts";
import { makeTasks, outputOptions } from "./spawn.ts";

const BAD_MSG = { value: PVM_ERROR.PvmBadMsg.code };
/** Ints of a message that say where output and traces go, of SM_SPAWN and SM_EXEC. */
const OUTPUT_INTS = 6;

/** What the manager is asked for a request; undefined: nothing. */
function questionOf(request: Request): { readonly tag: number; readonly data: Packer } | undefined {
  const data = new Packer();
  switch (request.kind) {
    case "spawn": {
      const { name, flags, where, count, args, env, output } = request.body;
      data
        .text(name)
        .ints(flags)
        .text(where)
        .ints(count)
        .list(args)
        .ints(...output)
        .list(env);
      return { tag: SM.SM_SPAWN.tag, data };
    }
    case "tasks":
      return { tag: SM.SM_TASK.tag, data: data.ints(request.body.where) };
    case "config":
      return { tag: SM.SM_CONFIG.tag, data };
    case "addhosts":
      return { tag: SM.SM_ADDHOST.tag, data: data.list(request.body.hosts) };
    case "delhosts":
      return { tag: SM.SM_DELHOST.tag, data: data.list(request.body.hosts) };
    case "notify": {
      const { what, context, tag, count, tids } = request.body;
      return { tag: SM.SM_NOTIFY.tag, data: data.ints(what, context, tag, count, ...tids) };
    }
    case "regRm":
      return { tag: SM.SM_SCHED.tag, data };
    default:
      return undefined;
  }
}

/** Asks the manager in place of the daemon. False: there is none, or it is not asked this. */
export function askManager({ host, plugins }: Machine, request: Request): boolean {
  const manager = plugins.registered("rm");
  if (manager === undefined || manager.tid === request.tid) return false;
  const question = questionOf(request);
  if (question === undefined) return false;
  const { tag, data } = question;
  const message = { to: manager.tid, src: request.tid, tag, data: data.data() };
  if (request.kind === "notify") {
    // PVM's library does not wait for an answer to this.
    host.post(message);
    host.answer(request, { value: PVM_ERROR.PvmOk.code });
  } else {
    const wid = plugins.park({ request, by: manager.tid, tag, codes: [], open: [] });
    host.post({ ...message, wid });
  }
  return true;
}

/** A message of the manager to a task, with the tag of an answer: if the task waits for none, it is a plain message. */
export const toTask: Handler<"toTask"> = async ({ host, plugins }, { tid, body }) => {
  const parked = plugins.answered(tid, body.tag, body.wid, body.to);
  if (parked === undefined) host.post({ ...body, src: tid });
  else host.answer(parked.request, answerOf(parked.request, new Unpacker(body.data)));
  return undefined;
};

/** What the manager's message means for who asked. */
function answerOf({ kind }: Request, data: Unpacker): Answer {
  if (kind === "tasks") return tasksAnswer(data);
  const value = data.int();
  if (data.bad) return BAD_MSG;
  if (value < 0) return { value, ints: [] };
  if (kind === "config" || kind === "addhosts") return hostsAnswer(kind, value, data);
  if (kind !== "spawn" && kind !== "delhosts") return { value };
  const codes = data.ints(value);
  const done = codes.filter((code) => (kind === "spawn" ? code > 0 : code >= 0)).length;
  if (data.bad) return BAD_MSG;
  return { value: done, ints: kind === "spawn" ? [SPAWN_ANSWER.placed, ...codes] : codes };
}

/** Architectures, and then tid or code, name, architecture, speed and data signature of each. */
function hostsAnswer(kind: "config" | "addhosts", count: number, data: Unpacker): Answer {
  data.int();
  const ints: number[] = [];
  const texts: string[] = [];
  for (let i = 0; i < count && !data.bad; i++) {
    const tid = data.int();
    texts.push(data.text(), data.text());
    const speed = data.int();
    const signature = data.int();
    if (kind === "config") ints.push(tid, speed, signature);
    else ints.push(tid);
  }
  if (data.bad) return BAD_MSG;
  return { value: kind === "config" ? count : ints.filter((tid) => tid >= 0).length, ints, texts };
}

/** 0 or an error; then tid, parent, host, flags, name, process of each, up to the message's end. Names are the machine's own. */
function tasksAnswer(data: Unpacker): Answer {
  const code = data.int();
  if (data.bad) return BAD_MSG;
  if (code < 0) return { value: code };
  const ints: number[] = [];
  let count = 0;
  for (; !data.ended && !data.bad; count++) {
    ints.push(...data.ints(4));
    data.text();
    ints.push(data.int());
  }
  return data.bad ? BAD_MSG : { value: count, ints };
}

export const regRm: Handler<"regRm"> = async (machine, { tid }) => {
  const before = machine.plugins.registered("rm")?.tid ?? 0;
  if (!(await register(machine, "rm", { tid }))) return { value: PVM_ERROR.PvmAlready.code };
  return { value: before };
};

/**
 * SM_EXEC: parent, program, flags, count, arguments, output, environment, and two ints that PVM needs (first instance, tasks in
 * all) and nobody here. SM_EXECACK tells the tids, or the error; of what it cannot read PVM says nothing.
 */
export async function execute(
  machine: Machine,
  { tid, body }: RequestOf<"toDaemon">,
  data: Unpacker,
): Promise<void> {
  const { host } = machine;
  const parent = data.int();
  const name = data.text();
  const flags = data.int();
  const count = data.int();
  const args = data.list();
  const output = data.ints(OUTPUT_INTS);
  const env = data.list();
  if (data.bad || count < 1) {
    acknowledge(machine, tid, body.wid, new Packer().ints(PVM_ERROR.PvmBadParam.code));
    return;
  }
  const held = machine.plugins.registered("tasker") !== undefined;
  const task = { by: tid, parent, name, flags, count, args, env, held };
  if (host.create === undefined) {
    const program = await host.load(name, tid);
    host.execute({ ...task, wid: body.wid, program, output });
    return;
  }
  const options = outputOptions(output);
  const tids = await makeTasks(machine, { ...task, where: "", context: 0, options });
  await executed(machine, { kind: "executed", tid, serial: 0, body: { wid: body.wid, tids } });
}

function acknowledge({ host }: Machine, to: number, wid: number, data: Packer): void {
  host.post({ to, tag: SM.SM_EXECACK.tag, wid, data: data.data() });
}

/** What SM_EXEC has made. The manager hears of each one's end, also if that has been already. */
export const executed: Handler<"executed"> = async (machine, { tid, body }) => {
  acknowledge(machine, tid, body.wid, new Packer().ints(body.tids.length, ...body.tids));
  const { host, plugins } = machine;
  for (const task of body.tids.filter((each) => each > 0))
    if (host.watchEnd(task)) plugins.managed.set(task, tid);
    else tellManager(machine, tid, task);
  return undefined;
};

/** SM_TASKX: tid, exit status, and the time that it used, which nobody measures. */
export function tellManager({ host }: Machine, manager: number, task: number): void {
  host.post({ to: manager, tag: SM.SM_TASKX.tag, data: new Packer().ints(task, 0, 0, 0, 0, 0).data() });
}

/** SM_HOSTX: the tid of a host's daemon that has gone. */
export function tellOfHostEnd({ host, plugins }: Machine, gone: number): void {
  const manager = plugins.registered("rm");
  if (manager !== undefined)
    host.post({ to: manager.tid, tag: SM.SM_HOSTX.tag, data: new Packer().ints(gone | DAEMON_TID).data() });
}

/** SM_ADD: as pvm_addhosts without a manager. SM_ADDACK tells a row for each host, as SM_CONFIG does. */
export async function addFor(
  machine: Machine,
  { tid, body }: RequestOf<"toDaemon">,
  data: Unpacker,
): Promise<void> {
  const codes = await addAll(machine, data.list());
  // Number of architectures: there is one, of those that were added.
  const answer = new Packer().ints(codes.length, howMany(codes) > 0 ? 1 : 0);
  for (const code of codes) {
    const host = machine.hosts.all().find((each) => each.tid === code);
    if (host === undefined) answer.ints(code).text("").text("").ints(0, 0);
    else answer.ints(code).text(host.name).text(HOST_ARCH).ints(HOST_SPEED, HOST_SIGNATURE);
  }
  machine.host.post({ to: tid, tag: SM.SM_ADDACK.tag, wid: body.wid, data: answer.data() });
}

/** SM_HANDOFF: the tid of the new manager. */
export async function handOver(machine: Machine, data: Unpacker): Promise<void> {
  const tid = data.int();
  if (!data.bad) await register(machine, "rm", { tid });
}
