/**
 * Groups of a virtual machine: who is in them, who waits for whom. Tasks of all jobs meet in a group by its name, as in PVM.
 *
 * Owns: PVM's answers, the same as runtime/scheduler/groups.ts gives for the tasks of one process: test/unit/pvm-groups.test.ts
 * is the contract of both.
 * Pure: nobody is told here; what others get to know is in `Outcome.released`.
 */
import type { KeptGroup } from "../wire/checkpoint.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR, tidText } from "../wire/pvm.ts";
import type { Request } from "../wire/requests.ts";
import { jobOf } from "./tids.ts";

const { PvmDupGroup, PvmMismatch, PvmNoGroup, PvmNoInst, PvmNotInGroup, PvmOutOfRes } = PVM_ERROR;

/** "As many as there are now", for barrier and freeze. */
const ALL = -1;

/** Where members wait for each other: how many must come, and who has, in order. */
interface Meeting {
  count: number;
  readonly waiting: Request[];
}

export interface Group {
  readonly name: string;
  /** Tid by instance number; 0: free; negative: has left a frozen one. The last is not 0 unless it is frozen. */
  readonly rows: number[];
  members: number;
  /** Members when it was frozen, 0: dynamic. */
  frozen: number;
  /** It is frozen, and a member has left it. */
  defunct: boolean;
  readonly barrier: Meeting;
  readonly freeze: Meeting;
}

/** What an operation means. */
export interface Outcome {
  /** Result of who asked; undefined: it waits. */
  readonly value: number | undefined;
  /** Others that go on, and with which result. */
  readonly released: readonly { readonly request: Request; readonly value: number }[];
}

const only = (value: number): Outcome => ({ value, released: [] });

export class Groups {
  private readonly byName = new Map<string, Group>();
  /** Groups that a task is in, and its instance. */
  private readonly memberships = new Map<number, Map<Group, number>>();
  /** Is told of each group that has other members than before; one without any is no more. */
  private readonly changed: (group: Group) => void;

  constructor(changed: (group: Group) => void) {
    this.changed = changed;
  }

  /** Tasks of a job that are in a group: others can come to them. */
  membersOf(job: number): number[] {
    return [...this.memberships.keys()].filter((tid) => jobOf(tid) === job);
  }

  /** Groups of some tasks as if the others had left, and who of them waits there. */
  kept(tids: ReadonlySet<number>): KeptGroup[] {
    return [...this.byName.values()]
      .filter(({ rows }) => rows.some((tid) => tids.has(tid)))
      .map(({ name, rows, frozen, defunct, barrier, freeze }) => {
        const others = rows.some((tid) => tid > 0 && !tids.has(tid));
        const own = rows.map((tid) => (tids.has(tid) || tid <= 0 ? tid : frozen === 0 ? 0 : -tid));
        while (frozen === 0 && own.at(-1) === 0) own.pop();
        const waitsIn = (kind: "barrier" | "freezeGroup", { waiting, count }: Meeting) =>
          waiting
            .filter(({ tid }) => tids.has(tid))
            .map(({ tid, serial }) => {
              return { kind, tid, serial, count };
            });
        const waits = [...waitsIn("barrier", barrier), ...waitsIn("freezeGroup", freeze)];
        return { name, tids: own, frozen, defunct: defunct || (frozen !== 0 && others), waits };
      });
  }

  /**
   * Brings back members of groups that were kept, under their instances. Who waited is to ask again.
   *
   * @returns why nothing was changed: a group of today is in the way
   */
  restore(groups: readonly KeptGroup[]): string | undefined {
    let more = 0;
    for (const { name, tids, frozen } of groups) {
      const found = this.byName.get(name);
      if (found === undefined) more += 1;
      else if (frozen !== 0) return `group ${name}, which was static in it, is there again`;
      else if (found.frozen !== 0) return `group ${name} is static now, and takes nobody`;
      const taken = tids.findIndex((tid, instance) => tid > 0 && (found?.rows[instance] ?? 0) !== 0);
      if (taken >= 0) return `${tidText(found!.rows[taken]!)} has instance ${taken} of group ${name} now`;
    }
    if (this.byName.size + more > LIMITS.groups) return `there are ${this.byName.size} groups already`;
    for (const { name, tids, frozen, defunct } of groups) {
      const group = this.byName.get(name) ?? this.make(name)!;
      while (group.rows.length < tids.length) group.rows.push(0);
      tids.forEach((tid, instance) => {
        if (tid === 0) return;
        group.rows[instance] = tid;
        if (tid < 0) return;
        group.members += 1;
        const own = this.memberships.get(tid) ?? new Map<Group, number>();
        this.memberships.set(tid, own.set(group, instance));
      });
      group.frozen = frozen;
      group.defunct = defunct;
      this.changed(group);
    }
    return undefined;
  }

  private instanceOf(group: Group, tid: number): number | undefined {
    return this.memberships.get(tid)?.get(group);
  }

  /** Instance number. PvmDupGroup, PvmNotInGroup (frozen), PvmOutOfRes: there are LIMITS.groups. */
  join(tid: number, name: string): number {
    const found = this.byName.get(name);
    if (found !== undefined && found.frozen !== 0) return PvmNotInGroup.code;
    if (found !== undefined && this.instanceOf(found, tid) !== undefined) return PvmDupGroup.code;
    const group = found ?? this.make(name);
    if (group === undefined) return PvmOutOfRes.code;
    const free = group.rows.indexOf(0);
    const instance = free < 0 ? group.rows.length : free;
    group.rows[instance] = tid;
    group.members += 1;
    const own = this.memberships.get(tid) ?? new Map<Group, number>();
    this.memberships.set(tid, own.set(group, instance));
    this.changed(group);
    return instance;
  }

