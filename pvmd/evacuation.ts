/**
 * A host is to leave: its tasks move to other hosts, and its processes end when they have none.
 *
 * Owns: where each goes, and when the host is empty. A task goes to the host that has the fewest tasks for its cores: one
 * where its job has a process, or else any that the job may use. A host that refuses a task is not asked for it again. How a
 * task moves is the processes' matter, by MoveOrders. No clock of its own.
 *
 * After LIMITS.hostEmptyMs none begins to move; what is moving then is waited for, and called off after LIMITS.hostDecideMs: a
 * task is elsewhere then or where it was, and that is known. All is over after twice that more, also if an order has no answer.
 */
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { MigratedRow } from "../wire/rpc-move.ts";
import { allowedFor, type JobHost } from "./job-hosts.ts";
import type { Job } from "./jobs.ts";
import type { Emptied } from "./pvmd.ts";

export interface EvacuationWorld {
  jobs(): readonly Job[];
  /** Hosts in service: those that leave are none. */
  hosts(): readonly JobHost[];
  /** Moves tasks to a host, as `upvm migrate`. @throws UpvmError the host is not there any more */
  migrate(tids: readonly number[], to: string): Promise<readonly MigratedRow[]>;
  /** A task is ordered to the host, or away from it. */
  isMoving(): boolean;
  /** These moves are waited for no longer. @param queued  only those that have not begun */
  callOff(queued: boolean): void;
  /** A process without tasks is to send its result and end; nothing happens while a task is on its way to it or from it. */
  retire(job: number, member: number): void;
  nowMs(): number;
  after(ms: number, run: () => void): void;
}

/** These pass: the task has just moved or is about to, has ended, or begins. */
const PASSING: ReadonlySet<string> = new Set([
  "notHere",
  "moving",
  "noTask",
  "ended",
  "tooMany",
  "calledOff",
]);

/** Resolves when nothing of any job is on the host, or what is cannot leave. */
export async function evacuate(host: string, world: EvacuationWorld): Promise<Emptied> {
  const moved = new Map<number, string>();
  /** Hosts that will not have a task, and why. */
  const refused = new Map<number, Map<string, string>>();
  const endMs = world.nowMs() + LIMITS.hostEmptyMs;
  const inTime = (): boolean => world.nowMs() < endMs;
  const pause = (): Promise<void> =>
    new Promise((done) => world.after(Math.min(LIMITS.hostEmptyAgainMs, endMs - world.nowMs()), done));
  while (inTime()) {
    const here = tasksOn(host, world.jobs());
    const places = placesFor(here, refused, world);
    const orders = [...places].map(([to, tids]) =>
      migrateTo(world, tids, to, inTime, (row) => {
        if (row.refused === undefined) moved.set(row.tid, to);
        else if (!PASSING.has(row.refused.code))
          refused.set(row.tid, new Map(refused.get(row.tid)).set(to, row.refused.why));
      }),
    );
    await settled(orders, inTime, pause);
    const left = tasksOn(host, world.jobs());
    // A job that has not begun will have; one that ends takes its tasks along.
    const passes = ({ job }: Task): boolean => job.state !== "running";
    const canGo = left.some((task) => passes(task) || placesFor([task], refused, world).size > 0);
    if (left.length > 0 && !canGo) break;
    if (left.length === 0 && retire(host, world)) break;
    if (inTime()) await pause();
  }
  await decided(world);
  const stay = tasksOn(host, world.jobs()).map((task) => ({
    tid: task.tid,
    why: whyStays(task, refused, world),
  }));
  for (const { tid } of stay) moved.delete(tid);
  return { moved: [...moved].map(([tid, to]) => ({ tid, to })), stay };
}

/** Waits for all, as long as there is time. */
async function settled(
  orders: readonly Promise<void>[],
  inTime: () => boolean,
  pause: () => Promise<void>,
): Promise<void> {
  let open = true;
  const all = Promise.all(orders).then(() => {
    open = false;
  });
  while (open && inTime()) await Promise.race([all, pause()]);
}

