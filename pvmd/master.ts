/**
 * The first pvmd of a virtual machine: its master.
 *
 * Owns: the table of hosts as it is in the control store (`host/<name>`, under leases that end with this
 * process), the links to the pvmds that have joined, and the end of the machine. Who is a host, and who is dead, is decided
 * in host-table.ts; requests of other subjects are the parts'. No socket and no clock: upvm/node-pvmd.ts.
 */
import type { Link } from "../net/link.ts";
import { memoryLinks } from "../net/memory-links.ts";
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidText } from "../wire/pvm.ts";
import type { HostResult, Leaving } from "../wire/rpc-hosts.ts";
import { type ControlStore, type LeaseId, StoreError } from "./control-store.ts";
import {
  type HostEffect,
  type HostEvent,
  type HostFacts,
  type HostRow,
  HostTable,
  type Refusal,
} from "./host-table.ts";
import { hosterWords, hostNameOf, whyNotAdded } from "./hoster.ts";
import { encode } from "./machine.ts";
import type { Patience } from "./patience.ts";
import {
  type Caller,
  type Emptied,
  type MakePart,
  type Part,
  type Pvmd,
  type PvmdEdge,
  serveLink,
} from "./pvmd.ts";

export interface MasterOptions {
  readonly vm: string;
  readonly facts: HostFacts;
  readonly store: ControlStore;
  readonly localAddress: string;
  readonly folder: string;
  readonly parts: readonly MakePart[];
  readonly edge: PvmdEdge;
  readonly patience: Patience;
  /** All is over: the process may end. */
  readonly ended: () => void;
}

type JoinReply = {
  readonly vm: string;
  readonly master: string;
  readonly number: number;
  readonly deadMs: number;
  readonly refused?: Refusal;
};

const keyOf = (name: string): string => `host/${name}`;

export class Master implements Pvmd {
  readonly role = "master";
  readonly vm: string;
  readonly host: string;
  readonly number = 1;
  readonly localAddress: string;
  readonly address: string;
  readonly masterAddress: string;
  readonly folder: string;
  readonly store: ControlStore;
  readonly master: Rpc;
  private readonly options: MasterOptions;
  private readonly edge: PvmdEdge;
  private readonly table: HostTable;
  private readonly parts: readonly Part[];
  private readonly ownPvmd: Rpc;
  /** Links of pvmds, by the numbers that the table knows them by. */
  private readonly callers = new Map<number, Caller>();
  private readonly numbers = new Map<Caller, number>();
  private links = 0;
  private readonly joining = new Map<number, (reply: JoinReply) => void>();
  /** Those of the hosts' keys, by name; changed in turn with the store. */
  private readonly leases = new Map<string, { readonly lease: LeaseId; readonly incarnation: string }>();
  /** Changes of the store follow each other: a name that is free again can be given again. */
  private storeWork: Promise<void> = Promise.resolve();
  /** Who waits until a host is gone, by incarnation. */
  private readonly goneWaits = new Map<string, (() => void)[]>();
  /** Hosts whose tasks move away, by incarnation. */
  private readonly emptying = new Map<string, Promise<Emptied>>();
  private halted: Promise<readonly string[]> | undefined;
  private tellHalted: () => void = () => {};

  constructor(options: MasterOptions) {
    this.options = options;
    this.edge = options.edge;
    this.vm = options.vm;
    this.host = options.facts.name;
    this.localAddress = options.localAddress;
    this.masterAddress = options.localAddress;
    this.address = options.facts.address;
    this.folder = options.folder;
    this.store = options.store;
    this.table = new HostTable(options.facts, options.patience.deadMs, this.edge.nowMs());
    this.parts = options.parts.map((make) => make(this));
    const self = { role: "pvmd", vm: this.vm, host: this.host } as const;
    const { a, b } = memoryLinks(self, self);
    this.master = this.serve(a).rpc;
    this.ownPvmd = this.serve(b).rpc;
  }

  /** Begins: its own host is in the table. @throws UpvmError of the control store */
  async start(): Promise<void> {
    const own = this.table.rows()[0]!;
    this.store.watch("host/", ({ key, entry }) => {
      if (entry === undefined) this.keyGone(key.slice(keyOf("").length));
    });
    await this.write(own.name, own.incarnation);
    this.edge.every(LIMITS.hostLookMs, () => this.step({ kind: "tick" }));
    for (const part of this.parts) part.hostAdded?.(own);
    this.log(`in service as ${this.host}, first host of virtual machine ${this.vm}, at ${this.address}`);
  }

