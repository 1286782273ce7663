/**
 * Links that a pvmd carries for application processes that do not reach each other (wire/rpc-route.ts).
 *
 *     process ──▶ its pvmd ──▶ the other's pvmd ──▶ process
 *                    └──▶ the master's ──┘          (where the first does not reach the other; if the master's does not
 *                                                    either, the other's pvmd connects to it)
 *
 * Owns: who gets a way, where it goes, and how many there are. The connections are net/splice.ts's, and end to end the processes
 * show each other the key. It leads only from a process that this pvmd has started to one of the same job that another has:
 * no address is ever named by who asks.
 */
import type { Link, PeerIdentity } from "../net/link.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { type Splice, splice } from "../net/splice.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Caller } from "./pvmd.ts";

export interface RoutesWorld {
  readonly host: string;
  readonly role: "master" | "joined";
  /** To the master; who asks by it is the master. */
  readonly master: Rpc;
  readonly masterAddress: string;
  /** Where the pvmd of a host listens; undefined: it is not in service. */
  addressOf(host: string): string | undefined;
  /** Master: to the pvmd of a host. */
  rpcTo(host: string): Rpc | undefined;
  /** Whether this pvmd has started that process, and it has not ended; and where it waits for this pvmd. */
  hasProcess(job: number, member: number): boolean;
  processAddress(job: number, member: number): string;
  /** @param accept  why a peer is not the right one. @throws UpvmError */
  connect(
    address: string,
    accept: (peer: PeerIdentity) => string | undefined,
    connectMs?: number,
  ): Promise<Link>;
  /** 16 random bytes, hexadecimal. */
  newId(): string;
  log(text: string): void;
  /** Ways at once; LIMITS.routes unless told. */
  readonly most?: number;
}

/** The process that a way leads to. */
interface Target {
  readonly job: number;
  readonly member: number;
  readonly host: string;
}

const DONE = { body: {} };
const TOLD = { body: undefined };

export class Routes {
  private readonly world: RoutesWorld;
  /** Ways that there are, or are being made. */
  private count = 0;
  private readonly splices = new WeakMap<Link, Splice>();
  /** Master: connections that hosts were asked for. */
  private readonly awaited = new Map<string, { readonly host: string; readonly take: (rpc: Rpc) => void }>();
  /** Hosts of which the log says that they are not reached. */
  private readonly unreached = new Set<string>();

  constructor(world: RoutesWorld) {
    this.world = world;
  }

  /** How many ways this pvmd carries. */
  get carried(): number {
    return this.count;
  }

  handlers(caller: Caller): Handlers {
    const { role } = caller.peer;
    if (role === "command") return {};
    const common: Handlers = {
      route: async (target) => {
        this.check(caller.peer, target);
        await this.carry(caller.rpc, target, () => this.open(target, role === "process"));
        return DONE;
      },
      routeEnd: ({ why }) => this.told(caller.rpc, why),
    };
    return role === "process" ? common : { ...common, ...this.pvmdHandlers(caller) };
  }

  private pvmdHandlers(caller: Caller): Handlers {
    return {
      routeBack: async ({ id, ...process }) => {
        const target = { ...process, host: this.world.host };
        if (caller.rpc !== this.world.master) throw refusal(target, "only the master may ask for that");
        const up = await this.reach(this.world.masterAddress, undefined);
        try {
          await this.carry(up, target, () => this.here(target));
          await up.request("routeTake", { id }, undefined, LIMITS.routeMs);
        } catch (error) {
          up.link.close();
          throw error;
        }
        return DONE;
      },
      routeTake: ({ id }) => {
        const awaited = this.awaited.get(id);
        if (awaited === undefined || awaited.host !== caller.peer.host)
          throw new UpvmError("NOT_SERVED", { kind: "routeTake", why: "nobody waits for it" });
        this.awaited.delete(id);
        awaited.take(caller.rpc);
        return DONE;
      },
    };
  }

  /** @throws UpvmError NO_ROUTE: who asks has no right to it */
  private check({ role, job, member }: PeerIdentity, target: Target): void {
    if (role !== "process") return;
    if (job !== target.job) throw refusal(target, "it is no process of the job of who asks");
    if (!this.world.hasProcess(job, member ?? -1))
      throw refusal(target, "who asks is no process of this host");
  }

