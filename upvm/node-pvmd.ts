/**
 * The daemon, as a process: `upvm start` runs it in the background.
 *
 * Owns: what a pvmd has of the system: its home, its listeners, signals, timers, the log. What it does is decided in
 * pvmd/. It is told how by one JSON object on standard input, and tells on file descriptor 3 whether it is in service;
 * the key is in no argument and in no variable. If nobody listens there any more before it is, it ends.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { availableParallelism, hostname, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import type { Link, PeerIdentity } from "../net/link.ts";
import { connect, type Listener, listen } from "../net/node-links.ts";
import { StoreError } from "../pvmd/control-store.ts";
import type { EtcdUser } from "../pvmd/etcd-calls.ts";
import type { HostFacts } from "../pvmd/host-table.ts";
import { Joined } from "../pvmd/joined.ts";
import { Master } from "../pvmd/master.ts";
import type { OpenedStore } from "../pvmd/open-store.ts";
import { patienceOf } from "../pvmd/patience.ts";
import type { PvmdEdge } from "../pvmd/pvmd.ts";
import { EXIT, UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { HOST_NAME } from "../wire/rpc-hosts.ts";
import { AUTO, announced, LOOPBACK } from "./addresses.ts";
import { type Home, homeIn, keyText } from "./home.ts";
import {
  homeIsThere,
  leaveHome,
  newKey,
  readLog,
  statePid,
  takeHome,
  writeKey,
  writeLog,
  writeState,
} from "./node-home.ts";
import { runHoster } from "./node-hoster.ts";
import { ownAddressTowards } from "./node-own-address.ts";
import { packageVersion } from "./node-package.ts";
import { openNodeStore } from "./node-store.ts";
import { PARTS } from "./pvmd-parts.ts";
import { RefusedLines } from "./refused-lines.ts";

/** What `upvm start` tells the daemon. */
export interface PvmdConfig {
  readonly folder: string;
  readonly name?: string | undefined;
  /** An address, or AUTO. */
  readonly listen?: string | undefined;
  readonly join?: string | undefined;
  /** Hexadecimal; absent: a new one is made. */
  readonly key?: string | undefined;
  /** Of a first host: its control store; absent: the built-in one. Who logs in to it. */
  readonly store?: string | undefined;
  readonly storeUser?: EtcdUser | undefined;
  /** Of a first host: after how long a silent one is dead, milliseconds; absent: LIMITS.hostDeadMs. */
  readonly deadMs?: number | undefined;
}

/** What the daemon tells: it is in service, or why not. */
export type PvmdReport =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly facts: UpvmError["facts"] };

/** Where `upvm start` listens for the report. */
const REPORT_FD = 3;

let reported = false;
let listening: Socket | undefined;
function report(what: PvmdReport): void {
  if (reported) return;
  reported = true;
  try {
    writeSync(REPORT_FD, JSON.stringify(what));
  } catch {
    // Who started it is gone in this moment; it is in service all the same.
  }
  listening?.destroy();
}

/** Calls `gone` if who started this process ends before it was told: nobody waits for the host any more. */
function watchStarter(gone: () => void): void {
  listening = new Socket({ fd: REPORT_FD });
  listening.on("error", () => {});
  listening.on("close", () => {
    if (!reported) gone();
  });
  listening.resume();
}

/** Runs the daemon. Never returns before its end. */
export async function pvmdMain(): Promise<void> {
  // Our own words: upvm/node-vm.ts wrote them.
  const config = JSON.parse(readFileSync(0, "utf8")) as PvmdConfig;
  const home = homeIn(config.folder);
  process.on("uncaughtException", (error) => {
    // Without it nobody can say what the virtual machine is: all hosts end.
    if (error instanceof StoreError) refuse(home, error);
    writeLog(home, line(`this is a bug in upvm, please report it: ${error.stack}`));
    report({ ok: false, code: "PVMD_NOT_STARTED", facts: { why: error.message, log: home.logFile } });
    process.exit(EXIT.bug);
  });
  try {
    await new Daemon(home, config).start();
  } catch (error) {
    if (!(error instanceof UpvmError)) throw error;
    refuse(home, error);
  }
}

function refuse(home: Home, error: UpvmError): never {
  leaveHome(home);
  tellRefused(home, error);
  process.exit(EXIT.failed);
}

function tellRefused(home: Home, error: UpvmError): void {
  writeLog(home, line(`${reported ? "it ends" : "not started"}: ${error.message}`));
  report({ ok: false, code: error.code, facts: error.facts });
}

function line(text: string): string {
  return `${new Date().toISOString()} ${text.slice(0, LIMITS.logLineLength)}\n`;
}

class Daemon {
  private readonly home: Home;
  private readonly config: PvmdConfig;
  private readonly key: Uint8Array;
  private readonly name: string;
  private readonly listeners: Listener[] = [];
  private readonly refused: RefusedLines;
  private pvmd: Master | Joined | undefined;
  private opened: OpenedStore | undefined;
  /** Who started it is gone, and it was not in service yet: it is not going to be. */
  private abandoned = false;
  /** Why a host that was let in cannot be in service. */
  private unfit: UpvmError | undefined;
  /** Drawn by a first host; one that joins is told. */
  private readonly newVm: string;

  constructor(home: Home, config: PvmdConfig) {
    this.home = home;
    this.config = config;
    this.refused = new RefusedLines(this.edge().after, (text) => this.log(text));
    this.key = config.key === undefined ? newKey() : Uint8Array.fromHex(config.key);
    this.name = config.name ?? hostname();
    this.newVm = config.join === undefined ? `vm${randomBytes(6).toString("hex")}` : "";
  }

