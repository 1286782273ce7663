/**
 * A member of a job: where the ULPs of the job are, and where a message goes.
 *
 * Owns: the location table of an application process (paper, 3.2.1: the host process in a remote descriptor), and messages
 * for ULPs whose place has been asked for. Pure: a message comes, an effect says what happens to it. Frames, the heap and the
 * master are the edge's (application.ts). What holds messages while a ULP moves plugs in at `move`.
 */
import type { Seat } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";

/** Nobody: the ULP has ended or never was, or its process is gone. */
export const NOWHERE = -1;

/** What is known of a message. */
export interface Addressed {
  /** Tids. */
  readonly to: number;
  readonly src: number;
}

export interface MemberEffects<M extends Addressed> {
  /** Into the inbox of a ULP of this process. */
  readonly deliver: (message: M) => void;
  /** To another member; `times` it was sent on, 0: it comes from a ULP of this process. */
  readonly send: (member: number, message: M, times: number) => void;
  /** Its receiver is nowhere. */
  readonly drop: (message: M) => void;
  /** Ask the master where a ULP is; `located` answers. */
  readonly ask: (tid: number) => void;
}

interface Held<M> {
  readonly message: M;
  readonly times: number;
}

export class Member<M extends Addressed> {
  readonly index: number;
  private readonly effects: MemberEffects<M>;
  private readonly places = new Map<number, number>();
  /** Messages for ULPs whose place has been asked for, in order. */
  private readonly asked = new Map<number, Held<M>[]>();
  private readonly gone = new Set<number>();

  /** @param first  tid of each of the job's first ULPs, and its seat */
  constructor(index: number, first: Iterable<readonly [number, Seat]>, effects: MemberEffects<M>) {
    this.index = index;
    this.effects = effects;
    for (const [tid, { member }] of first) this.places.set(tid, member);
  }

  /** Member that has a ULP, NOWHERE, or undefined: not known. */
  where(tid: number): number | undefined {
    return this.places.get(tid);
  }

  /** A ULP of this process sends. */
  leave(message: M): void {
    this.route(message, 0);
  }

  /** A message has come from another member. @param times  it was sent on before it came */
  arrive(message: M, times: number): void {
    if (this.where(message.to) === this.index) this.effects.deliver(message);
    else this.route(message, times + 1);
  }

  /** The master has said where a ULP is. News that came meanwhile is newer. */
  located(tid: number, member: number): void {
    if (this.places.get(tid) === undefined) this.place(tid, member);
    else this.letGo(tid);
  }

  /** A ULP is at a member now: it was made there, has come there, or has ended (NOWHERE). */
  place(tid: number, member: number): void {
    this.places.set(tid, this.gone.has(member) ? NOWHERE : member);
    this.letGo(tid);
  }

  /** A process of the job is gone. @returns its ULPs, which have ended */
  lost(member: number): number[] {
    this.gone.add(member);
    const theirs = [...this.places].filter(([, at]) => at === member).map(([tid]) => tid);
    for (const tid of theirs) this.place(tid, NOWHERE);
    return theirs;
  }

  /** True if messages wait here for the master's word. */
  get waits(): boolean {
    return this.asked.size > 0;
  }

  private route(message: M, times: number): void {
    const at = this.where(message.to);
    if (at === this.index) this.effects.deliver(message);
    else if (at === NOWHERE || times > LIMITS.forwards) this.effects.drop(message);
    else if (at !== undefined) this.effects.send(at, message, times);
    else this.hold(message, times);
  }

  private hold(message: M, times: number): void {
    const held = this.asked.get(message.to);
    if (held !== undefined) {
      held.push({ message, times });
      return;
    }
    this.asked.set(message.to, [{ message, times }]);
    this.effects.ask(message.to);
  }

  private letGo(tid: number): void {
    const held = this.asked.get(tid);
    this.asked.delete(tid);
    for (const { message, times } of held ?? []) this.route(message, times);
  }
}
