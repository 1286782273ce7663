/**
 * Opens the control store that `--store` names, with what it needs of Node: sockets, a clock, the file with etcd's user.
 */
import { readFileSync, statSync } from "node:fs";
import type { EtcdUser } from "../pvmd/etcd-calls.ts";
import { type OpenedStore, openStore, storeSpec } from "../pvmd/open-store.ts";
import { UpvmError } from "../wire/errors.ts";
import { ETCD_EDGE } from "./node-etcd.ts";

/**
 * @param spec  "memory" or "etcd:URL,…"
 * @param vm    name of the virtual machine
 * @throws UpvmError  STORE_…
 */
export async function openNodeStore(
  spec: string,
  user: EtcdUser | undefined,
  vm: string,
): Promise<OpenedStore> {
  return await openStore(storeSpec(spec), { vm, user, now: () => performance.now() }, ETCD_EDGE);
}

/** @throws UpvmError STORE_USER, without anything of what the file holds */
export function readUser(path: string): EtcdUser {
  let text: string;
  try {
    // Whoever may read it may act as this user.
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0)
      throw new Error("others than its owner may read it");
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UpvmError("STORE_USER", { path, why: (error as Error).message });
  }
  const [, name, password] = /^([^:\n]+):([^\n]+?)\r?\n?$/.exec(text) ?? [];
  if (name === undefined || password === undefined)
    throw new UpvmError("STORE_USER", { path, why: "it is not one line of NAME:PASSWORD" });
  return { name, password };
}
