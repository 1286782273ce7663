/**
 * Jobs of a virtual machine, as its master sees them: from a wish to the end of the last application process.
 *
 * Owns: job numbers, which members a job has and how far each is, which of its tasks live, and why it ends. A job is over when
 * no process of it is left: each has sent its result or is gone. Whoever is gone takes its tasks along; the others are
 * told. One that comes to a job that runs and cannot be harms nobody. Pure: event and time in, effects out. Links and results are
 * the master's (job-master.ts), processes the edge's (upvm/node-jobs-part.ts); where tasks are is the router's.
 *
 *     starting ── all members ready ──▶ running ── no task lives, or stopped ──▶ ending ── no process left ──▶ over
 *         └────── one fails or is gone, or stopped ────────────────────────────────▲
 */
import type { JobMember, JobSpec, JobWish } from "../wire/job.ts";
import { seatsOf } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidBaseOf, tidOf } from "../wire/pvm.ts";
import type { JobPeer, JobState, JobStop } from "../wire/rpc-job.ts";
import type { JobFailure } from "./job-failure.ts";

type MemberState =
  | { readonly at: "starting" }
  /** It has told its address; it fetches its program. */
  | { readonly at: "loading" | "ready" | "running"; readonly address: string }
  /** Its host leaves: it has no tasks and gets none, and is to send its result. */
  | { readonly at: "retiring" }
  /** It has sent its result, and is about to end. */
  | { readonly at: "done" }
  | { readonly at: "gone"; readonly why: string };

export interface Job {
  spec: JobSpec;
  /** Who runs it: the edge's number for a command. */
  readonly client: number;
  state: JobState;
  members: readonly MemberState[];
  /** Tasks that have not ended, and the member that has each. */
  readonly live: Map<number, number>;
  /** Processes that it got when it ran already, and that do not run yet: when they are given up, milliseconds. */
  readonly comers: Map<number, number>;
  /** Tasks that are being made, and not yet in `live`. */
  making: number;
  /** Why its ULPs were stopped; undefined: they were not. */
  stopped: JobStop | undefined;
  failure: JobFailure | undefined;
  /** Tasks that ended with their process. */
  readonly lost: Map<number, string>;
  /** Tasks that a command has ended, or tried to. */
  readonly killed: Set<number>;
  /** When processes that have not ended are ended by force, milliseconds. */
  deadlineMs: number;
}

export type JobEvent =
  | {
      readonly kind: "run";
      readonly client: number;
      readonly wish: JobWish;
      readonly members: readonly JobMember[];
      /** From a checkpoint: its number, and how many of its ULPs live. They are told of when they are there (`made`). */
      readonly restart?: { readonly job: number; readonly living: number };
    }
  | { readonly kind: "hello"; readonly job: number; readonly member: number; readonly address: string }
  | { readonly kind: "ready"; readonly job: number; readonly member: number }
  | { readonly kind: "ended"; readonly job: number; readonly tids: readonly number[] }
  /** New tasks are about to be made; and they have been, perhaps fewer. */
  | { readonly kind: "making"; readonly job: number; readonly count: number }
  | {
      readonly kind: "made";
      readonly job: number;
      readonly count: number;
      readonly tids: readonly (readonly [number, number])[];
    }
  | { readonly kind: "moved"; readonly job: number; readonly tid: number; readonly member: number }
  /** A member has sent its result. */
  | { readonly kind: "result"; readonly job: number; readonly member: number }
  | { readonly kind: "failed"; readonly job: number; readonly member: number; readonly failure: JobFailure }
  /** A member's process has ended, or its link to us or to another member. */
  | { readonly kind: "gone"; readonly job: number; readonly member: number; readonly why: string }
  | { readonly kind: "stop"; readonly job: number; readonly reason: JobStop }
  /** A command ends a task. */
  | { readonly kind: "killed"; readonly job: number; readonly tid: number }
  /** The command that runs jobs is gone. */
  | { readonly kind: "clientGone"; readonly client: number }
  /** A running job gets another process: its number is the next. */
  | { readonly kind: "enlist"; readonly job: number; readonly member: JobMember }
  /** A member is not needed any more: its host leaves. Nothing happens while it has tasks, or may get some. */
  | { readonly kind: "retire"; readonly job: number; readonly member: number }
  | { readonly kind: "tick" };

