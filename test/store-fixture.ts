/**
 * A built-in store with a clock that a test moves, and clients of it over links in memory that can be cut.
 *
 * Owns: the clock, with its timers.
 */
import { setImmediate } from "node:timers/promises";
import { type MemoryLinks, memoryLinks } from "../net/memory-links.ts";
import { Rpc } from "../net/rpc.ts";
import type { ControlStore } from "../pvmd/control-store.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { RemoteStore } from "../pvmd/remote-store.ts";
import { StoreServer } from "../pvmd/store-server.ts";
import { LIMITS } from "../wire/limits.ts";
import type { RPC } from "../wire/rpc.ts";

export class Clock {
  nowMs = 0;
  private readonly timers = new Set<{ atMs: number; run: () => void }>();
  readonly now = (): number => this.nowMs;
  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + ms, run };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  };

  /** Timers that wait. */
  get waiting(): number {
    return this.timers.size;
  }

  /** Lets time go by at once, and runs what is due then. */
  step(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.timers].filter(({ atMs }) => atMs <= this.nowMs)) {
      // One may prevent another.
      if (this.timers.delete(timer)) timer.run();
    }
  }

  /** Lets a little more than `ms` go by, in steps; `tick` is called at each. */
  async pass(ms: number, tick: () => void = () => undefined): Promise<void> {
    // What has just happened may set a timer yet.
    await setImmediate();
    for (const end = this.nowMs + ms + 1; this.nowMs < end; ) {
      this.step(Math.min(end - this.nowMs, LIMITS.storeTickMs));
      await setImmediate();
      tick();
    }
  }
}

export interface Connection {
  readonly links: MemoryLinks;
  readonly rpc: Rpc;
}

const VM = { vm: "test" };

/** A client of a server, over a new link each time `connect` is called. */
export class Client {
  readonly store: RemoteStore;
  private readonly server: StoreServer;
  private readonly schedule: (run: () => void) => void;
  private readonly clock: Clock;
  private readonly host: string;
  connection: Connection | undefined;
  /** The server's side of it. */
  served: Rpc | undefined;

  constructor(
    name: string,
    server: StoreServer,
    clock: Clock,
    schedule: (run: () => void) => void = queueMicrotask,
  ) {
    this.host = name;
    this.server = server;
    this.clock = clock;
    this.schedule = schedule;
    this.store = new RemoteStore(name, clock.after);
  }

  async connect(server: StoreServer = this.server): Promise<void> {
    const peers = [
      { role: "pvmd", ...VM, host: this.host } as const,
      { role: "pvmd", ...VM, host: "master" } as const,
    ];
    const links = memoryLinks(peers[0]!, peers[1]!, this.schedule);
    const { after } = this.clock;
    const rpc: Rpc = new Rpc<typeof RPC>(links.a, this.store.handlers, { after });
    const seat = server.seat(() => served);
    const served: Rpc = new Rpc<typeof RPC>(links.b, seat.handlers, { after });
    links.b.onClose(() => seat.leave());
    this.connection = { links, rpc };
    this.served = served;
    await this.store.attach(rpc);
  }

  cut(): void {
    this.connection?.links.cut();
    this.connection = undefined;
  }
}

/** A store with a clock, a server of it and one client that is connected. */
export async function remote(inner?: (clock: Clock) => ControlStore) {
  const clock = new Clock();
  const memory = new MemoryStore(clock.now);
  const server = new StoreServer(inner?.(clock) ?? memory, "one");
  const client = new Client("host1", server, clock);
  await client.connect();
  const pass = (ms: number): Promise<void> => clock.pass(ms, () => memory.tick());
  return { clock, memory, server, client, store: client.store, pass };
}
