/** Checkpoint files: what was written is read; what is none, or damaged, or of another version is refused by name. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { crc32 as zlibCrc32 } from "node:zlib";
import { test } from "uvu";
import { CheckpointWriter, readManifest, readPart } from "../../runtime/migrate/checkpoint.ts";
import { crc32 } from "../../runtime/migrate/crc.ts";
import { createFile, fastSum, withFile } from "../../upvm/node-checkpoint.ts";
import {
  CHECKPOINT_VERSION,
  type Kept,
  type KeptEntry,
  type KeptGroup,
  type KeptWish,
  type Manifest,
} from "../../wire/checkpoint.ts";
import { UpvmError } from "../../wire/errors.ts";
import type { JobWish } from "../../wire/job.ts";

const WISH: JobWish = {
  name: "ring",
  hash: "ab".repeat(32),
  ulps: 3,
  place: "block",
  link: "unix",
  args: [],
  env: [],
  grants: [],
  input: false,
  tag: false,
  handoff: true,
  framesBytes: 1 << 20,
};
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((index) => (4 << 18) | index) as [number, number, number];
const GROUPS: KeptGroup[] = [
  {
    ...{ name: "g", tids: [0, SECOND, FIRST], frozen: 0, defunct: false },
    waits: [{ kind: "barrier", tid: FIRST, serial: 3, count: 2 }],
  },
  { name: "s", tids: [THIRD, -FIRST], frozen: 2, defunct: true, waits: [] },
];
const KEPT: Kept = {
  groups: GROUPS,
  hosts: [[0x40000, "here"]],
  tasks: [{ tid: SECOND, parent: FIRST, name: "ring", left: true }],
  wishes: [{ what: 1, about: SECOND, key: SECOND, to: FIRST, tag: 7, context: 0, left: 0 }],
  entries: [
    { name: "x", index: 0, owner: 0, src: 5, flags: 1, encoding: 0, bytes: 2 },
    { name: "x", index: 1, owner: THIRD, src: THIRD, flags: 2, encoding: 1, bytes: 1 },
  ],
  readers: [{ tid: THIRD, serial: 9, name: "y", index: 0, flags: 16 }],
  contexts: [262145, 262150],
};
const BOX = Uint8Array.of(1, 2, 3);
const PROGRAMS = [{ name: "ring", hash: WISH.hash }];
const JOB = { kept: KEPT, box: BOX, job: 4, wish: WISH, ulps: 3, programs: PROGRAMS };
const bytesOf = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * seed) >> 3);

function inFolder<T>(use: (folder: string) => Promise<T> | T): () => Promise<void> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "upvm-checkpoint-"));
    try {
      await use(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}

/** Writes a checkpoint of three images. */
function written(path: string, more: Partial<Manifest> = {}): void {
  const file = createFile(path);
  const writer = new CheckpointWriter(fastSum, file.write);
  writer.module(bytesOf(5000, 3));
  for (const index of [0, 1, 2])
    writer.image((4 << 18) | (index + 1), index, 0, [bytesOf(100 * index, 5), bytesOf(7, 9)]);
  writer.end({ ...JOB, ...(more as object) });
  file.commit();
}

test("checksums are those of zlib, whatever the pieces", () => {
  const bytes = bytesOf(100_000, 7);
  assert.equal(crc32(bytes), zlibCrc32(bytes));
  assert.equal(crc32(bytes.subarray(500), crc32(bytes.subarray(0, 500))), zlibCrc32(bytes));
});

test(
  "what was written is read",
  inFolder(async (folder) => {
    const path = join(folder, "job.ckpt");
    written(path);
    await withFile(path, (file) => {
      const manifest = readManifest(file, fastSum);
      assert.deepEqual([manifest.job, manifest.wish, manifest.ulps], [4, WISH, 3]);
      assert.deepEqual(manifest.kept, KEPT);
      assert.deepEqual(readPart(file, manifest.box, fastSum), BOX);
      assert.deepEqual(readPart(file, manifest.programs[0]!, fastSum), bytesOf(5000, 3));
      const image = readPart(file, manifest.images[2]!, fastSum);
      assert.deepEqual(image, Uint8Array.from([...bytesOf(200, 5), ...bytesOf(7, 9)]));
    });
    assert.deepEqual(readdirSync(folder), ["job.ckpt"]);
  }),
);

const isError = (code: string, why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UpvmError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, why);
  return true;
};

