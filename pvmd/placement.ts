/**
 * Which hosts tasks are spawned on: PvmTaskDefault, PvmTaskHost, PvmTaskArch, PvmHostCompl.
 *
 * Owns: the choice, and whose turn it is. Hosts get tasks in turn, one with more engines oftener, and as evenly spread as
 * that allows (smooth weighted round robin, as nginx has it). PVM's turns do not look at processors: its hosts had one each.
 * Pure. Source: pvm_spawn(3PVM).
 */
import { HOST_ARCH, PVM_CONSTANT } from "../wire/pvm.ts";
import type { HostFacts } from "./host.ts";

const { PvmTaskHost, PvmTaskArch, PvmHostCompl } = PVM_CONSTANT;

/**
 * Hosts that a spawn may use, in order of their numbers; none: PvmNoHost.
 *
 * @param where  pvm_spawn's: a host's name or ".", or an architecture: HOST_ARCH, which all are, or a processor's name as
 *   in x64; a working folder may follow behind ":"
 * @param own  tid of the host of who asks
 */
export function candidates(
  hosts: readonly HostFacts[],
  flags: number,
  where: string,
  own: number,
): HostFacts[] {
  const name = where.split(":", 1)[0] ?? "";
  const chosen = (host: HostFacts): boolean => {
    if ((flags & PvmTaskHost) !== 0) return name === "." ? host.tid === own : host.name === name;
    if ((flags & PvmTaskArch) !== 0) return name === HOST_ARCH || host.machine === name.toLowerCase();
    return true;
  };
  const complement = (flags & PvmHostCompl) !== 0;
  return hosts.filter((host) => chosen(host) !== complement);
}

/** Whose turn it is: goes on from one spawn to the next. */
export class Turns {
  /** By host: what it is owed, in tasks times all weights. */
  private readonly owed = new Map<number, number>();

  /** @returns a host for each task. @param hosts  one at least */
  take(hosts: readonly HostFacts[], count: number): number[] {
    const weights = hosts.map(({ engines }) => Math.max(1, engines));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    const owed = hosts.map(({ tid }) => this.owed.get(tid) ?? 0);
    const taken: number[] = [];
    for (let n = 0; n < count; n++) {
      let next = 0;
      for (let i = 0; i < hosts.length; i++) {
        owed[i]! += weights[i]!;
        if (owed[i]! > owed[next]!) next = i;
      }
      owed[next]! -= sum;
      taken.push(hosts[next]!.tid);
    }
    hosts.forEach(({ tid }, i) => {
      this.owed.set(tid, owed[i]!);
    });
    return taken;
  }

  /** The host is no more. */
  forget(host: number): void {
    this.owed.delete(host);
  }
}
