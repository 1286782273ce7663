/**
 * The master's table of hosts: who joins, is in service, leaves, is deleted, dies.
 *
 * Owns: a host's state and number, and that each coming and going is told once. A host of which nothing was heard for
 * `deadMs` is dead, and nothing else is death: a link that ends may come back, and what the control store has of the
 * host only says what is known here. (It was a lease there that heartbeats renewed: when the store stood still for
 * longer, hosts were dead that had never been silent.)
 * Pure: event and time in, effects out; no clock, no socket, no store. test/property/hosts.test.ts plays it.
 */
import assert from "node:assert/strict";
import { LIMITS } from "../wire/limits.ts";

/** What a host says of itself. */
export interface HostFacts {
  readonly name: string;
  /** Where its pvmd listens, such as "tcp:127.0.0.1:4711". */
  readonly address: string;
  /** As Node names it: x64, arm64. */
  readonly arch: string;
  /** Version of Node, and of upvm. */
  readonly node: string;
  readonly version: string;
  /** Processors that its processes may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly pid: number;
  /** Number that this pvmd, and no other of the same name, has drawn. */
  readonly incarnation: string;
}

/** "joining": its key is being written; nobody else knows it. "leaving": takes no more tasks, its own move away or end. */
export type HostState = "joining" | "up" | "leaving";
export interface HostRow extends HostFacts {
  /** 1: the master's. No two hosts have the same at a time. */
  readonly number: number;
  readonly state: HostState;
}

/**
 * Why a host is not let in. "wait": one of its name has no link any more, and may soon be dead; "lapsed": it was in, and has
 * been taken for dead since; "store": the control store fails.
 */
export type Refusal = "taken" | "wait" | "lapsed" | "halting" | "full" | "store";

/** Links are numbered by who has them. */
export type HostEvent =
  | { readonly kind: "ask"; readonly link: number; readonly facts: HostFacts; readonly returns: boolean }
  /** The store's answer to `put`; `why`: it is not there. */
  | { readonly kind: "stored"; readonly name: string; readonly incarnation: string; readonly why?: Refusal }
  | { readonly kind: "beat"; readonly link: number }
  | { readonly kind: "closed"; readonly link: number }
  /** Its key has gone from the store, and this table has not removed it. */
  | { readonly kind: "keyGone"; readonly name: string; readonly incarnation: string }
  /** It takes no more tasks: its own are to move away before it is deleted. */
  | { readonly kind: "empty"; readonly name: string }
  /** They cannot: it stays. */
  | { readonly kind: "keep"; readonly name: string }
  /** It is to leave, and what tasks it has end. */
  | { readonly kind: "delete"; readonly name: string }
  /** It leaves, has no tasks any more, and is about to end. */
  | { readonly kind: "left"; readonly link: number }
  | { readonly kind: "halt" }
  /** Those that did not end in time are not waited for. */
  | { readonly kind: "late" }
  /** Time goes by; every LIMITS.hostLookMs or so. */
  | { readonly kind: "tick" };

export type HostEffect =
  /** Write the row, if there is none of this name; `stored` tells. */
  | { readonly kind: "put"; readonly row: HostRow }
  /** Write the row anew, whether it is there or not. */
  | { readonly kind: "update"; readonly row: HostRow }
  /** Delete the row. */
  | { readonly kind: "remove"; readonly row: HostRow }
  | { readonly kind: "admit"; readonly link: number; readonly row: HostRow }
  | { readonly kind: "refuse"; readonly link: number; readonly why: Refusal }
  /** Answer to a heartbeat. False: the host is not in the table (any more). */
  | { readonly kind: "alive"; readonly link: number; readonly known: boolean }
  | { readonly kind: "order"; readonly link: number; readonly what: "leave" | "halt" }
  | { readonly kind: "close"; readonly link: number }
  | { readonly kind: "added"; readonly row: HostRow }
  | { readonly kind: "deleted"; readonly row: HostRow; readonly why: "left" | "dead" }
  /** All hosts but the master's own have ended. */
  | { readonly kind: "halted" };

interface Held {
  row: HostRow;
  link: number | undefined;
  /**
   * How far it is. "emptying": its tasks move away; "told": its pvmd is to end; "left": it has said that it has left, and when
   * its link ends its process has ended.
   */
  leaving: "no" | "emptying" | "told" | "left";
  /** When something was heard of it last. */
  heardMs: number;
}

export class HostTable {
  private readonly held = new Map<string, Held>();
  private readonly byLink = new Map<number, Held>();
  private lastNumber = 1;
  private halting: "no" | "waiting" | "done" = "no";
  private readonly deadMs: number;
  private tickedMs: number;

  /**
   * @param own     the master's host: it has no link, and stays
   * @param deadMs  who is silent for so long is dead
   * @param nowMs   a clock that never goes back; which moment is 0 does not matter
   */
  constructor(own: HostFacts, deadMs: number, nowMs: number) {
    this.deadMs = deadMs;
    this.tickedMs = nowMs;
    const row: HostRow = { ...own, number: 1, state: "up" };
    this.held.set(own.name, { row, link: undefined, leaving: "no", heardMs: nowMs });
  }

