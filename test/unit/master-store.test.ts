/** The hosts of a master whose control store pauses, or loses what it had. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { Rpc } from "../../net/rpc.ts";
import type { ControlStore, LeaseId } from "../../pvmd/control-store.ts";
import { StoreError } from "../../pvmd/control-store.ts";
import type { HostFacts } from "../../pvmd/host-table.ts";
import { Master } from "../../pvmd/master.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { PATIENCE } from "../../pvmd/patience.ts";
import type { PvmdEdge } from "../../pvmd/pvmd.ts";
import { LIMITS } from "../../wire/limits.ts";

const { deadMs, heartbeatMs } = PATIENCE;
const facts = (name: string): HostFacts => {
  const [address, arch, node, version] = [`tcp:${name}:1`, "x64", "v26.0.0", "0.1.0"];
  return { name, address, arch, node, version, cores: 1, memoryBytes: 1, pid: 1, incarnation: `i-${name}` };
};
/** All that is on its way in memory arrives, and all that it leads to. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A store that is elsewhere: it can pause, fail, and end leases as one does that was out of reach for long. */
class FarStore extends MemoryStore {
  private readonly granted: LeaseId[] = [];
  isDown = false;
  private paused: Promise<void> | undefined;

  pause(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.paused = promise;
    return resolve;
  }
  private async reached(): Promise<void> {
    await this.paused;
    if (this.isDown) throw new StoreError("none", "it is down");
  }

  override async txn(...asked: Parameters<ControlStore["txn"]>): Promise<number | undefined> {
    await this.reached();
    return super.txn(...asked);
  }
  override async lease(ttlMs?: number): Promise<LeaseId> {
    await this.reached();
    const lease = await super.lease(ttlMs);
    this.granted.push(lease);
    return lease;
  }
  override async endLease(lease: LeaseId): Promise<void> {
    await this.reached();
    return super.endLease(lease);
  }
  override async renew(lease: LeaseId): Promise<boolean> {
    await this.reached();
    return super.renew(lease);
  }
  async endLeases(): Promise<void> {
    for (const lease of this.granted) await super.endLease(lease);
  }
  async keys(): Promise<string[]> {
    return (await this.list("")).map(([key]) => key);
  }
}

/** A master a, which b has joined; time passes as `pass` says. */
async function vmOfTwo() {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; readonly everyMs?: number; readonly act: () => void }>();
  const timed = (timer: { atMs: number; everyMs?: number; act: () => void }): (() => void) => {
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const log: string[] = [];
  const edge: PvmdEdge = {
    nowMs: () => nowMs,
    every: (ms, act) => timed({ atMs: nowMs + ms, everyMs: ms, act }),
    after: (ms, act) => timed({ atMs: nowMs + ms, act }),
    log: (text) => void log.push(text),
    connect: () => assert.fail("nobody is connected to"),
    readLog: () => new Uint8Array(0),
    hoster: () => assert.fail("nobody is started"),
  };
  const store = new FarStore(() => nowMs);
  const master = new Master({
    vm: "vm1",
    facts: facts("a"),
    store,
    localAddress: "unix:/a",
    folder: "/a",
    parts: [],
    edge,
    patience: PATIENCE,
    ended: () => undefined,
  });
  await master.start();
  const { a, b } = memoryLinks(
    { role: "pvmd", vm: "vm1", host: "a" },
    { role: "pvmd", vm: "vm1", host: "b" },
  );
  master.accept(a);
  const toMaster = new Rpc(b, { table: () => ({ body: undefined }), order: () => ({ body: undefined }) });
  await toMaster.request("join", { facts: facts("b"), returns: false });

  const names = (): string[] => master.hosts().map(({ name }) => name);
  /** @param beats  false: b is silent */
  const pass = async (ms: number, beats = true): Promise<void> => {
    const endMs = nowMs + ms;
    for (let beatMs = nowMs; nowMs < endMs; ) {
      nowMs += LIMITS.hostLookMs;
      store.tick();
      if (beats && nowMs >= beatMs) {
        const answer = await toMaster.request("heartbeat", {});
        assert.deepEqual(answer.body, { known: true });
        beatMs = nowMs + heartbeatMs;
      }
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs) continue;
        if (timer.everyMs === undefined) timers.delete(timer);
        else timer.atMs += timer.everyMs;
        timer.act();
      }
      await settled();
    }
  };
  return { store, names, pass, log };
}

test("a host that is heard outlasts a pause of the store, however long, and one that is not is dead meanwhile", async () => {
  const { store, names, pass } = await vmOfTwo();
  assert.deepEqual(await store.keys(), ["host/a", "host/b"]);
  const goOn = store.pause();
  await pass(9 * deadMs);
  assert.deepEqual(names(), ["a", "b"]);
  await pass(deadMs, false);
  assert.deepEqual(names(), ["a"]);
  assert.deepEqual(await store.keys(), ["host/a", "host/b"]);
  goOn();
  await settled();
  assert.deepEqual(await store.keys(), ["host/a"], "it hears of it afterwards");
});

test("hosts whose keys the store has ended go on, and the keys come back with it", async () => {
  const { store, names, pass, log } = await vmOfTwo();
  store.isDown = true;
  await store.endLeases();
  await pass(deadMs);
  assert.deepEqual(await store.keys(), []);
  store.isDown = false;
  await pass(deadMs);
  assert.deepEqual(await store.keys(), ["host/a", "host/b"]);
  assert.deepEqual(names(), ["a", "b"]);
  assert.match(log.join("\n"), /the control store: .*it is down/);
  await pass(deadMs, false);
  assert.deepEqual(
    [names(), await store.keys()],
    [["a"], ["host/a"]],
    "and the new ones end with their hosts",
  );
});

test.run();
