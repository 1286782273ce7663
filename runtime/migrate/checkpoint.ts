/**
 * Checkpoint files (wire/checkpoint.ts): bytes for the writer, checks for the reader.
 *
 * Owns: the format, and that a file which is none, or is damaged, or of another version is refused by name. The file itself,
 * and that half of one never has its name, is the edge's (upvm/node-checkpoint.ts).
 */
import * as v from "valibot";
import {
  CHECKPOINT_END,
  CHECKPOINT_HEAD_BYTES,
  CHECKPOINT_MAGIC,
  CHECKPOINT_TAIL_BYTES,
  CHECKPOINT_VERSION,
  type Kept,
  type KeptGroup,
  MANIFEST,
  type Manifest,
  type ManifestPart,
} from "../../wire/checkpoint.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LINK_ABI } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";

/** CRC-32 of bytes that go on from a sum, 0 at first: crc.ts, or a faster one. */
export type Sum = (bytes: Uint8Array, sum: number) => number;

/** What a job is, when its parts have been written. */
export interface CheckpointJob extends Omit<Manifest, "programs" | "images" | "box"> {
  /** Data of the message box's entries. */
  readonly box: Uint8Array;
  readonly programs: readonly { readonly name: string; readonly hash: string }[];
}

/** Makes a file: head, then parts in any order of their kinds, then the end. */
export class CheckpointWriter {
  private readonly sum: Sum;
  private readonly write: (bytes: Uint8Array) => void;
  private offset = 0;
  private readonly modules: ManifestPart[] = [];
  private readonly images: Manifest["images"] = [];

  /** @param write  takes the next bytes of the file, before it returns */
  constructor(sum: Sum, write: (bytes: Uint8Array) => void) {
    this.sum = sum;
    this.write = write;
    const head = new Uint8Array(CHECKPOINT_HEAD_BYTES);
    head.set(new TextEncoder().encode(CHECKPOINT_MAGIC));
    const view = new DataView(head.buffer);
    view.setUint32(8, CHECKPOINT_VERSION, true);
    view.setUint32(12, LINK_ABI, true);
    this.put(head);
  }

  /** The linked module of the next program. */
  module(wasm: Uint8Array): void {
    this.modules.push(this.part([wasm]));
  }

  /** The image of a ULP. @param program  row of its program */
  image(tid: number, index: number, program: number, pieces: Iterable<Uint8Array>): void {
    this.images.push({ ...this.part(pieces), tid, index, program });
  }

  /** @returns bytes of the file */
  end({ programs, box, ...job }: CheckpointJob): number {
    const messages = this.part([box]);
    const rows = programs.map((program, row) => ({ ...program, ...this.modules[row]! }));
    const manifest: Manifest = { ...job, programs: rows, images: this.images, box: messages };
    const text = new TextEncoder().encode(JSON.stringify(manifest));
    this.put(text);
    const tail = new Uint8Array(CHECKPOINT_TAIL_BYTES);
    const view = new DataView(tail.buffer);
    view.setUint32(0, text.length, true);
    view.setUint32(4, this.sum(text, 0), true);
    tail.set(new TextEncoder().encode(CHECKPOINT_END), 8);
    this.put(tail);
    return this.offset;
  }

  private part(pieces: Iterable<Uint8Array>): ManifestPart {
    const { offset } = this;
    let sum = 0;
    for (const piece of pieces) {
      sum = this.sum(piece, sum);
      this.put(piece);
    }
    return { offset, bytes: this.offset - offset, sum };
  }

  private put(bytes: Uint8Array): void {
    this.write(bytes);
    this.offset += bytes.length;
  }
}

/** A file as a reader of a checkpoint sees it. */
export interface CheckpointFile {
  /** What the user calls it. */
  readonly path: string;
  readonly bytes: number;
  /** Bytes [at, at + length), which are in it. */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
}

