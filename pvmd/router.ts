/**
 * The way to the tasks of a virtual machine of many hosts: finds a task's process, and passes on what is to be done to it.
 *
 * Owns: which jobs there are, their members and their tasks, each with the member that has it. It learns that from the news
 * of the jobs (VirtualMachine, virtual-machine.ts), and allots tids to tasks that are spawned. A row is there from when its
 * task is about to be made until it has ended. Where a task is ordered to another member, what is for it waits here until it is
 * known where it is, so that all that goes from here to a task is in order.
 * Pure: members are reached through `Member`, the world through `JobWorld`.
 */
import type { Kept } from "../wire/checkpoint.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request } from "../wire/requests.ts";
import type { Creation, HostFacts, Hosts, Notice, TaskFacts, Tasks } from "./host.ts";
import { Parked } from "./parked.ts";
import { candidates, Turns } from "./placement.ts";
import { jobOf, tidOfJob } from "./tids.ts";

const { PvmHostFail, PvmNoFile, PvmNoHost, PvmNoTask, PvmOutOfRes } = PVM_ERROR;

/** Tasks that a member is to make: each gets the tid that it is told, and waits for `begin`. */
export interface CreateOrder {
  readonly tids: readonly number[];
  /** All that were started together: tid of the first, and how many. */
  readonly siblingFirst: number;
  readonly siblingCount: number;
  /** Tid; PvmParentNotSet: none. */
  readonly parent: number;
  /** Row of the program in the job's table: the member has it, or gets it first. */
  readonly program: number;
  /** The program's name first. */
  readonly args: readonly string[];
  /** What they have beside the process's environment: NAME=VALUE. */
  readonly env: readonly string[];
  readonly context: number;
  /** Options: number and value, one pair behind the other. */
  readonly options: readonly number[];
}

/** An application process, as the master reaches it. All is done in the order in which it was asked for. */
export interface Member {
  /** As Host.answer, Host.post, Host.stop (host.ts). */
  answer(request: Request, answer: Answer): void;
  post(notice: Notice): void;
  stop(tid: number, signum: number): void;
  /** Bits of PLUGIN_BIT. */
  setPlugins(bits: number): void;
  /** @returns for each of `order.tids` PvmOk or an error's code. A member that is lost: rejects, or never resolves */
  create(order: CreateOrder): Promise<readonly number[]>;
  /** Lets tasks run that were made. Once for each. */
  begin(tids: readonly number[]): void;
}

/** What the router needs of whoever runs the jobs. */
export interface JobWorld {
  /** A program by its name, for a job: read and linked once, and given to all of its members. @returns its row, or a code */
  program(job: number, name: string): Promise<number>;
  /**
   * Makes a process for a job on a host where it has none; `memberJoined` tells of it first.
   *
   * @returns its number; undefined: it cannot be
   */
  enlist(job: number, host: number): Promise<number | undefined>;
  /** Standard input of a job, as Host.input and Host.inputReady. */
  input(job: number, bytes: number): Promise<Uint8Array>;
  inputReady(job: number, ms: number): Promise<boolean>;
}

/** A job that begins. */
export interface JobFacts {
  readonly job: number;
  /** Its program. */
  readonly name: string;
  /** Member of each of its first tasks, by index. */
  readonly members: readonly number[];
  /** Environment of its processes: NAME=VALUE. */
  readonly env: readonly string[];
  /** Tids of hosts that it may use; absent: all that there are, and those that come. */
  readonly hosts?: readonly number[];
}

interface Task {
  readonly tid: number;
  readonly parent: number;
  readonly name: string;
  member: number;
  /** It has left PVM. Any later request of its joins it again. */
  left: boolean;
  /** The service wants to know of its end. */
  watched: boolean;
  /** What waits for it while it is ordered to another member. */
  parked?: Parked<Member> | undefined;
}

interface Job {
  readonly facts: JobFacts;
  readonly members: Map<number, { readonly host: number; readonly ways: Member }>;
  readonly tasks: Map<number, Task>;
  /** Index of its next task. */
  next: number;
}

