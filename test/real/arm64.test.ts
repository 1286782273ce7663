/** A ULP computes on x86-64, on arm64 and on x86-64 again, as an image between them: the result is the same to the last bit. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "uvu";
import { Filling } from "../../runtime/migrate/filling.ts";
import { imageOf } from "../../runtime/migrate/image.ts";
import { readImage } from "../../runtime/migrate/restore.ts";
import { stopProcess } from "../../runtime/scheduler/end.ts";
import { ownService } from "../../upvm/host-process.ts";
import { type PartProcess, runHere } from "../../upvm/run-here.ts";
import { HEAD, STOP } from "../../wire/layout.ts";
import { tidBaseOf } from "../../wire/pvm.ts";
import { type Arm64, arm64Node } from "../arm64-node.ts";
import { linkedProgram, root, runLinked } from "../guest-run.ts";

/** The emulator is slow, and a test machine busy. */
const LIMIT_MS = 200_000;
/** Lines that the ULP prints before it goes there, and there. */
const LINES = 2;

/** Runs the other side. Its process has ended when this ends, however. */
async function otherSide(arm: Arm64, code: string, parts: readonly Uint8Array[]): Promise<Buffer> {
  const [command, ...first] = arm.command;
  const child: ChildProcess = spawn(command, [...first, join(root, "test/arm64-side.js"), code], {
    env: arm.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const out: Buffer[] = [];
    let err = "";
    child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr!.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<number | null>((done) => child.on("close", done));
    for (const bytes of parts) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      child.stdin!.write(length);
      child.stdin!.write(bytes);
    }
    child.stdin!.end();
    assert.equal(await ended, 0, err);
    return Buffer.concat(out);
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}

const arm = arm64Node();
if (typeof arm === "string") {
  console.log(`skipped: ${arm}`);
  test.skip("a ULP goes from x86-64 to arm64 and back", () => {});
} else
  test("a ULP goes from x86-64 to arm64 and back, and computes what it computes at home", async () => {
    const module = await linkedProgram("test/guests/journey.c");
    const still = await runLinked(module, { ulps: 1, cores: 1 });
    assert.ok(still.result.ok, still.err);
    const hash = createHash("sha256").update(module).digest();
    mkdirSync(join(root, ".upvm-cache"), { recursive: true });
    const code = mkdtempSync(join(root, ".upvm-cache", "code-"));
    let own: PartProcess | undefined;
    let printed = "";
    const began = performance.now();
    const nowMs = (): number => performance.now() - began;
    const run = runHere(
      {
        module,
        ulps: 1,
        cores: 1,
        heapBytes: 64 << 20,
        output: (_, bytes) => {
          printed += Buffer.from(bytes).toString();
        },
      },
      {
        elsewhere: () => false,
        engines: 1,
        tidBase: tidBaseOf(1),
        stays: true,
        begun: (process) => {
          own = process;
          return ownService(process.host);
        },
        outgoing: () => {},
        ended: async () => {},
      },
    );
    try {
      while (own === undefined || printed.split("\n").length <= LINES) await pause(1);
      const { library, freezer } = own;
      const ulp = await freezer.freeze(0);
      assert.ok(typeof ulp === "object", String(ulp));
      const { pieces } = imageOf(library, ulp, { hash, nowMs: nowMs(), grants: [] });
      const image = Buffer.concat(pieces);
      freezer.release(ulp);
      const tsc = spawnSync(process.execPath, [
        join(root, "node_modules/typescript/bin/tsc"),
        "-p",
        join(root, "tsconfig.build.json"),
        "--outDir",
        code,
      ]);
      assert.equal(tsc.status, 0, tsc.stdout.toString());
      const setup = { ulps: 1, hash: hash.toString("hex"), lines: LINES };
      const back = await otherSide(arm, code, [module, Buffer.from(JSON.stringify(setup)), image]);
      const bytes = back.readUInt32LE(0);
      const told = JSON.parse(back.subarray(8 + bytes).toString()) as { arch: string; printed: string };
      assert.equal(told.arch, "arm64");
      assert.ok(told.printed.split("\n").length > LINES, "it computed there");
      printed += told.printed;
      const filling = new Filling(
        readImage({ library, programOf: () => library.programs[0], nowMs, grants: [] }),
      );
      filling.write(back.subarray(4, 4 + bytes));
      freezer.admit(filling.end(), () => []);
      while (Atomics.load(library.w, HEAD.live) > 1) await pause(1);
      stopProcess(library, STOP.done);
      assert.equal((await run).leaks, "");
      assert.equal(printed, still.text);
    } finally {
      if (own !== undefined) stopProcess(own.library, STOP.interrupted);
      rmSync(code, { recursive: true, force: true });
    }
  });

test.run();
