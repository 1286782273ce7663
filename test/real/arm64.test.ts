/**
 * A host of another processor type: its daemon and its processes are run by an arm64 Node under an emulator. A ULP that
 * computes goes there and back, and prints what it prints at home, to the bit.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { arm64Node } from "../arm64-node.ts";
import { type Done, upvm } from "../command.ts";
import { withHosts } from "../hosts.ts";
import { Orders } from "../migrations.ts";

const PROGRAM = "test/guests/steps.c";

/** The only ULP of the first job. */
const FIRST = 0x40001;

const arm = arm64Node();
if (typeof arm === "string") {
  console.log(`skipped: ${arm}`);
  test.skip("a ULP goes from x86-64 to arm64 and back", () => {});
} else
  test("a ULP goes to an arm64 host while it computes, and back, and computes what it computes at home", () =>
    withHosts(async (hosts) => {
      const a = await hosts.start("a");
      const env = { ...arm.env, UPVM_NODE: arm.command.join(" "), UPVM_HOME: hosts.home("b") };
      const words = ["start", "--name", "b", "--json", "--join", a.address, "--key-file", a.keyFile];
      const started = await upvm(words, { env });
      assert.equal(started.code, EXIT.ok, started.err + hosts.log("b"));
      hosts.adopt((JSON.parse(started.out) as { pid: number }).pid);
      const conf = JSON.parse((await hosts.on("a", ["conf", "--json"])).out) as {
        hosts: { name: string; arch: string }[];
      };
      assert.deepEqual(
        conf.hosts.map(({ name, arch }) => `${name} ${arch}`),
        [`a ${process.arch}`, "b arm64"],
      );

      let printed = 0;
      let more = (): void => {};
      const lines = async (count: number): Promise<void> => {
        while (printed < count && ended === undefined) await new Promise<void>((done) => (more = done));
      };
      let ended: Done | undefined;
      // It computes until it has been everywhere, however long a host takes that is emulated.
      const door = hosts.home("door");
      mkdirSync(door);
      const running = upvm(["run", PROGRAM, "-n", "1", "--dir", `${door}:door`, "--", "1", "door/open"], {
        env: { UPVM_HOME: hosts.home("a") },
        onOutput: (out) => {
          printed = out.split("\n").length - 1;
          more();
        },
      }).then((done) => {
        ended = done;
        more();
        return done;
      });
      const orders = await Orders.to(hosts.home("a"));
      const move = async (to: string): Promise<void> => {
        const [row] = await orders.migrate([FIRST], to);
        assert.equal(row?.refused, undefined, `${ended?.out}${ended?.err}`);
        await lines(printed + 3);
      };
      await lines(1);
      await move("b");
      await move("a");
      writeFileSync(join(door, "open"), "");
      const { out, err, code } = await running;
      orders.close();
      assert.equal(code, EXIT.ok, err);
      const still = await hosts.on("a", ["run", "--local", PROGRAM, "--", `${out.split("\n").length - 1}`]);
      assert.equal(out, still.out);
      assert.equal((await hosts.on("a", ["halt"])).code, EXIT.ok);
    }));

test.run();
