/** Children of a pvmd: one that cannot be started is told of, and the pvmd lives; one that was killed leaves nothing. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { processSocket } from "../../upvm/home.ts";
import type { ApplicationSetup } from "../../upvm/node-application-thread.ts";
import { runHoster } from "../../upvm/node-hoster.ts";
import { Processes } from "../../upvm/node-processes.ts";
import { Hosts } from "../hosts.ts";

const upvm = join(import.meta.dirname, "../../upvm");

/** Runs a module's text in a process that can open no file more, and returns what it said. */
function withoutFiles(text: string): string {
  const whole = `
    import { openSync } from "node:fs";
    import { Processes } from ${JSON.stringify(join(upvm, "node-processes.ts"))};
    import { runHoster } from ${JSON.stringify(join(upvm, "node-hoster.ts"))};
    try { for (;;) openSync("/dev/null", "r"); } catch {}
    ${text}`;
  const words = [
    "-c",
    'ulimit -n 100; exec "$@"',
    "sh",
    process.execPath,
    "--input-type=module",
    "-e",
    whole,
  ];
  const { stdout, stderr } = spawnSync("sh", words, { encoding: "utf8" });
  return stdout + stderr;
}

test("at the limit of open files no process of a job is started, and its pvmd goes on", () => {
  const said = withoutFiles(`
    const processes = new Processes(console.log, console.log);
    for (let i = 0; i < 2; i++)
      console.log(await processes.start({ job: 1, member: 0 }).catch(String), processes.has(1, 0));`);
  const no = "UpvmError: Cannot run the program on the virtual machine: no more files can be opened";
  assert.equal(said, `${no} false\n${no} false\n`);
});

test("at the limit of open files a host is not added, and the pvmd that was asked goes on", () => {
  const said = withoutFiles(`console.log((await runHoster(["true"], "key")).text);`);
  assert.equal(said, "its hoster, true, cannot be run: no more files can be opened\n");
});

test("a hoster that cannot be run is told of, whatever is wrong with it", async () => {
  const none = await runHoster(["/no/such/command"], "key");
  assert.deepEqual(none, { code: -1, text: "its hoster, /no/such/command, cannot be run: no such file" });
  // Longer than what any system takes.
  const long = await runHoster(["true", "x".repeat(1 << 25)], "key");
  assert.deepEqual(long, { code: -1, text: "its hoster, true, cannot be run: spawn E2BIG" });
  assert.deepEqual(await runHoster(["cat"], "the key"), { code: 0, text: "the key" });
});

test("a hoster that takes too long is ended with what it has started, and nobody waits for that", async () => {
  // What the script starts holds its output open, and says which process it is.
  const { code, text } = await runHoster(["sh", "-c", "sh -c 'echo $$; exec sleep 600'; true"], "key", 1000);
  assert.equal(code, -1);
  const [pid = "", why] = text.split("\n");
  assert.equal(why, "its hoster, sh, took longer than 1 s and was ended");
  while (Hosts.runs(Number(pid))) await new Promise((go) => setTimeout(go, 20));
});

test("a process that was killed leaves no socket in its host's home", async () => {
  const folder = mkdtempSync(join(tmpdir(), "upvm-home-"));
  try {
    const gone = Promise.withResolvers<string>();
    const processes = new Processes(
      () => {},
      (_job, _member, how) => gone.resolve(how),
    );
    await processes.start({ folder, job: 3, member: 1 } as ApplicationSetup);
    // As if it had listened by now.
    writeFileSync(processSocket(folder, 3, 1), "");
    processes.kill(3, 1);
    assert.equal(await gone.promise, "SIGKILL");
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
