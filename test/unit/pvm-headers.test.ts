/** What messages tell of themselves, and messages in messages: success and each error. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { HOST_SIGNATURE, PVM_CONSTANT, PVM_ENCODING, PVM_ERROR } from "../../wire/pvm.ts";
import { type Party, party } from "../machine-actors.ts";
import type { Actor } from "../one-thread.ts";

const { PvmBadParam, PvmMismatch, PvmNoBuf, PvmNoData, PvmNoSuchBuf } = PVM_ERROR;
const { PvmDataDefault, PvmDataRaw, PvmDataInPlace } = PVM_CONSTANT;
const INFO = 0x100;
/** Fields of struct pvmminfo, in order. */
const FIELDS = ["len", "ctx", "tag", "wid", "enc", "crc", "src", "dst"] as const;

type Info = Record<(typeof FIELDS)[number], number>;

function infoOf(who: Actor, bufid: number): Info {
  assert.equal(who.call("pvm_getminfo", bufid, INFO), 0);
  return Object.fromEntries(FIELDS.map((name, i) => [name, who.view.getInt32(INFO + 4 * i, true)])) as Info;
}

function setInfo(who: Actor, bufid: number, info: Partial<Info>): number {
  FIELDS.forEach((name, i) => {
    who.view.setInt32(INFO + 4 * i, info[name] ?? 0, true);
  });
  return who.call("pvm_setminfo", bufid, INFO);
}

function two(): Party & { readonly a: Actor; readonly b: Actor } {
  const base = party(2);
  const [a, b] = base.actors as [Actor, Actor];
  for (const who of [a, b]) who.call("pvm_setopt", 3, 0);
  return { ...base, a, b };
}

/** A message of one int arrives. @returns its bufid */
function arrives({ a, b, pack }: ReturnType<typeof two>, value = 7, tag = 5): number {
  pack(a, value);
  assert.equal(a.call("pvm_send", b.tid, tag), 0);
  return b.call("pvm_recv", a.tid, tag);
}

test("pvm_getminfo tells of a message that has come, and of a buffer that was only made", () => {
  const all = two();
  const { a, b, end } = all;
  const told = { len: 4, ctx: 0, tag: 5, wid: 0, enc: PVM_ENCODING.xdr, crc: 0, src: a.tid, dst: b.tid };
  assert.deepEqual(infoOf(b, arrives(all)), told);
  const made = b.call("pvm_mkbuf", PvmDataRaw);
  assert.deepEqual([infoOf(b, made).len, infoOf(b, made).enc], [0, HOST_SIGNATURE]);
  assert.equal(infoOf(b, b.call("pvm_mkbuf", PvmDataInPlace)).enc, PVM_ENCODING.inPlace);
  end();
});

test("pvm_setminfo sets context, tag, wait id, source and destination; length, encoding and checksum stay", () => {
  const all = two();
  const { b, end } = all;
  const bufid = arrives(all);
  const wish = { len: 9, ctx: 3, tag: -4, wid: 77, enc: 1, crc: 5, src: 0x40009, dst: -1 };
  assert.equal(setInfo(b, bufid, wish), 0);
  assert.deepEqual(infoOf(b, bufid), { ...wish, len: 4, enc: PVM_ENCODING.xdr, crc: 0 });
  end();
});

test("a wait id travels with the message; all else is the send's own", () => {
  const { a, b, pack, unpack, end } = two();
  const bufid = pack(a, 3);
  assert.equal(setInfo(a, bufid, { wid: 12, tag: 99, ctx: 5, src: 1, dst: 2 }), 0);
  assert.equal(a.call("pvm_send", b.tid, 6), 0);
  const got = infoOf(b, b.call("pvm_recv", -1, -1));
  assert.deepEqual([got.wid, got.tag, got.ctx, got.src, got.dst], [12, 6, 0, a.tid, b.tid]);
  assert.equal(unpack(b), 3);
  end();
});

test("pvm_getminfo and pvm_setminfo refuse what is no buffer and no place", () => {
  const { a, end } = two();
  const bufid = a.call("pvm_mkbuf", PvmDataDefault);
  for (const name of ["pvm_getminfo", "pvm_setminfo"]) {
    for (const none of [0, -1]) assert.equal(a.call(name, none, INFO), PvmBadParam.code);
    assert.equal(a.call(name, bufid + 1, INFO), PvmNoSuchBuf.code);
    for (const at of [0, 0x10000 - 28, -4]) assert.equal(a.call(name, bufid, at), PvmBadParam.code);
  }
  end();
});