/** No other task begins to move; those that move are elsewhere, or not. */
async function decided(world: EvacuationWorld): Promise<void> {
  for (const queued of [true, false]) {
    const endMs = world.nowMs() + LIMITS.hostDecideMs;
    while (world.isMoving() && world.nowMs() < endMs) {
      world.callOff(queued);
      await new Promise<void>((go) =>
        world.after(Math.min(LIMITS.hostEmptyAgainMs, endMs - world.nowMs()), go),
      );
    }
  }
}

/** Why a task is still on the host. */
function whyStays(
  task: Task,
  refused: ReadonlyMap<number, ReadonlyMap<string, string>>,
  world: EvacuationWorld,
): string {
  const { tid, job } = task;
  const seconds = LIMITS.hostEmptyMs / 1000;
  if (job.state === "starting") return `its job had not begun after ${seconds} s`;
  if (job.state !== "running") return `its job was about to end, and had not after ${seconds} s`;
  if (placesFor([task], refused, world).size > 0) return `it had not moved after ${seconds} s`;
  return [...(refused.get(tid)?.values() ?? [])].at(-1) ?? "its job may use no other host";
}

interface Task {
  readonly tid: number;
  readonly job: Job;
}

function tasksOn(host: string, jobs: readonly Job[]): Task[] {
  return jobs.flatMap((job) =>
    [...job.live].flatMap(([tid, member]) => (job.spec.members[member]?.host === host ? [{ tid, job }] : [])),
  );
}

/** Tasks that can go somewhere, by the host where they can go. */
function placesFor(
  tasks: readonly Task[],
  refused: ReadonlyMap<number, ReadonlyMap<string, string>>,
  world: EvacuationWorld,
): Map<string, number[]> {
  const hosts = world.hosts();
  const load = new Map(hosts.map(({ name }) => [name, tasksOn(name, world.jobs()).length]));
  const places = new Map<string, number[]>();
  for (const { tid, job } of tasks) {
    if (job.state !== "running") continue;
    const allowed = allowedFor(job.spec.wish, hosts).filter(
      ({ name }) => refused.get(tid)?.has(name) !== true,
    );
    const own = allowed.filter(({ name }) => hasProcess(job, name));
    const share = ({ name, cores }: JobHost): number => ((load.get(name) ?? 0) + 1) / cores;
    const [best] = (own.length > 0 ? own : allowed).toSorted((a, b) => share(a) - share(b));
    if (best === undefined) continue;
    load.set(best.name, (load.get(best.name) ?? 0) + 1);
    places.set(best.name, [...(places.get(best.name) ?? []), tid]);
  }
  return places;
}

function hasProcess({ spec, members }: Job, name: string): boolean {
  return spec.members.some(({ host }, member) => host === name && members[member]?.at === "running");
}

/** To a host that has gone meanwhile none moves, nor is it asked again. `told`: what has become of each. */
async function migrateTo(
  world: EvacuationWorld,
  tids: readonly number[],
  to: string,
  inTime: () => boolean,
  told: (row: MigratedRow) => void,
): Promise<void> {
  try {
    for (let at = 0; at < tids.length && inTime(); at += LIMITS.movesWaiting)
      for (const row of await world.migrate(tids.slice(at, at + LIMITS.movesWaiting), to)) told(row);
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
  }
}

/** @returns true: no process is left there */
function retire(host: string, { jobs, retire: end }: EvacuationWorld): boolean {
  for (const { spec, members } of jobs())
    spec.members.forEach((one, member) => {
      if (one.host === host && members[member]?.at === "running") end(spec.job, member);
    });
  return jobs().every(({ spec, members }) =>
    members.every(({ at }, member) => spec.members[member]!.host !== host || at === "done" || at === "gone"),
  );
}
