/**
 * The master's part in jobs: what commands and application processes ask of it, and what the jobs' state (jobs.ts) wants done.
 *
 * Owns: who may ask what, and which jobs run (job-run.ts has each, job-starts.ts begins them). What ULPs ask of the virtual
 * machine goes on to the machine (virtual-machine.ts), and comes back by its `Member`. No clock and no socket of its own.
 */
import type { Handlers } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { type JobLinking, seatsOf } from "../wire/job.ts";
import { LINK_ABI } from "../wire/layout.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import { LOCATED } from "../wire/rpc-job.ts";
import { decodeRequest } from "../wire/ulp-requests.ts";
import { Checkpoints, endedTids, type Restart, restore } from "./checkpoints.ts";
import type { ControlStore } from "./control-store.ts";
import { evacuate } from "./evacuation.ts";
import { lostText } from "./job-failure.ts";
import { allowedFor, type JobHost, linkFor, memberOn } from "./job-hosts.ts";
import type { Modules } from "./job-programs.ts";
import { inspected, jobRow, type ListedJob, taskRows } from "./job-rows.ts";
import type { JobRun } from "./job-run.ts";
import { JobStarts } from "./job-starts.ts";
import { type Job, type JobEffect, type JobEvent, Jobs, jobOf } from "./jobs.ts";
import { memberWays } from "./member-ways.ts";
import { MoveOrders, moveWorld } from "./move-orders.ts";
import type { Caller, Emptied } from "./pvmd.ts";
import type { JobWorld } from "./router.ts";
import { indexOf } from "./tids.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

export interface JobMasterWorld {
  nowMs(): number;
  /** Hosts in service. */
  hosts(): readonly JobHost[];
  /** Where all hosts of the virtual machine are reached. */
  addresses(): readonly string[];
  /** True if a host is in the table, and about to leave. */
  isLeaving(host: string): boolean;
  /** Starts an application process. @throws UpvmError */
  startProcess(host: string, job: number, member: number, how: JobLinking): Promise<void>;
  /** Ends one by force. One that has ended stays so. */
  killProcess(host: string, job: number, member: number): void;
  readonly modules: Modules;
  readonly store: ControlStore;
  after(ms: number, run: () => void): void;
  log(text: string): void;
}

const TOLD = { body: undefined };
const DONE = { body: {} };

export class JobMaster {
  readonly jobs = new Jobs();
  private readonly world: JobMasterWorld;
  private machine!: VirtualMachine;
  private readonly runs = new Map<number, JobRun>();
  private readonly moves: MoveOrders;
  private readonly checkpoints: Checkpoints;
  private readonly starts: JobStarts;

  constructor(world: JobMasterWorld) {
    this.world = world;
    this.moves = new MoveOrders({
      ...moveWorld(this.jobs, world, (job, host) => this.enlist(job, host)),
      rpcTo: ({ job, member }) => this.runs.get(job)?.processes.get(member),
      moved: (tid, member) => {
        this.machine.taskMoved(tid, member);
        this.step({ kind: "moved", job: jobOf(tid), tid, member });
      },
      park: (tid) => this.machine.park(tid),
      letGo: (tid) => this.machine.letGo(tid),
      isKept: (job) => this.checkpoints.isStopped(job),
    });
    this.checkpoints = new Checkpoints({
      job: (number) => this.listed().find(({ job }) => job.spec.job === number),
      isMoving: (job) => this.moves.hasOpen(job),
      keep: (job, tids) => this.machine.keep(job, tids),
      park: (tid) => this.machine.park(tid),
      isParked: (tid) => this.machine.router.isParked(tid),
      isOver: (tid) => this.machine.router.isOver(tid),
      letGo: (tid) => this.machine.letGo(tid),
      nextIndex: (job) => this.machine.router.nextIndex(job),
      after: (ms, run) => world.after(ms, run),
    });
    this.starts = new JobStarts({
      ...{ jobs: this.jobs, runs: this.runs, modules: world.modules },
      machine: () => this.machine,
      hosts: () => world.hosts(),
      nowMs: () => world.nowMs(),
      module: (hash) => this.module(hash),
      step: (event) => this.step(event),
      act: (effect) => this.act(effect),
    });
  }

