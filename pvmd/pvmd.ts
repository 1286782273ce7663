/**
 * A pvmd as its parts see it, and what a part is.
 *
 * Owns: the interfaces, and which part a peer's request goes to. A part is one subject: hosts (master.ts), the store
 * (store-part.ts), jobs (upvm/node-jobs-part.ts). It says which requests of which peers it serves, and hears of hosts. master.ts
 * and joined.ts are the two kinds of pvmd; upvm/pvmd-parts.ts has the list of the other parts, and upvm/node-pvmd.ts everything
 * of the system.
 */
import type { Link, PeerIdentity } from "../net/link.ts";
import { type Handlers, Rpc } from "../net/rpc.ts";
import type { ControlStore } from "./control-store.ts";
import type { HostRow } from "./host-table.ts";

/** A peer with a link to this pvmd: another pvmd, an application process, a command. */
export interface Caller {
  readonly peer: PeerIdentity;
  /** To ask it something, and to see when it is gone. */
  readonly rpc: Rpc;
}

export interface Pvmd {
  readonly role: "master" | "joined";
  /** The virtual machine's name. */
  readonly vm: string;
  /** This host's name and number, and where its pvmd listens: "unix:…" for this machine, "tcp:…" for others. */
  readonly host: string;
  readonly number: number;
  readonly localAddress: string;
  readonly address: string;
  /** Where processes of this host reach the master: its Unix socket, if it is this pvmd. */
  readonly masterAddress: string;
  /** The host's home folder. */
  readonly folder: string;
  /** The virtual machine's control store; of a pvmd that has joined undefined: it asks the master. */
  readonly store: ControlStore | undefined;
  /** To the master; of the master itself, to its own handlers. */
  readonly master: Rpc;
  /** Hosts in order of their numbers, as far as this pvmd knows. */
  hosts(): readonly HostRow[];
  /** Master: to the pvmd of a host, its own too; undefined: there is no such host, or no link to it just now. */
  rpcTo(host: string): Rpc | undefined;
  /**
   * A link to whoever listens there, of this virtual machine.
   *
   * @param accept  why a peer is not the right one
   * @param connectMs  for the connection alone; as long as for the handshake unless told
   * @throws UpvmError
   */
  connect(
    address: string,
    accept: (peer: PeerIdentity) => string | undefined,
    connectMs?: number,
  ): Promise<Link>;
  /** A line of the log. No secrets. */
  log(text: string): void;
  /** Ends the virtual machine, as `upvm halt`. Resolves when all other hosts have ended; the names of those that did not. */
  halt(): Promise<readonly string[]>;
}

/** What became of the tasks of a host that is to leave. */
export interface Emptied {
  readonly moved: readonly { readonly tid: number; readonly to: string }[];
  /** Why some are still there. */
  readonly stay: readonly { readonly tid: number; readonly why: string }[];
}

export interface Part {
  /** What is served to a peer. Called once for each link. */
  handlers?(caller: Caller): Handlers;
  /** A peer's link has ended. */
  ended?(caller: Caller): void;
  /** Master: a host is in service. */
  hostAdded?(row: HostRow): void;
  /** Master: a host is about to leave, and takes no more tasks. Resolves when its tasks are elsewhere, or cannot be. */
  hostLeaving?(row: HostRow): Promise<Emptied>;
  /** Master: a host has left or died, and its tasks with it. */
  hostDeleted?(row: HostRow, why: "left" | "dead"): void;
  /** This host's tasks end: all processes that the part has started. Resolves when they have. */
  endTasks?(): Promise<void>;
}
export type MakePart = (pvmd: Pvmd) => Part;

/** What a pvmd needs of the system around it. */
export interface PvmdEdge {
  /** Milliseconds of a clock that never goes back. */
  nowMs(): number;
  /** Calls again and again. @returns ends that */
  every(ms: number, act: () => void): () => void;
  /** Calls once. @returns prevents it */
  after(ms: number, act: () => void): () => void;
  log(text: string): void;
  /** @param vm  "" as long as it is not known. @throws UpvmError */
  connect(
    address: string,
    vm: string,
    accept?: (peer: PeerIdentity) => string | undefined,
    connectMs?: number,
  ): Promise<Link>;
  /** The log's last lines. */
  readLog(lines: number): Uint8Array;
  /** Runs what starts a pvmd on another host, with the key on its standard input. @returns exit code and its last words */
  hoster(words: readonly string[]): Promise<{ readonly code: number; readonly text: string }>;
}

/** Serves a peer: requests go to the parts that serve them, and all parts hear of the link's end, in their order. */
export function serveLink(link: Link, parts: readonly Part[], log: (text: string) => void): Caller {
  const caller: Caller = {
    peer: link.peer,
    get rpc() {
      return rpc;
    },
  };
  const onBug = (error: unknown): void =>
    log(`a bug of upvm: ${error instanceof Error ? error.stack : String(error)}`);
  const rpc: Rpc = new Rpc(link, handlersOf(parts, caller), { onBug });
  void rpc.closed.then(() => {
    for (const part of parts) part.ended?.(caller);
  });
  return caller;
}

/** Handlers of all parts for one peer; no two parts serve the same. */
function handlersOf(parts: readonly Part[], caller: Caller): Handlers {
  const all: Record<string, unknown> = {};
  for (const part of parts)
    for (const [kind, handler] of Object.entries(part.handlers?.(caller) ?? {})) {
      if (Object.hasOwn(all, kind)) throw new Error(`bug: two parts serve ${kind}`);
      all[kind] = handler;
    }
  return all as Handlers;
}