test(
  "foreign, cut short, of another version, changed anywhere: refused by name",
  inFolder(async (folder) => {
    const path = join(folder, "job.ckpt");
    written(path);
    const good = readFileSync(path);
    const refused = async (bytes: Uint8Array, code: string, why: RegExp) => {
      writeFileSync(path, bytes);
      const all = withFile(path, (file) => {
        const manifest = readManifest(file, fastSum);
        for (const part of [...manifest.programs, ...manifest.images]) readPart(file, part, fastSum);
      });
      await assert.rejects(all, isError(code, why));
    };
    await refused(new Uint8Array(0), "CHECKPOINT_FOREIGN", /is no checkpoint/);
    await refused(Buffer.from("hello, world: quite another file"), "CHECKPOINT_FOREIGN", /is no checkpoint/);
    for (const length of [20, 100, good.length - 1])
      await refused(good.subarray(0, length), "CHECKPOINT_DAMAGED", /not written to its end/);
    await refused(
      Buffer.concat([good, Buffer.from("more")]),
      "CHECKPOINT_DAMAGED",
      /or has something behind it/,
    );
    const other = Buffer.from(good);
    other.writeUInt32LE(9, 8);
    await refused(other, "CHECKPOINT_VERSION", /version 9\./);
    other.writeUInt32LE(CHECKPOINT_VERSION - 1, 8);
    await refused(
      other,
      "CHECKPOINT_VERSION",
      new RegExp(`version ${CHECKPOINT_VERSION - 1}\\.\\d+, here it is ${CHECKPOINT_VERSION}\\.`),
    );
    let seed = 1;
    for (let round = 0; round < 200; round++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const bytes = Buffer.from(good);
      const at = 16 + (seed % (good.length - 24));
      bytes[at] = bytes[at]! ^ (1 << (seed >>> 29));
      await refused(bytes, "CHECKPOINT_DAMAGED", /checksum|makes no sense/);
    }
  }),
);

test(
  "what no job can have in the virtual machine is refused, though every checksum is right",
  inFolder(async (folder) => {
    const path = join(folder, "job.ckpt");
    const other = (5 << 18) | 1;
    const [[wish], [first, second], [reader], [task]] = [
      KEPT.wishes as [KeptWish],
      KEPT.entries as [KeptEntry, KeptEntry],
      KEPT.readers as [Kept["readers"][number]],
      KEPT.tasks as [Kept["tasks"][number]],
    ];
    const bad: Record<string, Partial<Kept>> = {
      "a notification to another job": { wishes: [{ ...wish, to: other }] },
      "an entry of another job": { entries: [first, { ...second, owner: other }] },
      "an entry twice": { entries: [first, { ...second, index: 0 }] },
      "entries that are longer than what is there": { entries: [first, { ...second, bytes: 2 }] },
      "another job waits for an entry": { readers: [{ ...reader, tid: other }] },
      "a request waits twice": { readers: [reader, { ...reader, name: "z" }] },
      "a task of another job": { tasks: [{ ...task, tid: other }] },
      "the base context": { contexts: [262144] },
      "a context that nobody can have": { contexts: [2 * 262144] },
    };
    for (const [what, more] of Object.entries(bad)) {
      written(path, { kept: { ...KEPT, ...more } });
      const read = withFile(path, (file) => readManifest(file, fastSum));
      await assert.rejects(read, isError("CHECKPOINT_DAMAGED", /makes no sense/), what);
    }
  }),
);

test(
  "groups that no job can have are refused, though every checksum is right",
  inFolder(async (folder) => {
    const path = join(folder, "job.ckpt");
    const [g, s] = GROUPS as [KeptGroup, KeptGroup];
    const [wait] = g.waits as [KeptGroup["waits"][number]];
    const bad: Record<string, KeptGroup[]> = {
      "no member": [{ ...g, tids: [0], waits: [] }],
      "a member twice": [{ ...g, tids: [FIRST, FIRST] }],
      "a member of another job": [{ ...g, tids: [FIRST, (5 << 18) | 1] }],
      "one has left, and there is no place for it": [{ ...g, tids: [FIRST, -SECOND] }],
      "a place behind the last": [{ ...g, tids: [FIRST, 0] }],
      "dynamic and defunct": [{ ...g, defunct: true }],
      "more members than when it was frozen": [{ ...s, tids: [FIRST, SECOND, THIRD] }],
      "two of a name": [g, { ...s, name: "g" }],
      "who waits is no member": [{ ...g, waits: [{ ...wait, tid: THIRD }] }],
      "who waits twice": [{ ...g, waits: [wait, { ...wait, kind: "freezeGroup" }] }],
      "who waits for nobody": [{ ...g, waits: [{ ...wait, count: 0 }] }],
      "no name": [{ ...g, name: "" }],
    };
    for (const [what, groups] of Object.entries(bad)) {
      written(path, { kept: { ...KEPT, groups } });
      const read = withFile(path, (file) => readManifest(file, fastSum));
      await assert.rejects(read, isError("CHECKPOINT_DAMAGED", /makes no sense/), what);
    }
  }),
);

