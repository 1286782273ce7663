/**
 * Jobs as a part of a pvmd (pvmd/pvmd.ts): every pvmd starts application processes on its host, and the master runs jobs and
 * the virtual machine that their tasks ask.
 *
 * Owns: which of the two serves what, and hosts as tasks see them. Links that a pvmd carries are pvmd/routes.ts. What is decided about jobs is pvmd/job-master.ts and
 * pvmd/jobs.ts, about tasks pvmd/virtual-machine.ts.
 */
import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { parseAddress } from "../net/address.ts";
import type { Handlers } from "../net/rpc.ts";
import type { HostFacts, Hosts } from "../pvmd/host.ts";
import type { HostRow } from "../pvmd/host-table.ts";
import { nameOfLine } from "../pvmd/hosts.ts";
import { JobMaster } from "../pvmd/job-master.ts";
import type { Caller, Emptied, MakePart, Part, Pvmd } from "../pvmd/pvmd.ts";
import { Routes, type RoutesWorld } from "../pvmd/routes.ts";
import { VirtualMachine } from "../pvmd/virtual-machine.ts";
import { UpvmError } from "../wire/errors.ts";
import type { JobLinking } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR, tidBaseOf } from "../wire/pvm.ts";
import type { Leaving } from "../wire/rpc-hosts.ts";
import { homeIn, processSocket } from "./home.ts";
import { readKey } from "./node-home.ts";
import { ModuleStore } from "./node-module-store.ts";
import { Processes } from "./node-processes.ts";

export const jobsPart: MakePart = (pvmd) => new JobsPart(pvmd);

class JobsPart implements Part {
  private readonly pvmd: Pvmd;
  private readonly processes: Processes;
  private readonly master: JobMaster | undefined;
  private readonly machine: VirtualMachine | undefined;
  private readonly routes: Routes;

  constructor(pvmd: Pvmd) {
    this.pvmd = pvmd;
    this.routes = new Routes(routesWorld(pvmd, (job, member) => this.processes.has(job, member)));
    this.processes = new Processes(
      (text) => pvmd.log(text),
      (job, member, how) => this.tellEnded(job, member, how),
    );
    if (pvmd.role !== "master" || pvmd.store === undefined) return;
    this.master = new JobMaster({
      nowMs: () => performance.now(),
      // One that is dead, and not taken for it yet, has no link any more.
      hosts: () =>
        inService(pvmd)
          .filter(({ name }) => pvmd.rpcTo(name) !== undefined)
          .map(({ name, number, cores }) => ({ name, cores, tid: tidBaseOf(number) })),
      addresses: () => pvmd.hosts().map(({ address }) => address),
      isLeaving: (host) => pvmd.hosts().some(({ name, state }) => name === host && state === "leaving"),
      startProcess: async (host, job, member, how) => {
        await this.to(host).request("processStart", { job, member, ...how }, undefined, LIMITS.jobStartMs);
      },
      killProcess: (host, job, member) => pvmd.rpcTo(host)?.tell("processKill", { job, member }),
      modules: new ModuleStore(pvmd.folder),
      store: pvmd.store,
      after: (ms, run) => void setTimeout(run, ms),
      log: (text) => pvmd.log(text),
    });
    this.machine = new VirtualMachine(pvmd.store, new PvmdHosts(pvmd), this.master.jobWorld());
    this.master.attach(this.machine);
    setInterval(() => this.master?.tick(), LIMITS.waveMs);
  }

  handlers(caller: Caller): Handlers {
    const all = { ...this.master?.handlers(caller), ...this.routes.handlers(caller) };
    if (caller.peer.role !== "pvmd") return all;
    return {
      ...all,
      processStart: async ({ job, member, ...how }) => ({
        body: { pid: await this.start(job, member, how) },
      }),
      processKill: ({ job, member }) => {
        this.processes.kill(job, member);
        return { body: undefined };
      },
      hostClock: () => {
        const [seconds, microseconds] = clock();
        return { body: { seconds, microseconds } };
      },
    };
  }

  ended(caller: Caller): void {
    this.master?.ended(caller);
  }

  hostAdded({ number }: HostRow): void {
    void this.machine?.hostsAdded([tidBaseOf(number)]);
  }

  async hostLeaving({ name }: HostRow): Promise<Emptied> {
    return (await this.master?.emptyHost(name)) ?? { moved: [], stay: [] };
  }

  hostDeleted({ name, number }: HostRow): void {
    this.master?.hostDeleted(name);
    void this.machine?.hostDeleted(tidBaseOf(number));
  }

  /** Jobs are stopped, so that who runs them gets what there is; what has not ended then is ended by force. */
  async endTasks(): Promise<void> {
    this.master?.stopAll();
    await this.processes.endAll(LIMITS.processEndMs);
  }

