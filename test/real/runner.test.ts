/** The test runner on files that go wrong in every way. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { Hosts } from "../hosts.ts";

const root = join(import.meta.dirname, "../..");

/** A file that is to be too late has begun to wait by then, milliseconds. */
const LATE_MS = 10_000;

/** Runs the runner on test files made of `files`, and returns what it printed, line by line. */
function runner(
  files: Record<string, string>,
  words: string[] = [],
  limits: Record<string, string> = {},
): { code: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "upvm-runner-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const env = { ...process.env, UPVM_TEST_FOLDER: folder, ...limits };
    const done = spawnSync(process.execPath, [join(root, "test/run.ts"), ...words], {
      env,
      encoding: "utf8",
    });
    return { code: done.status, lines: done.stdout.trimEnd().split("\n") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const head = `import { test } from "uvu";\n`;
const passing = `${head}test("a", () => {}); test("b", () => {}); test.run();`;

test("adds up the files and ends with the counts", () => {
  const { code, lines } = runner({ "a.test.ts": passing, "b.test.ts": passing, "c.ts": "throw 1" });
  assert.equal(lines.at(-1), "4 passed, 0 failed");
  assert.equal(code, 0);
});

test("a failing test is shown in full and fails the run", () => {
  const failing = `${head}test("wrong sum", () => { throw new Error("2 + 2 is 5"); }); test.run();`;
  const { code, lines } = runner({ "a.test.ts": passing, "b.test.ts": failing });
  assert.equal(lines.at(-1), "2 passed, 1 failed");
  assert.equal(code, 1);
  assert.match(lines.join("\n"), /FAILED b\.test\.ts: 0 passed, 1 failed/);
  assert.match(lines.join("\n"), /wrong sum.*2 \+ 2 is 5/s);
});

test("a file that hangs is ended at its limit and counted as failed, and its daemons with it", () => {
  const pid = join(mkdtempSync(join(tmpdir(), "upvm-daemon-")), "pid");
  const hanging = `${head}
    import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const wait = "setInterval(() => {}, 1000)";
    const daemon = spawn(process.execPath, ["--eval", wait], { detached: true, stdio: "ignore" });
    daemon.unref();
    writeFileSync(${JSON.stringify(pid)}, String(daemon.pid));
    test("a", () => new Promise(() => setInterval(() => {}, 1000))); test.run();`;
  const { code, lines } = runner({ "a.test.ts": hanging }, [], { UPVM_TEST_LIMIT_MS: `${LATE_MS}` });
  assert.equal(lines.at(-1), "0 passed, 1 failed");
  assert.match(lines.join("\n"), /ran too long/);
  assert.equal(code, 1);
  const daemon = Number(readFileSync(pid, "utf8"));
  rmSync(join(pid, ".."), { recursive: true });
  assert.ok(daemon > 0);
  if (process.platform === "linux") assert.ok(!Hosts.runs(daemon));
});

test("a crash, a file without test.run() and a hook that throws are failures", () => {
  const { lines } = runner({
    "crash.test.ts": `${head}test("a", () => process.exit(0)); test.run();`,
    "norun.test.ts": `${head}test("a", () => {});`,
    "hook.test.ts": `${head}test.before(() => { throw new Error("no"); }); test("a", () => {}); test.run();`,
    "syntax.test.ts": "const a = ;",
  });
  assert.equal(lines.at(-1), "0 passed, 4 failed");
});

test("words choose files, and no file at all is not a success", () => {
  const files = { "one.test.ts": passing, "two.test.ts": "throw 1" };
  assert.equal(runner(files, ["one"]).lines.at(-1), "2 passed, 0 failed");
  const none = runner(files, ["three"]);
  assert.equal(none.lines.at(-1), "0 passed, 0 failed");
  assert.equal(none.code, 1);
});

test("skipped tests are named in the last line", () => {
  const skipping = `${head}test("a", () => {}); test.skip("b", () => {}); test.run();`;
  assert.equal(runner({ "a.test.ts": skipping }).lines.at(-1), "1 passed, 0 failed, 1 skipped");
});

test.run();
