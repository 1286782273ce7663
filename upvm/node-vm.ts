/**
 * The way from a command to its pvmd: starts one in the background, connects to one.
 *
 * Owns: the command's side of the daemon's start (node-pvmd.ts is the other), and its links.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../net/node-links.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import { ERRORS, type ErrorCode, EXIT, UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { isLoopback } from "./addresses.ts";
import type { Started } from "./console.ts";
import type { Spawn } from "./console-spawn.ts";
import type { Home } from "./home.ts";
import { nodeCommand } from "./node-command.ts";
import { homeIsFree, makeHome, openLog, readKey, readLog, statePid, thisHome } from "./node-home.ts";
import { packageRoot } from "./node-package.ts";
import type { PvmdConfig, PvmdReport } from "./node-pvmd.ts";
import type { SpawnedConfig, SpawnedNews } from "./node-spawned.ts";
import { readUser } from "./node-store.ts";
import type { StartOptions, Status, Vm } from "./vm.ts";

/** Between two looks whether a pvmd has gone, milliseconds. */
const LOOK_MS = 20;

/** @throws UpvmError HOME_UNKNOWN, HOME_TOO_LONG */
export function nodeVm(): Vm {
  const home = thisHome();
  return {
    home,
    start: (options) => start(home, options),
    local: (handlers) => local(home, handlers),
    connect: (address, handlers) => connectTo(home, address, handlers),
    log: (lines) => readLog(home, lines),
    emptied: () => waitFor(() => homeIsFree(home)),
    spawn: (what, hosts, env) => spawnJob(home, what, hosts, env),
    gone: async (hosts) => {
      // A host that is reached on loopback is of this machine: its pid means something here.
      const pids = hosts.filter(({ address }) => isLoopback(address)).map(({ pid }) => pid);
      await waitFor(() => !pids.some(runs));
    },
  };
}

async function connectTo({ keyFile }: Home, address: string, handlers: Handlers = {}): Promise<Rpc> {
  const identity = { role: "command", vm: "", host: hostname() } as const;
  return new Rpc(await connect({ address, identity, key: readKey(keyFile) }), handlers);
}

async function local(home: Home, handlers?: Handlers): Promise<Rpc | undefined> {
  if (!existsSync(home.socket)) return undefined;
  try {
    return await connectTo(home, `unix:${home.socket}`, handlers);
  } catch (error) {
    // The socket of a pvmd that was killed.
    if (error instanceof UpvmError && error.code === "CANNOT_CONNECT" && homeIsFree(home)) return undefined;
    throw error;
  }
}

async function start(home: Home, options: StartOptions): Promise<Status> {
  makeHome(home);
  if (!homeIsFree(home))
    throw new UpvmError("ALREADY_IN_SERVICE", { path: home.folder, pid: statePid(home) ?? "?" });
  const key = keyFor(home, options);
  const config: PvmdConfig = {
    folder: home.folder,
    name: options.name,
    listen: options.listen,
    join: options.join,
    key: key?.toHex(),
    store: options.store,
    storeUser: options.storeUser === undefined ? undefined : readUser(options.storeUser),
    deadMs: options.deadMs,
  };
  await launch(home, config, options.interrupts);
  const rpc = await local(home);
  if (rpc === undefined)
    throw new UpvmError("PVMD_NOT_STARTED", { why: "it ended at once", log: home.logFile });
  const { body } = await rpc.request("status", {});
  rpc.link.close();
  return body;
}

/** One that joins and is given no key has it from the last time. Undefined: a new one is made. */
function keyFor(home: Home, { keyFile, join: address }: StartOptions): Uint8Array | undefined {
  if (keyFile !== undefined) return readKey(keyFile);
  if (address === undefined) return undefined;
  if (!existsSync(home.keyFile)) throw new UpvmError("KEY_NEEDED", { address });
  return readKey(home.keyFile);
}

