/**
 * What the master has for ULPs that move, over links of different speed, with processes that are lost at any step: it comes
 * once, and in order. UPVM_SEED=n node test/property/move-orders.test.ts plays one seed.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { Rpc } from "../../net/rpc.ts";
import { claimUlp } from "../../pvmd/locations.ts";
import { memberWays } from "../../pvmd/member-ways.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { MoveOrders } from "../../pvmd/move-orders.ts";
import { Router } from "../../pvmd/router.ts";
import { tidOfJob } from "../../pvmd/tids.ts";
import type { RpcReply } from "../../wire/rpc.ts";
import type { RPC_MOVE } from "../../wire/rpc-move.ts";
import { seeded } from "../link-stages.ts";
import { Turns } from "../turns.ts";

const SEEDS = 150;
const ULPS = 12;
const MEMBERS = 3;
const MASTER = { role: "pvmd", vm: "v", host: "m" } as const;
const STAGES = { preparedMs: 1, frozenMs: 2, flushedMs: 3, sentMs: 4, committedMs: 5 };

type Outcome = RpcReply<(typeof RPC_MOVE)["moveOrder"]>["outcomes"][number];
const refused = (code: string): Outcome => ({ moved: false, refused: { code, detail: "" } });

interface Ulp {
  /** What it has got. */
  readonly got: number[];
  readonly move: number;
  readonly revision: number;
}

/** An application process: keeps what comes for a ULP that is frozen, and sends it on when the ULP has gone. */
class Process {
  readonly here = new Map<number, Ulp>();
  private readonly frozen = new Map<number, number[]>();
  private readonly gone = new Map<number, Process>();
  private readonly coming = new Map<Process, (() => void)[]>();
  isLost = false;
  cut!: () => void;
  rpc!: Rpc;
  readonly member: number;
  private readonly world: World;

  constructor(member: number, world: World) {
    this.member = member;
    this.world = world;
  }

  notice(tid: number, n: number): void {
    const to = this.gone.get(tid);
    const kept = this.frozen.get(tid);
    if (kept !== undefined) kept.push(n);
    else if (this.here.has(tid)) this.here.get(tid)!.got.push(n);
    else if (to !== undefined) to.from(this, () => to.notice(tid, n));
    else assert.fail("it came where its ULP has never been");
  }

  /** By the link between two processes: in order, whenever its turn comes. */
  private from(peer: Process, run: () => void): void {
    const queue = this.coming.get(peer) ?? [];
    this.coming.set(peer, queue);
    queue.push(run);
    void this.world.turns.pause().then(() => {
      const next = queue.shift()!;
      if (!peer.isLost && !this.isLost) next();
    });
  }

  async move(tid: number, to: Process): Promise<Outcome> {
    const { turns, store } = this.world;
    if (this.frozen.has(tid)) return refused("moving");
    if (!this.here.has(tid)) return refused("notHere");
    if (to === this) return refused("already");
    const kept: number[] = [];
    this.frozen.set(tid, kept);
    await turns.pause();
    const ulp = this.here.get(tid)!;
    if (to.isLost || turns.chance(0.2)) {
      this.frozen.delete(tid);
      ulp.got.push(...kept);
      return refused("notReceived");
    }
    const move = ulp.move + 1;
    const place = { member: to.member, move: `${move}`, outcome: "committed" } as const;
    const revision = await claimUlp(store, 1, tid, ulp.revision, place);
    // The master has buried it: this process is lost.
    if (revision === undefined) return refused("lost");
    to.frozen.delete(tid);
    to.gone.delete(tid);
    to.here.set(tid, { got: [...ulp.got], move, revision });
    if (!to.isLost) to.rpc.tell("moved", { tid, move });
    await turns.pause();
    this.here.delete(tid);
    this.frozen.delete(tid);
    this.gone.set(tid, to);
    for (const n of kept) if (!this.isLost) to.from(this, () => to.notice(tid, n));
    return { moved: true, move, bytes: 1, obtrusiveMs: 1, migrationMs: 1, stages: STAGES, eventMs: 1 };
  }
}

class World {
  readonly turns: Turns;
  readonly store = new MemoryStore();
  readonly router = new Router({} as never, {} as never);
  readonly orders: MoveOrders;
  readonly processes: Process[];
  readonly tids = Array.from({ length: ULPS }, (_, i) => tidOfJob(1, i));
  readonly sent = new Map(this.tids.map((tid) => [tid, [] as number[]]));
  isAnyLost = false;
  private readonly buried = new Set<number>();