  /** True: the machine ends, or has. */
  get ending(): boolean {
    return this.halting !== "no";
  }

  /** Hosts that others may know of, in order of their numbers. */
  rows(): HostRow[] {
    return [...this.held.values()]
      .map(({ row }) => row)
      .filter(({ state }) => state !== "joining")
      .sort((a, b) => a.number - b.number);
  }

  row(name: string): HostRow | undefined {
    const row = this.held.get(name)?.row;
    return row?.state === "joining" ? undefined : row;
  }

  /** The link to a host's pvmd; undefined: there is none, it may come back. */
  linkOf(name: string): number | undefined {
    return this.held.get(name)?.link;
  }

  /** The host whose link this is. */
  hostOf(link: number): HostRow | undefined {
    return this.byLink.get(link)?.row;
  }

  step(event: HostEvent, nowMs: number): HostEffect[] {
    switch (event.kind) {
      case "ask":
        return this.ask(event.link, event.facts, event.returns, nowMs);
      case "stored":
        return this.stored(event.name, event.incarnation, event.why, nowMs);
      case "beat":
        return this.beat(event.link, nowMs);
      case "closed":
        return this.closed(event.link);
      case "keyGone":
        return this.keyGone(event.name, event.incarnation);
      case "empty":
        return this.empty(event.name);
      case "keep":
        return this.keep(event.name);
      case "delete":
        return this.delete(event.name);
      case "left":
        return this.left(event.link);
      case "halt":
        return this.halt();
      case "late":
        return this.end();
      case "tick":
        return this.tick(nowMs);
    }
  }

  private ask(link: number, facts: HostFacts, returns: boolean, nowMs: number): HostEffect[] {
    const refuse = (why: Refusal): HostEffect[] => [{ kind: "refuse", link, why }];
    // A link is one host's: a second question on it is a mistake of its peer.
    if (this.byLink.has(link)) return refuse("taken");
    const held = this.held.get(facts.name);
    if (returns) {
      if (held === undefined || held.row.incarnation !== facts.incarnation) return refuse("lapsed");
      if (held.row.state === "joining") return refuse("lapsed");
      if (held.leaving === "left") return refuse("lapsed");
      const old = held.link;
      if (old !== undefined) this.byLink.delete(old);
      this.attach(held, link);
      held.heardMs = nowMs;
      return [
        ...(old === undefined ? [] : [{ kind: "close", link: old } as const]),
        { kind: "admit", link, row: held.row },
        ...this.orders(held),
      ];
    }
    if (this.halting !== "no") return refuse("halting");
    // A pvmd that was killed and started again should not have to know when the old one is dead.
    const lost = held !== undefined && held.row.number !== 1 && held.link === undefined;
    if (held !== undefined) return refuse(lost ? "wait" : "taken");
    const number = this.freeNumber();
    if (number === undefined) return refuse("full");
    const row: HostRow = { ...facts, number, state: "joining" };
    const coming: Held = { row, link: undefined, leaving: "no", heardMs: nowMs };
    this.held.set(facts.name, coming);
    this.attach(coming, link);
    return [{ kind: "put", row: { ...row, state: "up" } }];
  }

  private stored(name: string, incarnation: string, why: Refusal | undefined, nowMs: number): HostEffect[] {
    const held = this.held.get(name);
    assert(held !== undefined && held.row.incarnation === incarnation, "bug: stored, but not asked for");
    assert(held.row.state === "joining", "bug: stored twice");
    const { row, link } = held;
    const refuse = (because: Refusal): HostEffect[] =>
      link === undefined ? [] : [{ kind: "refuse", link, why: because }];
    if (why !== undefined) {
      this.forget(held);
      return [...refuse(why), ...this.perhapsHalted()];
    }
    if (link === undefined || this.halting !== "no") {
      // It has gone meanwhile, or all is about to: nobody has heard of it.
      this.forget(held);
      return [{ kind: "remove", row }, ...refuse("halting"), ...this.perhapsHalted()];
    }
    held.row = { ...held.row, state: "up" };
    // It waited for the store.
    held.heardMs = nowMs;
    return [
      { kind: "admit", link, row: held.row },
      { kind: "added", row: held.row },
    ];
  }

  private beat(link: number, nowMs: number): HostEffect[] {
    const held = this.byLink.get(link);
    if (held === undefined || held.row.state === "joining") return [{ kind: "alive", link, known: false }];
    // Of one that has left, only its end is waited for.
    if (held.leaving !== "left") held.heardMs = nowMs;
    return [{ kind: "alive", link, known: true }];
  }

  private closed(link: number): HostEffect[] {
    const held = this.byLink.get(link);
    if (held === undefined) return [];
    this.byLink.delete(link);
    held.link = undefined;
    // Without a word before, it may come back until it is dead.
    return held.leaving === "left" ? this.gone(held, "left") : [];
  }

