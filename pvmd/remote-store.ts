/**
 * The control store of another process, over requests (wire/rpc-store.ts): what application processes use.
 *
 * Owns: what to do when the link is lost. Whoever made this store may make a new link and call `attach`; an application process
 * ends instead. What was asked for is asked for again on it, for LIMITS.storeWaitMs; a transaction has a serial by which the
 * server knows it, so that it is done once. Watches begin again there: of what changed meanwhile they are told the last. If there
 * is no new link in time, or the server does not know this client any more, the outcome of a transaction that was sent is unknown.
 * No clock: `after` is handed in.
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { RPC, RpcAsk, RpcReply } from "../wire/rpc.ts";
import {
  type Change,
  type Changed,
  type Compare,
  type ControlStore,
  checkTxn,
  type Entry,
  type LeaseId,
  StoreError,
} from "./control-store.ts";
import { type After, LeaseKeeper } from "./lease-keeper.ts";
import { RemoteWatch } from "./remote-watch.ts";
import { unpackEntries } from "./store-codec.ts";

type Kind = Extract<keyof typeof RPC, `store${string}`>;
interface Reply<K extends Kind> {
  readonly body: RpcReply<(typeof RPC)[K]>;
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

export class RemoteStore implements ControlStore {
  readonly txnBytesMax = LIMITS.storeTxnBytes;
  /** To be among the handlers of each link's Rpc. */
  readonly handlers: Pick<Handlers, "storeChanged" | "storeStale">;
  private readonly client: string;
  private readonly after: After;
  private readonly keeper: LeaseKeeper;
  private readonly watches = new Map<number, RemoteWatch>();
  /** Numbers of watches whose reply has not come. */
  private readonly starting = new Set<number>();
  private waiters: (() => void)[] = [];
  /** The link that is greeted; undefined: there is none. */
  private rpc: Rpc | undefined;
  private newest: Rpc | undefined;
  private epoch = "";
  /** Counts how often the server had forgotten this client. */
  private forgotten = 0;
  private ended: string | undefined;
  private serial = 0;
  private lastWatch = 0;
  private readonly open = new Set<number>();

  /** @param client  a text that no other client of the server has had: random */
  constructor(client: string, after: After) {
    this.client = client;
    this.after = after;
    this.keeper = new LeaseKeeper((lease) => this.renew(lease), after);
    this.handlers = {
      storeChanged: ({ watch, changes }, bytes) => {
        this.orBreak(() => this.watches.get(watch)?.changed(bytes, changes));
        return { body: undefined };
      },
      storeStale: ({ watch: id }) => {
        const watch = this.watches.get(id);
        if (watch !== undefined) this.start(watch);
        return { body: undefined };
      },
    };
  }

  /**
   * There is a link to the server, the first or a new one. Resolves when it is used.
   *
   * @throws StoreError  it is another store than before, which ends this one
   * @throws UpvmError   the link was lost again, or the peer has no store
   */
  async attach(rpc: Rpc): Promise<void> {
    this.newest = rpc;
    const hello = { client: this.client, epoch: this.epoch };
    const { body } = await rpc.request("storeHello", hello, NO_BYTES, 0);
    if (this.newest !== rpc || this.ended !== undefined) return;
    if (this.epoch !== "" && body.epoch !== this.epoch) {
      this.close("the control store was started anew, without what it had");
      throw new StoreError("unknown", this.ended ?? "");
    }
    if (this.epoch !== "" && !body.known) this.forgotten += 1;
    this.epoch = body.epoch;
    this.rpc = rpc;
    rpc.link.onClose(() => {
      if (this.rpc === rpc) this.rpc = undefined;
    });
    // Before anything else is asked, so that it is told what that changes.
    for (const watch of [...this.watches.values()]) this.start(watch);
    this.wake();
  }

  /** Everything that waits fails, and everything that is asked from now on. */
  close(why = "this store was closed"): void {
    this.ended ??= why;
    this.keeper.end();
    this.watches.clear();
    this.wake();
  }

  async get(key: string): Promise<Entry | undefined> {
    return entriesOf("storeGet", await this.ask("storeGet", { key }))[0]?.[1];
  }

  async list(prefix: string): Promise<readonly (readonly [string, Entry])[]> {
    return entriesOf("storeList", await this.ask("storeList", { prefix }));
  }

  async txn(compare: readonly Compare[], changes: readonly Change[]): Promise<number | undefined> {
    checkTxn(compare, changes);
    const values = changes.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const bytes = joined(values);
    if (bytes.length > this.txnBytesMax) throw new StoreError("none", `${bytes.length} bytes are too many`);
    if (this.serial + 1 - this.firstOpen() >= LIMITS.storeWindow)
      throw new StoreError("none", `${LIMITS.storeWindow} transactions wait already`);
    this.serial += 1;
    const serial = this.serial;
    this.open.add(serial);
    try {
      const { body } = await this.ask(
        "storeTxn",
        () => ({
          serial,
          done: this.firstOpen(),
          compare: compare.map(({ key, revision }) => [key, revision] as [string, number]),
          changes: changes.map(
            ({ key, value, lease }) => [key, value?.length ?? -1, lease ?? 0] as [string, number, number],
          ),
        }),
        bytes,
      );
      return body.revision === 0 ? undefined : body.revision;
    } finally {
      this.open.delete(serial);
    }
  }

  async lease(ttlMs?: number): Promise<LeaseId> {
    const { body } = await this.ask("storeLease", { ttlMs: ttlMs ?? LIMITS.holderMs });
    const lease = body.lease as LeaseId;
    if (ttlMs === undefined) this.keeper.keep(lease);
    return lease;
  }

  async renew(lease: LeaseId): Promise<boolean> {
    return (await this.ask("storeRenew", { lease })).body.alive;
  }

  async endLease(lease: LeaseId): Promise<void> {
    this.keeper.drop(lease);
    await this.ask("storeEndLease", { lease });
  }

  watch(prefix: string, told: (change: Changed) => void): () => void {
    const watch = new RemoteWatch(prefix, told);
    this.start(watch);
    return () => {
      this.forget(watch);
      watch.end();
      this.rpc?.tell("storeUnwatch", { watch: watch.id });
    };
  }

  /** Lowest serial that may still be asked for. */
  private firstOpen(): number {
    const [first] = this.open;
    return first ?? this.serial + 1;
  }

  private forget({ id }: RemoteWatch): void {
    this.watches.delete(id);
    this.starting.delete(id);
    this.wake();
  }

  /** Asks the server to tell, under a new number: what is told under an old one is nobody's. */
  private start(watch: RemoteWatch): void {
    this.forget(watch);
    this.lastWatch += 1;
    watch.id = this.lastWatch;
    this.watches.set(watch.id, watch);
    if (this.rpc !== undefined) void this.askToTell(this.rpc, watch);
  }

  private async askToTell(rpc: Rpc, watch: RemoteWatch): Promise<void> {
    const ask = watch.restart();
    this.starting.add(ask.watch);
    try {
      const { body, bytes } = await rpc.request("storeWatch", ask, NO_BYTES, 0);
      this.orBreak(() => watch.started(ask.watch, bytes, body.entries, body.changes));
      this.starting.delete(ask.watch);
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
      // Without the link it begins on the next one. Else the store is out of reach for the server itself.
      if (this.rpc !== rpc) this.starting.delete(ask.watch);
      else this.after(LIMITS.storeAgainMs, () => this.startAgain(watch, ask.watch));
    }
    this.wake();
  }

  private startAgain(watch: RemoteWatch, id: number): void {
    if (this.watches.get(id) === watch && this.rpc !== undefined) this.start(watch);
    else this.starting.delete(id);
  }

  /** A server that tells what nobody can read has told something that is missing now: all begins on a new link. */
  private orBreak(take: () => void): void {
    try {
      take();
    } catch (error) {
      this.rpc?.link.close();
      throw error;
    }
  }

  /** Asks, on as many links as it takes. Resolves when the watches have been told of what it has changed. */
  private async ask<K extends Kind>(
    kind: K,
    body: RpcAsk<(typeof RPC)[K]> | (() => RpcAsk<(typeof RPC)[K]>),
    bytes: Uint8Array = NO_BYTES,
  ): Promise<Reply<K>> {
    const { forgotten } = this;
    for (let sent = false; ; sent = true) {
      const rpc = await this.ready(sent);
      if (sent && this.forgotten !== forgotten)
        throw new StoreError("unknown", "the server does not know any more what was asked for");
      try {
        const made = typeof body === "function" ? body() : body;
        const reply = await rpc.request(kind, made, bytes, 0);
        await this.ready(true).catch(() => undefined);
        return reply as Reply<K>;
      } catch (error) {
        if (!(error instanceof UpvmError) || error.code !== "LINK_LOST") throw asStoreError(error);
        if (this.rpc === rpc) this.rpc = undefined;
      }
    }
  }

  /** The link, when there is one and all watches are told over it. @throws StoreError  not within LIMITS.storeWaitMs */
  private async ready(sent: boolean): Promise<Rpc> {
    const outcome = sent ? "unknown" : "none";
    let late = false;
    let cancel: (() => void) | undefined;
    try {
      for (;;) {
        if (this.ended !== undefined) throw new StoreError(outcome, this.ended);
        if (this.rpc !== undefined && this.starting.size === 0) return this.rpc;
        if (late) throw new StoreError(outcome, `no link to it for ${LIMITS.storeWaitMs} ms`);
        cancel ??= this.after(LIMITS.storeWaitMs, () => {
          late = true;
          this.wake();
        });
        await new Promise<void>((go) => this.waiters.push(go));
      }
    } finally {
      cancel?.();
    }
  }

  private wake(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const go of waiters) go();
  }
}

function entriesOf(kind: Kind, { body, bytes }: { body: { entries: number }; bytes: Uint8Array }) {
  try {
    return unpackEntries(bytes, body.entries, kind);
  } catch (error) {
    throw asStoreError(error);
  }
}

/** What the server says, or that it was not asked at all. Anything else is a bug, and stays what it is. */
function asStoreError(error: unknown): unknown {
  if (!(error instanceof UpvmError)) return error;
  if (error.code === "STORE_OUT_OF_REACH")
    return new StoreError(error.facts["outcome"] === "none" ? "none" : "unknown", String(error.facts["why"]));
  const none = error.code === "TOO_MANY_REQUESTS" || error.code === "NOT_SERVED";
  return new StoreError(none ? "none" : "unknown", error.message);
}

function joined(values: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(values.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const value of values) {
    all.set(value, at);
    at += value.length;
  }
  return all;
}
