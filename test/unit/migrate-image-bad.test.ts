/**
 * Images that are refused: by name, and with nothing of them left.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { Filling, ImageError } from "../../runtime/migrate/filling.ts";
import { hexOf } from "../../runtime/migrate/image-head.ts";
import { readImage } from "../../runtime/migrate/restore.ts";
import { serveMail } from "../../runtime/scheduler/engine.ts";
import { FileError } from "../../runtime/scheduler/files.ts";
import { GRANULE_BYTES, IMAGE_COUNTS, IMAGE_HEAD } from "../../wire/image.ts";
import { IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import {
  admit,
  asked,
  blocks,
  destination,
  frozen,
  HASH,
  hop,
  imaged,
  joined,
  outside,
  ownActor,
  pair,
  read,
  say,
} from "../two-processes.ts";

const file = (path: string[], more: object = {}) => ({
  grant: 0,
  path,
  folder: false,
  read: true,
  write: false,
  granted: false,
  flags: 0,
  offset: 7,
  names: [],
  ...more,
});

test("open files are opened there; what is not there, or may not be written, is refused by its name", async () => {
  const stat = (_: unknown, path: readonly string[]) => {
    if (path[0] !== "data.txt") throw new FileError(44);
    return { type: "file" };
  };
  const grants = (readOnly: boolean) => [{ host: "/x", guest: "/data", readOnly }];
  const files = { stat, open: () => 1, close: () => {} } as never;
  const make = (open: object[], readOnly = false, guest = "/data") => {
    const p = processOf(IDLE, {
      ulps: 2,
      elsewhere: (index) => index !== 0,
      grants: grants(false),
      files,
      ...outside,
    });
    const there = [
      { host: "/y", guest: "/other", readOnly: false },
      { host: "/x", guest, readOnly },
    ];
    const q = processOf(IDLE, {
      ulps: 2,
      elsewhere: (index) => index === 0,
      grants: there,
      files,
      ...outside,
    });
    ownActor(p, 0).call("pvm_mytid");
    p.engines[0]!.contexts[0]!.files = open as never;
    return [p, q] as const;
  };
  const [p, q] = make([
    file([], { folder: true, granted: true, offset: 0 }),
    undefined as never,
    file(["data.txt"]),
  ]);
  await hop(p, q, 0);
  const arrived = q.engines[0]!.contexts[0]!.files!;
  assert.deepEqual([arrived.length, arrived[1], arrived[2]?.offset, arrived[2]?.grant], [3, undefined, 7, 1]);
  const refused = async (why: RegExp, [from, to]: readonly [Process, Process]) => {
    const ulp = await frozen(from, 0);
    const clean = blocks(to);
    assert.throws(
      () => read(destination(to), joined(imaged(from, ulp))),
      (e) => isFault(e, "file", why),
    );
    assert.deepEqual(blocks(to), clean);
    from.freezer.thaw(ulp);
    for (const e of from.engines) serveMail(e);
    assert.equal(leftovers(from) + leftovers(to), "");
  };
  await refused(/\/data\/gone.txt open, which is not there/, make([file(["gone.txt"])]));
  await refused(
    /writes \/data\/data.txt, which can only be read/,
    make([file(["data.txt"], { write: true })], true),
  );
  await refused(/folder \/data, which is not granted/, make([file(["data.txt"])], false, "/else"));
});

function isFault(error: unknown, fault: string, why: RegExp): boolean {
  assert.ok(error instanceof ImageError, String(error));
  assert.equal(error.fault, fault, error.message);
  assert.match(error.message, why);
  return true;
}

test("foreign, of another version, of another interface, of another program, cut short: refused by name", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  say(a, a.tid, 1, 1);
  const ulp = await frozen(p, 0);
  const good = joined(imaged(p, ulp));
  const clean = blocks(q);
  const refused = (fault: string, why: RegExp, change: (words: Int32Array) => void, to = destination(q)) => {
    const bytes = good.slice();
    change(new Int32Array(bytes.buffer, 0, bytes.length >> 2));
    assert.throws(
      () => read(to, bytes),
      (error) => isFault(error, fault, why),
    );
    assert.deepEqual(blocks(q), clean);
  };
  // Behind the head, where its one granule is, that, and their checksum.
  assert.equal(new Int32Array(good.buffer)[IMAGE_HEAD.runs], 1);
  const counts = IMAGE_HEAD.words + 2 + 1 + (GRANULE_BYTES >> 2);
  const set =
    (name: keyof typeof IMAGE_HEAD | "messages" | "buffers", value: number) => (words: Int32Array) => {
      if (name === "messages" || name === "buffers") words[counts + IMAGE_COUNTS[name]] = value;
      else words[IMAGE_HEAD[name]] = value;
    };
  refused("foreign", /no image/, set("magic", 7));
  refused("version", /version 2, here it is 3/, set("version", 2));
  refused("abi", /interface 99/, set("abi", 99));
  refused("program", /program [0-9a-f]{12} is not here/, set("module", 1));
  refused("damaged", /tid is of another job/, set("tid", 5));
  refused("damaged", /pages is 70000/, set("pages", 70_000));
  for (const name of [
    "messages",
    "rows",
    "buffers",
    "frameBytes",
    "argsBytes",
    "traceBytes",
    "fileBytes",
    "runs",
  ] as const) {
    refused("damaged", new RegExp(`${name} is -1`), set(name, -1));
    refused("damaged", new RegExp(`${name} is 2147483647`), set(name, 0x7fffffff));
  }
  const flip = (at: number) => (words: Int32Array) => words.set([words[at]! ^ 1], at);
  refused("damaged", /checksum/, flip(IMAGE_HEAD.words));
  refused("damaged", /checksum/, flip(counts + 8));
  refused("damaged", /does not end/, (words) => words.set([0], words.length - 1));
  for (const length of [0, 1, 127, 128, 600, good.length - 1])
    assert.throws(
      () => read(destination(q), good.subarray(0, length), 50),
      (e) => isFault(e, "damaged", /in its middle/),
    );
  assert.deepEqual(blocks(q), clean);
  const incoming = read(destination(q), good);
  assert.throws(
    () => read(destination(q), good),
    (e) => isFault(e, "present", /already/),
  );
  assert.equal(incoming.head.hash, hexOf(HASH));
  incoming.drop();
  assert.deepEqual(blocks(q), clean);
  admit(q, read(destination(q), good));
  assert.throws(
    () => read(destination(q), good),
    (e) => isFault(e, "present", /already/),
  );
  p.freezer.release(ulp);
  assert.equal(await asked(p, 0), "unknown");
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("no room in the heap: refused by name, and nothing stays", async () => {
  const p = processOf(IDLE, { ulps: 2, elsewhere: (index) => index !== 0, ...outside });
  const q = processOf(IDLE, { ulps: 2, elsewhere: (index) => index === 0, heapBytes: 4 << 20, ...outside });
  const a = ownActor(p, 0);
  for (let i = 0; i < 100; i++) {
    a.call("pvm_initsend", 1);
    a.call("pvm_pkbyte", 0, 65_536, 1);
    a.call("pvm_send", a.tid, 1);
  }
  const ulp = await frozen(p, 0);
  const clean = blocks(q);
  assert.throws(
    () => read(destination(q), joined(imaged(p, ulp))),
    (e) => isFault(e, "heap", /no room/),
  );
  assert.deepEqual(blocks(q), clean);
  p.freezer.thaw(ulp);
  for (const e of p.engines) serveMail(e);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test("random bytes in it never crash the reader, and leave nothing", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  a.call("pvm_addmhf", -1, 40, -1, 3);
  for (let i = 0; i < 20; i++) say(a, a.tid, i, i);
  a.call("pvm_nrecv", -1, 3);
  const ulp = await frozen(p, 0);
  const good = joined(imaged(p, ulp));
  const clean = blocks(q);
  let seed = Number(process.env["UPVM_SEED"] ?? 1);
  const random = (n: number): number => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % n;
  };
  let refused = 0;
  // What is in its one granule is the program's matter.
  const described = good.length - GRANULE_BYTES;
  const granuleAt = 4 * (IMAGE_HEAD.words + 2 + 1);
  const place = (at: number): number => (at < granuleAt ? at : at + GRANULE_BYTES);
  for (let round = 0; round < 1500; round++) {
    const bytes = good.slice(0, random(8) === 0 ? random(good.length) : good.length);
    const began = seed;
    for (let n = random(4); n >= 0 && bytes.length > 0; n--) bytes[place(random(described))] = random(256);
    try {
      const filling = new Filling(readImage(destination(q)));
      for (let from = 0; from < bytes.length; ) {
        const some = bytes.subarray(from, from + 1 + random(2000));
        filling.write(some);
        from += some.length;
      }
      filling.end().drop();
    } catch (error) {
      assert.ok(error instanceof ImageError, `UPVM_SEED=${began}: ${String(error)}`);
      refused++;
    }
    if (round % 100 === 0) assert.deepEqual(blocks(q), clean, `UPVM_SEED=${began}`);
  }
  assert.ok(refused > 1200, `${refused} of 1500`);
  assert.deepEqual(blocks(q), clean);
  q.library.heap.check();
  p.freezer.release(ulp);
  assert.equal(leftovers(p) + leftovers(q), "");
});

test.run();