  /** A peer has connected. */
  accept(link: Link): void {
    this.serve(link);
  }

  hosts(): readonly HostRow[] {
    return this.table.rows();
  }

  rpcTo(host: string): Rpc | undefined {
    if (host === this.host) return this.ownPvmd;
    const link = this.table.row(host) === undefined ? undefined : this.table.linkOf(host);
    return link === undefined ? undefined : this.callers.get(link)?.rpc;
  }

  connect(...[address, accept, connectMs]: Parameters<Pvmd["connect"]>): Promise<Link> {
    return this.edge.connect(address, this.vm, accept, connectMs);
  }

  log(text: string): void {
    this.edge.log(text);
  }

  halt(): Promise<readonly string[]> {
    this.halted ??= this.haltAll();
    return this.halted;
  }

  private async haltAll(): Promise<readonly string[]> {
    this.log("halting the virtual machine");
    const over = new Promise<void>((done) => {
      this.tellHalted = done;
    });
    const own = this.endTasks();
    this.step({ kind: "halt" });
    const late: string[] = [];
    const cancel = this.edge.after(LIMITS.haltMs, () => {
      late.push(...this.otherHosts());
      this.step({ kind: "late" });
    });
    await Promise.all([own, over]);
    cancel();
    this.log(late.length === 0 ? "halted" : `halted; nothing was heard of ${late.join(", ")}`);
    // Whoever asked gets the answer first.
    this.edge.after(0, () => this.options.ended());
    return late;
  }

  private otherHosts(): string[] {
    return this.table.rows().flatMap(({ name, number }) => (number === 1 ? [] : [name]));
  }

  /** Ends the tasks of this host; those that do not end in time are left to the system. */
  private async endTasks(): Promise<void> {
    const late = new Promise<void>((done) => void this.edge.after(LIMITS.hostEndMs, done));
    const ends = Promise.all(this.parts.map((part) => part.endTasks?.()));
    await Promise.race([ends, late]);
  }

  private serve(link: Link): Caller {
    const own: Part = {
      handlers: (caller) => this.handlers(caller),
      ended: (caller) => {
        const number = this.numbers.get(caller);
        if (number === undefined) return;
        this.step({ kind: "closed", link: number });
        this.numbers.delete(caller);
        this.callers.delete(number);
        this.joining.delete(number);
      },
    };
    return serveLink(link, [own, ...this.parts], (text) => this.log(text));
  }

  private handlers(caller: Caller): Handlers {
    return {
      whoIsMaster: () => ({ body: { vm: this.vm, host: this.host, self: true, address: this.address } }),
      status: () => ({
        body: {
          host: this.host,
          pid: this.options.facts.pid,
          address: this.address,
          role: this.role,
          master: this.host,
          vm: this.vm,
          version: this.options.facts.version,
          hosts: [...this.hosts()],
        },
      }),
      hosts: () => ({ body: { hosts: [...this.hosts()] } }),
      join: async ({ facts, returns }) => ({ body: await this.join(caller, facts, returns) }),
      heartbeat: () => ({ body: { known: this.beat(caller) } }),
      left: () => {
        this.step({ kind: "left", link: this.numberOf(caller) });
        return { body: undefined };
      },
      addHosts: async ({ hosts, hoster, remote }) => ({
        body: { hosts: await this.addHosts(hosts, hoster, remote) },
      }),
      deleteHosts: async ({ hosts, tasks }) => ({ body: { hosts: await this.deleteHosts(hosts, tasks) } }),
      halt: async () => ({ body: { late: [...(await this.halt())] } }),
      log: async ({ host, lines }) => {
        if (host === undefined || host === this.host) return { body: {}, bytes: this.edge.readLog(lines) };
        const rpc = this.rpcTo(host);
        if (rpc === undefined) throw this.notThere("read the log of", host);
        return await rpc.request("log", { lines });
      },
    };
  }

  private notThere(what: string, host: string): UpvmError {
    if (this.table.row(host) === undefined) return new UpvmError("HOST_UNKNOWN", { what, host });
    return new UpvmError("HOST_NOT_REACHED", { host, why: "there is no link to its pvmd just now" });
  }