  /** What the machine's router needs of the jobs. */
  jobWorld(): JobWorld {
    return {
      program: async (job, name) =>
        (await this.runs.get(job)?.programs.row(name)) ?? PVM_ERROR.PvmNoFile.code,
      enlist: (job, host) => this.enlist(job, host),
      input: async (job, bytes) => (await this.runs.get(job)?.input(bytes)) ?? new Uint8Array(0),
      inputReady: async (job, ms) => (await this.runs.get(job)?.inputReady(ms)) ?? true,
    };
  }

  private listed(): ListedJob[] {
    return this.jobs.all().flatMap((job) => {
      const run = this.runs.get(job.spec.job);
      return run === undefined ? [] : [{ job, processes: run.processes, programs: run.programs }];
    });
  }

  /** Once, before anything else is called. */
  attach(machine: VirtualMachine): void {
    this.machine = machine;
  }

  handlers(caller: Caller): Handlers {
    if (caller.peer.role === "process") return this.processHandlers(caller);
    return caller.peer.role === "command" ? this.commandHandlers(caller) : this.pvmdHandlers();
  }

  /** A peer's link has ended. */
  ended({ peer, rpc }: Caller): void {
    this.checkpoints.clientEnded(rpc);
    this.starts.ended(rpc);
    const { role, job = 0, member = 0 } = peer;
    if (role === "process" && this.runs.get(job)?.processes.get(member) === rpc)
      this.gone(job, member, rpc.link.end?.text ?? "its link has ended");
  }

  /** A host is to leave: its tasks go to others, and its processes end when they have none. */
  emptyHost(host: string): Promise<Emptied> {
    return evacuate(host, {
      nowMs: () => this.world.nowMs(),
      jobs: () => this.jobs.all(),
      hosts: () => this.world.hosts(),
      migrate: (tids, to) => this.moves.migrate({ tids: [...tids], to }),
      isMoving: () => this.moves.isMoving(host),
      callOff: (queued) => this.moves.callOff(host, queued),
      retire: (job, member) => {
        if (!this.moves.concern({ job, member })) this.step({ kind: "retire", job, member });
      },
      after: (ms, run) => this.world.after(ms, run),
    });
  }

  /** A host has left or died. */
  hostDeleted(host: string): void {
    for (const { spec } of this.jobs.all())
      spec.members.forEach((one, member) => {
        if (one.host === host) this.gone(spec.job, member, `host ${host} is gone`, true);
      });
  }

  /** The virtual machine ends. */
  stopAll(): void {
    for (const { spec } of this.jobs.all())
      this.step({
        kind: "stop",
        job: spec.job,
        reason: this.machine.hasHalted(spec.job) ? "halted" : "closed",
      });
  }

  /** Time goes by: to be called every LIMITS.waveMs. */
  tick(): void {
    this.step({ kind: "tick" });
    for (const job of this.jobs.all())
      if (job.state === "running" && job.making === 0 && !this.isUnderWay(job.spec.job))
        void this.wave(job.spec.job);
  }

  /** What its ULPs wait for may be kept from them just now. */
  private isUnderWay(job: number): boolean {
    return this.checkpoints.isStopped(job) || this.moves.hasOpen(job);
  }

  /** A process is gone, maybe with its host; first those of its ULPs are looked for that were on their way to another. */
  private gone(job: number, member: number, how: string, withHost = false): void {
    const { spec } = this.jobs.get(job) ?? {};
    const isLeaving = this.world.isLeaving(spec?.members[member]?.host ?? "");
    const why = withHost ? how : lostText(spec, member, how, isLeaving);
    const run = this.runs.get(job);
    run?.lost.add(member);
    this.moves.settled({ job, member }, () => {
      // The job may be over by then, and another have its number.
      if (this.runs.get(job) === run) this.step({ kind: "gone", job, member, why });
    });
  }

