/**
 * A pvmd that has joined a virtual machine.
 *
 * Owns: its link to the master, over which all goes that the two have to say to each other. Whether this host is in
 * service is decided in membership.ts; requests of other subjects are the parts'. No socket and no clock:
 * upvm/node-pvmd.ts.
 */
import type { Link } from "../net/link.ts";
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Leaving } from "../wire/rpc-hosts.ts";
import type { HostFacts, HostRow, Refusal } from "./host-table.ts";
import { Membership, type MembershipEffect, type MembershipEnd, type MembershipEvent } from "./membership.ts";
import { patienceOf } from "./patience.ts";
import { type Caller, type MakePart, type Part, type Pvmd, type PvmdEdge, serveLink } from "./pvmd.ts";

export interface JoinedOptions {
  readonly facts: HostFacts;
  /** Where any pvmd of the virtual machine listens. */
  readonly join: string;
  readonly localAddress: string;
  readonly folder: string;
  readonly parts: readonly MakePart[];
  readonly edge: PvmdEdge;
  /** It is in. */
  readonly inService: () => void;
  /** All is over; the process may end. An error: it never was in service. */
  readonly ended: (why: MembershipEnd, error: UpvmError | undefined) => void;
}

const REFUSED: Readonly<Record<Refusal, readonly [why: string, hint: string]>> = {
  taken: ["it has a host of that name already", "give this one another with --name"],
  wait: [
    "a host of that name was lost and may come back",
    "start it again when that is dead, or give this one another name with --name",
  ],
  lapsed: ["this host was silent for too long, and was taken for dead", "start it again"],
  halting: ["its virtual machine is being halted", "start a new one with upvm start"],
  full: [`it has ${LIMITS.hosts} hosts, and takes no more`, "delete one with upvm delete"],
  store: ["its control store does not answer", "see the log of its first host"],
};
/** What the log says when it is over. */
const ENDS: Readonly<Record<MembershipEnd, string>> = {
  taken: "",
  wait: "",
  lapsed: REFUSED.lapsed[0],
  halting: REFUSED.halting[0],
  full: "",
  store: "",
  unreachable: "the virtual machine was not reached",
  silent: "the master has not answered for as long as a host may be silent",
  gone: "the master is gone",
  left: "this host has left the virtual machine",
  halted: "the virtual machine was halted",
};

export class Joined implements Pvmd {
  readonly role = "joined";
  readonly host: string;
  readonly localAddress: string;
  readonly address: string;
  readonly folder: string;
  readonly store = undefined;
  vm = "";
  number = 0;
  /** Name and address of the master's host; the address as it was reached. */
  private masterHost = "";
  masterAddress: string;
  private readonly options: JoinedOptions;
  private readonly edge: PvmdEdge;
  private readonly membership: Membership;
  private readonly parts: readonly Part[];
  private link: Caller | undefined;
  private rows: readonly HostRow[] = [];
  private error: UpvmError | undefined;
  private wasIn = false;

  constructor(options: JoinedOptions) {
    this.options = options;
    this.edge = options.edge;
    this.host = options.facts.name;
    this.localAddress = options.localAddress;
    this.address = options.facts.address;
    this.masterAddress = options.join;
    this.folder = options.folder;
    this.membership = new Membership(this.edge.nowMs());
    this.parts = options.parts.map((make) => make(this));
  }

  start(): void {
    this.edge.every(LIMITS.hostRetryMs, () => this.step({ kind: "tick" }));
    for (const effect of this.membership.start()) this.do(effect);
  }

  accept(link: Link): void {
    this.serve(link);
  }

  get master(): Rpc {
    if (this.link === undefined)
      throw new UpvmError("HOST_NOT_REACHED", { host: this.masterHost, why: "the link to it has ended" });
    return this.link.rpc;
  }

  hosts(): readonly HostRow[] {
    return this.rows;
  }

  rpcTo(): undefined {
    return undefined;
  }

  connect(...[address, accept, connectMs]: Parameters<Pvmd["connect"]>): Promise<Link> {
    return this.edge.connect(address, this.vm, accept, connectMs);
  }

  log(text: string): void {
    this.edge.log(text);
  }

  async halt(): Promise<readonly string[]> {
    const { body } = await this.master.request("halt", {}, undefined, LIMITS.haltMs + LIMITS.rpcMs);
    return body.late;
  }

  /** Leaves the virtual machine: its tasks move to other hosts, as many as can, and the others end. Again: all end. */
  leave(): void {
    const isAgain = this.isLeaving;
    this.isLeaving = true;
    void (isAgain ? Promise.resolve() : this.leaveInOrder()).then(() =>
      this.step({ kind: "order", what: "leave" }),
    );
  }
  private isLeaving = false;

  /** Leaves without a wait: it has nothing, for it never was in service. */
  giveUp(): void {
    this.step({ kind: "order", what: "leave" });
  }