  /** Makes what is written on `from` go to what is opened. */
  private async carry(from: Rpc, target: Target, open: () => Promise<Rpc>): Promise<void> {
    const { host, most = LIMITS.routes } = this.world;
    if (this.count >= most) throw refusal(target, `the daemon of ${host} carries ${most} links already`);
    this.count += 1;
    let to: Rpc;
    try {
      to = await open();
    } catch (error) {
      this.count -= 1;
      throw error;
    }
    let ended = false;
    const made = splice(from, to, () => {
      if (!ended) this.count -= 1;
      ended = true;
    });
    this.splices.set(from.link, made);
    this.splices.set(to.link, made);
  }

  private told(by: Rpc, why: string): { readonly body: undefined } {
    this.splices.get(by.link)?.told(by.link, why);
    return TOLD;
  }

  /** @param first  a process asks: where this pvmd does not come to, the master's may */
  private async open(target: Target, first: boolean): Promise<Rpc> {
    const { world } = this;
    const { host } = target;
    if (host === world.host) return await this.here(target);
    if (!first && world.role !== "master")
      throw refusal(target, `that is not ${world.host}, which was asked`);
    const address = world.addressOf(host);
    if (address === undefined) throw refusal(target, "there is no such host in service");
    const next = await this.reach(address, host).catch((error: unknown) => {
      this.tellUnreached(host, error);
      return undefined;
    });
    if (next === undefined && world.role === "master") return await this.back(target);
    return await asked(next ?? (await this.reach(world.masterAddress, undefined)), "route", target);
  }

  private tellUnreached(host: string, error: unknown): void {
    if (!(error instanceof UpvmError)) throw error;
    if (this.unreached.has(host)) return;
    this.unreached.add(host);
    this.world.log(`links of processes to ${host} go another way: ${error.message}`);
  }

  /** To the process, which is here. @throws UpvmError NO_ROUTE */
  private async here(target: Target): Promise<Rpc> {
    const { job, member } = target;
    if (!this.world.hasProcess(job, member)) throw refusal(target, "it is not there");
    const accept = (peer: PeerIdentity) =>
      peer.role === "process" && peer.job === job && peer.member === member
        ? undefined
        : "it is another process";
    const link = await this.world.connect(this.world.processAddress(job, member), accept);
    return await asked(this.rpcOn(link), "routeComes", {});
  }

  /** To the pvmd that listens there. @param host  its host; undefined: the master's, whichever that is */
  private async reach(address: string, host: string | undefined): Promise<Rpc> {
    const accept = (peer: PeerIdentity) =>
      peer.role === "pvmd" && (host ?? peer.host) === peer.host ? undefined : `it is not the pvmd of ${host}`;
    return this.rpcOn(await this.world.connect(address, accept, LIMITS.daemonLinkMs));
  }

  /** Has the host's pvmd connect to this one. */
  private async back(target: Target): Promise<Rpc> {
    const { job, member, host } = target;
    const rpc = this.world.rpcTo(host);
    if (rpc === undefined) throw refusal(target, "there is no link to its pvmd just now");
    const id = this.world.newId();
    let came: Rpc | undefined;
    const take = (rpc: Rpc): void => {
      came = rpc;
    };
    this.awaited.set(id, { host, take });
    try {
      await rpc.request("routeBack", { id, job, member }, undefined, LIMITS.routeMs);
    } catch (error) {
      // It may have connected, and been too late with its answer.
      came?.link.close();
      throw error;
    } finally {
      this.awaited.delete(id);
    }
    if (came === undefined) throw refusal(target, "its pvmd has not connected");
    return came;
  }

  private rpcOn(link: Link): Rpc {
    const rpc: Rpc = new Rpc(link, { routeEnd: ({ why }) => this.told(rpc, why) });
    return rpc;
  }
}

/** Asks on a connection that is for this alone. */
async function asked(rpc: Rpc, kind: "routeComes", body: Record<string, never>): Promise<Rpc>;
async function asked(rpc: Rpc, kind: "route", body: Target): Promise<Rpc>;
async function asked(
  rpc: Rpc,
  kind: "route" | "routeComes",
  body: Target | Record<string, never>,
): Promise<Rpc> {
  try {
    await (rpc as Rpc).request(kind, body as never, undefined, LIMITS.routeMs);
    return rpc;
  } catch (error) {
    rpc.link.close();
    throw error;
  }
}

function refusal({ job, member, host }: Target, why: string): UpvmError {
  return new UpvmError("NO_ROUTE", { job, member, host, why });
}
