/** WASI's calls on files, on a real folder: what they do, what they refuse, what goes with a ULP that moves. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { sendUlp } from "../../runtime/migrate/engine-move.ts";
import { serveMail } from "../../runtime/scheduler/engine.ts";
import { append } from "../../runtime/scheduler/queue.ts";
import { setState } from "../../runtime/scheduler/state.ts";
import { nodeFiles } from "../../upvm/node-file-edge.ts";
import { ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const OUT = 0x80;
const LIST = 0x90;
const PATH = 0x100;
const DATA = 0x2000;
const READ = 1n << 1n;
const WRITE = 1n << 6n;
const OPEN = { create: 1, folder: 2, exclusive: 4, truncate: 8 } as const;
const {
  badf,
  exist,
  inval,
  isdir,
  loop,
  mfile,
  nametoolong,
  noent,
  acces,
  notdir,
  notempty,
  notsup,
  rofs,
  success,
} = WASI_ERRNO;

/** The calls of one ULP, with texts in place of addresses. */
class Guest {
  readonly a: Actor;
  constructor(a: Actor) {
    this.a = a;
  }
  path(text: string, at = PATH): [number, number] {
    const bytes = new TextEncoder().encode(text);
    this.a.bytes.set(bytes, at);
    return [at, bytes.length];
  }
  /** fd, or -errno. */
  open(
    text: string,
    how: { dir?: number; oflags?: number; rights?: bigint; flags?: number; follow?: boolean } = {},
  ): number {
    const { dir = 3, oflags = 0, rights = READ, flags = 0, follow = true } = how;
    const code = this.a.wasi(
      "path_open",
      dir,
      follow ? 1 : 0,
      ...this.path(text),
      oflags,
      rights,
      rights,
      flags,
      OUT,
    );
    return code === success ? this.a.view.getUint32(OUT, true) : -code;
  }
  #list(bytes: number): void {
    this.a.view.setUint32(LIST, DATA, true);
    this.a.view.setUint32(LIST + 4, bytes, true);
  }
  /** The text, or an errno. */
  read(fd: number, bytes = 100, offset?: bigint): string | number {
    this.#list(bytes);
    const code =
      offset === undefined
        ? this.a.wasi("fd_read", fd, LIST, 1, OUT)
        : this.a.wasi("fd_pread", fd, LIST, 1, offset, OUT);
    if (code !== success) return code;
    return new TextDecoder().decode(this.a.bytes.slice(DATA, DATA + this.a.view.getUint32(OUT, true)));
  }
  write(fd: number, text: string, offset?: bigint): number {
    const bytes = new TextEncoder().encode(text);
    this.a.bytes.set(bytes, DATA);
    this.#list(bytes.length);
    if (offset !== undefined) return this.a.wasi("fd_pwrite", fd, LIST, 1, offset, OUT);
    return this.a.wasi("fd_write", fd, LIST, 1, OUT);
  }
  seek(fd: number, by: bigint, whence: number): bigint | number {
    const code = this.a.wasi("fd_seek", fd, by, whence, OUT);
    return code === success ? this.a.view.getBigInt64(OUT, true) : code;
  }
  on(name: string, text: string, dir = 3): number {
    return this.a.wasi(name, dir, ...this.path(text));
  }
  /** Type and size, or an errno. */
  stat(text: string, follow = true): [number, bigint] | number {
    const code = this.a.wasi("path_filestat_get", 3, follow ? 1 : 0, ...this.path(text), 0x300);
    if (code !== success) return code;
    return [this.a.view.getUint8(0x310), this.a.view.getBigUint64(0x320, true)];
  }
  names(fd: number, room = 4096): string[] {
    const found: string[] = [];
    for (let cookie = 0n; ; ) {
      assert.equal(this.a.wasi("fd_readdir", fd, DATA, room, cookie, OUT), success);
      const used = this.a.view.getUint32(OUT, true);
      let at = 0;
      let before = cookie;
      while (at + 24 <= used) {
        const length = this.a.view.getUint32(DATA + at + 16, true);
        if (at + 24 + length > used) break;
        found.push(new TextDecoder().decode(this.a.bytes.slice(DATA + at + 24, DATA + at + 24 + length)));
        before = this.a.view.getBigUint64(DATA + at, true);
        at += 24 + length;
      }
      if (used < room || before === cookie) return found;
      cookie = before;
    }
  }
}