export class Router implements Tasks {
  private readonly jobs = new Map<number, Job>();
  private readonly hosts: Hosts;
  private readonly world: JobWorld;
  private readonly turns = new Turns();
  private plugins = 0;

  constructor(hosts: Hosts, world: JobWorld) {
    this.hosts = hosts;
    this.world = world;
  }

  // The table, and the news that it follows.

  jobBegan(facts: JobFacts): void {
    const { job, name, members } = facts;
    const parent = PVM_ERROR.PvmNoParent.code;
    const tasks = members.map((member, index): Task => {
      return { tid: tidOfJob(job, index), parent, name, member, left: false, watched: false };
    });
    this.jobs.set(job, {
      facts,
      members: new Map(),
      tasks: new Map(tasks.map((task) => [task.tid, task])),
      next: members.length,
    });
  }

  memberJoined(job: number, member: number, host: number, ways: Member): void {
    this.jobs.get(job)?.members.set(member, { host, ways });
    if (this.plugins !== 0) ways.setPlugins(this.plugins);
  }

  /** Index of the next task that is made in a job. */
  nextIndex(job: number): number {
    return this.jobs.get(job)?.next ?? 0;
  }

  /** Tasks that are not as those of a job that has just begun: they were spawned, or have left PVM. For its checkpoint. */
  unlikeFirst(tids: ReadonlySet<number>): Kept["tasks"] {
    return [...tids].flatMap((tid) => {
      const task = this.task(tid);
      const isFirst = task === undefined || (!task.left && task.parent === PVM_ERROR.PvmNoParent.code);
      return isFirst ? [] : [{ tid, parent: task.parent, name: task.name, left: task.left }];
    });
  }

  /** A job that has just begun goes on from its checkpoint. @param tasks  as `unlikeFirst` */
  restored(tasks: Kept["tasks"]): void {
    for (const { tid, parent, name, left } of tasks) {
      const task = this.task(tid);
      if (task !== undefined) this.jobs.get(jobOf(tid))!.tasks.set(tid, { ...task, parent, name, left });
    }
  }

  /** Its tasks have ended with it. @returns their tids */
  memberLost(job: number, member: number): number[] {
    const found = this.jobs.get(job);
    found?.members.delete(member);
    return [...(found?.tasks.values() ?? [])].filter((task) => task.member === member).map(({ tid }) => tid);
  }

  /** @returns tids of its tasks that are still there, which have ended now */
  jobEnded(job: number): number[] {
    const tasks = [...(this.jobs.get(job)?.tasks.keys() ?? [])];
    this.jobs.get(job)?.members.clear();
    return tasks;
  }

  forgetJob(job: number): void {
    this.jobs.delete(job);
  }

  /** A task asks for something: whatever it has left, it is in PVM again. False: there is no such task. */
  isHere(tid: number): boolean {
    const task = this.task(tid);
    if (task !== undefined) task.left = false;
    return task !== undefined;
  }

  /** @returns true: the service has asked to be told */
  taskLeft(tid: number): boolean {
    const task = this.task(tid);
    if (task === undefined) return false;
    const { watched } = task;
    task.left = true;
    task.watched = false;
    return watched;
  }

  /** @returns true: the service has asked to be told */
  taskEnded(tid: number): boolean {
    const watched = this.task(tid)?.watched ?? false;
    this.jobs.get(jobOf(tid))?.tasks.delete(tid);
    return watched;
  }

  /** A task is with another member from now on. */
  taskMoved(tid: number, member: number): void {
    const task = this.task(tid);
    if (task !== undefined) task.member = member;
  }

  /** A task is about to be ordered to another member: what is for it waits, in order, until `letGo`. */
  park(tid: number): void {
    const task = this.task(tid);
    if (task !== undefined) task.parked ??= new Parked();
  }

  /** The order is answered, and the table says where the task is: what has waited goes there, before anything else. */
  letGo(tid: number): void {
    const task = this.task(tid);
    const parked = task?.parked;
    if (parked === undefined) return;
    task!.parked = undefined;
    this.passAll(tid, parked.take());
  }

