/**
 * Looks at a heap: every block of every region, what is in use, and whether all is as it must be.
 *
 * Owns: the walk and its invariants. Writes nothing. May look at a heap that another thread works on
 * (--dump): what it then sees may be out of date, and the walk of a region ends where the blocks make no
 * sense.
 */
import type { BlockKind } from "../../wire/layout.ts";
import { BLOCK_KIND } from "../../wire/layout.ts";
import { bug } from "./bug.ts";
import type { Words } from "./heap-format.ts";
import {
  BIN_SHIFT,
  BINS_EACH,
  binOf,
  FREE,
  HEADER_BYTES,
  MIN_BLOCK,
  PREV_FREE,
  QUICK_MAX,
  REGION,
  SIZE_MASK,
  STATE,
} from "./heap-format.ts";

/** A block in use. */
export interface LiveBlock {
  /** Byte address of its first usable byte. */
  readonly at: number;
  /** Usable bytes. */
  readonly bytes: number;
  readonly kind: BlockKind;
  /** Heap that it is of: an engine's, or the pool (SharedHeap). */
  readonly owner: number;
}

/** Kind's code → its name, for people. */
const KIND_NAME: ReadonlyMap<number, string> = new Map(
  Object.entries(BLOCK_KIND).map(([name, code]) => [code, name]),
);

/** Word index of the header behind block `b` in the same region; 0 at its end or where no block can be. */
function nextBlock(i32: Words, b: number, end: number): number {
  const size = i32[b]! & SIZE_MASK;
  const next = b + (size >> 2);
  return size >= MIN_BLOCK && next < end ? next : 0;
}

/** Word index of a region's last header. */
function regionEnd(i32: Words, region: number): number {
  return (region >> 2) + (i32[(region >> 2) + REGION.bytes]! >> 2) - 2;
}

/** Blocks in use of one region, in order of address. */
export function* liveOf(i32: Words, region: number): Generator<LiveBlock> {
  const end = regionEnd(i32, region);
  for (let b = (region >> 2) + REGION.firstBlock; b !== 0; b = nextBlock(i32, b, end)) {
    const tag = i32[b + 1]!;
    if ((tag & 0xff) === BLOCK_KIND.free) continue;
    yield {
      at: (b << 2) + HEADER_BYTES,
      bytes: (i32[b]! & SIZE_MASK) - HEADER_BYTES,
      kind: (tag & 0xff) as BlockKind,
      owner: tag >>> 8,
    };
  }
}

/** Blocks in use of all regions of a heap. */
export function* liveBlocks(i32: Words, state: number): Generator<LiveBlock> {
  for (let r = i32[state + STATE.regions]!; r !== 0; r = i32[(r >> 2) + REGION.next]!) yield* liveOf(i32, r);
}

export function lowest(i32: Words, state: number): number {
  let min = 0;
  for (const { at } of liveBlocks(i32, state)) if (min === 0 || at < min) min = at;
  return min;
}

export function highest(i32: Words, state: number): number {
  let max = 0;
  for (const { at, bytes } of liveBlocks(i32, state)) if (at + bytes > max) max = at + bytes;
  return max;
}

/** A line for each kind of block: how many, and usable bytes. */
export function linesByKind(blocks: Iterable<LiveBlock>): string[] {
  const sums = new Map<number, { count: number; bytes: number }>();
  for (const { kind, bytes } of blocks) {
    const sum = sums.get(kind) ?? { count: 0, bytes: 0 };
    sum.count += 1;
    sum.bytes += bytes;
    sums.set(kind, sum);
  }
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([kind, { count, bytes }]) => `${KIND_NAME.get(kind) ?? kind}: ${count} blocks, ${bytes} bytes`);
}

/** Text of hdisplay. */
export function displayHeap(i32: Words, state: number, level: 0 | 1 | 2): string {
  const total = i32[state + STATE.totalBytes]!;
  const quick = i32[state + STATE.quickBytes]!;
  const free = i32[state + STATE.binBytes]! + quick;
  const lines = [`${total} bytes: ${total - free} in use, ${free} free (${quick} of them kept by size)`];
  if (level >= 1) lines.push(...linesByKind(liveBlocks(i32, state)).map((line) => `  ${line}`));
  if (level >= 2) {
    for (let r = i32[state + STATE.regions]!; r !== 0; r = i32[(r >> 2) + REGION.next]!) {
      lines.push(`  region ${r}, ${i32[(r >> 2) + REGION.bytes]} bytes`);
      lines.push(...mapOf(i32, r));
    }
  }
  return lines.join("\n");
}

/** A line for each block of a region. */
function mapOf(i32: Words, region: number): string[] {
  const lines: string[] = [];
  const end = regionEnd(i32, region);
  for (let b = (region >> 2) + REGION.firstBlock; b !== 0; b = nextBlock(i32, b, end)) {
    const kind = i32[b + 1]! & 0xff;
    const at = (b << 2) + HEADER_BYTES;
    lines.push(`    ${at} ${(i32[b]! & SIZE_MASK) - HEADER_BYTES} ${KIND_NAME.get(kind) ?? kind}`);
  }
  return lines;
}

/**
 * What heap.ts says is always true.
 *
 * @param onTheirWay word indices of blocks that were freed and are in none of the lists yet (arena.ts)
 */
