/**
 * Checkpoint: a file with all ULPs of a job, stopped at one moment, from which the job can go on anywhere.
 *
 *     head: "UPVMCKPT", version, LINK_ABI │ parts, one behind the other: linked modules, images │ manifest, JSON │
 *     tail: bytes of the manifest (u32), its checksum (u32), "TPKCMVPU"
 *
 * The manifest is last, so that a file is written in one go; a file that was not written to its end has none. All numbers are
 * little-endian, checksums CRC-32.
 * Owns: the shapes. Writing and reading is runtime/migrate/checkpoint.ts.
 */
import * as v from "valibot";
import { HASH, JOB, JOB_WISH, TID } from "./job.ts";
import { LIMITS } from "./limits.ts";

export const CHECKPOINT_MAGIC = "UPVMCKPT";
export const CHECKPOINT_END = "TPKCMVPU";
/** Version of this format. A reader takes only its own. */
export const CHECKPOINT_VERSION = 1;
export const CHECKPOINT_HEAD_BYTES = 16;
export const CHECKPOINT_TAIL_BYTES = 16;

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Where a part of the file is, and its checksum. */
const PART = { offset: natural, bytes: natural, sum: natural };

export const MANIFEST = v.strictObject({
  /** Number of the job: its tids are in the memories of its ULPs, so it is restarted under this number. */
  job: JOB,
  wish: JOB_WISH,
  /** Indices up to which ULPs were made: the next one made gets this. */
  ulps: v.pipe(natural, v.maxValue(LIMITS.ulps)),
  /** Row, name and hash of each program. */
  programs: v.pipe(
    v.array(v.strictObject({ ...PART, name: v.string(), hash: HASH })),
    v.minLength(1),
    v.maxLength(LIMITS.ulps),
  ),
  images: v.pipe(
    v.array(v.strictObject({ ...PART, tid: TID, index: natural, program: natural })),
    v.maxLength(LIMITS.ulps),
  ),
});
export type Manifest = v.InferOutput<typeof MANIFEST>;
export type ManifestPart = { readonly offset: number; readonly bytes: number; readonly sum: number };
