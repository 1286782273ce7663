/**
 * What the heap's operations cost, in nanoseconds: `node bench/heap.ts`.
 *
 * Owns: the figures behind the choices of runtime/heap/. One engine, no other thread, everything in the cache.
 * Each sample does 1000 operations, so that the clock costs nothing; the figure is the median of the samples.
 */
import { Bench } from "tinybench";
import { Arena } from "../runtime/heap/arena.ts";
import { Btab } from "../runtime/heap/btab.ts";
import { Gbdesc } from "../runtime/heap/gbdesc.ts";
import { Pack } from "../runtime/heap/pack.ts";
import { SharedHeap } from "../runtime/heap/shared-heap.ts";
import { BLOCK_KIND, MSG, ULP } from "../wire/layout.ts";

const OPERATIONS = 1000;
const heap = SharedHeap.format({ buffer: new SharedArrayBuffer(64 << 20) }, 2);
const arena = new Arena(heap, 0);
const other = new Arena(heap, 1);
const gb = new Gbdesc(arena);
const btab = new Btab(gb);
const pack = new Pack(btab);
const { i32 } = heap;
const guest = new Uint8Array(new SharedArrayBuffer(4 << 20));

function newUlp(): number {
  const u = arena.hmalloc(ULP.words * 4, BLOCK_KIND.ulp) >> 2;
  btab.init(u);
  return u;
}
const sender = newUlp();
const receiver = newUlp();
const shared = gb.gnew(0);
gb.ginitref(shared);
const freed: number[] = new Array(OPERATIONS).fill(0);

/** A message of `bytes` bytes from initsend to the last unpack, without a switch of context. */
function message(bytes: number): void {
  btab.initSend(sender, 0);
  pack.pack(sender, guest, 0, 1, bytes, 1);
  const length = btab.sealSend(sender);
  const gbid = btab.btgetsgbid(sender);
  gb.gincref(gbid);
  const at = arena.hmalloc(MSG.words * 4, BLOCK_KIND.message);
  const m = at >> 2;
  i32[m + MSG.src] = 1;
  i32[m + MSG.tag] = 2;
  i32[m + MSG.gbid] = gbid;
  i32[m + MSG.bytes] = length;
  btab.receive(receiver, at);
  arena.hfree(at);
  pack.unpack(receiver, guest, 2 << 20, 1, bytes, 1);
}

const CASES: Record<string, () => void> = {
  "hmalloc(248) + hfree": () => arena.hfree(arena.hmalloc(248, BLOCK_KIND.plain)),
  "hmalloc(4112) + hfree": () => arena.hfree(arena.hmalloc(4112, BLOCK_KIND.plain)),
  "hmalloc(1 MB) + hfree": () => arena.hfree(arena.hmalloc(1 << 20, BLOCK_KIND.plain)),
  "hmalloc(248) + hfree by another engine": () => other.hfree(arena.hmalloc(248, BLOCK_KIND.plain)),
  "gnew + ginitref + gdecref": () => {
    const gbid = gb.gnew(0);
    gb.ginitref(gbid);
    gb.gdecref(gbid);
  },
  "gincref + gdecref": () => {
    gb.gincref(shared);
    gb.gdecref(shared);
  },
  "btbidNew + btsetgbid + btbidFree": () => {
    const lbid = btab.btbidNew(sender);
    btab.btsetgbid(sender, lbid, shared);
    btab.btbidFree(sender, lbid);
  },
  "message of 4 bytes": () => message(4),
  "message of 1 kB": () => message(1000),
  "message of 100 kB": () => message(100_000),
  "message of 1 MB": () => message(1_000_000),
};

const bench = new Bench({ time: 300, warmupTime: 100 });
for (const [name, once] of Object.entries(CASES)) {
  const operations = name.endsWith("MB") || name.endsWith("kB") ? 10 : OPERATIONS;
  bench.add(name, () => {
    for (let i = 0; i < operations; i += 1) once();
  });
}
bench.add("1000 hmalloc(248), then 1000 hfree", () => {
  for (let i = 0; i < OPERATIONS; i += 1) freed[i] = arena.hmalloc(248, BLOCK_KIND.plain);
  for (let i = 0; i < OPERATIONS; i += 1) arena.hfree(freed[i]!);
});
bench.add("copy of 1 MB (TypedArray.set)", () => {
  for (let i = 0; i < 10; i += 1) heap.u8.set(guest.subarray(0, 1_000_000), 32 << 20);
});
await bench.run();
for (const { name, result } of bench.tasks) {
  if (result.state !== "completed") continue;
  const operations = /MB|kB/.test(name) && !name.startsWith("hmalloc") ? 10 : OPERATIONS;
  const divisor = name.startsWith("hmalloc(1 MB)") ? OPERATIONS : operations;
  console.log(`${((result.latency.p50 * 1e6) / divisor).toFixed(1).padStart(10)} ns  ${name}`);
}