export function checkHeap(i32: Words, state: number, owner: number, onTheirWay: ReadonlySet<number>): void {
  const filed = checkBins(i32, state);
  const kept = checkQuick(i32, state);
  for (const b of onTheirWay) {
    if (kept.has(b)) bug(`block ${b} is in a quick list and on its way`);
    kept.add(b);
  }
  let total = 0;
  let previous = 0;
  for (let r = i32[state + STATE.regions]!; r !== 0; r = i32[(r >> 2) + REGION.next]!) {
    if (i32[(r >> 2) + REGION.previous] !== previous) bug(`region ${r} does not link back to ${previous}`);
    if (i32[(r >> 2) + REGION.owner] !== owner) bug(`region ${r} is not of heap ${owner}`);
    total += checkRegion(i32, r, owner, filed, kept);
    previous = r;
  }
  if (total !== i32[state + STATE.totalBytes])
    bug(`regions have ${total} bytes, not ${i32[state + STATE.totalBytes]}`);
  if (filed.size !== 0) bug(`block ${[...filed][0]} is in a bin and in no region`);
  if (kept.size !== 0) bug(`block ${[...kept][0]} was freed and is in no region`);
}

/** Blocks of one region; takes what it finds out of `filed` and `kept`. Returns the bytes of all blocks. */
function checkRegion(
  i32: Words,
  region: number,
  owner: number,
  filed: Set<number>,
  kept: Set<number>,
): number {
  const end = regionEnd(i32, region);
  let before = 0;
  let b = (region >> 2) + REGION.firstBlock;
  while (b < end) {
    const size = i32[b]! & SIZE_MASK;
    const free = (i32[b]! & FREE) !== 0;
    const tag = i32[b + 1]!;
    if (size < MIN_BLOCK) bug(`block ${b} has ${size} bytes`);
    checkBefore(i32, b, before);
    if (free) {
      if (before !== 0 && (i32[before]! & FREE) !== 0) bug(`free blocks ${before} and ${b} are not joined`);
      if (tag !== 0) bug(`free block ${b} has tag ${tag}`);
      if (!filed.delete(b)) bug(`free block ${b} is in no bin`);
    } else if ((tag & 0xff) !== BLOCK_KIND.free) {
      if (tag >>> 8 !== owner) bug(`block ${b} of heap ${owner} says it is of ${tag >>> 8}`);
      if (kept.has(b)) bug(`block ${b} is in use and in a quick list`);
    } else if (!kept.delete(b)) bug(`block ${b} is neither in use nor free`);
    before = b;
    b += size >> 2;
  }
  if (b !== end || (i32[end]! & SIZE_MASK) !== 0) bug(`blocks of region ${region} end at ${b}, not ${end}`);
  checkBefore(i32, end, before);
  return (end - (region >> 2) - REGION.firstBlock) << 2;
}

/** A header's PREV_FREE and the word before it say what the block before is. */
function checkBefore(i32: Words, b: number, before: number): void {
  const said = (i32[b]! & PREV_FREE) !== 0;
  const free = before !== 0 && (i32[before]! & FREE) !== 0;
  if (said !== free) bug(`block ${b} says the one before is ${said ? "free" : "in use"}`);
  if (free && i32[b - 1] !== (i32[before]! & SIZE_MASK)) bug(`size before block ${b} is ${i32[b - 1]}`);
}

/** Blocks in bins. */
function checkBins(i32: Words, state: number): Set<number> {
  const filed = new Set<number>();
  let bytes = 0;
  for (let bin = 0; bin < STATE.quickHead - STATE.binHead; bin += 1) {
    const power = Math.floor(bin / BINS_EACH);
    const head = i32[state + STATE.binHead + bin]!;
    const bit = (i32[state + STATE.bins + power]! >> (bin % BINS_EACH)) & 1;
    if (bit !== (head === 0 ? 0 : 1)) bug(`bit of bin ${bin} is ${bit}, its head ${head}`);
    let previous = 0;
    for (let b = head; b !== 0; b = i32[b + 2]!) {
      const size = i32[b]! & SIZE_MASK;
      if (filed.has(b)) bug(`block ${b} is twice in bins`);
      if (binOf(size) !== bin)
        bug(`block ${b} of ${size} bytes is in bin ${bin} (from ${1 << (power + BIN_SHIFT)})`);
      if (i32[b + 3] !== previous) bug(`block ${b} does not link back to ${previous}`);
      filed.add(b);
      bytes += size;
      previous = b;
    }
  }
  for (let power = 0; power < (STATE.quickHead - STATE.binHead) / BINS_EACH; power += 1) {
    const bit = (i32[state + STATE.powers]! >> power) & 1;
    if (bit !== (i32[state + STATE.bins + power] === 0 ? 0 : 1)) bug(`bit of power ${power} is ${bit}`);
  }
  if (bytes !== i32[state + STATE.binBytes])
    bug(`bins have ${bytes} bytes, not ${i32[state + STATE.binBytes]}`);
  return filed;
}

/** Blocks in quick lists. */
function checkQuick(i32: Words, state: number): Set<number> {
  const kept = new Set<number>();
  let bytes = 0;
  for (let size = 0; size <= QUICK_MAX; size += 16) {
    for (let b = i32[state + STATE.quickHead + (size >> 4)]!; b !== 0; b = i32[b + 2]!) {
      if ((i32[b]! & ~PREV_FREE) !== size) bug(`block ${b} of ${i32[b]} is in the quick list of ${size}`);
      if (i32[b + 1] !== 0) bug(`quick block ${b} has tag ${i32[b + 1]}`);
      if (kept.has(b)) bug(`block ${b} is twice in quick lists`);
      kept.add(b);
      bytes += size;
    }
  }
  if (bytes !== i32[state + STATE.quickBytes])
    bug(`quick lists have ${bytes} bytes, not ${i32[state + STATE.quickBytes]}`);
  return kept;
}
