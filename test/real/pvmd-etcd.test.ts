/** A virtual machine whose control store is in etcd. Skipped where Debian's package etcd-server is not installed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "uvu";
import { EtcdCluster, freePorts, isEtcdInstalled } from "../../bench/real-etcd.ts";
import { EtcdCalls } from "../../pvmd/etcd-calls.ts";
import { EtcdStore } from "../../pvmd/etcd-store.ts";
import { ETCD_EDGE } from "../../upvm/node-etcd.ts";
import { EXIT } from "../../wire/errors.ts";
import { Hosts, withHosts } from "../hosts.ts";

/** All keys of a cluster. */
async function keysOf(cluster: EtcdCluster): Promise<readonly string[]> {
  const all = { key: btoa("\0"), range_end: btoa("\0"), keys_only: true };
  const answer = await fetch(`${cluster.urls[0]}/v3/kv/range`, { method: "POST", body: JSON.stringify(all) });
  const { kvs = [] } = (await answer.json()) as { kvs?: { key: string }[] };
  return kvs.map(({ key }) => atob(key));
}

if (!isEtcdInstalled()) {
  console.log("etcd is not installed here: apt-get install etcd-server");
  test.skip("a virtual machine over etcd", () => {});
} else {
  let cluster: EtcdCluster;
  test.before(async () => {
    cluster = await EtcdCluster.start();
  });
  test.after(() => cluster.end());

  test("hosts meet in etcd, outlast its restart, and leave nothing behind", () =>
    withHosts(async (hosts) => {
      const spec = `etcd:${cluster.urls[0]}`;
      const first = await hosts.start("a", "--store", spec);
      await hosts.start("b", "--join", first.address, "--key-file", first.keyFile);
      const names = (await hosts.status("b")).hosts.map(({ name }) => name);
      assert.deepEqual(names, ["a", "b"]);
      const keys = await keysOf(cluster);
      for (const name of names)
        assert.ok(
          keys.some((key) => key.endsWith(`/k/host/${name}`)),
          keys.join(),
        );

      await cluster.killServer(0);
      await sleep(300);
      await cluster.startServer(0);
      await hosts.start("c", "--join", first.address, "--key-file", first.keyFile);
      const { hosts: three } = await hosts.status("a");
      assert.deepEqual(
        three.map(({ name, state }) => `${name} ${state}`),
        ["a up", "b up", "c up"],
      );

      const other = await EtcdStore.open(new EtcdCalls(cluster.urls, undefined, ETCD_EDGE), "upvm/other/");
      await other.txn([], [{ key: "kept", value: new Uint8Array(1) }]);
      const halt = await hosts.on("b", ["halt"]);
      assert.deepEqual([halt.code, halt.err], [EXIT.ok, ""]);
      await other.close();
      assert.deepEqual(await keysOf(cluster), ["upvm/other/k/kept"], "the other's keys stay");
    }));

  test("hosts outlast a pause of etcd that is longer than they may be silent, and leave in order after it", () =>
    withHosts(async (hosts) => {
      // A host must not stand still for two thirds of that, however busy the machine is.
      hosts.deadAfter = 15;
      const first = await hosts.start("a", "--store", `etcd:${cluster.urls[0]}`);
      const joins = ["--join", first.address, "--key-file", first.keyFile];
      const { pid } = await hosts.start("b", ...joins);
      cluster.signal(0, "SIGSTOP");
      // Its leases are by its own clock.
      await sleep(1000 * hosts.deadAfter + 2000);
      cluster.signal(0, "SIGCONT");
      // It is written after all that had to wait.
      await hosts.start("c", ...joins);
      const up = (await hosts.status("a")).hosts.map(({ name, state }) => `${name} ${state}`);
      assert.deepEqual(up, ["a up", "b up", "c up"], hosts.log("a"));
      assert.ok(Hosts.runs(pid));
      assert.equal((await hosts.on("b", ["halt"])).code, EXIT.ok);
      assert.ok((await keysOf(cluster)).every((key) => !key.startsWith("upvm/vm")));
      assert.doesNotMatch(hosts.log("a"), /dead|control store/);
    }));

  test("a store that cannot be used is told, and nothing is left running", () =>
    withHosts(async (hosts) => {
      const refused = async (words: string[], exit: number, what: RegExp): Promise<void> => {
        const { code, out, err } = await hosts.on("a", ["start", "--name", "a", ...words]);
        assert.deepEqual([code, out], [exit, ""], err);
        assert.match(err, what);
      };
      const nobody = `etcd:http://127.0.0.1:${(await freePorts(1))[0]}`;
      await refused(["--store", "disk"], EXIT.usage, /Cannot use disk as control store/);
      await refused(["--store", nobody], EXIT.failed, /Cannot reach the control store at http.*ECONNREFUSED/);
      await refused(["--store", nobody, "--join", "h:1"], EXIT.usage, /--store is for the first host/);
      await refused(
        ["--store", nobody, "--store-user", "/none"],
        EXIT.usage,
        /Cannot take a user of etcd from \/none/,
      );
      const { host } = await hosts.start("a");
      assert.equal(host, "a");
      const user = join(hosts.home("a"), "user");
      writeFileSync(user, "root:hush", { mode: 0o600 });
      await hosts.on("a", ["halt"]);
      const spec = `etcd:${cluster.urls[0]}`;
      await refused(["--store", spec, "--store-user", user], EXIT.failed, /log in as root/);
      assert.ok(!hosts.log("a").includes("hush"), "the password is in the log");
    }));
}

test.run();