  private make(name: string): Group | undefined {
    if (this.byName.size >= LIMITS.groups) return undefined;
    const meeting = (): Meeting => ({ count: 0, waiting: [] });
    const group: Group = {
      name,
      rows: [],
      members: 0,
      frozen: 0,
      defunct: false,
      barrier: meeting(),
      freeze: meeting(),
    };
    this.byName.set(name, group);
    return group;
  }

  /** PvmNoGroup, PvmNotInGroup. */
  leave(tid: number, name: string): Outcome {
    const group = this.byName.get(name);
    if (group === undefined) return only(PvmNoGroup.code);
    if (this.instanceOf(group, tid) === undefined) return only(PvmNotInGroup.code);
    return { value: PVM_ERROR.PvmOk.code, released: this.strike(group, tid) };
  }

  /** A task has ended or left PVM: it is in no group, and waits for none. @returns others that go on */
  left(tid: number): Outcome["released"] {
    const own = this.memberships.get(tid);
    if (own === undefined) return [];
    const groups = [...own.keys()];
    for (const group of groups)
      for (const { waiting } of [group.barrier, group.freeze]) {
        // One whose message handler meets others in its turn waits more than once.
        for (let at = waiting.length; at-- > 0; ) if (waiting[at]!.tid === tid) waiting.splice(at, 1);
      }
    return groups.flatMap((group) => this.strike(group, tid));
  }

  /** Takes a member out. Who waits in a frozen group's barrier goes on: it can never be passed. */
  private strike(group: Group, tid: number): Outcome["released"] {
    const own = this.memberships.get(tid)!;
    const instance = own.get(group)!;
    own.delete(group);
    if (own.size === 0) this.memberships.delete(tid);
    group.members -= 1;
    const { rows } = group;
    if (group.frozen !== 0) {
      rows[instance] = -tid;
      group.defunct = true;
    } else {
      rows[instance] = 0;
      while (rows.at(-1) === 0) rows.pop();
    }
    if (group.members === 0) this.byName.delete(group.name);
    this.changed(group);
    return group.frozen === 0 ? [] : this.release(group.barrier, PvmNoGroup.code);
  }

  private release(meeting: Meeting, value: number): Outcome["released"] {
    return meeting.waiting.splice(0).map((request) => ({ request, value }));
  }

  /** Members, as the one who asks sees them. PvmNoGroup. */
  size(tid: number, name: string): number {
    const group = this.byName.get(name);
    if (group === undefined) return PvmNoGroup.code;
    return this.sees(group, tid) ? group.frozen : group.members;
  }

  /** A member of a frozen group sees it as it was frozen. */
  private sees(group: Group, tid: number): boolean {
    return group.frozen !== 0 && this.instanceOf(group, tid) !== undefined;
  }

  /** Instance number of a task. PvmNoGroup, PvmNotInGroup. */
  instance(tid: number, name: string, of: number): number {
    const group = this.byName.get(name);
    if (group === undefined) return PvmNoGroup.code;
    const instance = this.instanceOf(group, of);
    if (instance !== undefined) return instance;
    const before = this.sees(group, tid) ? group.rows.indexOf(-of) : -1;
    return before < 0 || of <= 0 ? PvmNotInGroup.code : before;
  }

  /** PvmNoGroup, PvmNoInst. */
  tid(tid: number, name: string, instance: number): number {
    const tids = this.tids(tid, name);
    return typeof tids === "number" ? tids : (tids[instance] ?? 0) || PvmNoInst.code;
  }

  /** Tids by instance number, 0 where there is none. PvmNoGroup. */
  tids(tid: number, name: string): readonly number[] | number {
    const group = this.byName.get(name);
    if (group === undefined) return PvmNoGroup.code;
    const all = this.sees(group, tid);
    return group.rows.map((row) => (row >= 0 ? row : all ? -row : 0));
  }

  /** PvmNoGroup (also: frozen and defunct), PvmNotInGroup, PvmMismatch. */
  barrier(request: Request, name: string, count: number): Outcome {
    const group = this.byName.get(name);
    if (group === undefined) return only(PvmNoGroup.code);
    if (this.instanceOf(group, request.tid) === undefined) return only(PvmNotInGroup.code);
    if (group.defunct) return only(PvmNoGroup.code);
    return this.meet(group, group.barrier, request, count, PVM_ERROR.PvmOk.code);
  }

  /** Size of the group. PvmNoGroup, PvmNotInGroup, PvmDupGroup (frozen), PvmMismatch. */
  freeze(request: Request, name: string, size: number): Outcome {
    const group = this.byName.get(name);
    if (group === undefined) return only(PvmNoGroup.code);
    if (this.instanceOf(group, request.tid) === undefined) return only(PvmNotInGroup.code);
    if (group.frozen !== 0) return only(PvmDupGroup.code);
    const done = this.meet(group, group.freeze, request, size, group.members);
    if (done.value !== group.members) return done;
    group.frozen = group.members;
    this.changed(group);
    return done;
  }

  /** Who asks comes to a meeting: it is the last, and all go on with `result`; or it waits. */
  private meet(group: Group, meeting: Meeting, request: Request, count: number, result: number): Outcome {
    const must = count === ALL ? group.frozen || group.members : Math.max(count, 0);
    const { waiting } = meeting;
    if (must === 0 || (waiting.length > 0 && meeting.count !== must)) return only(PvmMismatch.code);
    if (waiting.length + 1 >= must) return { value: result, released: this.release(meeting, result) };
    meeting.count = must;
    waiting.push(request);
    return { value: undefined, released: [] };
  }
}
