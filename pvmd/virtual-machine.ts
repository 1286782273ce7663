/**
 * The master of a virtual machine of many hosts: what jobs and hosts tell it, and what tasks ask of it.
 *
 * Owns: the order of things. A task's end is in the table first, and then the service deals with what the task had. Whoever
 * runs the jobs and has the host table calls this, and gets the tasks' requests answered through `Member`.
 */
import type { Kept } from "../wire/checkpoint.ts";
import { PVM_CONSTANT } from "../wire/pvm.ts";
import type { Request } from "../wire/requests.ts";
import type { ControlStore } from "./control-store.ts";
import type { Hosts } from "./host.ts";
import type { KeptNow } from "./kept-tasks.ts";
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
  /** What is still being done about ends, by job. */
  private readonly ending = new Map<number, Promise<void>>();

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
    for (const tid of this.service.groupMembers(facts.job)) this.router.watchEnd(tid);
  }

  /** What the machine has for tasks of a job, which are stopped; a text: why that cannot be kept. */
  async keep(job: number, tids: ReadonlySet<number>): Promise<KeptNow<Kept>> {
    const found = await this.service.keep(job, tids);
    if (typeof found === "string") return found;
    return { ...found, kept: { ...found.kept, tasks: this.router.unlikeFirst(tids) } };
  }

  /** Resolves when nothing is left of an earlier job of this number. */
  async gone(job: number): Promise<void> {
    while (this.ending.has(job)) await this.ending.get(job);
  }

  /** @returns why a job cannot go on from its checkpoint, as far as is seen now */
  inTheWay(job: number, kept: Kept): Promise<string | undefined> {
    return this.service.inTheWay(job, kept);
  }

  /**
   * A job is about to begin from its checkpoint: its tasks are in their groups, and what they ask waits.
   *
   * @returns why it cannot: nothing was changed
   */
  restarting(job: number, kept: Kept): string | undefined {
    return this.service.restarting(job, kept);
  }

  /** It has begun, and none of its tasks runs yet. @returns why it cannot */
  giveBack(job: number, kept: Kept, data: Uint8Array): Promise<string | undefined> {
    this.router.restored(kept.tasks);
    if (hasReachedOut(job, kept)) this.open.add(job);
    return this.service.giveBack(job, kept, data);
  }

  /** All its tasks are there: who waited for others waits on, and what they have asked is dealt with. */
  restarted(job: number, kept: Kept): Promise<void> {
    return this.service.restarted(job, kept);
  }

  /** A process of a job can be reached. @param host  tid of its daemon */
  memberJoined(job: number, member: number, host: number, ways: Member): void {
    this.router.memberJoined(job, member, host, ways);
  }

  /** A process of a job is gone: so are the tasks that it had. */
  async memberLost(job: number, member: number): Promise<void> {
    await this.track(job, this.ended(this.router.memberLost(job, member)));
  }

  /** All tasks of a job have ended, or end with it; or it has never begun, and has no life. */
  async jobEnded(job: number, life?: number): Promise<void> {
    await this.track(job, this.forget(job, life));
  }

  private async forget(job: number, life: number | undefined): Promise<void> {
    await this.ended(this.router.jobEnded(job));
    this.router.forgetJob(job);
    this.open.delete(job);
    await this.service.jobOver(job);
    if (life !== undefined) await forgetPlaces(this.store, life);
  }

  async taskEnded(tid: number): Promise<void> {
    await this.track(jobOf(tid), this.ended([tid]));
  }

  /** Remembers that something is done about a job until it is, however it ends. */
  private track(job: number, work: Promise<void>): Promise<void> {
    const all = Promise.allSettled([this.ending.get(job), work]).then(() => {
      if (this.ending.get(job) === all) this.ending.delete(job);
    });
    this.ending.set(job, all);
    return work;
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
    return this.open.has(job) || this.service.groupMembers(job).length > 0;
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

/** As reachesOut, of what the tasks of a job had asked for before its checkpoint. */
function hasReachedOut(job: number, { wishes, entries, readers }: Kept): boolean {
  const { PvmTaskExit } = PVM_CONSTANT;
  const abroad = wishes.some(({ what, about }) => what !== PvmTaskExit || jobOf(about) !== job);
  return abroad || entries.length > 0 || readers.length > 0;
}

const END = (tid: number): Request => ({ kind: "ended", tid, serial: 0, body: {} });