export type JobEffect =
  | { readonly kind: "start"; readonly job: number; readonly member: number; readonly host: string }
  /** To these members: link to all that are there. */
  | {
      readonly kind: "begin";
      readonly job: number;
      readonly to: readonly number[];
      readonly members: readonly JobPeer[];
    }
  | { readonly kind: "lost"; readonly job: number; readonly to: number; readonly member: number }
  | { readonly kind: "stop"; readonly job: number; readonly to: number; readonly reason: JobStop }
  | { readonly kind: "finish"; readonly job: number; readonly to: number }
  | { readonly kind: "kill"; readonly job: number; readonly member: number; readonly host: string }
  /** It has no tasks and gets no more: it is about to be asked for its result, and others of its job go on. */
  | { readonly kind: "retiring"; readonly job: number; readonly member: number }
  /** It has sent it. */
  | { readonly kind: "retired"; readonly job: number; readonly member: number }
  /** These tasks have ended with their process. */
  | {
      readonly kind: "tasksLost";
      readonly job: number;
      readonly member: number;
      readonly tids: readonly number[];
    }
  | { readonly kind: "over"; readonly job: Job }
  | { readonly kind: "refuse"; readonly client: number; readonly failure: JobFailure };

export class Jobs {
  private readonly jobs = new Map<number, Job>();
  private last = 0;
  private lives = 0;

  all(): readonly Job[] {
    return [...this.jobs.values()];
  }

  get(job: number): Job | undefined {
    return this.jobs.get(job);
  }

  /** Job and member that have a task; undefined: it has ended or never was. */
  find(tid: number): { readonly job: Job; readonly member: number } | undefined {
    const job = this.jobs.get(jobOf(tid));
    const member = job?.live.get(tid);
    return job === undefined || member === undefined ? undefined : { job, member };
  }

  step(event: JobEvent, nowMs: number): JobEffect[] {
    if (event.kind === "run") return this.run(event, nowMs);
    if (event.kind === "tick") return this.all().flatMap((job) => this.tick(job, nowMs));
    if (event.kind === "clientGone") {
      const theirs = this.all().filter(({ client }) => client === event.client);
      return theirs.flatMap((job) => this.stop(job, "interrupted", nowMs));
    }
    const job = this.jobs.get(event.job);
    // It was over before this came.
    if (job === undefined) return [];
    switch (event.kind) {
      case "hello":
        if (job.members[event.member]?.at === "starting")
          set(job, event.member, { at: "loading", address: event.address });
        return [];
      case "ready":
        return this.ready(job, event.member);
      case "ended":
        for (const tid of event.tids) job.live.delete(tid);
        return this.settle(job, nowMs);
      case "making":
        job.making += event.count;
        return [];
      case "made":
        job.making -= event.count;
        for (const [tid, member] of event.tids)
          if (job.members[member]?.at === "running") job.live.set(tid, member);
          else job.lost.set(tid, "its process had ended");
        return this.settle(job, nowMs);
      case "moved":
        return this.moved(job, event.tid, event.member, nowMs);
      case "result": {
        const was = job.members[event.member]?.at;
        if (was === "gone") return [];
        set(job, event.member, { at: "done" });
        const { member } = event;
        const retired: JobEffect[] =
          was === "retiring" ? [{ kind: "retired", job: job.spec.job, member }] : [];
        return [...retired, ...this.settle(job, nowMs)];
      }
      case "retire":
        return this.retire(job, event.member);
      case "failed":
        // It has no tasks yet, and the others do not need it: who wanted it there is told.
        if (job.comers.has(event.member)) return this.gone(job, event.member, event.failure.text, nowMs);
        job.failure ??= event.failure;
        return [
          ...this.gone(job, event.member, event.failure.text, nowMs),
          ...this.stop(job, "failed", nowMs),
        ];
      case "enlist":
        return this.enlist(job, event.member, nowMs);
      case "gone":
        return this.gone(job, event.member, event.why, nowMs);
      case "stop":
        return this.stop(job, event.reason, nowMs);
      case "killed":
        job.killed.add(event.tid);
        return [];
    }
  }