  private to(host: string) {
    const rpc = this.pvmd.rpcTo(host);
    if (rpc === undefined)
      throw new UpvmError("HOST_NOT_REACHED", { host, why: "there is no link to its pvmd just now" });
    return rpc;
  }

  private start(job: number, member: number, how: JobLinking): Promise<number> {
    const { vm, host, masterAddress, folder, address, localAddress: daemon } = this.pvmd;
    const parsed = parseAddress(address);
    const key = keyIn(folder);
    const listen = parsed.kind === "unix" ? "127.0.0.1" : parsed.host;
    return this.processes.start({
      vm,
      host,
      job,
      member,
      key: key.toHex(),
      master: masterAddress,
      folder,
      ...how,
      listen,
      daemon,
    });
  }

  private tellEnded(job: number, member: number, how: string): void {
    try {
      this.pvmd.master.tell("processEnded", { job, member, how });
    } catch {
      // The link to the master is gone: it knows that this host is.
    }
  }
}

/** @throws UpvmError JOB_NOT_RUN: somebody has removed or spoilt it, or no more files can be opened */
function keyIn(folder: string): Uint8Array {
  const { keyFile } = homeIn(folder);
  try {
    return readKey(keyFile);
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
    throw new UpvmError("JOB_NOT_RUN", { why: error.message.split("\n")[0] ?? "" });
  }
}

function routesWorld(pvmd: Pvmd, hasProcess: RoutesWorld["hasProcess"]): RoutesWorld {
  return {
    host: pvmd.host,
    role: pvmd.role,
    get master() {
      return pvmd.master;
    },
    get masterAddress() {
      return pvmd.masterAddress;
    },
    addressOf: (host) => pvmd.hosts().find(({ name }) => name === host)?.address,
    rpcTo: (host) => pvmd.rpcTo(host),
    hasProcess,
    processAddress: (job, member) => `unix:${processSocket(pvmd.folder, job, member)}`,
    connect: (address, accept, connectMs) => pvmd.connect(address, accept, connectMs),
    newId: () => randomBytes(16).toString("hex"),
    log: (text) => pvmd.log(text),
  };
}

function inService(pvmd: Pvmd): HostRow[] {
  return pvmd.hosts().filter(({ state }) => state === "up");
}

function clock(): readonly [number, number] {
  const us = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return [Math.floor(us / 1_000_000), us % 1_000_000];
}

/** The host table as the virtual machine's service sees it. */
class PvmdHosts implements Omit<Hosts, "of"> {
  private readonly pvmd: Pvmd;

  constructor(pvmd: Pvmd) {
    this.pvmd = pvmd;
  }

  all(): readonly HostFacts[] {
    return inService(this.pvmd).map(({ name, number, arch, cores }) => {
      return { tid: tidBaseOf(number), name, machine: arch, engines: cores };
    });
  }

  check(lines: readonly string[]): Promise<readonly number[]> {
    return Promise.all(lines.map((line) => this.checkOne(nameOfLine(line))));
  }

  private async checkOne(name: string): Promise<number> {
    if (name === "") return PVM_ERROR.PvmBadParam.code;
    if (name === "." || this.all().some((host) => host.name === name)) return PVM_ERROR.PvmDupHost.code;
    const found = await lookup(name).catch(() => undefined);
    return found === undefined ? PVM_ERROR.PvmNoHost.code : PVM_ERROR.PvmOk.code;
  }

  async add(lines: readonly string[]): Promise<readonly number[]> {
    const hosts = lines.map(nameOfLine);
    const { body } = await this.pvmd.master.request("addHosts", { hosts }, undefined, 0);
    return body.hosts.map(({ host }) => {
      return this.all().find(({ name }) => name === host)?.tid ?? PVM_ERROR.PvmCantStart.code;
    });
  }

  async remove(tid: number): Promise<number> {
    const host = this.all().find((one) => one.tid === tid);
    if (host === undefined) return PVM_ERROR.PvmNoHost.code;
    // PVM's meaning: tasks of a host that is deleted end, and who wants to know is told.
    const tasks: Leaving = "end";
    const { body } = await this.pvmd.master.request(
      "deleteHosts",
      { hosts: [host.name], tasks },
      undefined,
      0,
    );
    return body.hosts[0]?.error === undefined ? PVM_ERROR.PvmOk.code : PVM_ERROR.PvmBadParam.code;
  }

  async clock(tid: number): Promise<readonly [number, number] | undefined> {
    const host = this.all().find((one) => one.tid === tid);
    const rpc = host === undefined ? undefined : this.pvmd.rpcTo(host.name);
    const answer = await rpc?.request("hostClock", {}).catch(() => undefined);
    return answer === undefined ? undefined : [answer.body.seconds, answer.body.microseconds];
  }

  halt(): void {
    void this.pvmd.halt();
  }
}
