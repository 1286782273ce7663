/**
 * Requests about hosts: config, mstat, delhosts, hostsync, halt; and what adding hosts (plugins.ts) gives.
 *
 * Owns: what a virtual machine of one host answers. It cannot be given more hosts; each that a program asks for gets the
 * code that PVM would give: PvmDupHost for the one that is there, PvmNoHost for one that nobody knows, PvmCantStart for
 * one whose daemon cannot be started. The first host is the master, which PVM never deletes.
 */
import { HOST_ARCH, HOST_SIGNATURE, HOST_SPEED, PVM_ERROR, TID_BASE } from "../wire/pvm.ts";
import type { Host } from "./host.ts";
import type { Handler } from "./machine.ts";
import { hostOf } from "./tids.ts";

const OK = { value: PVM_ERROR.PvmOk.code };

/** As PVM, which knows a host by the name it was added with, and the own one as ".". */
function isHere(host: Host, name: string): boolean {
  return name === host.name || name === ".";
}

export const config: Handler<"config"> = async ({ host }) => ({
  value: 1,
  ints: [TID_BASE, HOST_SPEED, HOST_SIGNATURE],
  texts: [host.name, HOST_ARCH],
});

export const mstat: Handler<"mstat"> = async ({ host }, { body }) =>
  isHere(host, body.host) ? OK : { value: PVM_ERROR.PvmNoHost.code };

/** What PVM would answer for each host that is to be added. PvmCantStart: there is such a host. */
export async function hostAnswers(host: Host, hosts: readonly string[]): Promise<number[]> {
  const codes: number[] = [];
  for (const text of hosts) {
    // Options may follow the name, as in a host file.
    const name = text.trim().split(/\s+/, 1)[0] ?? "";
    if (name === "") codes.push(PVM_ERROR.PvmBadParam.code);
    else if (isHere(host, name)) codes.push(PVM_ERROR.PvmDupHost.code);
    else codes.push((await host.resolves(name)) ? PVM_ERROR.PvmCantStart.code : PVM_ERROR.PvmNoHost.code);
  }
  return codes;
}

export const delhosts: Handler<"delhosts"> = async ({ host }, { body }) => ({
  value: 0,
  ints: body.hosts.map((name) =>
    isHere(host, name) ? PVM_ERROR.PvmBadParam.code : PVM_ERROR.PvmNoHost.code,
  ),
});

export const hostsync: Handler<"hostsync"> = async ({ host }, { body }) =>
  hostOf(body.host) === TID_BASE
    ? { value: PVM_ERROR.PvmOk.code, ints: host.clock() }
    : { value: PVM_ERROR.PvmNoHost.code };

export const halt: Handler<"halt"> = async ({ host }) => {
  host.halt();
  return undefined;
};