  private run(event: Extract<JobEvent, { kind: "run" }>, nowMs: number): JobEffect[] {
    const { client, wish, members, restart } = event;
    const job = this.freeNumber(restart?.job);
    if (job === undefined) {
      const text =
        restart === undefined
          ? `${LIMITS.jobs} jobs run already`
          : `a job ${restart.job} runs, whose number it needs: wait for its end, or upvm kill ${restart.job}`;
      return [{ kind: "refuse", client, failure: { code: "JOB_NOT_RUN", facts: { why: text }, text } }];
    }
    const founders = members.length;
    const life = ++this.lives;
    const more = restart && { restart: true };
    const spec: JobSpec = { job, life, wish, founders, members: [...members], ...more };
    const base = tidBaseOf(job);
    this.jobs.set(job, {
      spec,
      client,
      state: "starting",
      members: members.map(() => ({ at: "starting" })),
      live: new Map(
        restart === undefined ? seatsOf(spec).map(({ member }, index) => [tidOf(index, base), member]) : [],
      ),
      comers: new Map(),
      making: restart?.living ?? 0,
      stopped: undefined,
      failure: undefined,
      lost: new Map(),
      killed: new Set(),
      deadlineMs: nowMs + LIMITS.jobStartMs,
    });
    return members.map(({ host }, member) => ({ kind: "start", job, member, host }));
  }

  /** Numbers go round, so that a tid that somebody still knows is nobody's for long. */
  private freeNumber(wanted?: number): number | undefined {
    if (wanted !== undefined) return this.jobs.has(wanted) ? undefined : wanted;
    for (let i = 0; i < LIMITS.jobs; i++) {
      this.last = (this.last % LIMITS.jobs) + 1;
      if (!this.jobs.has(this.last)) return this.last;
    }
    return undefined;
  }

  private ready(job: Job, member: number): JobEffect[] {
    const state = job.members[member];
    if (state?.at !== "loading") return [];
    set(job, member, { at: "ready", address: state.address });
    if (job.state === "ending") return [];
    if (job.state === "starting" && !job.members.every(({ at }) => at === "ready")) return [];
    job.state = "running";
    const to = present(job, "ready");
    for (const one of to) job.comers.delete(one);
    job.members = job.members.map((one) =>
      one.at === "ready" ? { at: "running", address: one.address } : one,
    );
    return [{ kind: "begin", job: job.spec.job, to, members: peersOf(job) }];
  }

  /** To a process that is gone since: then it has ended with that. */
  private moved(job: Job, tid: number, member: number, nowMs: number): JobEffect[] {
    if (!job.live.has(tid)) return [];
    job.live.set(tid, member);
    const at = job.members[member];
    if (at?.at !== "gone") return [];
    job.live.delete(tid);
    job.lost.set(tid, at.why);
    return [{ kind: "tasksLost", job: job.spec.job, member, tids: [tid] }, ...this.settle(job, nowMs)];
  }

  private enlist(job: Job, member: JobMember, nowMs: number): JobEffect[] {
    const number = job.members.length;
    if (job.state !== "running" || number >= LIMITS.members) return [];
    job.spec = { ...job.spec, members: [...job.spec.members, member] };
    job.members = [...job.members, { at: "starting" }];
    job.comers.set(number, nowMs + LIMITS.jobStartMs);
    return [{ kind: "start", job: job.spec.job, member: number, host: member.host }];
  }

  private retire(job: Job, member: number): JobEffect[] {
    const { state, live, making } = job;
    const isNeeded = making > 0 || [...live.values()].includes(member);
    if (state !== "running" || isNeeded || job.members[member]?.at !== "running") return [];
    set(job, member, { at: "retiring" });
    const number = job.spec.job;
    return [
      { kind: "retiring", job: number, member },
      { kind: "finish", job: number, to: member },
    ];
  }

  /** A process is no more, or of no use any more. */
  private gone(job: Job, member: number, why: string, nowMs: number): JobEffect[] {
    const was = job.members[member];
    if (was === undefined || was.at === "gone") return [];
    const number = job.spec.job;
    set(job, member, { at: "gone", why });
    job.comers.delete(member);
    if (was.at === "done") return this.settle(job, nowMs);
    const tids = [...job.live].filter(([, at]) => at === member).map(([tid]) => tid);
    for (const tid of tids) {
      job.live.delete(tid);
      job.lost.set(tid, why);
    }
    const effects: JobEffect[] = [
      killOf(job, member),
      { kind: "tasksLost", job: number, member, tids },
      ...present(job, "running").map((to): JobEffect => ({ kind: "lost", job: number, to, member })),
    ];
    if (job.state === "starting") {
      const host = job.spec.members[member]!.host;
      const text = `its process on ${host} has ended: ${why}`;
      job.failure ??= { code: "JOB_NOT_RUN", facts: { why: text }, text };
      effects.push(...this.stop(job, "failed", nowMs));
    }
    return [...effects, ...this.settle(job, nowMs)];
  }

