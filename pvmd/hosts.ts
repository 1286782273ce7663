/**
 * Requests about hosts: config, mstat, delhosts, hostsync, halt, where a task is; and what adding hosts (plugins.ts) gives.
 *
 * Owns: PVM's answers. The hosts are the host table's (`Hosts`). A host is known by the name that it was added with, and
 * the own one of who asks as "."; the master, which PVM never deletes, is PvmBadParam for pvm_delhosts. Source: manual
 * pages of PVM 3.4.6, and what it does where they are silent.
 */
import { HOST_ARCH, HOST_SIGNATURE, HOST_SPEED, PVM_ERROR } from "../wire/pvm.ts";
import type { HostFacts } from "./host.ts";
import type { Handler, Machine } from "./machine.ts";
import { hostOf, isTask } from "./tids.ts";

const OK = { value: PVM_ERROR.PvmOk.code };
const NO_HOST = { value: PVM_ERROR.PvmNoHost.code };

/** A line of a host file: a name, options behind it. */
export function nameOfLine(line: string): string {
  return line.trim().split(/\s+/, 1)[0] ?? "";
}

/** Tid of the daemon of a task's host. A tid that is none: its host bits, as PVM takes them. */
export function hostOfTask({ hosts }: Machine, tid: number): number {
  return (isTask(tid) ? hosts.of(tid) : undefined) ?? hostOf(tid);
}

/** The host of this name, "." for the own one of who asks. */
function named(machine: Machine, name: string, by: number): HostFacts | undefined {
  const own = name === "." ? hostOfTask(machine, by) : undefined;
  return machine.hosts.all().find((host) => (own === undefined ? host.name === name : host.tid === own));
}

export const config: Handler<"config"> = async ({ hosts }) => {
  const all = hosts.all();
  return {
    value: all.length,
    ints: all.flatMap(({ tid }) => [tid, HOST_SPEED, HOST_SIGNATURE]),
    texts: all.flatMap(({ name }) => [name, HOST_ARCH]),
  };
};

export const mstat: Handler<"mstat"> = async (machine, { tid, body }) =>
  named(machine, body.host, tid) === undefined ? NO_HOST : OK;

export const whereIs: Handler<"whereIs"> = async (machine, { body }) => ({
  value: hostOfTask(machine, body.task),
});

/** Adds what can be added. @returns for each line the tid of its host's daemon, or a code */
export async function addAll({ hosts }: Machine, lines: readonly string[]): Promise<number[]> {
  const codes = [...(await hosts.check(lines))];
  const open = codes.flatMap((code, i) => (code === PVM_ERROR.PvmOk.code ? [i] : []));
  const added = await hosts.add(open.map((i) => lines[i]!));
  open.forEach((place, i) => {
    codes[place] = added[i] ?? PVM_ERROR.PvmCantStart.code;
  });
  return codes;
}

/** How many of these are tids: what pvm_addhosts returns. */
export function howMany(codes: readonly number[]): number {
  return codes.filter((code) => code > 0).length;
}

export const delhosts: Handler<"delhosts"> = async (machine, { tid, body }) => {
  const master = machine.hosts.all()[0]?.tid;
  const codes = await Promise.all(
    body.hosts.map(async (name) => {
      const host = named(machine, nameOfLine(name), tid);
      if (host === undefined) return PVM_ERROR.PvmNoHost.code;
      return host.tid === master ? PVM_ERROR.PvmBadParam.code : await machine.hosts.remove(host.tid);
    }),
  );
  return { value: codes.filter((code) => code === 0).length, ints: codes };
};

/** Also of a task's host, by the task's tid. */
export const hostsync: Handler<"hostsync"> = async (machine, { body }) => {
  const host = hostOfTask(machine, body.host);
  if (machine.hosts.all().every(({ tid }) => tid !== host)) return NO_HOST;
  const clock = await machine.hosts.clock(host);
  return clock === undefined
    ? { value: PVM_ERROR.PvmHostFail.code }
    : { value: PVM_ERROR.PvmOk.code, ints: clock };
};

export const halt: Handler<"halt"> = async ({ hosts }) => {
  hosts.halt();
  return undefined;
};
