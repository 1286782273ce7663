/**
 * The host table of a virtual machine of one host: a run without a pvmd.
 *
 * Owns: what such a machine answers. It cannot be given more hosts: PvmCantStart for one whose daemon cannot be started.
 */
import { PVM_ERROR, TID_BASE } from "../wire/pvm.ts";
import type { Host, HostFacts, Hosts } from "./host.ts";
import { nameOfLine } from "./hosts.ts";

export class OneHost implements Hosts {
  private readonly host: Host;
  private readonly facts: readonly HostFacts[];

  constructor(host: Host) {
    this.host = host;
    this.facts = [{ tid: TID_BASE, name: host.name, machine: "", engines: 1 }];
  }

  all(): readonly HostFacts[] {
    return this.facts;
  }

  of(task: number): number | undefined {
    return this.host.has(task) ? TID_BASE : undefined;
  }

  check(lines: readonly string[]): Promise<readonly number[]> {
    return Promise.all(lines.map((line) => this.checkOne(nameOfLine(line))));
  }

  private async checkOne(name: string): Promise<number> {
    if (name === "") return PVM_ERROR.PvmBadParam.code;
    if (name === this.host.name || name === ".") return PVM_ERROR.PvmDupHost.code;
    return (await this.host.resolves(name)) ? PVM_ERROR.PvmOk.code : PVM_ERROR.PvmNoHost.code;
  }

  async add(lines: readonly string[]): Promise<readonly number[]> {
    return lines.map(() => PVM_ERROR.PvmCantStart.code);
  }

  async remove(): Promise<number> {
    return PVM_ERROR.PvmBadParam.code;
  }

  async clock(): Promise<readonly [number, number]> {
    return this.host.clock();
  }

  halt(): void {
    this.host.halt();
  }
}
