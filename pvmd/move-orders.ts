/**
 * Moves of ULPs between hosts, as the master sees them: orders of commands go to the processes that have the ULPs, and what
 * has become of ULPs whose process is gone is decided by the control store.
 *
 * Owns: orders until they are answered, and the last word about ULPs that were on their way when a process was lost: their
 * keys (locations.ts). How a ULP moves is the processes' matter (runtime/migrate/migration.ts).
 */
import type { Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { RpcAsk, RpcReply } from "../wire/rpc.ts";
import type { MigratedRow, RPC_MOVE } from "../wire/rpc-move.ts";
import { type ControlStore, StoreError } from "./control-store.ts";
import type { Jobs } from "./jobs.ts";
import { buryUlp } from "./locations.ts";
import { jobOf } from "./tids.ts";

/** An application process. */
export interface Seated {
  readonly job: number;
  readonly member: number;
}

export interface MoveWorld {
  readonly store: ControlStore;
  /** Process that has a task; undefined: there is no such task. */
  find(tid: number): Seated | undefined;
  /** Tasks of all jobs on a host. */
  tasksOn(host: string): readonly number[];
  /** Host of a process; "" if there was none. */
  hostOf(process: Seated): string;
  /** A host of the table; undefined: there is none of that name, or no link to it. */
  hostState(name: string): "up" | "leaving" | undefined;
  /** Process of a job on a host, made if there is none yet. @returns its number; text: why it cannot be */
  memberOn(job: number, host: string): Promise<number | string>;
  rpcTo(process: Seated): Rpc | undefined;
  /** News: a ULP is with this process now, which may be gone already. */
  moved(tid: number, member: number): void;
  /** An order for a ULP goes out: what the master has for it waits (Router.park). */
  park(tid: number): void;
  /** It is answered, or its source is gone, and `moved` has told where the ULP is. Once after each `park`. */
  letGo(tid: number): void;
  /** Of the job that has this number now (JobSpec). */
  lifeOf(job: number): number | undefined;
  /** All ULPs of a job have ended, or it is gone: its processes end. */
  ends(job: number): boolean;
  /** A checkpoint of a job is being taken: its ULPs stay where they are. */
  isKept(job: number): boolean;
  after(ms: number, run: () => void): void;
}

type Outcome = RpcReply<(typeof RPC_MOVE)["moveOrder"]>["outcomes"][number];
type Refusal = NonNullable<MigratedRow["refused"]>;

/** What the orders of one group have in common: its process and its link, where it goes; names of both hosts. */
interface Way {
  readonly at: Seated;
  readonly life: number;
  readonly to: number;
  readonly rpc: Rpc;
  readonly from: string;
  readonly host: string;
}

const NO_TASK: Refusal = { code: "noTask", why: "there is no such task" };
const LEAVING: Refusal = { code: "leaving", why: "that host is leaving" };
const LOST: Refusal = { code: "lost", why: "its process has ended, and the ULP with it" };
const ENDED: Refusal = { code: "ended", why: "it has ended" };
const MOVING: Refusal = { code: "moving", why: "it is moving already" };
const CALLED_OFF: Refusal = { code: "calledOff", why: "it was called off" };
const KEPT: Refusal = { code: "moving", why: "a checkpoint of its job is being taken" };
const NOT_HERE: Refusal = { code: "notHere", why: "it is not there any more" };

export class MoveOrders {
  private readonly world: MoveWorld;
  /** Orders that are not answered: to whom, and the member that the ULPs go to. A ULP may have several: all but one are refused. */
  private readonly ordered = new Set<{
    readonly at: Seated;
    readonly life: number;
    readonly to: number;
    readonly tids: readonly number[];
    isOff: boolean;
  }>();
  /**
   * Sources of ULPs whose order has gone out and is not answered. Each has one at most: what is for it waits for that, and not
   * for ever.
   */
  private readonly open = new Map<number, number>();
  /** Number of the last move of each ULP that is known, so that old news changes nothing. */
  private readonly last = new Map<number, number>();

  constructor(world: MoveWorld) {
    this.world = world;
  }

  /** @throws UpvmError HOST_UNKNOWN */
  async migrate({ tids, from, to }: RpcAsk<(typeof RPC_MOVE)["migrate"]>): Promise<MigratedRow[]> {
    for (const host of from === undefined ? [to] : [from, to])
      if (this.world.hostState(host) === undefined)
        throw new UpvmError("HOST_UNKNOWN", { what: "migrate to or from", host });
    const all = [...new Set([...tids, ...(from === undefined ? [] : this.world.tasksOn(from))])];
    const rows = new Map<number, MigratedRow>();
    let left = all;
    for (let tries = 0; left.length > 0 && tries < LIMITS.moveOrderTries; tries++) {
      // News of its last move is on its way to us.
      if (tries > 0) await new Promise<void>((go) => this.world.after(LIMITS.moveOrderAgainMs, go));
      const results = await Promise.all(this.byProcess(left).map((group) => this.orderAll(group, to)));
      for (const row of results.flat()) rows.set(row.tid, row);
      left = left.filter((tid) => rows.get(tid)?.refused?.code === "notHere");
    }
    return all.map((tid) => rows.get(tid)!);
  }

  private byProcess(tids: readonly number[]): { readonly at: Seated | undefined; readonly tids: number[] }[] {
    const groups = new Map<string, { readonly at: Seated | undefined; readonly tids: number[] }>();
    for (const tid of tids) {
      const at = this.world.find(tid);
      const name = at === undefined ? "" : `${at.job}/${at.member}`;
      const group = groups.get(name) ?? { at, tids: [] };
      group.tids.push(tid);
      groups.set(name, group);
    }
    return [...groups.values()];
  }

  /** Orders ULPs of one process to a host. */
  private async orderAll(
    { at, tids }: { readonly at: Seated | undefined; readonly tids: readonly number[] },
    host: string,
  ): Promise<MigratedRow[]> {
    const refuse = (refused: Refusal): MigratedRow[] => tids.map((tid) => rowOf(tid, from, host, refused));
    const from = at === undefined ? "" : this.world.hostOf(at);
    if (at === undefined) return refuse(NO_TASK);
    if (this.world.hostState(host) === "leaving") return refuse(LEAVING);
    const to = await this.world.memberOn(at.job, host);
    const rpc = this.world.rpcTo(at);
    if (typeof to === "string")
      return refuse({ code: "noProcess", why: `its job has no process there: ${to}` });
    const life = this.world.lifeOf(at.job);
    if (rpc === undefined || life === undefined) return refuse(this.world.ends(at.job) ? ENDED : LOST);
    const order = { at, life, to, tids, isOff: false };
    this.ordered.add(order);
    try {
      const left = [...tids];
      const rows: MigratedRow[] = [];
      // Each by itself, when it is its turn: what is for a ULP waits no longer than its own move lasts.
      const some = async (): Promise<void> => {
        for (let tid = left.shift(); tid !== undefined; tid = left.shift())
          rows.push(
            order.isOff
              ? rowOf(tid, from, host, CALLED_OFF)
              : await this.orderOne({ at, life, to, rpc, from, host }, tid),
          );
      };
      const ends = await Promise.allSettled(Array.from({ length: LIMITS.movesAtOnce }, some));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      return rows;
    } finally {
      this.ordered.delete(order);
    }
  }

  private async orderOne({ at, life, to, rpc, from, host }: Way, tid: number): Promise<MigratedRow> {
    // By its source it would be refused too; if it has left there already, that is about to be answered.
    const source = this.open.get(tid);
    if (source !== undefined)
      return rowOf(tid, from, host, this.world.find(tid)?.member === source ? MOVING : NOT_HERE);
    if (this.world.isKept(at.job)) return rowOf(tid, from, host, KEPT);
    this.open.set(tid, at.member);
    this.world.park(tid);
    try {
      const { body } = await rpc.request("moveOrder", { tids: [tid], to }, undefined, 0);
      const outcome = body.outcomes[0]!;
      if (outcome.moved && this.world.lifeOf(at.job) === life) this.news(tid, to, outcome.move);
      return outcomeRow(tid, from, host, outcome);
    } catch (error) {
      if (rpc.link.end === undefined) throw error;
      // The source is gone: it is at its destination, or has ended.
      await this.bury(tid, at, life);
      const now = this.world.find(tid);
      const why = this.world.ends(at.job) ? ENDED : LOST;
      const isThere = to !== at.member && now?.member === to;
      return rowOf(tid, from, host, isThere ? undefined : why);
    } finally {
      this.open.delete(tid);
      this.world.letGo(tid);
    }
  }

  private concerning(host: string) {
    const isThere = (process: Seated): boolean => this.world.hostOf(process) === host;
    return [...this.ordered].filter(({ at, to }) => isThere(at) || isThere({ job: at.job, member: to }));
  }

  /** True if a ULP is ordered to this host, or away from it. */
  isMoving(host: string): boolean {
    return this.concerning(host).length > 0;
  }

  /**
   * Orders to a host, or away from it, are waited for no longer: those that have not gone out do not, the others are answered soon
   * with what has become of their ULPs. @param queued  only those that have not begun
   */
  callOff(host: string, queued: boolean): void {
    for (const order of this.concerning(host)) {
      const { at, tids } = order;
      order.isOff = true;
      const open = tids.filter((tid) => this.open.get(tid) === at.member);
      if (open.length > 0) this.world.rpcTo(at)?.tell("moveOff", { tids: open, queued });
    }
  }

  /** A process tells that a ULP is with it since its move of this number. */
  news(tid: number, member: number, move: number): void {
    // Of one that has ended, maybe with its job, there is no news.
    if (this.world.find(tid) === undefined || (this.last.get(tid) ?? 0) >= move) return;
    this.last.set(tid, move);
    this.world.moved(tid, member);
  }

  ended(tids: readonly number[]): void {
    for (const tid of tids) this.last.delete(tid);
  }

  /** The next job of its number has the same tids, and their moves count from 1 again. */
  jobEnded(job: number): void {
    for (const tid of this.last.keys()) if (jobOf(tid) === job) this.last.delete(tid);
  }

  /** Settles, and then calls; at once if none of the process's ULPs have been ordered away. */
  settled(process: Seated, then: () => void): void {
    if (this.orderedFrom(process).length > 0) void this.settle(process).then(then);
    else then();
  }

  /** True if something of the job may wait for a ULP that is on its way. */
  hasOpen(job: number): boolean {
    return [...this.open.keys()].some((tid) => jobOf(tid) === job);
  }

  /** True if a ULP is ordered to this process, or away from it. */
  concern({ job, member }: Seated): boolean {
    return [...this.ordered.values()].some(
      ({ at, to }) => at.job === job && (at.member === member || to === member),
    );
  }

  private orderedFrom({ job, member }: Seated): number[] {
    const life = this.world.lifeOf(job);
    const theirs = [...this.ordered].filter((one) => one.life === life && one.at.member === member);
    return [...new Set(theirs.flatMap(({ tids }) => tids))];
  }

  /**
   * A process is gone. Before its ULPs are given up: those that were ordered away may be at their destination, which the
   * store says, or are forbidden there from now on.
   */
  async settle(process: Seated): Promise<void> {
    const life = this.world.lifeOf(process.job);
    if (life === undefined) return;
    await Promise.all(this.orderedFrom(process).map((tid) => this.bury(tid, process, life)));
  }

  private async bury(tid: number, { job, member }: Seated, life: number): Promise<void> {
    for (let tries = 0; tries < LIMITS.storeTries && this.world.lifeOf(job) === life; tries++) {
      try {
        const place = await buryUlp(this.world.store, life, tid, member);
        // The job may be over by then, and another have its number.
        if (place !== undefined && this.world.lifeOf(job) === life)
          this.news(tid, place.member, Number(place.move));
        return;
      } catch (error) {
        // The store is out of reach just now.
        if (!(error instanceof StoreError)) throw error;
        await new Promise<void>((go) => this.world.after(LIMITS.moveAskAgainMs, go));
      }
    }
  }
}

/** What the state of the jobs says. @param enlist  makes a process of a job on a host, by the tid of its daemon */
export function moveWorld(
  jobs: Jobs,
  world: Pick<MoveWorld, "store" | "after"> & {
    hosts(): readonly { readonly name: string; readonly tid: number }[];
    isLeaving(host: string): boolean;
  },
  enlist: (job: number, host: number) => Promise<number | undefined>,
): Omit<MoveWorld, "rpcTo" | "moved" | "park" | "letGo" | "isKept"> {
  /** Processes that are being made, by job and host. */
  const making = new Map<string, Promise<number | undefined>>();
  const make = (job: number, host: number): Promise<number | undefined> => {
    const name = `${job}/${host}`;
    const made = making.get(name) ?? enlist(job, host).finally(() => making.delete(name));
    making.set(name, made);
    return made;
  };
  const ends = (number: number): boolean => (jobs.get(number)?.state ?? "ending") === "ending";
  const whyNone = (number: number, name: string): string => {
    const job = jobs.get(number);
    const last = job?.spec.members.findLastIndex(({ host }) => host === name) ?? -1;
    const state = job?.members[last];
    if (job === undefined || ends(number)) return "it ends";
    if (state?.at === "gone") return state.why;
    const comes = state !== undefined && state.at !== "retiring" && state.at !== "done";
    return comes ? "that begins just now; try again in a moment" : "it cannot have one";
  };
  const hostNamed = (name: string) => world.hosts().find((host) => host.name === name);
  const hostOf = ({ job, member }: Seated): string => jobs.get(job)?.spec.members[member]?.host ?? "";
  return {
    store: world.store,
    after: (ms, run) => world.after(ms, run),
    find: (tid) => {
      const found = jobs.find(tid);
      return found && { job: found.job.spec.job, member: found.member };
    },
    tasksOn: (host) =>
      jobs
        .all()
        .flatMap(({ spec: { job }, live }) =>
          [...live].filter(([, member]) => hostOf({ job, member }) === host).map(([tid]) => tid),
        ),
    hostOf,
    lifeOf: (job) => jobs.get(job)?.spec.life,
    ends,
    hostState: (name) =>
      hostNamed(name) !== undefined ? "up" : world.isLeaving(name) ? "leaving" : undefined,
    memberOn: async (number, name) => {
      const job = jobs.get(number);
      const running = (member: number): boolean => job?.members[member]?.at === "running";
      const there = job?.spec.members.findIndex(({ host }, member) => host === name && running(member)) ?? -1;
      if (there >= 0) return there;
      const host = hostNamed(name);
      const made = host === undefined ? undefined : await make(number, host.tid);
      return made ?? whyNone(number, name);
    },
  };
}

function rowOf(tid: number, from: string, to: string, refused: Refusal | undefined): MigratedRow {
  return { tid, from, to, bytes: 0, obtrusiveMs: 0, migrationMs: 0, ...(refused && { refused }) };
}

function outcomeRow(tid: number, from: string, to: string, outcome: Outcome): MigratedRow {
  if (!outcome.moved) {
    const { code, detail } = outcome.refused;
    return rowOf(tid, from, to, { code, why: detail });
  }
  const { bytes, obtrusiveMs, migrationMs, stages, eventMs } = outcome;
  return { tid, from, to, bytes, obtrusiveMs, migrationMs, stages, eventMs };
}