  private step(event: JobEvent): void {
    for (const effect of this.jobs.step(event, this.world.nowMs())) this.act(effect);
  }

  /** No task can come to a member any more. */
  private forget({ job, member }: { readonly job: number; readonly member: number }): void {
    this.runs.get(job)?.enlisted.get(member)?.(undefined);
    void this.machine.memberLost(job, member);
  }

  private act(effect: JobEffect): void {
    switch (effect.kind) {
      case "start":
        this.start(effect.host, effect.job, effect.member);
        break;
      case "begin":
        this.begin(effect);
        break;
      case "lost":
        this.runs.get(effect.job)?.processes.get(effect.to)?.tell("jobLost", { member: effect.member });
        break;
      case "stop":
        this.runs.get(effect.job)?.processes.get(effect.to)?.tell("jobStop", { reason: effect.reason });
        break;
      case "finish":
        this.runs.get(effect.job)?.processes.get(effect.to)?.tell("jobFinish", {});
        break;
      case "kill":
        this.kill(effect);
        break;
      case "retiring":
        this.forget(effect);
        break;
      case "tasksLost":
        this.forget(effect);
        for (const rpc of this.runs.get(effect.job)?.processes.values() ?? [])
          rpc.tell("ulpsGone", { tids: [...effect.tids] });
        break;
      case "retired":
        // Its link ends with it, and nobody is lost by that.
        this.runs.get(effect.job)?.processes.delete(effect.member);
        break;
      case "over":
        this.over(effect.job);
        break;
      case "refuse":
        break;
    }
  }