test("a message in a message comes out with its bytes and what it told of itself", () => {
  const all = two();
  const { a, b, unpack, end } = all;
  const inner = arrives(all, 41);
  setInfo(b, inner, { ctx: 3, tag: 8, wid: 9, src: 10, dst: 11 });
  b.call("pvm_initsend", PvmDataRaw);
  assert.equal(b.call("pvm_pkmesg", inner), 0);
  assert.equal(b.call("pvm_pkmesg", inner), 0, "as often as one likes");
  assert.equal(b.call("pvm_send", a.tid, 1), 0);
  const outer = a.call("pvm_recv", b.tid, 1);
  for (let i = 0; i < 2; i++) {
    const bufid = a.call("pvm_upkmesg");
    assert.ok(bufid > 0 && bufid !== outer);
    assert.equal(a.call("pvm_getrbuf"), outer, "the receive buffer stays");
    const info = { len: 4, ctx: 3, tag: 8, wid: 9, enc: PVM_ENCODING.xdr, crc: 0, src: 10, dst: 11 };
    assert.deepEqual(infoOf(a, bufid), info);
    assert.equal(a.call("pvm_setrbuf", bufid), outer);
    assert.equal(unpack(a), 41);
    assert.equal(a.call("pvm_setrbuf", outer), bufid);
  }
  assert.equal(a.call("pvm_upkmesg"), PvmNoData.code);
  end();
});

test("an empty message can be packed too", () => {
  const { a, b, end } = two();
  const empty = a.call("pvm_mkbuf", PvmDataDefault);
  a.call("pvm_initsend", PvmDataDefault);
  assert.equal(a.call("pvm_pkmesg", empty), 0);
  assert.equal(a.call("pvm_pkmesgbody", empty), 0);
  a.call("pvm_send", b.tid, 1);
  b.call("pvm_recv", -1, -1);
  assert.equal(infoOf(b, b.call("pvm_upkmesg")).len, 0);
  end();
});

test("pvm_pkmesgbody packs the bytes alone, of the same encoding", () => {
  const all = two();
  const { a, b, unpack, end } = all;
  const inner = arrives(all, 43);
  b.call("pvm_initsend", PvmDataRaw);
  assert.equal(b.call("pvm_pkmesgbody", inner), PvmMismatch.code);
  b.call("pvm_initsend", PvmDataDefault);
  for (let i = 0; i < 2; i++) assert.equal(b.call("pvm_pkmesgbody", inner), 0);
  b.call("pvm_send", a.tid, 1);
  const got = a.call("pvm_recv", -1, -1);
  assert.equal(infoOf(a, got).len, 8);
  assert.deepEqual([unpack(a), unpack(a)], [43, 43]);
  end();
});

test("pvm_pkmesg, pkmesgbody and upkmesg refuse, and print nothing", () => {
  const { a, b, errors, end } = two();
  for (const who of [a, b]) who.call("pvm_setopt", 3, 1);
  assert.equal(a.call("pvm_upkmesg"), PvmNoBuf.code);
  const inner = a.call("pvm_mkbuf", PvmDataDefault);
  for (const name of ["pvm_pkmesg", "pvm_pkmesgbody"]) {
    for (const none of [0, -1]) assert.equal(a.call(name, none), PvmBadParam.code);
    assert.equal(a.call(name, 99), PvmNoSuchBuf.code);
  }
  for (const name of ["pvm_pkmesg", "pvm_pkmesgbody"]) assert.equal(a.call(name, inner), PvmNoBuf.code);
  const own = a.call("pvm_initsend", PvmDataDefault);
  for (const name of ["pvm_pkmesg", "pvm_pkmesgbody"]) assert.equal(a.call(name, own), PvmBadParam.code);
  assert.deepEqual(errors(), []);
  end();
});

test("what only looks like a message in a message is PvmNoData, whatever length it tells", () => {
  const { a, b, end } = two();
  for (const bytes of [-1, 1, 0x7fffffff, -0x80000000]) {
    a.call("pvm_initsend", PvmDataDefault);
    [bytes, 0, 0, 0, 0, 0, 0].forEach((word, i) => {
      a.view.setInt32(0x200 + 4 * i, word, true);
    });
    assert.equal(a.call("pvm_pkint", 0x200, 7, 1), 0);
    a.call("pvm_send", b.tid, 1);
    b.call("pvm_recv", -1, -1);
    assert.equal(b.call("pvm_upkmesg"), PvmNoData.code);
  }
  end();
});

test.run();
