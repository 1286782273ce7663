/**
 * What the heap's operations cost, in nanoseconds: `node bench/heap.ts`.
 *
 * Owns: the figures behind the choices of runtime/heap/. One engine, no other thread, everything in the
 * cache. Each sample does many operations, so that the clock costs nothing. On a busy machine look at the
 * least.
 */
import { Bench } from "tinybench";
import { Arena } from "../runtime/heap/arena.ts";
import { Btab } from "../runtime/heap/btab.ts";
import { Gbdesc } from "../runtime/heap/gbdesc.ts";
import { Pack } from "../runtime/heap/pack.ts";
import { SharedHeap } from "../runtime/heap/shared-heap.ts";
import { BLOCK_KIND, MSG, ULP } from "../wire/layout.ts";

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
const blocks: number[] = new Array(1000).fill(0);

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

/** Name → loop of so many operations. A loop for each, so that each is compiled for itself. */
const CASES: readonly (readonly [name: string, operations: number, loop: (count: number) => void])[] = [
  [
    "hmalloc(248) + hfree",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) arena.hfree(arena.hmalloc(248, BLOCK_KIND.plain));
    },
  ],
  [
    "hmalloc(4112) + hfree",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) arena.hfree(arena.hmalloc(4112, BLOCK_KIND.plain));
    },
  ],
  [
    "hmalloc(20,000) + hfree",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) arena.hfree(arena.hmalloc(20_000, BLOCK_KIND.plain));
    },
  ],
  [
    "hmalloc(1 MB) + hfree, from the pool",
    100,
    (n) => {
      for (let i = 0; i < n; i += 1) arena.hfree(arena.hmalloc(1 << 20, BLOCK_KIND.plain));
    },
  ],
  [
    "hmalloc(248) + hfree by another engine",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) other.hfree(arena.hmalloc(248, BLOCK_KIND.plain));
    },
  ],
  [
    "hmalloc(248), 1000 of them, then hfree",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) blocks[i] = arena.hmalloc(248, BLOCK_KIND.plain);
      for (let i = 0; i < n; i += 1) arena.hfree(blocks[i]!);
    },
  ],
  [
    "gnew + ginitref + gdecref",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) {
        const gbid = gb.gnew(0);
        gb.ginitref(gbid);
        gb.gdecref(gbid);
      }
    },
  ],
  [
    "gincref + gdecref, 1 to 2 and back",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) {
        gb.gincref(shared);
        gb.gdecref(shared);
      }
    },
  ],
  [
    "btbidNew + btsetgbid + btbidFree",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) {
        const lbid = btab.btbidNew(sender);
        btab.btsetgbid(sender, lbid, shared);
        btab.btbidFree(sender, lbid);
      }
    },
  ],
  [
    "message of 4 bytes",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) message(4);
    },
  ],
  [
    "message of 1 kB",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) message(1000);
    },
  ],
  [
    "message of 100 kB",
    10,
    (n) => {
      for (let i = 0; i < n; i += 1) message(100_000);
    },
  ],
  [
    "message of 1 MB",
    1,
    (n) => {
      for (let i = 0; i < n; i += 1) message(1_000_000);
    },
  ],
  [
    "copy of 1 MB, TypedArray.set",
    1,
    (n) => {
      for (let i = 0; i < n; i += 1) heap.u8.set(guest.subarray(0, 1_000_000), 32 << 20);
    },
  ],
  [
    "Atomics.add",
    1000,
    (n) => {
      for (let i = 0; i < n; i += 1) Atomics.add(i32, 15 << 20, 1);
    },
  ],
];

const bench = new Bench({ time: 300, warmupTime: 150 });
for (const [name, operations, loop] of CASES) bench.add(name, () => loop(operations));
await bench.run();
console.log("  median     least  of one operation, nanoseconds");
for (const [i, { name, result }] of bench.tasks.entries()) {
  if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
  const figure = (ms: number) => ((ms * 1e6) / CASES[i]![1]).toFixed(1).padStart(9);
  console.log(`${figure(result.latency.p50)} ${figure(result.latency.min)}  ${name}`);
}
