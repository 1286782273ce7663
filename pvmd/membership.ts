/**
 * A pvmd that has joined another's virtual machine: it asks to be let in, sends heartbeats, comes back when its link to
 * the master ends, and ends itself when it cannot be in the machine any more.
 *
 * Owns: whether this host is in service. It gives up before the master takes it for dead (patience.ts): a host that
 * is deleted runs nothing any more.
 * Pure: event and time in, effects out. test/property/hosts.test.ts plays it against host-table.ts.
 */
import { LIMITS } from "../wire/limits.ts";
import type { Refusal } from "./host-table.ts";
import { PATIENCE, type Patience } from "./patience.ts";

/** Why it ended. "silent": the master did not answer in time; "gone": nobody listens where the master did. */
export type MembershipEnd = Refusal | "unreachable" | "silent" | "gone" | "left" | "halted";

export type MembershipEvent =
  | { readonly kind: "linked" }
  /** Answer to `ask`. */
  | { readonly kind: "admitted"; readonly patience: Patience }
  | { readonly kind: "refused"; readonly why: Refusal; readonly patience: Patience }
  /** Answer to the heartbeat that was sent at `sentMs`. */
  | { readonly kind: "alive"; readonly sentMs: number; readonly known: boolean }
  | { readonly kind: "closed" }
  /** No link could be made. `refused`: the machine is there, and nobody listens. */
  | { readonly kind: "unreachable"; readonly refused: boolean }
  | { readonly kind: "order"; readonly what: "leave" | "halt" }
  /** This host's tasks have ended, as `endTasks` wished. */
  | { readonly kind: "tasksEnded" }
  /** Time goes by. */
  | { readonly kind: "tick" };

export type MembershipEffect =
  | { readonly kind: "connect" }
  | { readonly kind: "ask"; readonly returns: boolean }
  | { readonly kind: "beat"; readonly sentMs: number }
  /** The first time that it is in. */
  | { readonly kind: "inService" }
  | { readonly kind: "endTasks" }
  | { readonly kind: "tellLeft" }
  | { readonly kind: "end"; readonly why: MembershipEnd };

type State =
  /** Has no place in the machine yet, and is given `forMs` to get one; `waits`: it was told to ask again. */
  | {
      readonly at: "joining";
      readonly sinceMs: number;
      readonly forMs: number;
      readonly askedMs: number;
      readonly waits: boolean;
    }
  /** `renewedMs`: when that was sent to which the master answered last. */
  | { readonly at: "in"; readonly renewedMs: number; readonly beatMs: number; readonly waits: boolean }
  | {
      readonly at: "returning";
      readonly renewedMs: number;
      /** Since when a link is tried, or tried again; undefined: there is one, and the master has been asked. */
      readonly triedMs: number;
      readonly trying: "connecting" | "pausing" | "asked";
    }
  /** Its tasks are being ended. */
  | { readonly at: "ending"; readonly why: MembershipEnd; readonly since: number }
  | { readonly at: "ended" };

export class Membership {
  private state: State;
  /** The virtual machine's, as soon as it is known. */
  patience = PATIENCE;

  /** @param nowMs  a clock that never goes back; which moment is 0 does not matter */
  constructor(nowMs: number) {
    const forMs: number = LIMITS.hostJoinMs;
    this.state = { at: "joining", sinceMs: nowMs, forMs, askedMs: nowMs, waits: false };
  }

  /** True: its tasks may run. */
  get inService(): boolean {
    return this.state.at === "in" || this.state.at === "returning";
  }
  get ended(): boolean {
    return this.state.at === "ended";
  }

  /** To begin with. */
  start(): MembershipEffect[] {
    return [{ kind: "connect" }];
  }

  step(event: MembershipEvent, nowMs: number): MembershipEffect[] {
    const { state } = this;
    if (state.at === "ended") return [];
    if (event.kind === "tick") return this.tick(nowMs);
    if (state.at === "ending") {
      if (event.kind !== "tasksEnded") return [];
      return this.end(state.why);
    }
    if (event.kind === "order") return this.ending(event.what === "halt" ? "halted" : "left", nowMs);
    if (state.at === "joining") return this.joining(state, event, nowMs);
    if (state.at === "returning") return this.returning(state, event, nowMs);
    if (event.kind === "closed") {
      const { renewedMs } = state;
      this.state = { at: "returning", renewedMs, triedMs: nowMs, trying: "connecting" };
      return [{ kind: "connect" }];
    }
    if (event.kind === "alive") {
      if (!event.known) return this.ending("lapsed", nowMs);
      this.state = { ...state, renewedMs: Math.max(state.renewedMs, event.sentMs), waits: false };
    }
    return [];
  }

