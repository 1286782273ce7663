/** The message box and its old form: what PVM 3.4.6 answers, step by step, by two tasks. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { matchesPattern } from "../../pvmd/message-box.ts";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { HEAD, SUSPEND } from "../../wire/layout.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../../wire/pvm.ts";
import { party } from "../machine-actors.ts";
import type { Actor } from "../one-thread.ts";

const { PvmMboxPersistent, PvmMboxMultiInstance, PvmMboxOverWritable } = PVM_CONSTANT;
const { PvmMboxFirstAvail, PvmMboxReadAndDelete, PvmMboxWaitForInfo } = PVM_CONSTANT;
const DENIED = PVM_ERROR.PvmDenied.code;
const NOT_FOUND = PVM_ERROR.PvmNotFound.code;
const BAD_PARAM = PVM_ERROR.PvmBadParam.code;
const direct = (index: number): number => index << PVM_CONSTANT.PvmMboxDirectIndexShift;

function box() {
  const base = party(2);
  const [a, b] = base.actors as [Actor, Actor];
  return {
    ...base,
    a,
    b,
    put: (who: Actor, name: string, value: number, flags = 0) =>
      base.ask(who, "pvm_putinfo", who.text(name), base.pack(who, value), flags),
    /** The int of an entry, or the error. */
    get: async (who: Actor, name: string, index = 0, flags = 0) => {
      const bufid = await base.ask(who, "pvm_recvinfo", who.text(name), index, flags);
      return bufid === undefined || bufid < 0 ? bufid : base.unpack(who);
    },
    del: (who: Actor, name: string, index = 0) => base.ask(who, "pvm_delinfo", who.text(name), index, 0),
    /** Classes and their entries: index, owner, flags. */
    list: async (who: Actor, pattern = "*") => {
      const classes = await base.ask(
        who,
        "pvm_mboxinfo_get",
        who.text(pattern),
        0x4000,
        64,
        0x5000,
        999,
        0x20,
      );
      const entries = who.view.getInt32(0x20, true);
      const names = new TextDecoder()
        .decode(who.bytes.slice(0x5000, 0x5000 + who.view.getInt32(0x24, true)))
        .split("\0")
        .slice(0, -1);
      assert.equal(classes, names.length);
      return Array.from({ length: entries }, (_, i) => {
        const row = [0, 4, 8, 12].map((at) => who.view.getInt32(0x4000 + 16 * i + at, true));
        const owner = row[2] === base.actors[0]!.tid ? "a" : row[2] === 0 ? "-" : "b";
        return `${names[row[0]!]} ${row[1]} ${owner} ${row[3]}`;
      });
    },
  };
}

test("an entry is there for all; its owner overwrites it, another may not", async () => {
  const { a, b, put, get, errors, end } = box();
  assert.equal(await put(a, "x", 1), 0);
  assert.equal(await put(a, "x", 2), 0);
  assert.equal(await get(b, "x"), 2);
  assert.equal(await put(b, "x", 3), DENIED);
  assert.equal(await get(a, "x"), 2);
  assert.deepEqual(errors(), [], "PVM prints nothing of this");
  end();
});

test("what is read is the receive buffer: tag 0, from its owner; it is read again and again", async () => {
  const { a, b, put, ask, unpack, end } = box();
  await put(a, "x", 7);
  const bufid = await ask(b, "pvm_recvinfo", b.text("x"), 0, 0);
  assert.equal(bufid, b.call("pvm_getrbuf"));
  assert.equal(b.call("pvm_bufinfo", bufid!, 0x50, 0x54, 0x58), 0);
  assert.deepEqual(
    [0x50, 0x54, 0x58].map((at) => b.view.getInt32(at, true)),
    [4, 0, a.tid],
  );
  assert.equal(unpack(b), 7);
  end();
});