  private start(host: string, job: number, member: number): void {
    const { wish } = this.jobs.get(job)!.spec;
    const how = { link: linkFor(wish, this.world.addresses()), route: wish.route ?? "auto" };
    this.world.startProcess(host, job, member, how).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.step({ kind: "gone", job, member, why });
    });
  }

  private kill({ job, member, host }: Extract<JobEffect, { kind: "kill" }>): void {
    const run = this.runs.get(job);
    run?.processes.get(member)?.link.close();
    run?.processes.delete(member);
    this.world.killProcess(host, job, member);
  }

  private begin({ job: number, to, members }: Extract<JobEffect, { kind: "begin" }>): void {
    const job = this.jobs.get(number)!;
    const run = this.runs.get(number)!;
    const { wish, founders } = job.spec;
    const hosts = this.world.hosts();
    if (to.length === founders && to[0] === 0) {
      const seats = seatsOf(job.spec).map(({ member }) => member);
      const allowed = wish.hosts && allowedFor(wish, hosts).map(({ tid }) => tid);
      this.machine.jobBegan({
        job: number,
        name: wish.name,
        members: seats,
        env: wish.env,
        ...(allowed && { hosts: allowed }),
      });
      run.client.tell("jobBegun", { job: number, hosts: members.map(({ host }) => host) });
      if (run.restart !== undefined) void this.restore(run, run.restart, seats);
    }
    for (const member of to) {
      const process = run.processes.get(member);
      if (process === undefined) continue;
      const { host } = job.spec.members[member]!;
      const tid = hosts.find(({ name }) => name === host)?.tid ?? 0;
      this.machine.memberJoined(
        number,
        member,
        tid,
        memberWays(process, number, member, (event) => this.step(event)),
      );
      process.tell("jobBegin", { members: [...members] });
      void run.programs.joined(process).then((ok) => run.enlisted.get(member)?.(ok ? member : undefined));
    }
  }

  /** The ULPs of a job come from its checkpoint. */
  private async restore(run: JobRun, restart: Restart, seats: readonly number[]): Promise<void> {
    const { job, living } = restart;
    for (const tid of endedTids(restart, seats.length)) void this.machine.taskEnded(tid);
    const { tids, failure } = await restore(restart, seats, run.client, run, this.machine);
    if (failure !== undefined) this.step({ kind: "failed", job, member: 0, failure });
    this.step({ kind: "made", job, count: living.length, tids });
  }

  /** The job is over: who runs it gets the results. */
  private over(job: Job): void {
    const run = this.runs.get(job.spec.job);
    this.runs.delete(job.spec.job);
    this.moves.jobEnded(job.spec.job);
    void this.machine.jobEnded(job.spec.job, job.spec.life);
    run?.over(job);
  }

  private async wave(job: number): Promise<void> {
    if ((await this.runs.get(job)?.isDead()) && !this.machine.mayHear(job) && !this.moves.hasOpen(job))
      this.step({ kind: "stop", job, reason: "deadlock" });
  }

  private async enlist(number: number, host: number): Promise<number | undefined> {
    const job = this.jobs.get(number);
    const run = this.runs.get(number);
    const found = this.world.hosts().find(({ tid }) => tid === host);
    if (job === undefined || run === undefined || found === undefined) return undefined;
    const member = job.members.length;
    return await new Promise((done) => {
      run.enlisted.set(member, (result) => {
        run.enlisted.delete(member);
        done(result);
      });
      this.step({ kind: "enlist", job: number, member: memberOn(found, job.spec.wish) });
      if (this.jobs.get(number)?.members.length === member) run.enlisted.get(member)?.(undefined);
    });
  }

  // Application processes

  private processHandlers(caller: Caller): Handlers {
    const { job: number = 0, member = 0 } = caller.peer;
    return {
      processHello: ({ address, abi }) => {
        const job = this.jobs.get(number);
        const run = this.runs.get(number);
        if (job === undefined || run === undefined || job.members[member]?.at !== "starting")
          throw new UpvmError("NOT_SERVED", {
            kind: "processHello",
            why: `job ${number} does not wait for member ${member}`,
          });
        // Linked modules and process heaps would not fit. (paper, 3.2.2: what all processes can give)
        if (abi !== LINK_ABI)
          throw new UpvmError("ABI_DIFFERS", { host: caller.peer.host, theirs: abi, ours: LINK_ABI });
        run.processes.set(member, caller.rpc);
        this.step({ kind: "hello", job: number, member, address });
        return { body: job.spec };
      },
      module: async ({ hash }) => ({ body: {}, bytes: await this.module(hash, number) }),
      linksRouted: ({ links }) => {
        const job = this.jobs.get(number);
        const text = job && this.runs.get(number)?.routed(job, member, links);
        if (text !== undefined) this.world.log(`job ${number}: ${text}`);
        return TOLD;
      },
      processReady: () => {
        this.step({ kind: "ready", job: number, member });
        return TOLD;
      },
      processFailed: ({ code, facts, text }) => {
        this.world.log(`job ${number}, member ${member}: ${text}`);
        this.step({ kind: "failed", job: number, member, failure: { code, facts, text } });
        return TOLD;
      },
      ulpAsk: async (asked, bytes) => {
        const request = decodeRequest(asked, bytes);
        if (request === undefined)
          throw new UpvmError("NOT_SERVED", { kind: "ulpAsk", why: `${asked.kind} has other fields` });
        await this.machine.take(request, number);
        return DONE;
      },
      ulpsEnded: ({ ended }) => {
        const tids = ended.map(([tid]) => tid).filter((tid) => jobOf(tid) === number);
        this.moves.ended(tids);
        for (const tid of tids) void this.machine.taskEnded(tid);
        this.step({ kind: "ended", job: number, tids });
        return TOLD;
      },
      output: async (body, bytes) => {
        // Nobody reads it any more if the command is gone.
        await this.runs
          .get(number)
          ?.client.request("jobOutput", body, bytes, 0)
          .catch(() => undefined);
        return DONE;
      },
      peerLost: ({ member: other, why }) => {
        // When a job ends its processes close their links, each at its own time; one that is not needed any more before.
        const job = this.jobs.get(number);
        // Both ends of a broken link tell of it. The first to do so stays.
        if (this.runs.get(number)?.lost.has(member)) return TOLD;
        if (job?.state === "running" && job.members[other]?.at !== "retiring")
          this.gone(number, other, `${job.spec.members[member]?.host} has lost the link to it: ${why}`);
        return TOLD;
      },
      moved: ({ tid, move }) => {
        if (jobOf(tid) === number) this.moves.news(tid, member, move);
        return TOLD;
      },
      locate: ({ tid }) => ({ body: { member: this.memberOf(tid, number) } }),
      processResult: (_, bytes) => {
        this.runs.get(number)?.results.set(member, new TextDecoder().decode(bytes));
        this.step({ kind: "result", job: number, member });
        return DONE;
      },
    };
  }

  /** Member that has a task of a job, or LOCATED. */
  private memberOf(tid: number, job: number): number {
    if (jobOf(tid) !== job) return LOCATED.ended;
    const { router } = this.machine;
    const made = indexOf(tid) < router.nextIndex(job);
    return router.memberOf(tid) ?? (made ? LOCATED.ended : LOCATED.notMade);
  }

  /** A module of a job that runs, or one that is kept. @throws UpvmError */
  private async module(hash: string, job?: number): Promise<Uint8Array> {
    const found =
      (job === undefined ? undefined : this.runs.get(job)?.programs.module(hash)) ??
      (await this.world.modules.find(hash));
    if (found === undefined)
      throw new UpvmError("NOT_SERVED", { kind: "module", why: `there is no module ${hash}` });
    return found;
  }

  // Commands

  private commandHandlers(caller: Caller): Handlers {
    return {
      run: (wish) => this.starts.run(caller.rpc, wish),
      restart: ({ wish, ...restart }, data) => this.starts.run(caller.rpc, wish, { ...restart, data }),
      ...this.checkpoints.handlers(caller),
      hasModule: async ({ hash }) => ({ body: { has: (await this.world.modules.find(hash)) !== undefined } }),
      putModule: ({ hash }, bytes) => {
        const why = this.world.modules.keep(hash, bytes);
        if (why !== undefined) throw new UpvmError("MODULE_NOT_KEPT", { why });
        return DONE;
      },
      interrupt: () => {
        this.starts.interrupt(caller.rpc);
        return TOLD;
      },
      tasks: async () => ({ body: { tasks: await taskRows(this.listed()) } }),
      inspect: async ({ tid }) => ({ body: await inspected(() => this.listed(), tid) }),
      jobs: () => ({
        body: { jobs: this.jobs.all().map((job) => jobRow(job, this.runs.get(job.spec.job))) },
      }),
      migrate: async (ask) => ({ body: { ulps: await this.moves.migrate(ask) } }),
      kill: ({ tids, jobs, signum }) => {
        const { router } = this.machine;
        const noTids = tids.filter((tid) => !router.has(tid));
        const noJobs = jobs.filter((job) => this.jobs.get(job) === undefined);
        for (const tid of tids) this.step({ kind: "killed", job: jobOf(tid), tid });
        for (const tid of tids) router.stop(tid, signum);
        for (const job of jobs) this.step({ kind: "stop", job, reason: "killed" });
        return { body: { noTids, noJobs } };
      },
    };
  }

  // Other pvmds

  private pvmdHandlers(): Handlers {
    return {
      processEnded: ({ job, member, how }) => {
        // What it has said last, such as why it cannot go on, comes by its own link; that ends behind it.
        const { end } = this.runs.get(job)?.processes.get(member)?.link ?? { end: true };
        if (end !== undefined) this.gone(job, member, how);
        return TOLD;
      },
    };
  }
}
