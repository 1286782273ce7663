/**
 * Checkpoint: a file with all ULPs of a job, stopped at one moment, from which the job can go on anywhere.
 *
 *     head: "UPVMCKPT", version, LINK_ABI │ parts, one behind the other: linked modules, images,
 *     messages of the message box │ manifest, JSON │
 *     tail: bytes of the manifest (u32), its checksum (u32), "TPKCMVPU"
 *
 * The manifest is last, so that a file is written in one go; a file that was not written to its end has none. All numbers are
 * little-endian, checksums CRC-32.
 * Owns: the shapes. Writing and reading is runtime/migrate/checkpoint.ts.
 */
import * as v from "valibot";
import { HASH, JOB, JOB_WISH, TID } from "./job.ts";
import { LIMITS } from "./limits.ts";
import { TID_BASE } from "./pvm.ts";

export const CHECKPOINT_MAGIC = "UPVMCKPT";
export const CHECKPOINT_END = "TPKCMVPU";
/** Version of this format. A reader takes only its own. */
export const CHECKPOINT_VERSION = 3;
export const CHECKPOINT_HEAD_BYTES = 16;
export const CHECKPOINT_TAIL_BYTES = 16;

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** One that can be allotted (pvmd/contexts.ts). */
const CONTEXT = v.pipe(natural, v.minValue(TID_BASE + 1), v.maxValue(TID_BASE + LIMITS.contexts));

/** Where a part of the file is, and its checksum. */
const PART = { offset: natural, bytes: natural, sum: natural };

/**
 * A group as the tasks of a job see it: without those of other jobs, which are not in its checkpoint.
 * `waits`: who waited in its barrier or to freeze it, for how many, by the number of the request that is to be answered.
 */
export const KEPT_GROUP = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(2 * LIMITS.groupNameBytes)),
  /** Tid by instance number; 0: free; negative: has left a static one. */
  tids: v.pipe(v.array(TID), v.minLength(1), v.maxLength(LIMITS.ulps)),
  /** Members when it was frozen, 0: dynamic. */
  frozen: natural,
  defunct: v.boolean(),
  waits: v.pipe(
    v.array(
      v.strictObject({
        kind: v.picklist(["barrier", "freezeGroup"]),
        ...{ tid: TID, serial: natural, count: v.pipe(natural, v.minValue(1)) },
      }),
    ),
    v.maxLength(LIMITS.ulps),
  ),
});
export type KeptGroup = v.InferOutput<typeof KEPT_GROUP>;
export const KEPT_GROUPS = v.pipe(v.array(KEPT_GROUP), v.maxLength(LIMITS.groups));

/** What a task asked to be told of. `key`: the host that a HostDelete is about; `left`: how often a HostAdd is told yet, -1: always. */
const KEPT_WISH = v.strictObject({
  ...{ what: natural, about: TID, key: TID, to: TID, tag: natural, context: v.pipe(v.number(), v.safeInteger()) },
  left: v.pipe(v.number(), v.safeInteger(), v.minValue(-1)),
});
export type KeptWish = v.InferOutput<typeof KEPT_WISH>;

/** A message of the message box; `bytes`: how long it is. Owner 0: its task had ended. */
const KEPT_ENTRY = v.strictObject({
  ...{ name: v.string(), index: natural, owner: TID, src: TID, bytes: natural },
  ...{ flags: v.pipe(v.number(), v.safeInteger()), encoding: v.pipe(v.number(), v.safeInteger()) },
});
export type KeptEntry = v.InferOutput<typeof KEPT_ENTRY>;

/** What the virtual machine has for the tasks of a job. Data of entries is in bytes, one behind the other. */
export const KEPT = v.strictObject({
  groups: KEPT_GROUPS,
  /** Hosts by tid: elsewhere another may have it. */
  hosts: v.array(v.tuple([TID, v.string()])),
  /** Those that have been spawned, or have left PVM. */
  tasks: v.array(v.strictObject({ tid: TID, parent: TID, name: v.string(), left: v.boolean() })),
  wishes: v.array(KEPT_WISH),
  /** In the order in which they came to be. */
  entries: v.pipe(v.array(KEPT_ENTRY), v.maxLength(LIMITS.mboxEntries)),
  /** Of pvm_newcontext. Files that were written before contexts were kept have none. */
  contexts: v.optional(v.pipe(v.array(CONTEXT), v.maxLength(LIMITS.contexts)), []),
  /** Who waits for an entry, by the number of the request that is to be answered. */
  readers: v.array(
    v.strictObject({
      ...{ tid: TID, serial: natural, name: v.string(), index: natural },
      flags: v.pipe(v.number(), v.safeInteger()),
    }),
  ),
});
export type Kept = v.InferOutput<typeof KEPT>;

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
  kept: KEPT,
  /** Data of the message box's entries. */
  box: v.strictObject(PART),
});
export type Manifest = v.InferOutput<typeof MANIFEST>;
export type ManifestPart = { readonly offset: number; readonly bytes: number; readonly sum: number };