test("PvmMboxMultiInstance takes the first free index, from the direct index on", async () => {
  const { a, put, del, list, end } = box();
  for (const index of [0, 1, 2]) assert.equal(await put(a, "m", index, PvmMboxMultiInstance), index);
  assert.equal(await del(a, "m", 1), 1);
  assert.equal(await put(a, "m", 9, PvmMboxMultiInstance), 1);
  assert.equal(await put(a, "m", 9, PvmMboxMultiInstance | direct(5)), 5);
  assert.equal(await put(a, "m", 9, PvmMboxMultiInstance | direct(5)), 6);
  assert.equal(await put(a, "n", 9, direct(3)), 3);
  assert.equal(await put(a, "n", 8, direct(3)), 3, "without PvmMboxMultiInstance it is overwritten");
  assert.deepEqual(await list(a), [
    "m 0 a 2",
    "m 1 a 2",
    "m 2 a 2",
    `m 5 a ${2 + direct(5)}`,
    `m 6 a ${2 + direct(5)}`,
    `n 3 a ${direct(3)}`,
  ]);
  end();
});

test("PvmMboxFirstAvail reads the first at or behind an index", async () => {
  const { a, put, get, end } = box();
  await put(a, "m", 30, PvmMboxMultiInstance | direct(3));
  assert.equal(await get(a, "m", 1), NOT_FOUND);
  assert.equal(await get(a, "m", 1, PvmMboxFirstAvail), 30);
  assert.equal(await get(a, "m", 4, PvmMboxFirstAvail), NOT_FOUND);
  end();
});

test("PvmMboxOverWritable lets others overwrite and delete", async () => {
  const { a, b, put, get, del, list, end } = box();
  await put(a, "o", 1, PvmMboxOverWritable);
  assert.equal(await put(b, "o", 2), 0);
  assert.deepEqual(await list(a), ["o 0 b 0"], "now it is the other's, with its flags");
  assert.equal(await del(a, "o"), DENIED);
  assert.equal(await get(b, "o", 0, PvmMboxReadAndDelete), 2);
  assert.equal(await get(b, "o"), NOT_FOUND);
  end();
});

test("PvmMboxReadAndDelete needs the right to delete, and says so", async () => {
  const { a, b, put, get, errors, end } = box();
  await put(a, "x", 1);
  assert.equal(await get(b, "x", 0, PvmMboxReadAndDelete), DENIED);
  assert.deepEqual(errors(), ["pvm_recvinfo(): Permission denied"]);
  assert.equal(await get(b, "x"), 1);
  end();
});

test("PvmMboxWaitForInfo waits until there is an entry; one that ends meanwhile takes nothing", async () => {
  const { p, a, b, put, get, ask, machine, end } = box();
  assert.equal(await get(b, "late", 0, PvmMboxWaitForInfo | PvmMboxReadAndDelete), undefined);
  assert.equal(p.library.w[HEAD.outside], 0, "a parked request is no reason to hope");
  uterminate(p.engines[0]!, b.ulp, 0);
  await machine.serve();
  await put(a, "late", 5);
  assert.equal(await get(a, "late"), 5);
  const again = ask(a, "pvm_recvinfo", a.text("next"), 0, PvmMboxWaitForInfo);
  assert.equal(await again, undefined);
  end();
});

test("who waits is served when another puts", async () => {
  const { a, b, put, get, unpack, end } = box();
  assert.equal(await get(b, "late", 0, PvmMboxWaitForInfo), undefined);
  await put(a, "other", 4);
  await put(a, "late", 5);
  assert.ok(b.resumed() > 0);
  assert.equal(unpack(b), 5);
  end();
});

test("entries go with their owner; persistent ones stay, and are nobody's", async () => {
  const { p, a, b, put, get, del, list, machine, end } = box();
  await put(a, "gone", 1);
  await put(a, "stays", 2, PvmMboxPersistent);
  await put(a, "open", 3, PvmMboxPersistent | PvmMboxOverWritable);
  uterminate(p.engines[0]!, a.ulp, 0);
  await machine.serve();
  assert.deepEqual(await list(b), ["stays 0 - 1", "open 0 - 5"]);
  assert.equal(await get(b, "stays"), 2);
  assert.equal(await del(b, "stays"), DENIED);
  assert.equal(await put(b, "stays", 4), DENIED);
  assert.equal(await del(b, "open"), 0);
  end();
});

test("pvm_exit is an end too", async () => {
  const { a, b, put, get, machine, end } = box();
  await put(a, "x", 1);
  assert.equal(a.call("pvm_exit"), 0);
  await machine.serve();
  assert.equal(await get(b, "x"), NOT_FOUND);
  end();
});

