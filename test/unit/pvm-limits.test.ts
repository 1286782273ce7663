/** Limits of one ULP and of the virtual machine that programs seldom reach: what they get there, and after it. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { freeContext, newContext } from "../../pvmd/contexts.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { LIMITS } from "../../wire/limits.ts";
import { PVM_CONSTANT, PVM_ERROR, TID_BASE } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const { PvmExists, PvmNoMem, PvmNotFound, PvmOutOfRes } = PVM_ERROR;

test("one message handler too many is PvmNoMem; when one goes there is room again", () => {
  const { actors, errors, end } = party(1);
  const [a] = actors as [Actor];
  const add = (tag: number) => a.call("pvm_addmhf", -1, tag, 0, 1);
  for (let tag = 0; tag < LIMITS.handlersPerUlp; tag++) assert.equal(add(tag), tag + 1);
  assert.equal(add(LIMITS.handlersPerUlp), PvmNoMem.code);
  assert.equal(add(5), PvmExists.code);
  assert.deepEqual(errors(), ["pvm_addmhf(): Malloc failed", "pvm_addmhf(): Already Exists"]);
  assert.equal(a.call("pvm_delmhf", 7), 0);
  assert.equal(a.call("pvm_delmhf", 7), PvmNotFound.code);
  assert.equal(add(LIMITS.handlersPerUlp), 7);
  end();
});

test("without room in the heap a message handler, an option and a wait id are PvmNoMem", () => {
  const p = processOf(IDLE, { ulps: 1 });
  const a = actor(p, 0);
  const bufid = a.call("pvm_mkbuf", 0);
  const { arena } = p.engines[0]!;
  const blocks: number[] = [];
  for (let bytes = 1 << 24; bytes >= 16; bytes >>= 1) {
    for (let at = arena.hmalloc(bytes, 1); at !== 0; at = arena.hmalloc(bytes, 1)) blocks.push(at);
  }
  a.view.setInt32(0x10c, 5, true);
  assert.equal(a.call("pvm_addmhf", -1, 1, 0, 1), PvmNoMem.code);
  assert.equal(a.call("pvm_setopt", 3, 0), PvmNoMem.code);
  assert.equal(a.call("pvm_setminfo", bufid, 0x100), PvmNoMem.code);
  for (const at of blocks) arena.hfree(at);
  assert.equal(a.call("pvm_addmhf", -1, 1, 0, 1), 1);
  assert.equal(a.call("pvm_setopt", 3, 0), 1);
  assert.equal(a.call("pvm_setminfo", bufid, 0x100), 0);
  assert.equal(leftovers(p), "");
});

test("one piece of data in place too many is PvmNoMem; the buffer keeps what it has", () => {
  const p = processOf(IDLE, { ulps: 1, heapBytes: 64 << 20 });
  const a = actor(p, 0);
  a.call("pvm_setopt", 3, 0);
  a.call("pvm_initsend", PVM_CONSTANT.PvmDataInPlace);
  for (let n = 0; n < LIMITS.placesPerBuffer; n++)
    if (a.call("pvm_pkbyte", 0x100, 1, 1) !== 0) assert.fail(`${n}`);
  assert.equal(a.call("pvm_pkbyte", 0x100, 1, 1), PvmNoMem.code);
  assert.equal(a.call("pvm_send", a.tid, 1), 0);
  const bufid = a.call("pvm_recv", -1, 1);
  assert.equal(a.call("pvm_bufinfo", bufid, 0x10, 0, 0), 0);
  assert.equal(a.view.getInt32(0x10, true), LIMITS.placesPerBuffer);
  assert.equal(leftovers(p), "");
});

test("when all contexts are in use a new one is PvmOutOfRes; one that was freed is given out again", async () => {
  const store = new MemoryStore();
  const value = new Uint8Array();
  for (let i = 1; i <= LIMITS.contexts; i++) await store.txn([], [{ key: `context/${TID_BASE + i}`, value }]);
  assert.equal(await newContext(store, 1), PvmOutOfRes.code);
  const freed = TID_BASE + 12345;
  assert.equal(await freeContext(store, freed, 1), 0);
  assert.equal(await newContext(store, 1), freed);
  assert.equal(await newContext(store, 1), PvmOutOfRes.code);
});

test("who is slower than others every time gives up after a number of tries", async () => {
  const store = new MemoryStore();
  let tries = 0;
  store.txn = async () => {
    tries += 1;
    return undefined;
  };
  assert.equal(await newContext(store, 1), PvmOutOfRes.code);
  assert.equal(tries, LIMITS.storeTries);
});

test.run();
