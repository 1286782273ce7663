/** Messages between processes, and the hub that sees when all of them wait for ever. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { serveWakes } from "../../runtime/scheduler/engine.ts";
import { endedOutside, takeOutside } from "../../runtime/scheduler/outside.ts";
import { Hub, type ToPart } from "../../upvm/isolate.ts";
import { HEAD, SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { tidOf } from "../../wire/pvm.ts";
import { actor, IDLE, leftovers, processOf } from "../one-thread.ts";

const AT = 0x100;

test("a message to a ULP of another process leaves by the edge, whole, and one from there is received as any", () => {
  const p = processOf(IDLE, { ulps: 3, elsewhere: (index) => index !== 1, outside: true });
  const e = p.engines[0]!;
  const b = actor(p, 1);
  assert.equal(p.library.w[HEAD.live], 1);
  b.call("pvm_initsend", 1);
  b.bytes.fill(3, 0x1000, 0x1000 + 5000);
  b.call("pvm_pkbyte", 0x1000, 100, 1);
  b.call("pvm_pkbyte", 0x1000, 5000, 1);
  assert.equal(b.call("pvm_send", tidOf(2), 9), 0);
  assert.equal(p.library.w[HEAD.sentOutside], 1);
  const [out] = p.out;
  assert.deepEqual([out!.to, out!.src, out!.tag, out!.data.length], [tidOf(2), tidOf(1), 9, 5100]);
  assert.ok(out!.data.every((byte) => byte === 3));

  assert.equal(b.call("pvm_recv", tidOf(0), 4), SUSPEND);
  for (const data of [new Uint8Array([7, 0, 0, 0]), new Uint8Array(9000).fill(1)])
    assert.equal(
      takeOutside(p.library, { to: tidOf(1), src: tidOf(0), tag: 4, context: 0, wid: 0, encoding: 1, data }),
      true,
    );
  serveWakes(e);
  assert.ok(b.resumed() > 0);
  b.call("pvm_upkint", AT, 1, 1);
  assert.equal(b.view.getInt32(AT, true), 7);
  assert.ok(b.call("pvm_nrecv", -1, 4) > 0);
  assert.equal(b.call("pvm_upkbyte", 0x1000, 9000, 1), 0);
  assert.equal(b.call("pvm_siblings_get", 0, 0), 3);
  assert.equal(leftovers(p), "");
});

test("to one that has ended nothing is sent, and what comes for one that is not here is dropped", () => {
  const p = processOf(IDLE, { ulps: 2, elsewhere: (index) => index === 1, outside: true });
  const a = actor(p, 0);
  endedOutside(p.library, 1);
  assert.equal(p.library.w[p.ulp(1) + ULP.state], ULP_STATE.exited);
  a.call("pvm_initsend", 1);
  assert.equal(a.call("pvm_send", tidOf(1), 1), 0);
  assert.deepEqual(p.out, []);
  assert.equal(
    takeOutside(p.library, {
      to: tidOf(77),
      src: 1,
      tag: 1,
      context: 0,
      wid: 0,
      encoding: 1,
      data: new Uint8Array(4),
    }),
    true,
  );
  assert.equal(leftovers(p), "");
});

test("a message that finds no room stays with who brought it", () => {
  const p = processOf(IDLE, {
    ulps: 2,
    elsewhere: (index) => index === 1,
    outside: true,
    heapBytes: 4 << 20,
  });
  const data = new Uint8Array(1 << 20);
  const message = { to: tidOf(0), src: tidOf(1), tag: 1, context: 0, wid: 0, encoding: 1, data };
  let taken = 0;
  while (takeOutside(p.library, message)) taken++;
  assert.ok(taken >= 1 && taken <= 3, `${taken} messages of 1 MiB in 4 MiB`);
  const a = actor(p, 0);
  assert.ok(a.call("pvm_nrecv", -1, 1) > 0);
  assert.equal(a.call("pvm_freebuf", a.call("pvm_getrbuf")), 0);
  assert.equal(takeOutside(p.library, message), true);
  assert.equal(leftovers(p), "");
});

/** A hub with parts that answer as told. */
function hubOf(parts: number): {
  hub: Hub;
  sent: [number, ToPart][];
  wave: (states: (readonly [boolean, number, number])[]) => void;
} {
  const sent: [number, ToPart][] = [];
  const hub = new Hub(parts, (part, message) => sent.push([part, message]));
  let number = 0;
  const wave = (states: (readonly [boolean, number, number])[]): void => {
    hub.tick();
    number++;
    states.forEach(([idle, sentCount, received], part) => {
      hub.take(part, { kind: "state", wave: number, idle, sent: sentCount, received });
    });
  };
  return { hub, sent, wave };
}
const stops = (sent: [number, ToPart][]): number => sent.filter(([, { kind }]) => kind === "stop").length;

test("deadlock needs two waves in a row in which all are idle and nothing is on its way", () => {
  const { sent, wave } = hubOf(2);
  wave([
    [true, 3, 2],
    [true, 1, 1],
  ]);
  wave([
    [true, 3, 2],
    [true, 1, 1],
  ]);
  assert.equal(stops(sent), 0, "a message is on its way");
  wave([
    [true, 3, 2],
    [true, 1, 2],
  ]);
  assert.equal(stops(sent), 0, "once");
  wave([
    [true, 4, 3],
    [true, 2, 3],
  ]);
  assert.equal(stops(sent), 0, "something was sent between");
  wave([
    [false, 4, 3],
    [true, 2, 3],
  ]);
  wave([
    [true, 4, 3],
    [true, 2, 3],
  ]);
  assert.equal(stops(sent), 0, "one was busy between");
  wave([
    [true, 4, 3],
    [true, 2, 3],
  ]);
  assert.equal(stops(sent), 2);
});

test("what parts that have ended sent and took counts on, and messages to them are no longer on their way", () => {
  const { hub, sent, wave } = hubOf(2);
  const message = {
    to: tidOf(1),
    src: tidOf(0),
    tag: 1,
    context: 0,
    wid: 0,
    encoding: 1,
    data: new Uint8Array(0),
  };
  hub.take(0, { kind: "out", message });
  assert.deepEqual(
    sent.map(([part, { kind }]) => [part, kind]),
    [[1, "in"]],
  );
  hub.end(1, { sent: 4, received: 1 });
  hub.take(0, { kind: "out", message });
  assert.deepEqual(
    sent.slice(1).map(([part, { kind }]) => [part, kind]),
    [[0, "exited"]],
  );
  wave([[true, 2, 4]]);
  wave([[true, 2, 4]]);
  assert.equal(stops(sent), 1);
});

test.run();
