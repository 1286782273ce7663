/**
 * The master of a virtual machine of many hosts: what jobs and hosts tell it, and what tasks ask of it.
 *
 * Owns: the order of things. A task's end is in the table first, and then the service deals with what the task had. Whoever
 * runs the jobs and has the host table calls this, and gets the tasks' requests answered through `Member`.
 */
import { PVM_CONSTANT } from "../wire/pvm.ts";
import type { Request } from "../wire/requests.ts";
import type { ControlStore } from "./control-store.ts";
import type { Hosts } from "./host.ts";
import { forgetPlaces } from "./locations.ts";
import { type JobFacts, type JobWorld, type Member, Router } from "./router.ts";
import { Service } from "./service.ts";
import { jobOf } from "./tids.ts";

export class VirtualMachine {
  /** For whoever asks where tasks are: nothing of it is to be called that changes it. */
  readonly router: Router;
  private readonly service: Service;
  /** Jobs that others may come to, or that wait for what no task of theirs does. */
  private readonly open = new Set<number>();
  private readonly store: ControlStore;
  /** Job of the task that has halted the virtual machine. */
  private halter: number | undefined;

  constructor(store: ControlStore, hosts: Omit<Hosts, "of">, world: JobWorld) {
    const of = (task: number): number | undefined => this.router.hostOf(task);
    const table: Hosts = {
      of,
      all: () => hosts.all(),
      check: (lines) => hosts.check(lines),
      add: (lines) => hosts.add(lines),
      remove: (host) => hosts.remove(host),
      clock: (host) => hosts.clock(host),
      halt: () => hosts.halt(),
    };
    this.store = store;
    this.router = new Router(table, world);
    this.service = new Service(store, this.router, table);
  }

  /** A job begins; its members join (memberJoined) before any of its tasks asks for something. */
  jobBegan(facts: JobFacts): void {
    this.router.jobBegan(facts);
  }

  /** A process of a job can be reached. @param host  tid of its daemon */
  memberJoined(job: number, member: number, host: number, ways: Member): void {
    this.router.memberJoined(job, member, host, ways);
  }

  /** A process of a job is gone: so are the tasks that it had. */
  async memberLost(job: number, member: number): Promise<void> {
    await this.ended(this.router.memberLost(job, member));
  }

  /** All tasks of a job have ended, or end with it. */
  async jobEnded(job: number): Promise<void> {
    await this.ended(this.router.jobEnded(job));
    this.router.forgetJob(job);
    this.open.delete(job);
    await forgetPlaces(this.store, job);
  }

  async taskEnded(tid: number): Promise<void> {
    await this.ended([tid]);
  }

  /** Those that end together are all gone before anybody hears of one. */
  private async ended(tids: readonly number[]): Promise<void> {
    const watched = tids.filter((tid) => this.router.taskEnded(tid));
    for (const tid of watched) await this.service.take(END(tid));
  }

  /**
   * True if something may happen to a job though all of its tasks wait for each other: it has made itself known to other jobs,
   * has heard of them, is in a group, where they may come, or waits for what hosts or other jobs do. That is no deadlock.
   */
  mayHear(job: number): boolean {
    return this.open.has(job) || this.service.isInGroup(job);
  }

  /** True if a task of this job has halted the virtual machine: it has ended itself. */
  hasHalted(job: number): boolean {
    return this.halter === job;
  }

  /** A ULP has been moved: its member is another one from now on. */
  taskMoved(tid: number, member: number): void {
    this.router.taskMoved(tid, member);
  }

  /** A ULP is ordered to another process: as Router.park and Router.letGo. */
  park(tid: number): void {
    this.router.park(tid);
  }
  letGo(tid: number): void {
    this.router.letGo(tid);
  }

  /**
   * A task asks for something, or is told of. Resolves when that is dealt with or parked.
   *
   * @param job  job of the process that the request came from: it speaks for its own tasks only
   * @throws as Service.take
   */
  async take(request: Request, job: number = jobOf(request.tid)): Promise<void> {
    if (jobOf(request.tid) !== job) return;
    if (reachesOut(request, job)) this.open.add(job);
    if (request.kind === "halt") this.halter ??= job;
    if (request.kind === "relay") this.open.add(jobOf(request.body.to));
    // The engine's own way to say that a task has left PVM; its end is the job's news.
    if (request.kind === "ended") {
      if (this.router.taskLeft(request.tid)) await this.service.take(request);
    } else if (this.router.isHere(request.tid)) await this.service.take(request);
  }

  /** Hosts have joined, and are in the host table. */
  hostsAdded(hosts: readonly number[]): Promise<void> {
    return this.service.hostsAdded(hosts);
  }

  /** A host is gone, and out of the host table; its members were lost before. */
  hostDeleted(host: number): Promise<void> {
    this.router.hostDeleted(host);
    return this.service.hostDeleted(host);
  }
}

/** True if a request makes its job known to others, or asks for what does not depend on it. */
function reachesOut(request: Request, job: number): boolean {
  const { PvmHostAdd, PvmHostDelete, PvmMboxWaitForInfo } = PVM_CONSTANT;
  switch (request.kind) {
    case "putinfo":
    case "insert":
    case "relay":
    case "regHoster":
    case "regRm":
    case "regTasker":
    case "regTracer":
      return true;
    case "recvinfo":
      return (request.body.flags & PvmMboxWaitForInfo) !== 0;
    case "notify": {
      const { what, tids } = request.body;
      return what === PvmHostAdd || what === PvmHostDelete || tids.some((tid) => jobOf(tid) !== job);
    }
    default:
      return false;
  }
}

const END = (tid: number): Request => ({ kind: "ended", tid, serial: 0, body: {} });
