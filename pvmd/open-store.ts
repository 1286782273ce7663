/**
 * The control store that a specification names: what `upvm start --store` takes.
 *
 * Owns: the specifications, and what makes a cluster unfit. `memory` is the built-in store: it lives and ends with its
 * pvmd. `etcd:http://HOST:PORT,HOST:PORT…` is an etcd cluster, version 3.4 or newer, by any of its servers.
 */

import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { ControlStore } from "./control-store.ts";
import { StoreError } from "./control-store.ts";
import { EtcdCalls, type EtcdEdge, EtcdRefused, type EtcdUser } from "./etcd-calls.ts";
import { EtcdStore } from "./etcd-store.ts";
import { STATUS } from "./etcd-wire.ts";
import { MemoryStore } from "./memory-store.ts";

export type StoreSpec =
  | { readonly kind: "memory" }
  | { readonly kind: "etcd"; readonly endpoints: readonly string[] };

export interface StoreOptions {
  /** Name of the virtual machine: in one cluster each has its own keys. */
  readonly vm: string;
  /** Who logs in to etcd; without, nobody does. */
  readonly user?: EtcdUser | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/** A store that is in use. */
export interface OpenedStore {
  readonly store: ControlStore;
  /** Ends its use. `clear`: the virtual machine has ended, and its keys go too. Never fails. */
  close(clear: boolean): Promise<void>;
}

const NAME = /^[A-Za-z0-9._-]+$/;
const VERSION = /^(\d+)\.(\d+)\./;
const ETCD_PORT = ":2379";
/** First version of etcd whose gateway is at /v3/. */
const NEEDED = [3, 4] as const;

/** @throws UpvmError STORE_SPEC */
export function storeSpec(spec: string): StoreSpec {
  if (spec === "memory") return { kind: "memory" };
  if (!spec.startsWith("etcd:")) throw unfit(spec, "there is no such store");
  const urls = spec.slice("etcd:".length).split(",");
  if (urls.length > LIMITS.etcdEndpoints) throw unfit(spec, `more than ${LIMITS.etcdEndpoints} servers`);
  const scheme = /^https?:\/\//.exec(urls[0] as string)?.[0];
  if (scheme === undefined) throw unfit(spec, "it does not begin with etcd:http:// or etcd:https://");
  return { kind: "etcd", endpoints: urls.map((url) => endpointOf(spec, url, scheme)) };
}

/** "http://host:port" */
function endpointOf(spec: string, text: string, scheme: string): string {
  const full = text.includes("://") ? text : scheme + text;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw unfit(spec, `${JSON.stringify(text)} is no server`);
  // Told without the text: it may hold the password.
  if (url.username !== "" || url.password !== "")
    throw unfit("etcd", "users and passwords do not belong into arguments, which others can read");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw unfit(spec, `${JSON.stringify(text)} has more than a host and a port`);
  // A URL does not keep the default port of its scheme.
  const isGiven = url.port !== "" || /:\d+\/?$/.test(full);
  return `${url.protocol}//${url.host}${isGiven ? "" : ETCD_PORT}`;
}

/**
 * Opens the store. To be closed.
 *
 * @throws UpvmError  it is not there, not etcd, too old, or does not let us in
 */
export async function openStore(
  spec: StoreSpec,
  options: StoreOptions,
  edge: EtcdEdge,
): Promise<OpenedStore> {
  return spec.kind === "memory" ? openMemory(options, edge) : openEtcd(spec.endpoints, options, edge);
}

function openMemory({ now }: StoreOptions, { after }: EtcdEdge): OpenedStore {
  const store = new MemoryStore(now);
  let cancel = (): void => undefined;
  const again = (): void => {
    cancel = after(LIMITS.storeTickMs, () => {
      store.tick();
      again();
    });
  };
  again();
  return { store, close: async () => cancel() };
}

async function openEtcd(
  endpoints: readonly string[],
  { vm, user }: StoreOptions,
  edge: EtcdEdge,
): Promise<OpenedStore> {
  if (!NAME.test(vm)) throw unfit("etcd", `${JSON.stringify(vm)} is no name for keys`);
  const calls = new EtcdCalls(endpoints, user, edge);
  const where = endpoints.join(", ");
  try {
    const { version } = await calls.call("/v3/maintenance/status", {}, STATUS, LIMITS.etcdOpenMs);
    if (!isNewEnough(version))
      throw new UpvmError("STORE_VERSION", { where, version, needed: NEEDED.join(".") });
    const store = await EtcdStore.open(calls, `upvm/${vm}/`);
    const close = async (clear: boolean): Promise<void> => {
      if (clear) await store.clear().catch(() => undefined);
      await store.close();
    };
    return { store, close };
  } catch (error) {
    calls.end();
    throw asUpvmError(error, where, user);
  }
}

function isNewEnough(version: string): boolean {
  const [, major, minor] = VERSION.exec(version) ?? [];
  const [neededMajor, neededMinor] = NEEDED;
  return Number(major) > neededMajor || (Number(major) === neededMajor && Number(minor) >= neededMinor);
}

function asUpvmError(error: unknown, where: string, user: EtcdUser | undefined): unknown {
  if (error instanceof EtcdRefused) {
    if (error.status === 404 && error.grpc === 0)
      return new UpvmError("STORE_VERSION", {
        where,
        version: "no etcd, or one without its JSON gateway",
        needed: NEEDED.join("."),
      });
    return new UpvmError("STORE_REFUSED", { where, why: error.why, user: user?.name ?? "" });
  }
  if (error instanceof StoreError) return new UpvmError("STORE_NOT_OPEN", { where, why: error.why });
  return error;
}

function unfit(spec: string, why: string): UpvmError {
  return new UpvmError("STORE_SPEC", { spec, why });
}
