/**
 * What a command needs of the virtual machine: its pvmd, the master, the home.
 *
 * Owns: the shape of the way there (handed in by node-vm.ts, or by a test), and what is said when there is none.
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import type { RPC, RpcReply } from "../wire/rpc.ts";
import type { Started } from "./console.ts";
import type { Spawn } from "./console-spawn.ts";
import type { Home } from "./home.ts";

export type Status = RpcReply<(typeof RPC)["status"]>;

/** How a pvmd is started: what `upvm start` takes. Addresses are those of links (addresses.ts). */
export interface StartOptions {
  readonly name?: string | undefined;
  readonly listen?: string | undefined;
  readonly join?: string | undefined;
  /** "-": standard input. */
  readonly keyFile?: string | undefined;
  /** Of a first host: its control store (pvmd/open-store.ts), and a file with etcd's user. */
  readonly store?: string | undefined;
  readonly storeUser?: string | undefined;
  /** Of a first host: after how long a silent host is dead, milliseconds. */
  readonly deadMs?: number | undefined;
  /** Called when it begins to wait: an abort ends what is starting. */
  readonly interrupts?: (() => AbortSignal) | undefined;
}

export interface Vm {
  readonly home: Home;
  /** Starts a pvmd in the background; it is in service then. @throws UpvmError */
  start(options: StartOptions): Promise<Status>;
  /** A link to the pvmd of this home; undefined: none is in service. @throws UpvmError */
  local(handlers?: Handlers): Promise<Rpc | undefined>;
  /** A link to the pvmd at an address, which may ask what the handlers do. @throws UpvmError */
  connect(address: string, handlers?: Handlers): Promise<Rpc>;
  /** The log's last lines. @throws UpvmError HOME_REFUSED */
  log(lines: number): string;
  /** Waits until no pvmd lives in this home any more. @returns false: one still does */
  emptied(): Promise<boolean>;
  /**
   * Runs a program as a job of its own, on these hosts (none: on all), which survives this process.
   *
   * @param env  NAME=VALUE
   * @throws UpvmError JOB_NOT_STARTED
   */
  spawn(what: Omit<Spawn, "where">, hosts: readonly string[], env: readonly string[]): Promise<Started>;
  /** Waits, for a while, until the processes of hosts that have ended are gone, as far as they are of this machine. */
  gone(hosts: Status["hosts"]): Promise<void>;
}

/** The pvmd of this home. @param what  what cannot be done without one. @throws UpvmError NO_PVMD */
export async function localPvmd(vm: Vm, what: string): Promise<Rpc> {
  const rpc = await vm.local();
  if (rpc === undefined) throw new UpvmError("NO_PVMD", { what, path: vm.home.folder });
  return rpc;
}

/** The virtual machine's master, asked by way of the pvmd of this home. @throws UpvmError */
export async function masterPvmd(vm: Vm, what: string): Promise<Rpc> {
  return await masterBehind(vm, await localPvmd(vm, what));
}

async function masterBehind(vm: Vm, local: Rpc, handlers?: Handlers): Promise<Rpc> {
  const { body } = await local.request("whoIsMaster", {});
  if (body.self) return local;
  local.link.close();
  return await vm.connect(body.address, handlers);
}

/** The master, which may ask what the handlers do; undefined: no pvmd is in service in this home. @throws UpvmError */
export async function masterIfAny(vm: Vm, handlers: Handlers): Promise<Rpc | undefined> {
  const local = await vm.local(handlers);
  return local === undefined ? undefined : await masterBehind(vm, local, handlers);
}

/** Name of the host of this home. @throws UpvmError NO_PVMD */
export async function ownHost(vm: Vm): Promise<string> {
  return await withRpc(localPvmd(vm, "tell which host this is"), async (rpc) => {
    return (await rpc.request("whoIsMaster", {})).body.host;
  });
}

/**
 * The master; if there is no pvmd in this home one is started, as PVM's console does.
 *
 * @param say  tells the user that it was, and where its log is
 */
export async function masterOrStart(vm: Vm, say: (text: string) => void): Promise<Rpc> {
  const there = await vm.local();
  if (there !== undefined) return await masterBehind(vm, there);
  await vm.start({});
  say(`started a pvmd; its log is ${vm.home.logFile}\n`);
  return await localPvmd(vm, "reach the pvmd that was just started");
}

/** Uses a link and closes it, whatever happens: an open one keeps the process. */
export async function withRpc<T>(opened: Promise<Rpc>, use: (rpc: Rpc) => Promise<T>): Promise<T> {
  const rpc = await opened;
  try {
    return await use(rpc);
  } finally {
    rpc.link.close();
  }
}
