/** Checkpoints as a user has them: a job on two hosts is kept in a file, goes on, and is taken up again elsewhere. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { EXIT } from "../../wire/errors.ts";
import { withHosts } from "../hosts.ts";

/** Its ULPs are in groups, and wait for each other in each round; none ends before a file is there. */
const PROGRAM = ["test/guests/wander.c", "-n", "4"];
const WORDS = ["--", "400", "100000", "work"];
const lines = (text: string): string[] => text.trim().split("\n").sort();

test("a job is kept while it runs, and ends the same there and where it is restarted", () =>
  withHosts(async (hosts) => {
    await hosts.all("a", "b");
    const file = join(hosts.home("a"), "job.ckpt");
    const wanted = lines((await hosts.on("a", ["run", "--local", ...PROGRAM, ...WORDS])).out);
    assert.equal(wanted.length, 4);
    const folder = join(hosts.home("a"), "door");
    mkdirSync(folder);
    const running = hosts.on("a", ["run", ...PROGRAM, "--dir", `${folder}:door`, ...WORDS, "door/open"]);
    let job = 0;
    while (job === 0) {
      const jobs = JSON.parse((await hosts.on("a", ["jobs", "--json"])).out) as {
        job: number;
        state: string;
      }[];
      job = jobs.find(({ state }) => state === "running")?.job ?? 0;
    }
    const busy = await hosts.on("a", ["checkpoint", "77", file]);
    assert.equal(busy.code, EXIT.failed);
    assert.match(busy.err, /Cannot take a checkpoint of job 77: there is no such job/);
    assert.equal(existsSync(file), false);
    const kept = await hosts.on("a", ["checkpoint", String(job), file, "--json"]);
    assert.equal(kept.code, EXIT.ok, kept.err);
    const told = JSON.parse(kept.out) as { job: number; ulps: number };
    assert.deepEqual(told, { job, file, ulps: 4, bytes: statSync(file).size });
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const taken = await hosts.on("b", ["restart", file]);
    assert.equal(taken.code, EXIT.failed, "its number is in use");
    assert.match(taken.err, new RegExp(`a job ${job} runs, whose number it needs`));
    writeFileSync(join(folder, "open"), "");
    const first = await running;
    assert.equal(first.code, EXIT.ok, first.err);
    assert.deepEqual(lines(first.out), wanted, "it went on");

    for (const words of [["--hosts", "b"], []]) {
      const again = await hosts.on("b", ["restart", file, ...words]);
      assert.equal(again.code, EXIT.ok, again.err);
      assert.deepEqual(lines(again.out), wanted, `restarted ${words.join(" ")}`);
    }
    // It was run with links as they came about: now they go another way.
    rmSync(join(folder, "open"));
    const routed = hosts.on("a", ["restart", file, "--route", "daemons", "--link", "tls"]);
    await hosts.until(async () => {
      const [row] = JSON.parse((await hosts.on("a", ["jobs", "--json"])).out) as { routed: string[][] }[];
      return row?.routed.length === 1;
    });
    writeFileSync(join(folder, "open"), "");
    assert.deepEqual(lines((await routed).out), wanted);

    const bytes = readFileSync(file);
    bytes[1000] = bytes[1000]! ^ 1;
    writeFileSync(file, bytes);
    const damaged = await hosts.on("b", ["restart", file]);
    assert.equal(damaged.code, EXIT.program);
    assert.match(damaged.err, /Cannot restart .*job.ckpt: it is damaged: the checksum of a part is wrong/);
  }));

/** The first computes for ever, the other waits for a time that does not come. */
const BUSY = `(module (import "pvm" "pvm_mytid" (func $tid (result i32)))
  (import "pvm" "pvm_trecv" (func $trecv (param i32 i32 i32) (result i32)))
  (memory 1) (data (i32.const 16) "\\ff\\ff\\ff") (func (export "_start")
    (if (i32.eq (i32.and (call $tid) (i32.const 0xff)) (i32.const 1)) (then (loop (br 0))))
    (drop (call $trecv (i32.const -1) (i32.const -1) (i32.const 16)))))`;

test("a ULP that computes without polls is named, and the others go on: nothing is kept of the job", () =>
  withHosts(async (hosts) => {
    await hosts.all("a", "b");
    const program = join(hosts.home("a"), "busy.wat");
    writeFileSync(program, BUSY);
    const running = hosts.on("a", ["run", program, "-n", "2", "--no-polls", "--seats", "a,b"]);
    interface Task {
      readonly tid: string;
      readonly doing: string;
    }
    const tasks = async () => JSON.parse((await hosts.on("a", ["ps", "--json"])).out) as Task[];
    await hosts.until(async () => {
      const [first, second] = await tasks();
      return first?.doing === "runs" && /^waits/.test(second?.doing ?? "");
    });
    const [first, second] = await tasks();
    const file = join(hosts.home("a"), "job.ckpt");
    const refused = await hosts.on("a", ["checkpoint", "1", file]);
    assert.equal(refused.code, EXIT.failed);
    const why = `Cannot take a checkpoint of job 1: ${first!.tid}: it could not be stopped in time`;
    assert.ok(refused.err.includes(why), refused.err);
    assert.equal(existsSync(file), false);
    assert.equal((await hosts.on("b", ["kill", second!.tid])).code, EXIT.ok);
    await hosts.until(async () => (await tasks()).length === 1);
    assert.equal((await hosts.on("a", ["kill", "1"])).code, EXIT.ok);
    assert.equal((await running).code, EXIT.killed);
  }));

test.run();
