/** What the service does when its control store is out of reach for a while. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { ControlStore } from "../../pvmd/control-store.ts";
import { StoreError } from "../../pvmd/control-store.ts";
import type { Hosts, Tasks } from "../../pvmd/host.ts";
import { Machine } from "../../pvmd/machine.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";

test("a task whose lease could not be had gets one the next time", async () => {
  const memory = new MemoryStore();
  let down = true;
  const lease: ControlStore["lease"] = async () => {
    if (down) throw new StoreError("none", "it is down");
    return memory.lease();
  };
  const store = Object.assign(Object.create(memory) as ControlStore, { lease });
  const host = { watchEnd: () => true, setPlugins: () => undefined } as unknown as Tasks;
  const machine = new Machine(store, host, {} as unknown as Hosts, async () => undefined);
  await assert.rejects(machine.leaseOf(5), StoreError);
  down = false;
  const had = await machine.leaseOf(5);
  assert.ok(had !== undefined);
  assert.equal(await machine.leaseOf(5), had, "and keeps it");
  await machine.endLease(5);
  assert.equal(await memory.renew(had), false);
});

test.run();
