/**
 * The service of a virtual machine: takes requests of tasks, one handler for each kind, and answers them.
 *
 * Owns: which handler is asked, and that each request that wants an answer gets one or is parked. A request is parked if
 * it has to wait for what another task does: its handler keeps it and answers it later.
 * No clock and no socket in here; what the service knows is in the control store, what it does goes to `Host`.
 */
import type { Kept } from "../wire/checkpoint.ts";
import { PVM_ERROR } from "../wire/pvm.ts";
import type { Answer, Request, RequestKind, RequestOf } from "../wire/requests.ts";
import { freeContext, newContext } from "./contexts.ts";
import type { ControlStore } from "./control-store.ts";
import {
  barrier,
  freezeGroup,
  groupInstance,
  groupRole,
  groupSize,
  groupTid,
  groupTids,
  joinGroup,
  leaveGroup,
  leaveGroups,
} from "./groups.ts";
import type { Hosts, Tasks } from "./host.ts";
import { config, delhosts, halt, hostsync, mstat, whereIs } from "./hosts.ts";
import { askAgain, giveBack, inTheWay, keep } from "./kept-tasks.ts";
import { type Handler, Machine } from "./machine.ts";
import { deleteEntry, delinfo, insert, lookup, mboxinfo, putinfo, recvinfo } from "./message-box.ts";
import { notify, tellOfHost, tellOfHosts } from "./notify.ts";
import { addhosts, regHoster, regTasker, regTracer, toDaemon, undelivered } from "./plugins.ts";
import { askManager, executed, regRm, tellOfHostEnd, toTask } from "./resource-manager.ts";
import { spawn, started } from "./spawn.ts";
import { ended, kill, pstat, sendsig, taskName, tasks } from "./tasks.ts";
import { jobOf } from "./tids.ts";

type Handlers = { readonly [K in RequestKind]: Handler<K> };

const HANDLERS: Handlers = {
  newContext: async ({ store }, { tid }) => ({ value: await newContext(store, jobOf(tid)) }),
  freeContext: async ({ store }, { tid, body }) => ({
    value: await freeContext(store, body.context, jobOf(tid)),
  }),
  load: async ({ host }, { tid, body }) => ({ value: await host.load(body.name, tid) }),
  ended,
  // Whose task it is knows it by the request itself (Router.isHere).
  joined: async () => undefined,
  spawn,
  started,
  executed,
  tasks,
  taskName,
  whereIs,
  joinGroup,
  leaveGroup,
  groupSize,
  groupInstance,
  groupTid,
  groupTids,
  groupRole,
  barrier,
  freezeGroup,
  regHoster,
  regTasker,
  regRm,
  regTracer,
  toDaemon,
  toTask,
  undelivered,
  relay: async ({ host }, { tid, body }) => {
    host.post({ ...body, src: tid });
    return undefined;
  },
  kill,
  sendsig,
  pstat,
  notify,
  config,
  mstat,
  addhosts,
  delhosts,
  hostsync,
  halt,
  putinfo,
  recvinfo,
  delinfo,
  mboxinfo,
  insert,
  lookup,
  delete: deleteEntry,
  input: async ({ host }, { tid, body }) => {
    const bytes = await host.input(body.bytes, tid);
    return { value: bytes.length, bytes };
  },
  inputReady: async ({ host }, { tid, body }) => ({ value: (await host.inputReady(body.ms, tid)) ? 1 : 0 }),
};

export class Service {
  private readonly machine: Machine;
  /** Tasks that have left PVM, while what they had goes: who comes back meanwhile has to wait for it. */
  private readonly leaving = new Map<number, Promise<void>>();
  /** Jobs that come from their checkpoints: what their tasks ask waits, one request of each at most and what they tell. */
  private readonly coming = new Map<number, PromiseWithResolvers<void>>();

  private readonly telling = new Set<Promise<void>>();

  constructor(store: ControlStore, host: Tasks, hosts: Hosts) {
    this.machine = new Machine(store, host, hosts, (request) => this.deal(request));
  }

  /** Tasks of a job that are in a group. */
  groupMembers(job: number): readonly number[] {
    return this.machine.groups.book.membersOf(job);
  }

