/** Orders to move ULPs, as fast as wanted: over a link to the master, as the command does. For tests of real hosts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../net/node-links.ts";
import { Rpc } from "../net/rpc.ts";
import { keyOf } from "../upvm/home.ts";
import type { TaskRow } from "../wire/rpc-job.ts";
import type { MigratedRow } from "../wire/rpc-move.ts";
import { Timeline } from "./timeline.ts";

export class Orders {
  private readonly rpc: Rpc;

  private constructor(rpc: Rpc) {
    this.rpc = rpc;
  }

  /** @param home  of the master */
  static async to(home: string): Promise<Orders> {
    const key = keyOf(readFileSync(join(home, "key"), "utf8"))!;
    const identity = { role: "command", vm: "", host: "test" } as const;
    return new Orders(new Rpc(await connect({ address: `unix:${join(home, "socket")}`, identity, key }), {}));
  }

  async tasks(): Promise<readonly TaskRow[]> {
    return (await this.rpc.request("tasks", {})).body.tasks;
  }

  async migrate(tids: readonly number[], to: string): Promise<readonly MigratedRow[]> {
    return (await this.rpc.request("migrate", { tids: [...tids], to }, undefined, 0)).body.ulps;
  }

  /**
   * Moves ULPs to hosts at random every `gapMs` milliseconds, until `stopped` and all orders are answered.
   *
   * @param answered  told of each ULP
   */
  async storm(
    hosts: readonly string[],
    seed: number,
    gapMs: number,
    stopped: () => boolean,
    answered: (row: MigratedRow) => void,
  ): Promise<void> {
    const chance = new Timeline(seed);
    const waiting = new Set<Promise<void>>();
    let tasks: readonly TaskRow[] = [];
    for (let n = 0; !stopped(); n++) {
      if (n % 20 === 0 || tasks.length === 0) tasks = await this.tasks();
      if (tasks.length > 0) {
        const tids = Array.from({ length: 1 + chance.below(2) }, () => chance.pick(tasks).tid);
        const order = this.migrate(tids, chance.pick(hosts)).then((rows) => {
          waiting.delete(order);
          for (const row of rows) answered(row);
        });
        waiting.add(order);
      }
      await new Promise((done) => setTimeout(done, gapMs));
      if (waiting.size >= 8) await Promise.race(waiting);
    }
    await Promise.all(waiting);
  }

  close(): void {
    this.rpc.link.close();
  }
}
