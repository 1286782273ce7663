import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { PVM_ERROR } from "../../wire/pvm.ts";
import { assertClean, EngineHeap, newGuest, newHeap } from "../heap-fixture.ts";

const { PvmNoSuchBuf, PvmNoBuf, PvmNoData } = PVM_ERROR;

/** A buffer of a ULP as PVM describes it: its content, and how far it was read. */
interface Buffer {
  content: readonly number[];
  read: number;
}
/** A ULP of the model: local id → buffer, and the default ones. */
interface Model {
  readonly buffers: Map<number, Buffer>;
  send: number;
  receive: number;
}

const ULPS = 3;
const step = fc.record({
  kind: fc.constantFrom(
    "make",
    "free",
    "setSend",
    "setReceive",
    "init",
    "pack",
    "pack",
    "pack",
    "send",
    "send",
    "unpack",
    "unpack",
    "move",
  ),
  ulp: fc.nat(ULPS - 1),
  to: fc.nat(ULPS - 1),
  lbid: fc.nat(6),
  bytes: fc.oneof(fc.nat(60), fc.nat(6000)),
  value: fc.nat(255),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The real thing and the model of it, side by side. */
class Both {
  readonly engines: EngineHeap[];
  readonly ulps: number[];
  readonly models: Model[];
  /** Engine of each ULP. */
  readonly where: number[];
  readonly guest = newGuest(16 << 10);

  constructor() {
    const heap = newHeap(8 << 20, 2);
    this.engines = [new EngineHeap(heap, 0), new EngineHeap(heap, 1)];
    this.ulps = Array.from({ length: ULPS }, (_, i) => this.engines[i % 2]!.ulp(i));
    this.where = this.ulps.map((_, i) => i % 2);
    this.models = this.ulps.map(() => ({ buffers: new Map(), send: 0, receive: 0 }));
  }

  /** The model's answer to "make this a default buffer". */
  setDefault(model: Model, which: "send" | "receive", lbid: number): number {
    if (lbid !== 0 && !model.buffers.has(lbid)) return PvmNoSuchBuf.code;
    const before = model[which];
    model[which] = lbid;
    const other = which === "send" ? "receive" : "send";
    if (lbid !== 0 && model[other] === lbid) model[other] = 0;
    return before;
  }

  do({ kind, ulp, to, lbid, bytes, value }: Step): void {
    const e = this.engines[this.where[ulp]!]!;
    const u = this.ulps[ulp]!;
    const m = this.models[ulp]!;
    if (kind === "make") {
      const made = e.btab.make(u, 0);
      assert.ok(!m.buffers.has(made));
      m.buffers.set(made, { content: [], read: 0 });
    } else if (kind === "free") {
      assert.equal(e.btab.free(u, lbid), m.buffers.delete(lbid) ? 0 : PvmNoSuchBuf.code);
      if (m.send === lbid) m.send = 0;
      if (m.receive === lbid) m.receive = 0;
    } else if (kind === "setSend") assert.equal(e.btab.btsetsbid(u, lbid), this.setDefault(m, "send", lbid));
    else if (kind === "setReceive")
      assert.equal(e.btab.btsetrbid(u, lbid), this.setDefault(m, "receive", lbid));
    else if (kind === "init") {
      const id = e.btab.initSend(u, 0);
      if (m.send === 0) assert.ok(!m.buffers.has(id));
      else assert.equal(id, m.send);
      m.send = id;
      m.buffers.set(id, { content: [], read: 0 });
    } else if (kind === "pack") this.pack(e, u, m, bytes, value);
    else if (kind === "send") this.send(e, u, m, to);
    else if (kind === "unpack") this.unpack(e, u, m, bytes);
    else this.where[ulp] = 1 - this.where[ulp]!;
  }

  pack(e: EngineHeap, u: number, m: Model, bytes: number, value: number): void {
    for (let i = 0; i < bytes; i += 1) this.guest[i] = value + i;
    const done = e.pack.pack(u, this.guest, 0, 1, bytes, 1);
    if (m.send === 0) assert.equal(done, PvmNoBuf.code);
    else {
      assert.equal(done, 0);
      const buffer = m.buffers.get(m.send)!;
      buffer.content = [...buffer.content, ...this.guest.subarray(0, bytes)];
    }
  }

  send(e: EngineHeap, u: number, m: Model, to: number): void {
    if (m.send === 0) {
      assert.equal(e.btab.sealSend(u), PvmNoBuf.code);
      return;
    }
    const message = e.send(u);
    const other = this.models[to]!;
    const lbid = this.engines[this.where[to]!]!.receive(this.ulps[to]!, message);
    // pvm_recv frees the receive buffer that there was.
    if (other.receive !== 0) other.buffers.delete(other.receive);
    assert.ok(!other.buffers.has(lbid));
    other.buffers.set(lbid, { content: m.buffers.get(m.send)!.content, read: 0 });
    other.receive = lbid;
  }

  unpack(e: EngineHeap, u: number, m: Model, bytes: number): void {
    const done = e.pack.unpack(u, this.guest, 0, 1, bytes, 1);
    if (m.receive === 0) {
      assert.equal(done, PvmNoBuf.code);
      return;
    }
    const buffer = m.buffers.get(m.receive)!;
    if (buffer.read + bytes > buffer.content.length) assert.equal(done, PvmNoData.code);
    else {
      assert.equal(done, 0);
      assert.deepEqual(
        [...this.guest.subarray(0, bytes)],
        buffer.content.slice(buffer.read, buffer.read + bytes),
      );
      buffer.read += bytes;
    }
  }

  /** What can be asked about every ULP. */
  compare(): void {
    for (const [i, m] of this.models.entries()) {
      const { btab } = this.engines[this.where[i]!]!;
      const u = this.ulps[i]!;
      assert.equal(btab.btgetsbid(u), m.send);
      assert.equal(btab.btgetrbid(u), m.receive);
      for (let lbid = 0; lbid < 12; lbid += 1) {
        const bytes = m.buffers.get(lbid)?.content.length ?? PvmNoSuchBuf.code;
        assert.equal(btab.bytes(u, lbid), bytes, `ULP ${i}, buffer ${lbid}`);
      }
    }
  }

  end(): void {
    for (const [i, u] of this.ulps.entries()) this.engines[this.where[i]!]!.end(u);
    for (const { arena } of this.engines) arena.trim();
    assertClean(this.engines[0]!.heap);
  }
}

test("buffers, default buffers and positions do what a simple model of PVM does, and leak nothing", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (list) => {
      const both = new Both();
      for (const one of list) {
        both.do(one);
        both.compare();
      }
      both.engines[0]!.heap.check();
      both.end();
    }),
    { numRuns: 150 },
  );
});

test.run();