  /** The store has lost it, or somebody took it away: the host is none the worse. */
  private keyGone(name: string, incarnation: string): HostEffect[] {
    const held = this.held.get(name);
    if (held === undefined || held.row.incarnation !== incarnation || held.row.state === "joining") return [];
    return this.halting === "no" ? [{ kind: "update", row: held.row }] : [];
  }

  private tick(nowMs: number): HostEffect[] {
    // When nobody could look for longer than that, this process was stopped itself, and could not hear anything either.
    const deafMs = Math.max(0, nowMs - this.tickedMs - LIMITS.hostGapMs);
    this.tickedMs = nowMs;
    return [...this.held.values()].flatMap((held) => {
      held.heardMs = Math.min(held.heardMs + deafMs, nowMs);
      const { row, link } = held;
      if (row.number === 1 || row.state === "joining" || nowMs - held.heardMs < this.deadMs) return [];
      return [
        ...(link === undefined ? [] : [{ kind: "close", link } as const]),
        ...this.gone(held, row.state === "leaving" ? "left" : "dead"),
      ];
    });
  }

  private empty(name: string): HostEffect[] {
    const held = this.held.get(name);
    if (held === undefined || held.row.state !== "up" || held.row.number === 1) return [];
    held.leaving = "emptying";
    held.row = { ...held.row, state: "leaving" };
    return [{ kind: "update", row: held.row }];
  }

  private keep(name: string): HostEffect[] {
    const held = this.held.get(name);
    if (held?.leaving !== "emptying") return [];
    held.leaving = "no";
    held.row = { ...held.row, state: "up" };
    return [{ kind: "update", row: held.row }];
  }

  private delete(name: string): HostEffect[] {
    const held = this.held.get(name);
    if (held === undefined || held.row.state === "joining" || held.row.number === 1) return [];
    if (held.leaving === "told" || held.leaving === "left") return [];
    held.leaving = "told";
    held.row = { ...held.row, state: "leaving" };
    return [{ kind: "update", row: held.row }, ...this.orders(held)];
  }

  /** What its pvmd is to do; without a link it is told when it comes back. */
  private orders({ leaving, link }: Held): HostEffect[] {
    if (link === undefined) return [];
    if (this.halting !== "no") return [{ kind: "order", link, what: "halt" }];
    return leaving === "told" ? [{ kind: "order", link, what: "leave" }] : [];
  }

  private left(link: number): HostEffect[] {
    const held = this.byLink.get(link);
    if (held === undefined || held.row.state === "joining") return [];
    held.leaving = "left";
    return [];
  }

  private halt(): HostEffect[] {
    if (this.halting !== "no") return [];
    this.halting = "waiting";
    const known = [...this.held.values()].filter(({ row }) => row.number !== 1 && row.state !== "joining");
    return [...known.flatMap((held) => this.orders(held)), ...this.perhapsHalted()];
  }

  private gone(held: Held, why: "left" | "dead"): HostEffect[] {
    this.forget(held);
    return [
      { kind: "remove", row: held.row },
      { kind: "deleted", row: held.row, why },
      ...this.perhapsHalted(),
    ];
  }

  private perhapsHalted(): HostEffect[] {
    return this.halting === "waiting" && this.held.size === 1 ? this.end() : [];
  }

  private end(): HostEffect[] {
    if (this.halting !== "waiting") return [];
    this.halting = "done";
    return [{ kind: "halted" }];
  }

  private attach(held: Held, link: number): void {
    held.link = link;
    this.byLink.set(link, held);
  }

  private forget(held: Held): void {
    this.held.delete(held.row.name);
    if (held.link !== undefined) this.byLink.delete(held.link);
    held.link = undefined;
  }

  /** The next one, so that a number is not soon another host's; undefined: all are in use. */
  private freeNumber(): number | undefined {
    const used = new Set([...this.held.values()].map(({ row }) => row.number));
    for (let step = 0; step < LIMITS.hosts; step++) {
      const number = 1 + ((this.lastNumber + step) % LIMITS.hosts);
      if (used.has(number)) continue;
      this.lastNumber = number;
      return number;
    }
    return undefined;
  }

  /** Asserts what is always true. */
  check(): void {
    const numbers = new Set<number>();
    for (const [name, { row, link, leaving }] of this.held) {
      assert.equal(name, row.name);
      assert(
        row.state === "leaving" || leaving === "no" || leaving === "left",
        "it leaves, and is in service",
      );
      assert(row.state !== "leaving" || leaving !== "no", "it has stayed, and is not in service");
      assert(!numbers.has(row.number), "two hosts have one number");
      numbers.add(row.number);
      if (link !== undefined) assert.equal(this.byLink.get(link)?.row.name, name);
    }
    for (const [link, { row }] of this.byLink) assert.equal(this.held.get(row.name)?.link, link);
  }
}
