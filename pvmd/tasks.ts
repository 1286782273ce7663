/**
 * Requests about tasks: kill, sendsig, pstat, which there are, and the end of a task.
 *
 * Owns: what a signal does to a ULP. A ULP has no signal handlers: a signal whose default action ends a process ends it,
 * any other does nothing. As in PVM, signalling a task that has ended, or has left PVM and runs on, does nothing and is no
 * error. Source: pvm_sendsig(3PVM), signal(7).
 */
import { PVM_ERROR } from "../wire/pvm.ts";
import { leaveGroups } from "./groups.ts";
import type { Handler } from "./machine.ts";
import { abandonEntries } from "./message-box.ts";
import { tellOfEnd } from "./notify.ts";
import { pluginEnded } from "./plugins.ts";
import { isTask, jobOf } from "./tids.ts";

const OK = { value: PVM_ERROR.PvmOk.code };
const BAD_PARAM = { value: PVM_ERROR.PvmBadParam.code };

/** Signals of Linux whose default action is not to end the process: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH. */
const HARMLESS: readonly number[] = [17, 18, 19, 20, 21, 22, 23, 28];
const LAST_SIGNAL = 31;
const SIGTERM = 15;

function endsTask(signum: number): boolean {
  return signum >= 1 && signum <= LAST_SIGNAL && !HARMLESS.includes(signum);
}

export const kill: Handler<"kill"> = async ({ host }, { body }) => {
  if (!isTask(body.task)) return BAD_PARAM;
  if (host.has(body.task)) host.stop(body.task, SIGTERM);
  return OK;
};

export const sendsig: Handler<"sendsig"> = async ({ host }, { body }) => {
  if (!isTask(body.task)) return BAD_PARAM;
  if (endsTask(body.signum) && host.has(body.task)) host.stop(body.task, body.signum);
  return OK;
};

export const pstat: Handler<"pstat"> = async ({ host }, { body }) => {
  if (!isTask(body.task)) return BAD_PARAM;
  return host.has(body.task) ? OK : { value: PVM_ERROR.PvmNoTask.code };
};

/** PVM's TF_CONN, "connected", which its pvm_tasks gives for a running task, and TF_FORKD, "spawned". */
const CONNECTED = 4;
const SPAWNED = 2;

/** Tid, parent, host, flags and process of each, in order of tids. `where`: 0 all, a host's or a task's tid. */
export const tasks: Handler<"tasks"> = async ({ host, hosts }, { body }) => {
  // The resource manager that was to be asked has ended, and the engine itself knows.
  if (host.all === undefined) return { value: 0 };
  const { where } = body;
  const everyone = host.all();
  // A task's host bits are its job: one that nobody is of is as good as no host.
  const known =
    where === 0 ||
    (isTask(where)
      ? everyone.some(({ tid }) => jobOf(tid) === jobOf(where))
      : hosts.all().some(({ tid }) => tid === where));
  if (!known) return { value: PVM_ERROR.PvmNoHost.code };
  const all = everyone.filter((task) => where === 0 || task.tid === where || task.host === where);
  const ints = all.flatMap(({ tid, parent, host: on }) => {
    const flags = CONNECTED + (parent === PVM_ERROR.PvmNoParent.code ? 0 : SPAWNED);
    return [tid, Math.max(0, parent), on, flags, 0];
  });
  return { value: all.length, ints };
};

export const taskName: Handler<"taskName"> = async ({ host }, { body }) => {
  const name = host.programOf?.(body.task);
  return name === undefined
    ? { value: PVM_ERROR.PvmNoTask.code }
    : { value: PVM_ERROR.PvmOk.code, texts: [name] };
};

/** All that a task had in the virtual machine goes; who asked for it is told. */
export const ended: Handler<"ended"> = async (machine, { tid }) => {
  await leaveGroups(machine, tid);
  await machine.endLease(tid);
  await abandonEntries(machine, tid);
  await tellOfEnd(machine, tid);
  await pluginEnded(machine, tid);
  return undefined;
};
