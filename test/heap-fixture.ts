/**
 * A process heap for tests: engines, ULP descriptors and messages, without scheduler or wasm.
 *
 * Owns: the shortest way to a heap with something in it. Each call makes new memory, so tests share nothing.
 */
import assert from "node:assert/strict";
import { Arena } from "../runtime/heap/arena.ts";
import { Btab } from "../runtime/heap/btab.ts";
import { Gbdesc } from "../runtime/heap/gbdesc.ts";
import { Pack } from "../runtime/heap/pack.ts";
import { SharedHeap } from "../runtime/heap/shared-heap.ts";
import { BLOCK_KIND, MSG, ULP } from "../wire/layout.ts";
import { tidOf } from "../wire/pvm.ts";

/** What one engine has of the heap. */
export class EngineHeap {
  readonly heap: SharedHeap;
  readonly arena: Arena;
  readonly gb: Gbdesc;
  readonly btab: Btab;
  readonly pack: Pack;

  constructor(heap: SharedHeap, engine: number) {
    this.heap = heap;
    this.arena = new Arena(heap, engine);
    this.gb = new Gbdesc(this.arena);
    this.btab = new Btab(this.gb);
    this.pack = new Pack(this.btab);
  }

  /** New ULP: the word index of its descriptor. */
  ulp(index: number): number {
    const at = this.arena.hmalloc(ULP.words * 4, BLOCK_KIND.ulp);
    assert.notEqual(at, 0, "no room for a ULP");
    const u = at >> 2;
    this.heap.i32.fill(0, u, u + ULP.words);
    this.heap.i32[u + ULP.index] = index;
    this.heap.i32[u + ULP.tid] = tidOf(index);
    this.btab.init(u);
    return u;
  }

  /** Ends a ULP. */
  end(u: number): void {
    this.btab.dispose(u);
    this.arena.hfree(u << 2);
  }

  /** The default send buffer as a message with a reference of its own: its descriptor's address. */
  send(u: number, tag = 7): number {
    const { i32 } = this.heap;
    const bytes = this.btab.sealSend(u);
    assert.ok(bytes >= 0, `no default send buffer: ${bytes}`);
    const gbid = this.btab.btgetsgbid(u);
    this.gb.gincref(gbid);
    const at = this.arena.hmalloc(MSG.words * 4, BLOCK_KIND.message);
    i32[(at >> 2) + MSG.src] = i32[u + ULP.tid]!;
    i32[(at >> 2) + MSG.tag] = tag;
    i32[(at >> 2) + MSG.gbid] = gbid;
    i32[(at >> 2) + MSG.bytes] = bytes;
    return at;
  }

  /** Receives it, and frees the descriptor: its local id. */
  receive(u: number, message: number): number {
    const lbid = this.btab.receive(u, message);
    assert.ok(lbid > 0, `receive: ${lbid}`);
    this.arena.hfree(message);
    return lbid;
  }

  /** Sends from one ULP, receives in another. */
  pass(from: number, to: number, tag = 7): number {
    return this.receive(to, this.send(from, tag));
  }
}

export function newHeap(bytes = 8 << 20, engines = 1): SharedHeap {
  return SharedHeap.format({ buffer: new SharedArrayBuffer(bytes) }, engines);
}

export function newEngine(bytes?: number): EngineHeap {
  return new EngineHeap(newHeap(bytes), 0);
}

/** Guest memory. */
export function newGuest(bytes = 64 << 10): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}

/** Nothing is left but descriptors, and all is as it must be. */
export function assertClean(heap: SharedHeap): void {
  assert.equal(heap.leaks(), "");
  assert.equal(heap.buffers(), 0);
  heap.check();
}
