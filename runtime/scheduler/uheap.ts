/**
 * Per-ULP heap (Table I: umalloc, urealloc, ufree): blocks of the process heap that belong to one ULP.
 *
 * A guest's own malloc works inside its linear memory; what the runtime keeps for a ULP in the process heap
 * (its unwind frames, its saved globals) comes from here, so that ending the ULP gives all of it back.
 * Owns: the list ULP.blocksAt. Used by the engine that has the ULP.
 *
 *     block: next | previous | kind | 0 | the caller's bytes …        (16 bytes of links, then a multiple of
 *     16)
 */
import { type BlockKind, ULP } from "../../wire/layout.ts";
import type { Arena } from "../heap/arena.ts";
import { HEADER_BYTES, SIZE_MASK } from "../heap/heap-format.ts";
import type { UlpAt } from "./state.ts";

const LINK_BYTES = 16;
const NEXT = 0;
const PREV = 1;
const KIND = 2;

/** What these functions need of an engine, or of the process's own thread. */
export interface Owner {
  readonly w: Int32Array;
  readonly arena: Arena;
}

/** @returns byte address, multiple of 16; 0: the heap is full */
export function umalloc(o: Owner, ulp: UlpAt, bytes: number, kind: BlockKind): number {
  const at = o.arena.hmalloc(bytes + LINK_BYTES, kind);
  if (at === 0) return 0;
  o.w[(at >> 2) + KIND] = kind;
  link(o.w, ulp, at);
  return at + LINK_BYTES;
}

/** As realloc: contents stay, the address may change. 0: the heap is full, and the old block stays. */
export function urealloc(o: Owner, ulp: UlpAt, address: number, bytes: number): number {
  const kind = o.w[((address - LINK_BYTES) >> 2) + KIND] as BlockKind;
  unlink(o.w, ulp, address - LINK_BYTES);
  const at = o.arena.hrealloc(address - LINK_BYTES, bytes + LINK_BYTES, kind);
  link(o.w, ulp, at === 0 ? address - LINK_BYTES : at);
  return at === 0 ? 0 : at + LINK_BYTES;
}

/** Frees a block of this ULP; 0 is no block and is ignored. */
export function ufree(o: Owner, ulp: UlpAt, address: number): void {
  if (address === 0) return;
  unlink(o.w, ulp, address - LINK_BYTES);
  o.arena.hfree(address - LINK_BYTES);
}

/** How many there are, and their bytes, with what the heap and this list need for each. */
export function ownBlocks(w: Int32Array, ulp: UlpAt): readonly [blocks: number, bytes: number] {
  let [blocks, bytes] = [0, 0];
  for (let at = w[ulp + ULP.blocksAt]!; at !== 0; at = w[(at >> 2) + NEXT]!) {
    blocks += 1;
    bytes += w[(at - HEADER_BYTES) >> 2]! & SIZE_MASK;
  }
  return [blocks, bytes];
}

/** Frees all of them: the ULP has ended. */
export function ufreeAll(o: Owner, ulp: UlpAt): void {
  for (let at = o.w[ulp + ULP.blocksAt]!; at !== 0; ) {
    const next = o.w[(at >> 2) + NEXT]!;
    o.arena.hfree(at);
    at = next;
  }
  o.w[ulp + ULP.blocksAt] = 0;
}

function link(w: Int32Array, ulp: UlpAt, at: number): void {
  const next = w[ulp + ULP.blocksAt]!;
  w[(at >> 2) + NEXT] = next;
  w[(at >> 2) + PREV] = 0;
  if (next !== 0) w[(next >> 2) + PREV] = at;
  w[ulp + ULP.blocksAt] = at;
}

function unlink(w: Int32Array, ulp: UlpAt, at: number): void {
  const next = w[(at >> 2) + NEXT]!;
  const prev = w[(at >> 2) + PREV]!;
  if (prev === 0) w[ulp + ULP.blocksAt] = next;
  else w[(prev >> 2) + NEXT] = next;
  if (next !== 0) w[(next >> 2) + PREV] = prev;
}
