/**
 * Hosts in networks of their own, which reach the first host and not each other: network namespaces of Linux, for which the
 * test must be root. Elsewhere it says that it did nothing; test/real/routes.test.ts has the same ways with daemons in one process.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { upvm } from "../command.ts";
import { type HostStatus, type Hosts, withHosts } from "../hosts.ts";

const ip = (...words: string[]): void =>
  void execFileSync("ip", words, { stdio: ["ignore", "ignore", "pipe"] });
/** Differs between runs at the same time. */
const subnet = `10.${64 + ((process.pid >> 8) % 64)}.${process.pid % 256}`;
const nameOf = (host: string): string => `upvm${process.pid}${host}`;

/** A network of `host` alone, and an address of this machine in it. */
function separate(host: string, own: string, there: string): void {
  const name = nameOf(host);
  const inside = ["netns", "exec", name, "ip"];
  ip("netns", "add", name);
  ip("link", "add", name, "type", "veth", "peer", "name", "net0", "netns", name);
  ip("addr", "add", `${own}/30`, "dev", name);
  ip("link", "set", name, "up");
  ip(...inside, "link", "set", "lo", "up");
  ip(...inside, "addr", "add", `${there}/30`, "dev", "net0");
  ip(...inside, "link", "set", "net0", "up");
}

function unite(host: string): void {
  try {
    ip("netns", "del", nameOf(host));
  } catch {
    // It was not made.
  }
}

/** A pvmd in the network of its name. */
async function startIn(hosts: Hosts, name: string, words: readonly string[]): Promise<HostStatus> {
  const env = {
    UPVM_HOME: hosts.home(name),
    UPVM_NODE: `ip netns exec ${nameOf(name)} ${process.execPath}`,
  };
  const { code, out, err } = await upvm(["start", "--name", name, "--json", ...words], { env });
  assert.equal(code, EXIT.ok, err);
  const status = JSON.parse(out) as HostStatus;
  hosts.adopt(status.pid);
  return status;
}

test("a job runs on hosts that reach only the first one, says once that it goes through the daemons, and --route direct refuses", async () => {
  const [first, b, other, c] = [1, 2, 5, 6].map((last) => `${subnet}.${last}`) as [
    string,
    string,
    string,
    string,
  ];
  try {
    try {
      separate("b", first, b);
      separate("c", other, c);
      // To the first host, and nowhere else.
      ip("netns", "exec", nameOf("c"), "ip", "route", "add", `${first}/32`, "via", other);
    } catch (error) {
      console.log(`skipped: no networks can be made here: ${String(error).split("\n")[0]}`);
      return;
    }
    await withHosts(async (hosts) => {
      const master = await hosts.start("a", "--listen", `${first}:0`);
      const join = ["--join", master.address, "--key-file", master.keyFile];
      // b is reached by nobody, not by the first host either: it listens for its own machine.
      await startIn(hosts, "b", join);
      await startIn(hosts, "c", [...join, "--listen", "auto"]);
      const words = ["guest/examples/ring.ts", "-n", "6", "--", "20"];
      const direct = await hosts.on("a", ["run", "--route", "direct", ...words]);
      assert.equal(direct.code, EXIT.failed, direct.err);
      assert.match(
        direct.err,
        /^upvm: Cannot link the processes on c and b directly: .*nobody listens there\n/,
      );
      assert.match(direct.err, /--listen auto; or let their links go through the daemons: --route auto/);
      for (const [flags, said] of [
        [
          ["--link", "tls"],
          /^upvm: c and b have no direct link \(.*\): theirs goes through the daemons; [^\n]*$/,
        ],
        [["--route", "daemons"], /^$/],
      ] as const) {
        const there = await hosts.on("a", ["run", ...flags, ...words]);
        assert.equal(there.code, EXIT.ok, there.err);
        assert.match(there.out, /6 ULPs, 20 rounds: 120 went round, right\n/);
        const lines = there.err.split("\n").filter((line) => line.startsWith("upvm"));
        assert.match(lines.join("\n"), said);
      }
      assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
    });
  } finally {
    for (const host of ["b", "c"]) unite(host);
  }
});

test.run();
