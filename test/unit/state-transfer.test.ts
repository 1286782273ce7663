/** The state of a ULP as it comes over a link: where it is read to. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { ComingState } from "../../upvm/state-transfer.ts";
import { PAGE_BYTES } from "../../wire/image.ts";
import { LIMITS } from "../../wire/limits.ts";
import {
  admit,
  begun,
  blocks,
  destination,
  frozen,
  imaged,
  joined,
  ownActor,
  pair,
  say,
} from "../two-processes.ts";

test("pages are read to their place in the new memory, and what belongs into the process heap is not", async () => {
  const [p, q] = pair();
  const a = ownActor(p, 0);
  // Longer than any read that is worth while: it is not read to the heap all the same.
  const text = "m".repeat(4 * LIMITS.stateReadBytes);
  a.call("pvm_initsend", 1);
  for (const [at, letter] of [...text].entries()) a.bytes[1024 + at] = letter.charCodeAt(0);
  a.call("pvm_pkbyte", 1024, text.length, 1);
  a.call("pvm_send", a.tid, 4);
  say(a, a.tid, 1, 1);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4, shared: true });
  const words = new Int32Array(memory.buffer);
  for (let at = 0; at < (5 * PAGE_BYTES) / 16; at++) words[at] = at + 1;
  begun(p, 0);
  const ulp = await frozen(p, 0);
  (ulp.parcel as { memory?: WebAssembly.Memory }).memory = memory;
  const bytes = joined(imaged(p, ulp));
  const failed: string[] = [];
  const coming = new ComingState(1, destination(q), ({ detail }) => failed.push(detail));
  const sink = coming.sink();
  const heap = q.library.heap.u8.buffer;
  let inPlace = 0;
  for (let from = 0; from < bytes.length; ) {
    const most = Math.min(10_000, bytes.length - from);
    const place = sink.room!(most);
    const count = place === undefined ? Math.min(most, 1000) : place.length;
    const some = bytes.subarray(from, from + count);
    if (place === undefined) sink.add(some);
    else {
      assert.ok(place.buffer !== heap, "bytes of the process heap are offered to a socket");
      place.set(some);
      inPlace += count;
      sink.add(place);
    }
    from += count;
  }
  assert.ok(coming.end(), failed.join());
  assert.ok(inPlace > PAGE_BYTES, `${inPlace} bytes were read to their place`);
  const there = new Int32Array(coming.incoming!.parcel.memory!.buffer);
  assert.deepEqual(there.slice(0, words.length), words);
  admit(q, coming.incoming!);
  p.freezer.release(ulp);
});

test("a state that is not wanted any more has no place for what comes yet", async () => {
  const [p, q] = pair();
  ownActor(p, 0).call("pvm_mytid");
  begun(p, 0);
  const ulp = await frozen(p, 0);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
  new Uint8Array(memory.buffer).fill(1);
  (ulp.parcel as { memory?: WebAssembly.Memory }).memory = memory;
  const bytes = joined(imaged(p, ulp));
  const clean = blocks(q);
  const coming = new ComingState(1, destination(q), ({ detail }) => assert.fail(detail));
  const sink = coming.sink();
  sink.add(bytes.subarray(0, bytes.length - PAGE_BYTES / 2));
  assert.ok(sink.room!(PAGE_BYTES) !== undefined);
  coming.drop();
  assert.equal(sink.room!(PAGE_BYTES), undefined);
  sink.add(bytes.subarray(bytes.length - PAGE_BYTES / 2));
  assert.deepEqual(blocks(q), clean);
});

test.run();