  /** True if something waits for a task since `park`. */
  isParked(tid: number): boolean {
    return this.task(tid)?.parked?.isEmpty === false;
  }

  /** True if more came for it since `park` than may wait, and has gone to its process. */
  isOver(tid: number): boolean {
    return this.task(tid)?.parked?.isOver === true;
  }

  hostDeleted(host: number): void {
    this.turns.forget(host);
  }

  /** Member that has a task; undefined: there is no such task. */
  memberOf(tid: number): number | undefined {
    return this.task(tid)?.member;
  }

  /** Tid of the daemon of a task's host. */
  hostOf(tid: number): number | undefined {
    const task = this.task(tid);
    return task === undefined ? undefined : this.jobs.get(jobOf(tid))!.members.get(task.member)?.host;
  }

  private task(tid: number): Task | undefined {
    return this.jobs.get(jobOf(tid))?.tasks.get(tid);
  }

  private waysTo(tid: number): Member | undefined {
    const task = this.task(tid);
    return task === undefined ? undefined : this.jobs.get(jobOf(tid))!.members.get(task.member)?.ways;
  }

  /** Does something at the member of a task, after all that was to be done for that task before. */
  private pass(tid: number, bytes: number, act: (ways: Member) => void): void {
    const parked = this.task(tid)?.parked;
    this.passAll(tid, parked === undefined ? [act] : parked.add(bytes, act));
  }

  private passAll(tid: number, acts: readonly ((ways: Member) => void)[]): void {
    const ways = this.waysTo(tid);
    if (ways !== undefined) for (const act of acts) act(ways);
  }

  // What the service asks for.

  answer(request: Request, answer: Answer): void {
    this.pass(request.tid, answer.bytes?.length ?? 0, (ways) => ways.answer(request, answer));
  }

  post(notice: Notice): void {
    this.pass(notice.to, notice.data.length, (ways) => ways.post(notice));
  }

  begin(tid: number): void {
    this.pass(tid, 0, (ways) => ways.begin([tid]));
  }

  /**
   * What is to end does not wait for its move, or for who is stopped with it: where it is by the table it is ended, or the signal
   * goes after it. It waits here too, since that process may be lost without it; one that has ended is ended no more.
   */
  stop(tid: number, signum: number): void {
    const act = (ways: Member): void => ways.stop(tid, signum);
    if (this.task(tid)?.parked !== undefined) this.passAll(tid, [act]);
    this.pass(tid, 0, act);
  }

  setPlugins(bits: number): void {
    this.plugins = bits;
    for (const { members } of this.jobs.values())
      for (const { ways } of members.values()) ways.setPlugins(bits);
  }

  has(tid: number): boolean {
    return this.task(tid)?.left === false;
  }

  watchEnd(tid: number): boolean {
    const task = this.task(tid);
    if (task === undefined || task.left) return false;
    task.watched = true;
    return true;
  }

  all(): readonly TaskFacts[] {
    const rows = [...this.jobs.values()].flatMap(({ tasks, members }) =>
      [...tasks.values()]
        .filter(({ left }) => !left)
        .map(({ tid, parent, name, member }) => {
          return { tid, parent, name, host: members.get(member)?.host ?? 0 };
        }),
    );
    return rows.sort((a, b) => a.tid - b.tid);
  }

  programOf(tid: number): string | undefined {
    return this.task(tid)?.name;
  }

  environment(by: number): readonly string[] {
    return this.jobs.get(jobOf(by))?.facts.env ?? [];
  }

  load(name: string, by: number): Promise<number> {
    return this.world.program(jobOf(by), name);
  }

  /** Never: tasks are made by `create`. */
  execute(): void {}

  input(bytes: number, by: number): Promise<Uint8Array> {
    return this.world.input(jobOf(by), bytes);
  }

  inputReady(ms: number, by: number): Promise<boolean> {
    return this.world.inputReady(jobOf(by), ms);
  }

