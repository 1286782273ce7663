/**
 * What the control store costs: a read, a transaction, until a watcher is told, in each kind of store; beside what the
 * kind stands on: a request that does nothing over the same link, a write to etcd's gateway without any of ours.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "../net/node-links.ts";
import { Rpc } from "../net/rpc.ts";
import type { ControlStore } from "../pvmd/control-store.ts";
import { EtcdCalls } from "../pvmd/etcd-calls.ts";
import { EtcdStore } from "../pvmd/etcd-store.ts";
import { MemoryStore } from "../pvmd/memory-store.ts";
import { RemoteStore } from "../pvmd/remote-store.ts";
import { ETCD_EDGE } from "../upvm/node-etcd.ts";
import { codeExtension, codeRoot } from "../upvm/node-package.ts";
import type { RPC } from "../wire/rpc.ts";
import { measured, SheetBuilder } from "./figures.ts";
import { EtcdCluster, isEtcdInstalled } from "./real-etcd.ts";
import type { Measurement } from "./tools.ts";

const SERVER = join(codeRoot, "bench", `store-server${codeExtension}`);
/** The first are what V8 compiles in. */
const WARM_UPS = 30;
/** Operations of one batch: few, where the disk is waited for. */
const FAST = 200;
const SLOW = 20;
const AT_ONCE = 32;
const VALUE = new Uint8Array(100).fill(7);
const [GET, TXN, TOLD, CROWD, BASE] = [
  "read",
  "compare and set",
  "until a watcher is told",
  `compare and set, ${AT_ONCE} at once, each`,
  "what it stands on",
];

export const store: Measurement = {
  name: "store",
  async measure({ batches, progress }) {
    const sheet = new SheetBuilder({
      name: "store",
      title: "Control store: time of one operation",
      unit: "µs",
      rowHead: "operation",
    });
    progress("the built-in store");
    await operations(sheet, "built-in", new MemoryStore(), FAST, batches);
    progress("the store of another process");
    await sheet.attempt("link", () => byLink(sheet, batches));
    if (!isEtcdInstalled()) sheet.note("etcd: not installed here (apt-get install etcd-server)");
    else {
      progress("etcd, which writes each change to the disk");
      await sheet.attempt("etcd", () => inEtcd(sheet, batches));
    }
    for (const column of ["by a link", "etcd"]) {
      const [ours, base] = [sheet.median(TXN, column), sheet.median(BASE, column)];
      sheet.aim(
        `${column}: compare and set, times what it stands on`,
        "less",
        2,
        "",
        ours && base && ours / base,
      );
    }
    return sheet.done();
  },
};

/** Adds a row: microseconds of one of `count` operations, one after another. */
async function timed(
  sheet: SheetBuilder,
  row: string,
  column: string,
  count: number,
  batches: number,
  act: () => Promise<unknown>,
): Promise<void> {
  const values: number[] = [];
  for (let i = 0; i < Math.min(WARM_UPS, count); i++) await act();
  for (let batch = 0; batch < batches; batch++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) await act();
    values.push(((performance.now() - start) * 1000) / count);
  }
  sheet.add(row, column, measured(values));
}

async function operations(
  sheet: SheetBuilder,
  column: string,
  store: ControlStore,
  count: number,
  batches: number,
): Promise<void> {
  const set = async (key: string, revision: number): Promise<number> =>
    (await store.txn([{ key, revision }], [{ key, value: VALUE }])) ?? 0;
  let revision = 0;
  const setNext = async (): Promise<void> => {
    revision = await set("a", revision);
  };
  await setNext();
  await timed(sheet, GET, column, count, batches, () => store.get("a"));
  await timed(sheet, TXN, column, count, batches, setNext);
  const revisions = Array.from({ length: AT_ONCE }, () => 0);
  const crowd = (): Promise<unknown> =>
    Promise.all(
      revisions.map(async (last, i) => {
        revisions[i] = await set(`crowd${i}`, last);
      }),
    );
  const rounds = Math.ceil(count / AT_ONCE) * AT_ONCE;
  let nth = 0;
  await timed(sheet, CROWD, column, rounds, batches, async () => {
    if (nth++ % AT_ONCE === 0) await crowd();
  });
  let tell = (): void => {};
  const end = store.watch("a", () => tell());
  await setNext();
  await timed(sheet, TOLD, column, count, batches, async () => {
    const told = new Promise<void>((done) => {
      tell = done;
    });
    const asked = setNext();
    await told;
    await asked;
  });
  end();
}

async function byLink(sheet: SheetBuilder, batches: number): Promise<void> {
  const child = spawn(process.execPath, [SERVER], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const identity = { role: "pvmd", vm: "bench", host: "other" } as const;
    const key = new Uint8Array(32).fill(7);
    const link = await connect({ address: await firstLine(child), identity, key });
    const remote = new RemoteStore(randomUUID(), ETCD_EDGE.after);
    const rpc: Rpc = new Rpc<typeof RPC>(link, remote.handlers);
    await remote.attach(rpc);
    await timed(sheet, BASE, "by a link", FAST, batches, () => rpc.request("ping", {}));
    await operations(sheet, "by a link", remote, FAST, batches);
    remote.close();
    link.close();
  } finally {
    child.kill();
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("bug: no pipe");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the server ended");
}

async function inEtcd(sheet: SheetBuilder, batches: number): Promise<void> {
  const cluster = await EtcdCluster.start(1, true);
  try {
    const url = cluster.urls[0] as string;
    const put = JSON.stringify({ key: btoa("bench"), value: btoa("x".repeat(VALUE.length)) });
    await timed(sheet, BASE, "etcd", SLOW, batches, async () => {
      const answer = await fetch(`${url}/v3/kv/put`, { method: "POST", body: put });
      await answer.text();
    });
    const store = await EtcdStore.open(new EtcdCalls(cluster.urls, undefined, ETCD_EDGE), "upvm/bench/");
    await operations(sheet, "etcd", store, SLOW, batches);
    await store.close();
  } finally {
    await cluster.end();
  }
}