  private joining(
    state: Extract<State, { at: "joining" }>,
    event: MembershipEvent,
    nowMs: number,
  ): MembershipEffect[] {
    switch (event.kind) {
      case "linked":
        return this.ask(state, nowMs);
      case "admitted":
        this.patience = event.patience;
        // An answer that was so long on its way may be of a place that is lost already.
        if (nowMs - state.askedMs >= this.patience.giveUpMs) return this.end("unreachable");
        this.state = { at: "in", renewedMs: state.askedMs, beatMs: state.askedMs, waits: false };
        return [{ kind: "inService" }];
      case "refused":
        if (event.why !== "wait") return this.end(event.why);
        // Until the one that has the name is dead.
        this.state = { ...state, waits: true, forMs: LIMITS.hostJoinMs + heldMs(event.patience) };
        return [];
      case "unreachable":
      case "closed":
        return this.end("unreachable");
      default:
        return [];
    }
  }

  private ask(state: Extract<State, { at: "joining" }>, nowMs: number): MembershipEffect[] {
    this.state = { ...state, askedMs: nowMs, waits: false };
    return [{ kind: "ask", returns: false }];
  }

  private returning(
    state: Extract<State, { at: "returning" }>,
    event: MembershipEvent,
    nowMs: number,
  ): MembershipEffect[] {
    switch (event.kind) {
      case "linked":
        this.state = { ...state, triedMs: nowMs, trying: "asked" };
        return [{ kind: "ask", returns: true }];
      case "admitted":
        this.state = { at: "in", renewedMs: state.triedMs, beatMs: state.triedMs, waits: false };
        return [];
      case "refused":
        return this.ending(event.why, nowMs);
      case "unreachable":
        if (event.refused) return this.ending("gone", nowMs);
        this.state = { ...state, triedMs: nowMs, trying: "pausing" };
        return [];
      case "closed":
        this.state = { ...state, triedMs: nowMs, trying: "pausing" };
        return [];
      default:
        // An answer that was on its way when the link ended.
        return [];
    }
  }

  private tick(nowMs: number): MembershipEffect[] {
    const { state } = this;
    if (state.at === "ending" && nowMs - state.since >= LIMITS.hostEndMs) return this.end(state.why);
    if (state.at === "joining") {
      if (nowMs - state.sinceMs >= state.forMs)
        return this.end(state.forMs > LIMITS.hostJoinMs ? "wait" : "unreachable");
      return state.waits && nowMs - state.askedMs >= LIMITS.hostRetryMs ? this.ask(state, nowMs) : [];
    }
    if (state.at !== "in" && state.at !== "returning") return [];
    if (nowMs - state.renewedMs >= this.patience.giveUpMs) return this.ending("silent", nowMs);
    if (state.at === "returning") {
      if (state.trying !== "pausing" || nowMs - state.triedMs < LIMITS.hostRetryMs) return [];
      this.state = { ...state, triedMs: nowMs, trying: "connecting" };
      return [{ kind: "connect" }];
    }
    if (state.waits || nowMs - state.beatMs < this.patience.heartbeatMs) return [];
    this.state = { ...state, beatMs: nowMs, waits: true };
    return [{ kind: "beat", sentMs: nowMs }];
  }

  private ending(why: MembershipEnd, nowMs: number): MembershipEffect[] {
    this.state = { at: "ending", why, since: nowMs };
    return [{ kind: "endTasks" }];
  }

  private end(why: MembershipEnd): MembershipEffect[] {
    this.state = { at: "ended" };
    return [
      ...(why === "left" || why === "halted" ? [{ kind: "tellLeft" } as const] : []),
      { kind: "end", why },
    ];
  }
}

/** So long a name may be held by one that is lost. */
function heldMs({ deadMs }: Patience): number {
  return Math.min(deadMs, LIMITS.hostHeldMs);
}