/** @throws UpvmError CHECKPOINT_FOREIGN, CHECKPOINT_VERSION, CHECKPOINT_DAMAGED */
export function readManifest(file: CheckpointFile, sum: Sum): Manifest {
  const { path, bytes } = file;
  const damaged = (why: string): never => {
    throw new UpvmError("CHECKPOINT_DAMAGED", { path, why });
  };
  const text = (from: Uint8Array): string => String.fromCharCode(...from);
  const head = file.read(0, Math.min(bytes, CHECKPOINT_HEAD_BYTES));
  if (text(head.subarray(0, 8)) !== CHECKPOINT_MAGIC) throw new UpvmError("CHECKPOINT_FOREIGN", { path });
  if (bytes < CHECKPOINT_HEAD_BYTES + CHECKPOINT_TAIL_BYTES) damaged("it was not written to its end");
  const view = new DataView(head.buffer, head.byteOffset);
  const found = { version: view.getUint32(8, true), abi: view.getUint32(12, true) };
  if (found.version !== CHECKPOINT_VERSION || found.abi !== LINK_ABI) {
    const [is, wanted] = [`${found.version}.${found.abi}`, `${CHECKPOINT_VERSION}.${LINK_ABI}`];
    throw new UpvmError("CHECKPOINT_VERSION", { path, found: is, wanted });
  }
  const tail = file.read(bytes - CHECKPOINT_TAIL_BYTES, CHECKPOINT_TAIL_BYTES);
  if (text(tail.subarray(8)) !== CHECKPOINT_END)
    damaged(
      "it does not end as a checkpoint does: it was not written to its end, or has something behind it",
    );
  const end = new DataView(tail.buffer, tail.byteOffset);
  const length = end.getUint32(0, true);
  const from = bytes - CHECKPOINT_TAIL_BYTES - length;
  if (from < CHECKPOINT_HEAD_BYTES || length > LIMITS.manifestBytes) damaged("its manifest makes no sense");
  const manifest = file.read(from, length);
  if (sum(manifest, 0) !== end.getUint32(4, true)) damaged("the checksum of its manifest is wrong");
  const parsed = v.safeParse(MANIFEST, parse(manifest));
  if (!parsed.success || !fits(parsed.output, from)) return damaged("its manifest makes no sense");
  return parsed.output;
}

function parse(manifest: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(manifest));
  } catch {
    return undefined;
  }
}

/** Parts are where the file has parts, and images are of ULPs and programs of the job. */
function fits({ programs, images, ulps, kept, box }: Manifest, end: number): boolean {
  const inside = ({ offset, bytes }: ManifestPart): boolean =>
    offset >= CHECKPOINT_HEAD_BYTES && offset + bytes <= end;
  const indices = new Set(images.map(({ index }) => index));
  const tids = new Set(images.map(({ tid }) => tid));
  return (
    programs.every(inside) &&
    images.every((image) => inside(image) && image.program < programs.length && image.index < ulps) &&
    indices.size === images.length &&
    inside(box) &&
    box.bytes === kept.entries.reduce((sum, entry) => sum + entry.bytes, 0) &&
    groupsFit(kept.groups, tids) &&
    keptFits(kept, tids)
  );
}

/** What is kept is of ULPs of the job; each entry is there once, and each request waits once. */
function keptFits({ groups, tasks, wishes, entries, readers }: Kept, ulps: ReadonlySet<number>): boolean {
  const waits = [...groups.flatMap((group) => group.waits), ...readers];
  return (
    new Set(waits.map(({ tid, serial }) => `${tid}/${serial}`)).size === waits.length &&
    new Set(entries.map(({ name, index }) => `${index}/${name}`)).size === entries.length &&
    [...tasks, ...readers].every(({ tid }) => ulps.has(tid)) &&
    wishes.every(({ to }) => ulps.has(to)) &&
    entries.every(({ owner }) => owner === 0 || ulps.has(owner))
  );
}

/** Groups have members, which are ULPs of the job, each once; who waits is one. */
function groupsFit(groups: readonly KeptGroup[], ulps: ReadonlySet<number>): boolean {
  return (
    new Set(groups.map(({ name }) => name)).size === groups.length &&
    groups.every((group) => {
      const own = group.tids.filter((tid) => tid > 0);
      const members = new Set(own);
      // Only a static group has a place for who has left, and can be defunct.
      const dynamic = !group.defunct && group.tids.every((tid) => tid >= 0) && group.tids.at(-1) !== 0;
      return (
        own.length > 0 &&
        members.size === own.length &&
        own.every((tid) => ulps.has(tid)) &&
        (group.frozen === 0 ? dynamic : group.frozen >= own.length) &&
        group.waits.every(({ tid }) => members.has(tid))
      );
    })
  );
}

/** A part of a file. @throws UpvmError CHECKPOINT_DAMAGED */
export function readPart(file: CheckpointFile, part: ManifestPart, sum: Sum): Uint8Array<ArrayBuffer> {
  const bytes = file.read(part.offset, part.bytes);
  if (sum(bytes, 0) !== part.sum)
    throw new UpvmError("CHECKPOINT_DAMAGED", { path: file.path, why: "the checksum of a part is wrong" });
  return bytes;
}