  /**
   * Hosts first, then the program, then a process of the job on each host, then tids. Tasks run when all are made: none
   * sends to a sibling that is not there yet.
   */
  async create(creation: Creation): Promise<readonly number[]> {
    const count = Math.min(creation.count, LIMITS.ulps);
    const refused = (code: number): number[] => Array<number>(count).fill(code);
    const job = this.jobs.get(jobOf(creation.by));
    const own = this.hostOf(creation.by);
    if (job === undefined || own === undefined) return refused(PvmNoTask.code);
    const hosts = this.hostsFor(job, creation, own);
    if (hosts.length === 0) return refused(PvmNoHost.code);
    if (creation.name === "") return refused(PvmNoFile.code);
    const program = await this.world.program(job.facts.job, creation.name);
    if (program < 0) return refused(program);
    const members = await this.membersFor(job, this.turns.take(hosts, count));
    // Who asked may have ended meanwhile, and its job with it.
    if (this.jobs.get(job.facts.job) !== job) return refused(PvmNoTask.code);
    const results = await this.make(job, creation, program, members);
    const made = results.filter((result) => result > 0);
    if (!creation.held) this.beginAll(job, made);
    return [...made, ...results.filter((result) => result <= 0)];
  }

  /** Those that its job may use and its flags allow. */
  private hostsFor({ facts }: Job, { flags, where }: Creation, own: number): HostFacts[] {
    const allowed = this.hosts.all().filter(({ tid }) => facts.hosts?.includes(tid) ?? true);
    return candidates(allowed, flags, where, own);
  }

  /** A member for each task; undefined: the job can have no process on its host. */
  private async membersFor(job: Job, places: readonly number[]): Promise<(number | undefined)[]> {
    const known = new Map([...job.members].map(([member, { host }]) => [host, member]));
    const missing = [...new Set(places)].filter((host) => !known.has(host));
    const enlisted = await Promise.all(missing.map((host) => this.world.enlist(job.facts.job, host)));
    missing.forEach((host, i) => {
      const member = enlisted[i];
      if (member !== undefined) known.set(host, member);
    });
    return places.map((host) => known.get(host));
  }

  /** @returns for each task its tid, or why it could not be made */
  private async make(
    job: Job,
    { name, parent, args, env, context, options }: Creation,
    program: number,
    members: readonly (number | undefined)[],
  ): Promise<number[]> {
    const first = job.next;
    const room = Math.min(members.length, LIMITS.ulps - first);
    job.next += room;
    const results = members.map((_, i) => (i < room ? PvmHostFail.code : PvmOutOfRes.code) as number);
    const shares = new Map<number, number[]>();
    members.slice(0, room).forEach((member, i) => {
      if (member === undefined || !job.members.has(member)) return;
      const tid = tidOfJob(job.facts.job, first + i);
      job.tasks.set(tid, { tid, parent, name, member, left: false, watched: false });
      shares.set(member, [...(shares.get(member) ?? []), i]);
    });
    const order = {
      siblingFirst: tidOfJob(job.facts.job, first),
      siblingCount: room,
      ...{ parent, program, args: [name, ...args], env, context, options },
    };
    const orders = [...shares].map(async ([member, places]) => {
      const tids = places.map((i) => tidOfJob(job.facts.job, first + i));
      const codes = await this.order(job, member, { ...order, tids });
      places.forEach((place, i) => {
        const code = codes[i] ?? PvmHostFail.code;
        results[place] = code < 0 ? code : tids[i]!;
        if (code < 0) job.tasks.delete(tids[i]!);
      });
    });
    await Promise.all(orders);
    return results;
  }

  /** A member that is lost has made none. */
  private async order(job: Job, member: number, order: CreateOrder): Promise<readonly number[]> {
    const ways = job.members.get(member)?.ways;
    try {
      return (await ways?.create(order)) ?? [];
    } catch {
      return [];
    }
  }

  /** Each member once. A task may have ended meanwhile: it was stopped before it began. */
  private beginAll(job: Job, tids: readonly number[]): void {
    const shares = new Map<number, number[]>();
    for (const tid of tids) {
      const member = job.tasks.get(tid)?.member;
      if (member !== undefined) shares.set(member, [...(shares.get(member) ?? []), tid]);
    }
    for (const [member, own] of shares) job.members.get(member)?.ways.begin(own);
  }
}