/** Starts the daemon, in a session of its own: it has no terminal, and survives the one that it was started from. */
async function launch(home: Home, config: PvmdConfig, interrupts?: () => AbortSignal): Promise<void> {
  const log = openLog(home);
  const [node, ...words] = nodeCommand();
  const child = spawn(node, [...words, join(packageRoot, "bin", "upvm.js"), "pvmd"], {
    cwd: home.folder,
    detached: true,
    env: { ...process.env, UPVM_HOME: home.folder },
    stdio: ["pipe", log, log, "pipe"],
  });
  closeSync(log);
  child.stdin?.on("error", () => {});
  child.stdin?.end(JSON.stringify(config));
  const failed = new Promise<string>((done) => child.on("error", (error) => done(error.message)));
  const late = sleep(LIMITS.startMs, `it was not in service within ${LIMITS.startMs} ms`, { ref: false });
  const report = child.stdio[3] as Socket;
  const said = await Promise.race([reportOf(report), failed, late, aborted(interrupts?.())]);
  if (said === "interrupted") {
    // It ends when nobody listens any more.
    report.destroy();
    child.unref();
    await waitFor(() => homeIsFree(home));
    const what = config.join === undefined ? "start a pvmd" : `join ${config.join}`;
    throw new UpvmError("INTERRUPTED", { what, why: "; the pvmd that was to do it has ended", hint: "" });
  }
  if (typeof said === "string") {
    child.kill("SIGKILL");
    throw new UpvmError("PVMD_NOT_STARTED", { why: said, log: home.logFile });
  }
  child.unref();
  if (!said.ok) throw new UpvmError(said.code as ErrorCode, said.facts);
}

function aborted(signal: AbortSignal | undefined): Promise<"interrupted"> {
  return new Promise((done) => signal?.addEventListener("abort", () => done("interrupted")));
}

/** What the daemon tells; text: why it told nothing. */
async function reportOf(stream: Readable): Promise<PvmdReport | string> {
  let text = "";
  for await (const part of stream) text += String(part);
  try {
    const report = JSON.parse(text) as PvmdReport;
    return report.ok || Object.hasOwn(ERRORS, report.code) ? report : report.code;
  } catch {
    return "it ended without a word";
  }
}

/**
 * Starts `upvm run` in a process of its own, and waits until its job has a number. What it prints goes to this process's
 * own streams, or where it was told to.
 */
async function spawnJob(
  home: Home,
  { file, args, count, output }: Omit<Spawn, "where">,
  hosts: readonly string[],
  env: readonly string[],
): Promise<Started> {
  const flags = ["--ulps", String(count), "--tag", ...env.flatMap((each) => ["--env", each])];
  if (hosts.length > 0) flags.push("--hosts", hosts.join(","));
  const config: SpawnedConfig = { words: [...flags, file, "--", ...args], output };
  const log = output === "log" ? openLog(home) : "inherit";
  const child = spawn(process.execPath, [join(packageRoot, "bin", "upvm.js"), "spawned"], {
    detached: true,
    stdio: ["pipe", log, log, "pipe"],
  });
  if (typeof log === "number") closeSync(log);
  child.stdin?.on("error", () => {});
  child.stdin?.end(JSON.stringify(config));
  child.unref();
  const stream = child.stdio[3] as Socket;
  const news = linesOf(stream);
  const first = await news.next();
  const begun = first.done === true ? undefined : (JSON.parse(first.value) as SpawnedNews);
  if (begun === undefined || "code" in begun) {
    const why = begun?.said?.trim().replace(/^upvm: /, "") || `Cannot run ${file}: it ended without a word`;
    throw new UpvmError("JOB_NOT_STARTED", { file, why });
  }
  // Whoever waits for its end does so with a link open; nobody else is kept by it.
  stream.unref();
  const ended = news.next().then(({ value }) => {
    const told = value === undefined ? undefined : (JSON.parse(value) as SpawnedNews);
    return told !== undefined && "code" in told ? told.code : EXIT.failed;
  });
  return { job: begun.job, ended };
}

async function* linesOf(stream: Readable): AsyncGenerator<string, undefined> {
  let text = "";
  for await (const part of stream) {
    text += String(part);
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
  return undefined;
}

/** Looks again and again, for LIMITS.haltMs. */
async function waitFor(holds: () => boolean): Promise<boolean> {
  for (let ms = 0; ms < LIMITS.haltMs; ms += LOOK_MS) {
    if (holds()) return true;
    await sleep(LOOK_MS);
  }
  return false;
}

/** True if there is such a process; one that has ended and that its parent has not asked about is none. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/\) Z /.test(stat);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another user's; or a system without /proc, where the signal has told.
    return code === "EPERM" || (code === "ENOENT" && process.platform !== "linux");
  }
}