function inGrants(
  use: (g: Guest, folder: string, p: ReturnType<typeof processOf>) => void,
  engines = 1,
): void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "upvm-wasi-test-")));
  try {
    for (const name of ["work", "fixed", "secret"]) mkdirSync(join(folder, name));
    writeFileSync(join(folder, "work/in.txt"), "hello world");
    writeFileSync(join(folder, "fixed/in.txt"), "fixed");
    writeFileSync(join(folder, "secret/key"), "secret");
    const grants = [
      { host: join(folder, "work"), guest: "work", readOnly: false },
      { host: join(folder, "fixed"), guest: "/data", readOnly: true },
    ];
    const p = processOf(IDLE, { ulps: 2, engines, grants, files: nodeFiles() });
    use(new Guest(actor(p, 0)), folder, p);
    assert.equal(leftovers(p), "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("a file is read, written, sought and cut", () =>
  inGrants((g, folder) => {
    const fd = g.open("in.txt", { rights: READ | WRITE });
    assert.equal(fd, 5);
    assert.equal(g.read(fd, 5), "hello");
    assert.equal(g.read(fd, 100), " world");
    assert.equal(g.read(fd), "");
    assert.equal(g.seek(fd, -5n, 2), 6n);
    assert.equal(g.seek(fd, -1n, 1), 5n);
    assert.equal(g.seek(fd, -9n, 1), inval);
    assert.equal(g.seek(fd, 0n, 9), inval);
    assert.equal(g.write(fd, "-WORLD!"), success);
    assert.equal(g.read(fd, 5, 1n), "ello-");
    assert.equal(g.write(fd, "J", 0n), success);
    assert.equal(g.a.wasi("fd_tell", fd, OUT), success);
    assert.equal(g.a.view.getBigUint64(OUT, true), 12n, "pread and pwrite leave the offset");
    assert.equal(readFileSync(join(folder, "work/in.txt"), "utf8"), "Jello-WORLD!");
    assert.equal(g.a.wasi("fd_filestat_set_size", fd, 5n), success);
    assert.equal(g.a.wasi("fd_allocate", fd, 0n, 7n), success);
    assert.equal(readFileSync(join(folder, "work/in.txt"), "utf8"), "Jello\0\0");
    assert.equal(g.a.wasi("fd_filestat_set_times", fd, 5_000_000_000n, 6_000_000_000n, 1 | 4), success);
    assert.equal(g.a.wasi("fd_filestat_get", fd, 0x300), success);
    assert.deepEqual([g.a.view.getUint8(0x310), g.a.view.getBigUint64(0x330, true)], [4, 6_000_000_000n]);
    for (const name of ["fd_sync", "fd_datasync"]) assert.equal(g.a.wasi(name, fd), success);
    assert.equal(g.a.wasi("fd_close", fd), success);
    assert.equal(g.read(fd), badf);
    assert.equal(g.a.wasi("fd_close", fd), badf);
  }));

test("opening: made, made anew, only if new, cut, at the end", () =>
  inGrants((g, folder) => {
    assert.equal(g.open("no.txt"), -noent);
    const fd = g.open("new.txt", { oflags: OPEN.create, rights: WRITE });
    g.write(fd, "one\n");
    assert.equal(g.read(fd), badf, "not open for reading");
    assert.equal(g.open("new.txt", { oflags: OPEN.create | OPEN.exclusive, rights: WRITE }), -exist);
    const more = g.open("new.txt", { rights: READ | WRITE, flags: 1 });
    g.write(more, "two\n");
    g.write(fd, "1.5\n");
    g.write(more, "three\n");
    assert.equal(readFileSync(join(folder, "work/new.txt"), "utf8"), "one\n1.5\nthree\n");
    assert.equal(g.read(more), "", "append leaves the offset at the end");
    g.open("new.txt", { oflags: OPEN.truncate, rights: WRITE });
    assert.equal(readFileSync(join(folder, "work/new.txt"), "utf8"), "");
    assert.equal(g.open("new.txt", { oflags: OPEN.folder }), -notdir);
    assert.equal(g.open("new.txt/"), -notdir);
    assert.equal(g.open(".", { rights: READ | WRITE }), -isdir);
    assert.equal(g.open("in.txt", { dir: fd }), -notdir);
    assert.equal(g.open("in.txt", { dir: 99 }), -badf);
  }));

test("folders: made, listed in pieces, renamed, removed", () =>
  inGrants((g, folder) => {
    assert.equal(g.on("path_create_directory", "d"), success);
    assert.equal(g.on("path_create_directory", "d"), exist);
    const names = Array.from({ length: 40 }, (_, i) => `file-${String(i).padStart(2, "0")}`);
    for (const name of names)
      g.a.wasi("fd_close", g.open(`d/${name}`, { oflags: OPEN.create, rights: WRITE }));
    const d = g.open("d", { oflags: OPEN.folder });
    assert.deepEqual(g.names(d, 100), [".", "..", ...names]);
    assert.equal(g.read(d), isdir);
    assert.equal(g.open("file-07", { dir: d }), d + 1);
    assert.equal(g.on("path_remove_directory", "d"), notempty);
    assert.equal(g.on("path_unlink_file", "d"), isdir);
    const rename = (from: string, to: string, toDir = 3): number =>
      g.a.wasi("path_rename", 3, ...g.path(from), toDir, ...g.path(to, 0x800));
    assert.equal(rename("d", "e"), success);
    assert.deepEqual(g.stat("e/file-00"), [4, 0n]);
    assert.equal(rename("no", "x"), noent);
    for (const name of names) assert.equal(g.on("path_unlink_file", `e/${name}`), success);
    assert.equal(g.on("path_remove_directory", "e"), success);
    assert.deepEqual(readdirSync(join(folder, "work")), ["in.txt"]);
    assert.equal(g.on("path_unlink_file", "."), inval);
    assert.equal(g.on("path_remove_directory", "a/.."), noent);
  }));

test("the granted folders have their names, and nothing else is open", () =>
  inGrants((g) => {
    const name = (fd: number): string | number => {
      const code = g.a.wasi("fd_prestat_get", fd, OUT);
      if (code !== success) return code;
      const length = g.a.view.getUint32(OUT + 4, true);
      g.a.wasi("fd_prestat_dir_name", fd, DATA, length);
      return new TextDecoder().decode(g.a.bytes.slice(DATA, DATA + length));
    };
    assert.deepEqual([name(2), name(3), name(4), name(5)], [badf, "work", "/data", badf]);
    assert.equal(g.a.wasi("fd_prestat_dir_name", 3, DATA, 2), nametoolong);
  }));

test("a folder that is only to be read cannot be changed in any way", () =>
  inGrants((g, folder) => {
    const dir = 4;
    assert.equal(g.open("in.txt", { dir, rights: READ | WRITE }), -rofs);
    assert.equal(g.open("x", { dir, oflags: OPEN.create }), -rofs);
    assert.equal(g.open("in.txt", { dir, oflags: OPEN.truncate }), -rofs);
    for (const name of ["path_create_directory", "path_remove_directory", "path_unlink_file"])
      assert.equal(g.on(name, "in.txt", dir), rofs, name);
    assert.equal(g.a.wasi("path_rename", dir, ...g.path("in.txt"), 3, ...g.path("x", 0x800)), rofs);
    assert.equal(g.a.wasi("path_rename", 3, ...g.path("in.txt"), dir, ...g.path("x", 0x800)), rofs);
    assert.equal(g.a.wasi("path_filestat_set_times", dir, 1, ...g.path("in.txt"), 0n, 0n, 2), rofs);
    const fd = g.open("in.txt", { dir, oflags: OPEN.create });
    assert.equal(g.read(fd), "fixed");
    assert.equal(g.write(fd, "x"), badf);
    assert.equal(g.a.wasi("fd_filestat_set_size", fd, 0n), badf);
    assert.equal(g.a.wasi("fd_filestat_set_times", fd, 0n, 0n, 2), rofs);
    assert.equal(readFileSync(join(folder, "fixed/in.txt"), "utf8"), "fixed");
    assert.deepEqual(readdirSync(join(folder, "fixed")), ["in.txt"]);
  }));

test("no call gets out of what was granted, by dots, absolute paths or symbolic links", () =>
  inGrants((g, folder) => {
    const work = join(folder, "work");
    symlinkSync("../secret/key", join(work, "link"));
    symlinkSync(join(folder, "secret"), join(work, "folder"));
    symlinkSync("..", join(work, "up"));
    symlinkSync("in.txt", join(work, "good"));
    symlinkSync("nowhere", join(work, "gone"));
    const ways = [
      "../secret/key",
      "/etc/passwd",
      join(folder, "secret/key"),
      "link",
      "folder/key",
      "up/secret/key",
      "x/../../secret/key",
    ];
    for (const way of ways) {
      for (const how of [{}, { rights: WRITE }, { oflags: OPEN.create | OPEN.truncate, rights: WRITE }]) {
        const code = -g.open(way, how);
        assert.ok(code === acces || (way.startsWith("x/") && code === noent), `${way}: ${code}`);
      }
    }
    for (const way of ["../secret/key", "folder/key", "up/secret/key"]) {
      for (const name of ["path_create_directory", "path_remove_directory", "path_unlink_file"])
        assert.equal(g.on(name, way), acces, `${name} ${way}`);
      assert.equal(g.stat(way), acces);
      assert.equal(g.a.wasi("path_rename", 3, ...g.path("in.txt"), 3, ...g.path(way, 0x800)), acces);
      assert.equal(g.a.wasi("path_rename", 3, ...g.path(way), 3, ...g.path("x", 0x800)), acces);
      assert.equal(g.a.wasi("path_readlink", 3, ...g.path(way), DATA, 100, OUT), acces);
    }
    // A link is not followed to make a file where it leads.
    assert.equal(g.open("link", { oflags: OPEN.create | OPEN.exclusive, rights: WRITE }), -exist);
    assert.equal(g.open("link", { follow: false }), -loop);
    assert.equal(g.read(g.open("good")), "hello world");
    assert.deepEqual(g.stat("link", false), [7, 13n]);
    assert.equal(g.a.wasi("path_symlink", ...g.path("../secret"), 3, ...g.path("mine", 0x800)), notsup);
    assert.equal(g.a.wasi("path_link", 3, 0, ...g.path("in.txt"), 3, ...g.path("mine", 0x800)), notsup);
    assert.equal(g.on("path_unlink_file", "link"), success, "the link itself may go");
    assert.equal(readFileSync(join(folder, "secret/key"), "utf8"), "secret");
    assert.deepEqual(readdirSync(join(folder, "secret")), ["key"]);
    assert.ok(!existsSync(join(folder, "x")));
  }));

test("the edge itself opens nothing outside, should a folder become a link after it was looked at", () =>
  inGrants((_, folder) => {
    const grant = { host: join(folder, "work"), guest: "work", readOnly: false };
    symlinkSync("../secret", join(folder, "work/late"));
    const how = { read: true, write: true, append: false, create: false, exclusive: false, truncate: true };
    const key = ["late", "key"];
    const edge = nodeFiles();
    const ways: (() => unknown)[] = [
      () => edge.open(grant, key, how),
      () => edge.open(grant, ["late", "new"], { ...how, create: true }),
      () => edge.stat(grant, key),
      () => edge.list(grant, ["late"]),
      () => edge.removeFile(grant, key),
      () => edge.makeFolder(grant, ["late", "new"]),
      () => edge.setTimes(grant, key, 0n, 0n),
      () => edge.rename(grant, key, grant, ["stolen"]),
      () => edge.rename(grant, ["in.txt"], grant, ["late", "new"]),
    ];
    for (const way of ways) assert.throws(way, /errno 2$/, String(way));
    assert.deepEqual(readdirSync(join(folder, "secret")), ["key"]);
    assert.equal(readFileSync(join(folder, "secret/key"), "utf8"), "secret");
  }));

test("only so many files can be open, and each engine keeps fewer open in the system: all go on being read", () =>
  inGrants((g) => {
    const fds = Array.from({ length: LIMITS.filesPerUlp - 2 }, () => g.open("in.txt"));
    assert.ok(fds.every((fd) => fd > 0));
    assert.equal(g.open("in.txt"), -mfile);
    assert.ok(readdirSync("/proc/self/fd").length < LIMITS.fileHandles + 100);
    assert.deepEqual([g.read(fds[0]!, 5), g.read(fds.at(-1)!, 5)], ["hello", "hello"]);
    assert.equal(g.read(fds[0]!), " world", "at its own offset, although it was opened again");
    assert.equal(g.a.wasi("fd_renumber", fds[1]!, fds[2]!), success);
    assert.deepEqual([g.read(fds[1]!), g.read(fds[2]!)], [badf, "hello world"]);
  }));

test("a path that is too long, is no UTF-8 or lies outside the memory is refused", () =>
  inGrants((g) => {
    assert.equal(g.open("x".repeat(LIMITS.pathBytes + 1)), -nametoolong);
    g.a.bytes.set([0xff, 0xfe], PATH);
    assert.equal(g.a.wasi("path_create_directory", 3, PATH, 2), WASI_ERRNO.ilseq);
    assert.equal(g.a.wasi("path_create_directory", 3, 0xfffff, 2), WASI_ERRNO.fault);
    const fd = g.open("in.txt");
    g.a.view.setUint32(LIST, 0xfff0, true);
    g.a.view.setUint32(LIST + 4, 0x100000, true);
    assert.equal(g.a.wasi("fd_read", fd, LIST, 1, OUT), WASI_ERRNO.fault);
  }));

test("open files go with a ULP to another engine, and leave none open behind", () =>
  inGrants((g, folder, p) => {
    const [first, second] = [p.engines[0]!, p.engines[1]!];
    const fd = g.open("in.txt");
    assert.equal(g.read(fd, 6), "hello ");
    const out = g.open("out.txt", { oflags: OPEN.create | OPEN.truncate, rights: WRITE });
    g.write(out, "before ");
    const before = readdirSync("/proc/self/fd").length;
    setState(first.w, g.a.ulp, ULP_STATE.runnable);
    append(first.w, first.runq, g.a.ulp);
    first.current = 0 as typeof g.a.ulp;
    assert.ok(sendUlp(first, g.a.ulp, 1));
    assert.equal(readdirSync("/proc/self/fd").length, before - 2);
    serveMail(second);
    const moved = new Guest(actor(p, 0, second.contexts[0]));
    assert.equal(moved.read(fd), "world");
    assert.equal(moved.write(out, "after"), success);
    assert.equal(readFileSync(join(folder, "work/out.txt"), "utf8"), "before after");
  }, 2));

test.run();