test("bad parameters are refused and printed; what is not there is only told", async () => {
  const { a, ask, pack, errors, end } = box();
  const buf = pack(a, 1);
  assert.equal(await ask(a, "pvm_putinfo", a.text(""), buf, 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_putinfo", 0, buf, 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_putinfo", a.text("x"), 0, 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_putinfo", a.text("x"), 99, 0), PVM_ERROR.PvmNoSuchBuf.code);
  assert.equal(await ask(a, "pvm_recvinfo", a.text("x"), -1, 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_recvinfo", a.text(""), 0, 0), BAD_PARAM);
  assert.equal(await ask(a, "pvm_delinfo", a.text("x"), -1, 0), BAD_PARAM);
  assert.equal(errors().length, 7);
  assert.equal(await ask(a, "pvm_recvinfo", a.text("x"), 0, 0), NOT_FOUND);
  assert.equal(await ask(a, "pvm_delinfo", a.text("x"), 0, 0), NOT_FOUND);
  assert.deepEqual(errors(), []);
  end();
});

test("insert, lookup, delete: ints under a name", async () => {
  const { a, b, ask, list, errors, end } = box();
  const insert = (who: Actor, req: number, data: number) => ask(who, "pvm_insert", who.text("q"), req, data);
  const lookup = async (who: Actor, req: number) => {
    const index = await ask(who, "pvm_lookup", who.text("q"), req, 0x60);
    return [index, index! < 0 ? undefined : who.view.getInt32(0x60, true)];
  };
  assert.equal(await insert(a, -1, 100), 0);
  assert.equal(await insert(a, -1, 101), 1);
  assert.equal(await insert(a, 5, -7), 5);
  assert.equal(await insert(a, 5, 103), DENIED, "PvmDupEntry");
  assert.deepEqual(await list(a), ["q 0 a 3", "q 1 a 3", "q 5 a 3"]);
  assert.deepEqual(await lookup(b, -1), [0, 100]);
  assert.deepEqual(await lookup(b, 5), [5, -7]);
  assert.deepEqual(await lookup(b, 4), [NOT_FOUND, undefined]);
  assert.equal(await ask(b, "pvm_lookup", b.text("q"), 0, 0), 0, "the place may be NULL");
  assert.deepEqual(errors(), []);
  assert.equal(await ask(b, "pvm_delete", b.text("q"), 0), DENIED);
  assert.deepEqual(errors(), ["pvm_delete(): Permission denied"]);
  assert.equal(await ask(a, "pvm_delete", a.text("q"), 0), 0);
  assert.equal(await ask(a, "pvm_delete", a.text("q"), 0), NOT_FOUND);
  for (const bad of [
    insert(a, -2, 1),
    lookup(a, -2).then(([code]) => code),
    ask(a, "pvm_delete", a.text("q"), -1),
  ])
    assert.equal(await bad, BAD_PARAM);
  end();
});

test("a pattern is a part of the name, with * for anything", () => {
  const yes: [string, string][] = [
    ["abc", ""],
    ["abc", "*"],
    ["abc", "b"],
    ["xabc", "ab*"],
    ["abd", "a*d"],
    ["xabc", "*bc"],
  ];
  for (const [name, pattern] of yes) assert.ok(matchesPattern(name, pattern), `${name} ${pattern}`);
  const no: [string, string][] = [
    ["abc", "a?c"],
    ["abc", "^a"],
    ["abc", "a.*"],
    ["abc", "c*a"],
    ["abc", "ABC"],
  ];
  for (const [name, pattern] of no) assert.ok(!matchesPattern(name, pattern), `${name} ${pattern}`);
});

test("an entry that comes while a task that will wait for it looks is not missed", async () => {
  const { a, b, machine, put, unpack, end } = box();
  const { store } = machine;
  // What the first look finds comes late: the entry is made meanwhile.
  let found = (): void => {};
  const { get } = store;
  store.get = async (key) => {
    store.get = get;
    const entry = await get.call(store, key);
    await new Promise<void>((late) => {
      found = late;
    });
    return entry;
  };
  assert.equal(b.call("pvm_recvinfo", b.text("soon"), 0, PvmMboxWaitForInfo), SUSPEND);
  const served = machine.serve();
  assert.equal(await put(a, "soon", 7), 0);
  found();
  await served;
  assert.ok(b.resumed() > 0);
  assert.equal(unpack(b), 7);
  end();
});

test.run();