  private numberOf(caller: Caller): number {
    let number = this.numbers.get(caller);
    if (number === undefined) {
      number = ++this.links;
      this.numbers.set(caller, number);
      this.callers.set(number, caller);
    }
    return number;
  }

  private join(caller: Caller, facts: HostFacts, returns: boolean): Promise<JoinReply> {
    const link = this.numberOf(caller);
    return new Promise((done) => {
      // A second question on one link is refused by the table at once.
      if (!this.joining.has(link)) this.joining.set(link, done);
      this.step({ kind: "ask", link, facts, returns });
    });
  }

  private beat(caller: Caller): boolean {
    const effects = this.step({ kind: "beat", link: this.numberOf(caller) });
    return effects.some((effect) => effect.kind === "alive" && effect.known);
  }

  private step(event: HostEvent): readonly HostEffect[] {
    const effects = this.table.step(event, this.edge.nowMs());
    for (const effect of effects) this.do(effect);
    return effects;
  }

  private do(effect: HostEffect): void {
    switch (effect.kind) {
      case "put":
        return this.later(() => this.put(effect.row));
      case "update":
        this.later(() => this.update(effect.row));
        return this.tellTable();
      case "remove":
        return this.later(() => this.remove(effect.row));
      case "admit":
        return this.answer(effect.link, effect.row.number, undefined);
      case "refuse":
        return this.answer(effect.link, 0, effect.why);
      case "alive":
        return;
      case "order":
        return this.callers.get(effect.link)?.rpc.tell("order", { what: effect.what });
      case "close":
        return this.callers.get(effect.link)?.rpc.link.close();
      case "added":
        this.log(`${effect.row.name} has joined (${effect.row.arch}, ${effect.row.cores} cores)`);
        for (const part of this.parts) part.hostAdded?.(effect.row);
        return this.tellTable();
      case "deleted":
        return this.deleted(effect.row, effect.why);
      case "halted":
        return this.tellHalted();
    }
  }

  private answer(link: number, number: number, refused: Refusal | undefined): void {
    const { deadMs } = this.options.patience;
    const reply = {
      vm: this.vm,
      master: this.host,
      number,
      deadMs,
      ...(refused !== undefined && { refused }),
    };
    this.joining.get(link)?.(reply);
    this.joining.delete(link);
    // One that comes back has missed what happened meanwhile.
    if (refused === undefined) this.callers.get(link)?.rpc.tell("table", { hosts: [...this.hosts()] });
  }

  private deleted(row: HostRow, why: "left" | "dead"): void {
    this.log(why === "left" ? `${row.name} has left` : `${row.name} is dead: it was silent for too long`);
    for (const part of this.parts) part.hostDeleted?.(row, why);
    this.tellTable();
    for (const done of this.goneWaits.get(row.incarnation) ?? []) done();
    this.goneWaits.delete(row.incarnation);
  }

  private tellTable(): void {
    const hosts = [...this.hosts()];
    for (const { name, number } of hosts) if (number !== 1) this.rpcTo(name)?.tell("table", { hosts });
  }

  private deleteHosts(hosts: readonly string[], tasks: Leaving): Promise<HostResult[]> {
    // None of them is a place for the tasks of another.
    if (tasks !== "end") for (const name of hosts) this.step({ kind: "empty", name });
    return Promise.all(hosts.map((host) => this.deleteHost(host, tasks)));
  }

  private async deleteHost(host: string, tasks: Leaving): Promise<HostResult> {
    const row = this.table.row(host);
    if (row === undefined) return { host, error: this.notThere("delete", host).message };
    if (row.number === 1) return { host, error: new UpvmError("HOST_IS_MASTER", { host }).message };
    const { moved, stay } = tasks === "end" ? { moved: [], stay: [] } : await this.empty(row);
    const result = { host, ...(moved.length > 0 && { moved: [...moved] }) };
    // It may have died, or been deleted by another, meanwhile.
    if (this.table.row(host)?.incarnation !== row.incarnation) return result;
    if (tasks === "move" && stay.length > 0) {
      this.step({ kind: "keep", name: host });
      const ulps = stay.map(({ tid }) => tidText(tid)).join(", ");
      return { ...result, error: new UpvmError("HOST_NOT_EMPTY", { host, ulps, why: stay[0]!.why }).message };
    }
    await new Promise<void>((done) => {
      this.goneWaits.set(row.incarnation, [...(this.goneWaits.get(row.incarnation) ?? []), done]);
      this.step({ kind: "delete", name: host });
    });
    return result;
  }

