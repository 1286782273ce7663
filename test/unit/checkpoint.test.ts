/** Checkpoint files: what was written is read; what is none, or damaged, or of another version is refused by name. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 as zlibCrc32 } from "node:zlib";
import { test } from "uvu";
import { CheckpointWriter, readManifest, readPart } from "../../runtime/migrate/checkpoint.ts";
import { crc32 } from "../../runtime/migrate/crc.ts";
import { createFile, fastSum, withFile } from "../../upvm/node-checkpoint.ts";
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
const JOB = { job: 4, wish: WISH, ulps: 3, programs: [{ name: "ring", hash: WISH.hash }] };
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
function written(path: string): void {
  const file = createFile(path);
  const writer = new CheckpointWriter(fastSum, file.write);
  writer.module(bytesOf(5000, 3));
  for (const index of [0, 1, 2])
    writer.image((4 << 18) | (index + 1), index, 0, [bytesOf(100 * index, 5), bytesOf(7, 9)]);
  writer.end(JOB);
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
    const other = Buffer.from(good);
    other.writeUInt32LE(9, 8);
    await refused(other, "CHECKPOINT_VERSION", /version 9\./);
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
  "a full disk is told, and nothing stays",
  inFolder((folder) => {
    const path = join(folder, "job.ckpt");
    const full = (): number => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    };
    const file = createFile(path, full);
    const begin = () => new CheckpointWriter(fastSum, file.write);
    assert.throws(begin, isError("FILE_NOT_WRITTEN", /: the disk is full$/));
    file.drop();
    assert.deepEqual(readdirSync(folder), []);
  }),
);

test.run();