  async start(): Promise<void> {
    const { home, config } = this;
    if (!v.is(HOST_NAME, this.name))
      throw new UpvmError("BAD_HOST_NAME", { name: this.name, limit: LIMITS.hostNameLength });
    if (!takeHome(home))
      throw new UpvmError("ALREADY_IN_SERVICE", { path: home.folder, pid: statePid(home) ?? "?" });
    watchStarter(() => this.abandon());
    // The home is ours: whatever lies here is of a pvmd that was killed.
    rmSync(home.socket, { force: true });
    const { listen = LOOPBACK, join = "" } = config;
    const wide = await this.listen(listen === AUTO ? await ownAddressTowards(join) : listen);
    const local = await this.listen(`unix:${home.socket}`);
    const facts = this.facts(announced(wide.address, hostname()));
    const common = {
      facts,
      localAddress: local.address,
      folder: home.folder,
      parts: PARTS,
      edge: this.edge(),
    };
    if (config.join === undefined) await this.beMaster(common);
    else this.join({ ...common, join: config.join });
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.told(signal));
    process.on("SIGHUP", () => {});
    const look = setInterval(() => {
      if (homeIsThere(home)) return;
      clearInterval(look);
      this.told("its home was deleted");
    }, LIMITS.homeLookMs);
  }

  private async beMaster(common: Common): Promise<void> {
    const { store: spec = "memory", storeUser, deadMs = LIMITS.hostDeadMs } = this.config;
    this.opened = await openNodeStore(spec, storeUser, this.newVm);
    const { store } = this.opened;
    const master = new Master({
      ...common,
      vm: this.newVm,
      store,
      patience: patienceOf(deadMs),
      ended: () => this.end(),
    });
    this.pvmd = master;
    await master.start();
    this.inService(common.facts);
  }

  private join(common: Common & { readonly join: string }): void {
    const joined = new Joined({
      ...common,
      inService: () => {
        try {
          this.inService(common.facts);
        } catch (error) {
          // Its home cannot be written. It is in the table of hosts already, and leaves in order.
          if (!(error instanceof UpvmError)) throw error;
          this.unfit = error;
          joined.leave();
        }
      },
      ended: (_why, error) => {
        if (this.abandoned) return;
        if (error !== undefined) refuse(this.home, error);
        this.end();
        if (this.unfit !== undefined) tellRefused(this.home, this.unfit);
      },
    });
    this.pvmd = joined;
    joined.start();
  }

  private inService({ name, address }: HostFacts): void {
    if (this.abandoned) return;
    const vm = this.pvmd?.vm ?? "";
    // Not before: one that was not let in with another key leaves the old one where it is.
    writeKey(this.home, this.key);
    writeState(this.home, { pid: process.pid, host: name, vm, address });
    report({ ok: true });
  }

  private identity(vm: string): PeerIdentity {
    return { role: "pvmd", vm, host: this.name };
  }

  private async listen(address: string): Promise<Listener> {
    const listener = await listen(
      {
        address,
        key: this.key,
        identity: () => this.identity(this.pvmd?.vm ?? this.newVm),
        refused: (text) => this.refused.add(text),
        accept: (peer) => this.accepts(peer),
      },
      (link) => this.take(link),
    );
    this.listeners.push(listener);
    return listener;
  }

  /** Of another virtual machine with the same key: its processes have nothing to do here. */
  private accepts(peer: PeerIdentity): string | undefined {
    const { pvmd } = this;
    if (pvmd === undefined || pvmd.vm === "") return "it is not in service yet";
    return peer.vm === "" || peer.vm === pvmd.vm ? undefined : `it is of virtual machine ${pvmd.vm}`;
  }

  private take(link: Link): void {
    this.pvmd?.accept(link);
  }

  private facts(address: string): HostFacts {
    return {
      name: this.name,
      address,
      arch: process.arch,
      node: process.version,
      version: packageVersion(),
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      pid: process.pid,
      incarnation: randomBytes(8).toString("hex"),
    };
  }

  private log(text: string): void {
    writeLog(this.home, line(text));
  }

  private edge(): PvmdEdge {
    return {
      nowMs: () => performance.now(),
      every: (ms, act) => {
        const timer = setInterval(act, ms);
        return () => clearInterval(timer);
      },
      after: (ms, act) => {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
      log: (text) => this.log(text),
      connect: (address, vm, accept, connectMs) => {
        const own = { identity: this.identity(vm), key: this.key };
        return connect({ address, ...own, ...(accept && { accept }), ...(connectMs && { connectMs }) });
      },
      readLog: (lines) => new TextEncoder().encode(readLog(this.home, lines)),
      hoster: (words) => runHoster(words, keyText(this.key)),
    };
  }

  /** The system, or its user, wants this process to end: the first host takes all with it, another one leaves. */
  private told(why: string): void {
    this.log(`${why}: it ends`);
    if (this.pvmd instanceof Master) void this.pvmd.halt();
    else this.pvmd?.leave();
  }

  private abandon(): void {
    this.abandoned = true;
    this.log("not started: who started it is gone");
    if (this.pvmd instanceof Joined) this.pvmd.giveUp();
    this.end();
  }

  private leave(): void {
    leaveHome(this.home);
  }

  /** Lets what was said last go out; then the links end with the process, and that is how others see it. */
  private end(): void {
    for (const listener of this.listeners) listener.close();
    this.leave();
    const lastWords = sleep(LIMITS.lastWordsMs);
    // Nobody needs its keys any more. A store that does not answer keeps them.
    const closed = Promise.race([this.opened?.close(true), sleep(LIMITS.storeCloseMs)]);
    void Promise.all([lastWords, closed]).then(() => process.exit(EXIT.ok));
  }
}

interface Common {
  readonly facts: HostFacts;
  readonly localAddress: string;
  readonly folder: string;
  readonly parts: typeof PARTS;
  readonly edge: PvmdEdge;
}