  constructor(seed: number) {
    this.turns = new Turns(seeded(seed));
    const { router, turns } = this;
    const links = new Map<number, Rpc>();
    this.orders = new MoveOrders({
      store: this.store,
      find: (tid) => {
        const member = router.memberOf(tid);
        return member === undefined ? undefined : { job: 1, member };
      },
      tasksOn: (host) => this.tids.filter((tid) => `h${router.memberOf(tid)}` === host),
      hostOf: ({ member }) => `h${member}`,
      hostState: () => "up",
      lifeOf: () => 1,
      ends: () => false,
      memberOn: async (_, host) => Number(host.slice(1)),
      rpcTo: ({ member }) => links.get(member),
      moved: (tid, member) => {
        router.taskMoved(tid, member);
        if (this.buried.has(member)) this.bury(member);
      },
      isKept: () => false,
      park: (tid) => router.park(tid),
      letGo: (tid) => router.letGo(tid),
      after: (_, run) => void turns.pause().then(run),
    });
    router.jobBegan({ job: 1, name: "p", members: this.tids.map(() => 0), env: [] });
    this.processes = Array.from({ length: MEMBERS }, (_, member) => new Process(member, this));
    for (const process of this.processes) {
      const { member } = process;
      const peer = { role: "process", vm: "v", host: `h${member}`, job: 1, member } as const;
      const { a, b, cut } = memoryLinks(MASTER, peer, (run) => void turns.pause().then(run));
      const rpc = new Rpc(a, {
        moved: ({ tid, move }) => {
          this.orders.news(tid, member, move);
          return { body: undefined };
        },
      });
      process.rpc = new Rpc(b, {
        moveOrder: async ({ tids, to }) => {
          const outcomes = await Promise.all(tids.map((tid) => process.move(tid, this.processes[to]!)));
          return { body: { outcomes } };
        },
        ulpNotice: ({ to, tag }) => {
          process.notice(to, tag);
          return { body: undefined };
        },
      });
      process.cut = cut;
      links.set(member, rpc);
      router.memberJoined(
        1,
        member,
        member + 1,
        memberWays(rpc, 1, member, () => {}),
      );
      a.onClose(() => this.orders.settled({ job: 1, member }, () => this.bury(member)));
    }
    for (const tid of this.tids) this.processes[0]!.here.set(tid, { got: [], move: 0, revision: 0 });
  }

  /** A process is lost, and its ULPs have ended; also those that are found to have gone there since. */
  private bury(member: number): void {
    this.buried.add(member);
    for (const tid of this.router.memberLost(1, member)) this.router.taskEnded(tid);
  }

  async post(): Promise<void> {
    for (let n = 0; n < 60; n++) {
      await this.turns.pause();
      const tid = this.turns.pick(this.tids);
      this.sent.get(tid)!.push(n);
      this.router.post({ to: tid, tag: n, data: new Uint8Array(4) });
    }
  }

  /** Commands, one after the other. */
  async command(): Promise<void> {
    for (let n = 0; n < 4; n++) {
      await this.turns.pause();
      const to = `h${Math.floor(this.turns.random() * MEMBERS)}`;
      const from = `h${Math.floor(this.turns.random() * MEMBERS)}`;
      const tids = [this.turns.pick(this.tids), this.turns.pick(this.tids)];
      await this.orders.migrate(this.turns.chance(0.4) ? { tids: [], from, to } : { tids, to });
    }
  }

  async lose(): Promise<void> {
    for (let n = Math.floor(this.turns.random() * 60); n > 0; n--) await this.turns.pause();
    const process = this.turns.pick(this.processes);
    this.isAnyLost = true;
    process.isLost = true;
    process.cut();
  }

  check(): void {
    assert.equal(this.orders.hasOpen(1), false);
    for (const [tid, sent] of this.sent) {
      const member = this.router.memberOf(tid);
      assert.ok(member !== undefined || this.isAnyLost, "nothing was lost, and a ULP is");
      if (member === undefined) continue;
      const process = this.processes[member]!;
      assert.equal(process.isLost, false);
      assert.deepEqual(process.here.get(tid)!.got, sent);
    }
  }
}

async function play(seed: number, loses: boolean): Promise<void> {
  const world = new World(seed);
  const all = [world.post(), world.command(), world.command(), ...(loses ? [world.lose()] : [])];
  await world.turns.run(all);
  world.check();
}

for (const loses of [false, true]) {
  test(`what the master has for a ULP that moves comes once and in order${loses ? ", whichever process is lost" : ""}`, async () => {
    const only = process.env["UPVM_SEED"];
    for (let seed = only === undefined ? 1 : Number(only); ; seed++) {
      try {
        await play(seed, loses);
      } catch (error) {
        const replay = `replay with UPVM_SEED=${seed} node test/property/move-orders.test.ts`;
        throw new Error(`${replay}: ${(error as Error).message}`, { cause: error });
      }
      if (only !== undefined || seed === SEEDS) return;
    }
  });
}

test.run();