  /** Tasks of a host move away, once at a time. */
  private empty(row: HostRow): Promise<Emptied> {
    const known = this.emptying.get(row.incarnation);
    if (known !== undefined) return known;
    this.log(`${row.name} is to leave: its tasks move to other hosts`);
    const all = this.parts.flatMap((part) => part.hostLeaving?.(row) ?? []);
    const emptied = Promise.all(all)
      .then((parts) => {
        return { moved: parts.flatMap(({ moved }) => moved), stay: parts.flatMap(({ stay }) => stay) };
      })
      .finally(() => this.emptying.delete(row.incarnation));
    this.emptying.set(row.incarnation, emptied);
    return emptied;
  }

  /** Starts pvmds on other hosts; each is in the table when it is said to be added. */
  private async addHosts(
    hosts: readonly string[],
    hoster: string | undefined,
    remote: string | undefined,
  ): Promise<{ host: string; error?: string }[]> {
    const results: { host: string; error?: string }[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let at = next++; at < hosts.length; at = next++) {
        const host = hosts[at]!;
        const error = await this.addHost(host, hoster, remote);
        results[at] = { host, ...(error !== undefined && { error }) };
      }
    };
    await Promise.all(Array.from({ length: LIMITS.hostersAtOnce }, worker));
    return results;
  }

  /** @returns why it could not be added */
  private async addHost(host: string, hoster?: string, remote?: string): Promise<string | undefined> {
    const name = hostNameOf(host);
    if (this.table.row(name) !== undefined) return "there is a host of that name already";
    const words = hosterWords({ host, hoster, remote, address: this.address });
    if (typeof words === "string") return words;
    this.log(`adding ${host}`);
    const hosted = await this.edge.hoster(words);
    if (this.table.row(name) !== undefined) return undefined;
    const why = whyNotAdded(hosted);
    this.log(`${host} was not added: ${why}`);
    return why;
  }

  /** A change of the control store, after those before it. */
  private later(work: () => Promise<void>): void {
    this.storeWork = this.storeWork.then(work).catch((error: unknown) => {
      if (!(error instanceof UpvmError)) throw error;
      // At the end it is closed, and its keys go all together.
      if (!this.table.ending) this.log(`the control store: ${error.message}`);
    });
  }

  private async put(row: HostRow): Promise<void> {
    const { name, incarnation } = row;
    let why: Refusal | undefined = "store";
    try {
      const lease = await this.store.lease();
      try {
        const key = keyOf(name);
        const done = await this.store.txn([{ key, revision: 0 }], [{ key, value: encode(row), lease }]);
        why = done === undefined ? "taken" : undefined;
      } finally {
        if (why === undefined) this.leases.set(name, { lease, incarnation });
        // Also if nobody knows whether the row was written.
        else this.later(() => this.store.endLease(lease));
      }
    } finally {
      this.step({ kind: "stored", name, incarnation, ...(why !== undefined && { why }) });
    }
  }

  private async update({ name, incarnation }: HostRow): Promise<void> {
    try {
      await this.write(name, incarnation);
    } catch (error) {
      // Later then: nothing waits for it.
      const again = (): unknown => this.step({ kind: "keyGone", name, incarnation });
      this.edge.after(this.options.patience.heartbeatMs, again);
      throw error;
    }
  }

  /** Writes a host's row as it is now, if it is still in the table. */
  private async write(name: string, incarnation: string): Promise<void> {
    for (let tries = 0; tries < 2; tries++) {
      const row = this.table.row(name);
      if (row?.incarnation !== incarnation) return;
      const lease = this.leases.get(name)?.lease ?? (await this.store.lease());
      this.leases.set(name, { lease, incarnation });
      if ((await this.store.txn([], [{ key: keyOf(name), value: encode(row), lease }])) !== undefined) return;
      // The store has ended the lease, and with it the key: it was out of reach for minutes.
      this.leases.delete(name);
    }
    throw new StoreError("none", "it ends leases at once");
  }

  private async remove({ name, incarnation }: HostRow): Promise<void> {
    const held = this.leases.get(name);
    if (held?.incarnation !== incarnation) return;
    this.leases.delete(name);
    await this.store.endLease(held.lease);
  }

  private keyGone(name: string): void {
    const held = this.leases.get(name);
    if (held !== undefined) this.step({ kind: "keyGone", name, incarnation: held.incarnation });
  }
}