test(
  "half of a file never has its name, and one that was there stays; a folder that is not there is told",
  inFolder(async (folder) => {
    const path = join(folder, "job.ckpt");
    writeFileSync(path, "old");
    const file = createFile(path);
    file.write(bytesOf(1000, 3));
    assert.equal(readFileSync(path, "utf8"), "old");
    file.drop();
    assert.deepEqual(readdirSync(folder), ["job.ckpt"]);
    assert.throws(
      () => createFile(join(folder, "none", "x")),
      isError("FILE_NOT_WRITTEN", /: no such folder$/),
    );
    await assert.rejects(
      withFile(join(folder, "gone"), () => {}),
      isError("FILE_NOT_FOUND", /: no such file$/),
    );
  }),
);

test(
  "what a command left aside that was killed goes with the next one for the same file, and nothing else does",
  inFolder((folder) => {
    const path = join(folder, "job.ckpt");
    const aside = (file: string, host: string, pid: number): string => `${file}.${host}.${pid}.part`;
    const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
    const stay = [
      aside("job.ckpt", hostname(), process.ppid),
      aside("job.ckpt", "elsewhere", gone),
      aside("other.ckpt", hostname(), gone),
      `job.ckpt.${gone}`,
      `job.ckpt.${hostname()}.x.part`,
    ];
    for (const name of [...stay, aside("job.ckpt", hostname(), gone)]) writeFileSync(join(folder, name), "");
    const file = createFile(path);
    const mine = aside("job.ckpt", hostname(), process.pid);
    assert.deepEqual(readdirSync(folder).sort(), [...stay, mine].sort());
    file.drop();
    assert.deepEqual(readdirSync(folder).sort(), stay.sort());
  }),
);

test(
  "what a command of the same process number left aside is no hindrance; what this process writes still is",
  inFolder((folder) => {
    // In a container each command may have the same number.
    const path = join(folder, "job.ckpt");
    writeFileSync(`${path}.${hostname()}.${process.pid}.part`, "left by one that was killed");
    const file = createFile(path);
    const other = join(relative(process.cwd(), folder), "job.ckpt");
    assert.throws(() => createFile(other), isError("FILE_NOT_WRITTEN", /: EEXIST$/));
    file.write(bytesOf(10, 3));
    file.commit();
    assert.deepEqual(readdirSync(folder), ["job.ckpt"]);
    assert.equal(readFileSync(path).length, 10);
    createFile(other).drop();
  }),
);

test(
  "what is no file is refused before anything is written, and stays what it is; a link goes on to its file",
  inFolder((folder) => {
    assert.throws(() => createFile(folder), isError("FILE_NOT_WRITTEN", /: it is a folder$/));
    assert.throws(() => createFile("/dev/null"), isError("FILE_NOT_WRITTEN", /: it is no file$/));
    const [path, link] = [join(folder, "job.ckpt"), join(folder, "last")];
    writeFileSync(path, "old");
    symlinkSync(path, link);
    written(link);
    assert.equal(readlinkSync(link), path);
    assert.equal(readFileSync(path).toString("latin1", 0, 8), "UPVMCKPT");
    assert.deepEqual(readdirSync(folder), ["job.ckpt", "last"]);
  }),
);

test(
  "a full disk is told, and nothing stays",
  inFolder((folder) => {
    const path = join(folder, "job.ckpt");
    const full = (): number => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    };
    const file = createFile(path, full);
    const begin = () => new CheckpointWriter(fastSum, file.write);
    assert.throws(begin, isError("FILE_NOT_WRITTEN", /: the disk is full$/));
    assert.throws(begin, ({ hint }: UpvmError) => hint?.startsWith("the job goes on; ") === true);
    file.drop();
    assert.deepEqual(readdirSync(folder), []);
  }),
);

test.run();
