/**
 * Who is a plug-in: the key `plugin/<kind>` of the control store, under the lease of its task.
 *
 * Owns: writing it. It goes when the task ends or leaves PVM. Who may be one is the callers'.
 */
import type { PluginKind } from "../wire/plugins.ts";
import { encode, type Machine } from "./machine.ts";
import { keyOfPlugin, type Registered } from "./plugin-state.ts";

/** False: another was faster, or the task has ended. */
export async function register(machine: Machine, kind: PluginKind, row: Registered): Promise<boolean> {
  const lease = await machine.leaseOf(row.tid);
  if (lease === undefined) return false;
  const key = keyOfPlugin(kind);
  const revision = (await machine.store.get(key))?.revision ?? 0;
  const done = await machine.store.txn([{ key, revision }], [{ key, value: encode(row), lease }]);
  return done !== undefined;
}