  /** All ULPs are to stop. The first reason counts. */
  private stop(job: Job, reason: JobStop, nowMs: number): JobEffect[] {
    if (job.state === "ending") return this.settle(job, nowMs);
    const began = job.state === "running";
    job.state = "ending";
    job.stopped = reason;
    job.deadlineMs = nowMs + LIMITS.jobStopMs;
    const number = job.spec.job;
    const effects = began
      ? [
          ...present(job, "running").map((to): JobEffect => ({ kind: "stop", job: number, to, reason })),
          ...this.endComers(job),
        ]
      : this.killAll(job, "it had not begun");
    return [...effects, ...this.settle(job, nowMs)];
  }

  /** The job ends: those that are not ready are of no use any more, and would be waited for. */
  private endComers(job: Job): JobEffect[] {
    const comers = [...job.comers.keys()];
    job.comers.clear();
    return comers.flatMap((member): JobEffect[] => {
      set(job, member, { at: "gone", why: "the job ended before it had begun" });
      return [killOf(job, member), { kind: "tasksLost", job: job.spec.job, member, tids: [] }];
    });
  }

  private killAll(job: Job, why: string): JobEffect[] {
    return job.members.flatMap(({ at }, member): JobEffect[] => {
      if (at === "gone") return [];
      set(job, member, { at: "gone", why });
      return [killOf(job, member)];
    });
  }

  /** Is there nothing to do any more, or nobody to do it? */
  private settle(job: Job, nowMs: number): JobEffect[] {
    const number = job.spec.job;
    const effects: JobEffect[] = [];
    if (job.state === "running" && job.live.size === 0 && job.making === 0) {
      job.state = "ending";
      job.deadlineMs = nowMs + LIMITS.jobStopMs;
      for (const to of present(job, "running")) effects.push({ kind: "finish", job: number, to });
      effects.push(...this.endComers(job));
    }
    if (job.members.every(({ at }) => at === "done" || at === "gone") && this.jobs.delete(number))
      effects.push({ kind: "over", job });
    return effects;
  }

  private tick(job: Job, nowMs: number): JobEffect[] {
    if (job.state === "running") {
      const never = [...job.comers].filter(([, untilMs]) => nowMs >= untilMs);
      const why = `it was not ready within ${LIMITS.jobStartMs} ms`;
      return never.flatMap(([member]) => this.gone(job, member, why, nowMs));
    }
    if (nowMs < job.deadlineMs) return [];
    if (job.state === "starting") {
      const text = `not all of its processes were ready within ${LIMITS.jobStartMs} ms`;
      job.failure ??= { code: "JOB_NOT_RUN", facts: { why: text }, text };
      return this.stop(job, "failed", nowMs);
    }
    const late = job.members.flatMap(({ at }, member) => (at === "done" || at === "gone" ? [] : [member]));
    return late.flatMap((member) => this.gone(job, member, "it did not stop in time", nowMs));
  }
}

export function jobOf(tid: number): number {
  return tid >>> 18;
}

function set(job: Job, member: number, state: MemberState): void {
  job.members = job.members.with(member, state);
}

/** The job may be over when it is done. */
function killOf({ spec }: Job, member: number): JobEffect {
  return { kind: "kill", job: spec.job, member, host: spec.members[member]!.host };
}

/** Members that are so far. */
function present(job: Job, at: MemberState["at"]): number[] {
  return job.members.flatMap((state, member) => (state.at === at ? [member] : []));
}

/** Members that run: where the others reach them. */
function peersOf({ members, spec }: Job): JobPeer[] {
  return members.flatMap((one, member) =>
    one.at === "running" ? [{ member, host: spec.members[member]!.host, address: one.address }] : [],
  );
}