  /** The master's order to leave comes before its answer. Nobody waits for a master that does not give it. */
  private async leaveInOrder(): Promise<void> {
    const tasks: Leaving = "moveOrEnd";
    const ms = LIMITS.hostEmptyMs + 2 * LIMITS.hostDecideMs + LIMITS.rpcMs;
    try {
      await this.master.request("deleteHosts", { hosts: [this.host], tasks }, undefined, ms);
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
    }
  }

  private serve(link: Link): Caller {
    const own: Part = {
      handlers: (caller) => this.handlers(caller),
      ended: (caller) => {
        if (this.link !== caller) return;
        this.link = undefined;
        this.step({ kind: "closed" });
      },
    };
    return serveLink(link, [own, ...this.parts], (text) => this.log(text));
  }

  private handlers(caller: Caller): Handlers {
    /** Only the master gives orders. */
    const byMaster = (act: () => void): { body: undefined } => {
      if (caller === this.link) act();
      return { body: undefined };
    };
    return {
      whoIsMaster: () => ({
        body: { vm: this.vm, host: this.host, self: false, address: this.masterAddress },
      }),
      status: () => ({
        body: {
          host: this.host,
          pid: this.options.facts.pid,
          address: this.address,
          role: this.role,
          master: this.masterHost,
          vm: this.vm,
          version: this.options.facts.version,
          hosts: [...this.rows],
        },
      }),
      order: ({ what }) => byMaster(() => this.step({ kind: "order", what })),
      table: ({ hosts }) =>
        byMaster(() => {
          this.rows = hosts;
        }),
      log: ({ lines }) => ({ body: {}, bytes: this.edge.readLog(lines) }),
    };
  }

  private step(event: MembershipEvent): void {
    for (const effect of this.membership.step(event, this.edge.nowMs())) this.do(effect);
  }

  private do(effect: MembershipEffect): void {
    switch (effect.kind) {
      case "connect":
        return void this.toMaster();
      case "ask":
        return void this.ask(effect.returns);
      case "beat":
        return void this.beat(effect.sentMs);
      case "inService":
        this.wasIn = true;
        this.log(`in service as ${this.host}, in virtual machine ${this.vm} of ${this.masterHost}`);
        return this.options.inService();
      case "endTasks":
        return void this.endTasks();
      case "tellLeft":
        return this.link?.rpc.tell("left", {});
      case "end":
        return this.end(effect.why);
    }
  }

  private end(why: MembershipEnd): void {
    const known = Object.hasOwn(REFUSED, why) ? REFUSED[why as Refusal] : undefined;
    const { join } = this.options;
    if (known !== undefined && !this.wasIn)
      this.error = new UpvmError("CANNOT_JOIN", { address: join, why: known[0], hint: known[1] });
    const never = !this.wasIn;
    if (never)
      this.error ??= new UpvmError("CANNOT_JOIN", {
        address: join,
        why: "it did not answer in time",
        hint: "",
      });
    this.log(never ? `${this.error?.message}` : `${ENDS[why]}; it ends`);
    this.options.ended(why, never ? this.error : undefined);
  }

  /** To the master; whoever listens at the address that was given knows where it is. */
  private async toMaster(): Promise<void> {
    try {
      let caller = this.serve(await this.edge.connect(this.masterAddress, this.vm));
      if (this.number === 0) {
        const { body } = await caller.rpc.request("whoIsMaster", {});
        if (!body.self) {
          caller.rpc.link.close();
          this.masterAddress = body.address;
          caller = this.serve(await this.edge.connect(this.masterAddress, this.vm));
        }
      }
      if (this.membership.ended) return caller.rpc.link.close();
      this.link = caller;
      this.step({ kind: "linked" });
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
      this.error = error;
      this.step({ kind: "unreachable", refused: error.facts["cause"] === "ECONNREFUSED" });
    }
  }

  private async ask(returns: boolean): Promise<void> {
    const { link } = this;
    if (link === undefined) return;
    try {
      const { body } = await link.rpc.request("join", { facts: this.options.facts, returns });
      if (this.link !== link) return;
      const patience = patienceOf(body.deadMs);
      if (body.refused !== undefined) return this.step({ kind: "refused", why: body.refused, patience });
      this.vm = body.vm;
      this.masterHost = body.master;
      this.number = body.number;
      this.step({ kind: "admitted", patience });
    } catch (error) {
      this.lost(link, error);
    }
  }

  private async beat(sentMs: number): Promise<void> {
    const { link } = this;
    if (link === undefined) return;
    try {
      const { body } = await link.rpc.request("heartbeat", {});
      if (this.link === link) this.step({ kind: "alive", sentMs, known: body.known });
    } catch (error) {
      this.lost(link, error);
    }
  }

  /** A question that is not answered: another link may do better. */
  private lost(link: Caller, error: unknown): void {
    if (!(error instanceof UpvmError)) throw error;
    this.error = error;
    link.rpc.link.close();
  }

  private async endTasks(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.endTasks?.()));
    this.step({ kind: "tasksEnded" });
  }
}