  /** What tasks of a job have here, for its checkpoint (kept-tasks.ts). */
  keep(job: number, tids: ReadonlySet<number>) {
    return keep(this.machine, job, tids, () => Promise.allSettled([...this.telling]));
  }

  /** @returns why a job cannot go on from its checkpoint, as far as is seen now */
  inTheWay(job: number, kept: Kept): Promise<string | undefined> {
    return inTheWay(this.machine, job, kept);
  }

  /**
   * A job is to go on from its checkpoint: its tasks are in their groups, and what they ask waits until all are there.
   *
   * @returns why it cannot: nothing was changed
   */
  restarting(job: number, { groups }: Kept): string | undefined {
    const why = this.machine.groups.book.restore(groups);
    if (why === undefined) this.coming.set(job, Promise.withResolvers());
    return why;
  }

  /** The job has begun, and none of its tasks runs yet. @returns why it cannot */
  giveBack(job: number, kept: Kept, data: Uint8Array): Promise<string | undefined> {
    return giveBack(this.machine, job, kept, data);
  }

  /** All tasks of a job are there again: who waited for others waits on, before any of them asks for something. */
  async restarted(job: number, kept: Kept): Promise<void> {
    try {
      await askAgain(this.machine, kept, (request) => this.deal(request));
    } finally {
      this.open(job);
    }
  }

  /** A job is over, maybe before it began: it has nothing here any more. */
  async jobOver(job: number): Promise<void> {
    for (const tid of this.machine.groups.book.membersOf(job)) await leaveGroups(this.machine, tid);
    this.open(job);
  }

  private open(job: number): void {
    this.coming.get(job)?.resolve();
    this.coming.delete(job);
  }

  /** Hosts have joined, and are in the host table: tells who asked for it. */
  async hostsAdded(hosts: readonly number[]): Promise<void> {
    await this.tells(tellOfHosts(this.machine, hosts));
  }

  /** A host has left or is lost, and is not in the host table any more; its tasks have ended. Tells who asked for it. */
  async hostDeleted(host: number): Promise<void> {
    await this.tells(tellOfHost(this.machine, host));
    tellOfHostEnd(this.machine, host);
  }

  /**
   * Deals with one request. Resolves when it is answered, parked or done, and all that follows from it for now too: who
   * looks for a deadlock may stop counting it.
   *
   * @throws what its handler throws, a bug of ours; its task gets PvmSysErr
   */
  async take(request: Request): Promise<void> {
    // Ends are never held: whoever stops such a job waits for them.
    const coming = request.kind === "ended" ? undefined : this.coming.get(jobOf(request.tid));
    if (coming !== undefined) await coming.promise;
    const leaving = this.leaving.get(request.tid);
    if (leaving !== undefined) await leaving;
    if (request.kind !== "ended") return this.deal(request);
    const gone = this.deal(request);
    const settled = gone.catch(() => {});
    this.leaving.set(request.tid, settled);
    await settled;
    if (this.leaving.get(request.tid) === settled) this.leaving.delete(request.tid);
    await gone;
  }

  private deal(request: Request): Promise<void> {
    const dealt = this.dealNow(request);
    return request.serial === 0 ? this.tells(dealt) : dealt;
  }

  /** Remembers what nobody waits for until it is done: others may be told by it. */
  private tells(work: Promise<void>): Promise<void> {
    const all = work.finally(() => this.telling.delete(all));
    this.telling.add(all);
    return all;
  }

  private async dealNow(request: Request): Promise<void> {
    const { host } = this.machine;
    try {
      if (askManager(this.machine, request)) return;
      const answer = await this.handle(request);
      if (answer !== undefined && request.serial !== 0) host.answer(request, answer);
    } catch (error) {
      if (request.serial !== 0) host.answer(request, { value: PVM_ERROR.PvmSysErr.code });
      throw error;
    }
  }

  private handle<K extends RequestKind>(request: RequestOf<K>): Promise<Answer | undefined> {
    const handler: Handler<K> = HANDLERS[request.kind];
    return handler(this.machine, request);
  }
}
