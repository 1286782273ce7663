/**
 * The virtual machine as the handlers of requests see it.
 *
 * Owns: the leases of tasks: what a task has in the control store goes when it ends or leaves PVM. A service has leases for
 * the tasks of its own hosts only.
 */
import type { Answer, Request, RequestKind, RequestOf } from "../wire/requests.ts";
import { BoxState } from "./box-state.ts";
import type { ControlStore, LeaseId } from "./control-store.ts";
import type { Hosts, Tasks } from "./host.ts";
import { KeptGroups } from "./kept-groups.ts";
import { PluginState } from "./plugin-state.ts";

/** Answers a request; undefined: it is parked, or nobody waits for an answer. */
export type Handler<K extends RequestKind> = (
  machine: Machine,
  request: RequestOf<K>,
) => Promise<Answer | undefined>;

export class Machine {
  readonly store: ControlStore;
  readonly host: Tasks;
  readonly hosts: Hosts;
  readonly groups: KeptGroups;
  readonly box: BoxState;
  readonly plugins: PluginState;
  /** Deals with a request as if it came now: what it waited for is gone. */
  readonly again: (request: Request) => Promise<void>;
  private readonly leases = new Map<number, Promise<LeaseId>>();

  constructor(store: ControlStore, host: Tasks, hosts: Hosts, again: (request: Request) => Promise<void>) {
    this.again = again;
    this.plugins = new PluginState(store, (bits) => host.setPlugins(bits));
    this.store = store;
    this.host = host;
    this.hosts = hosts;
    this.groups = new KeptGroups(store);
    this.box = new BoxState(store);
  }

  /** The task's lease; undefined: it has ended. */
  async leaseOf(tid: number): Promise<LeaseId | undefined> {
    const lease = this.leases.get(tid) ?? this.newLease(tid);
    if (this.host.watchEnd(tid)) return await lease;
    await this.endLease(tid);
    return undefined;
  }

  private newLease(tid: number): Promise<LeaseId> {
    const lease = this.store.lease();
    this.leases.set(tid, lease);
    // The store was out of reach: who asks the next time asks it again.
    lease.catch(() => this.leases.get(tid) === lease && this.leases.delete(tid));
    return lease;
  }

  /** The task has ended or left PVM. */
  async endLease(tid: number): Promise<void> {
    const lease = this.leases.get(tid);
    this.leases.delete(tid);
    if (lease !== undefined) await this.store.endLease(await lease);
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A value of the store that is plain data. */
export function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
export function decode<T>(value: Uint8Array): T {
  return JSON.parse(decoder.decode(value)) as T;
}
