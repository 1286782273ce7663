/**
 * Figure 6 of the paper: ULPs 0, 2 and 5, buffers P1 to P3, rebuilt with the calls that lead to it, and
 * dumped.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { dumpOf, dumpText } from "../../runtime/scheduler/dump.ts";
import { uterminate } from "../../runtime/scheduler/end.ts";
import { SUSPEND } from "../../wire/layout.ts";
import { actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";

/** ULP 0 and 2 share P1, ULP 5 has P2 and P3, P3 is on its way to ULP 0; ULP 2 waits. */
function figure6(): Process {
  const p = processOf(IDLE, { ulps: 6 });
  for (const index of [1, 3, 4]) uterminate(p.engines[0]!, p.ulp(index), 0);
  const [u0, u2, u5] = [actor(p, 0), actor(p, 2), actor(p, 5)];
  assert.equal(u0.call("pvm_initsend", 1), 1);
  u0.call("pvm_pkint", 0, 3, 1);
  u0.call("pvm_send", u2.tid, 11);
  assert.equal(u2.call("pvm_recv", u0.tid, 11), 1);
  assert.equal(u5.call("pvm_mkbuf", 1), 1);
  assert.equal(u5.call("pvm_initsend", 1), 2);
  u5.call("pvm_pkdouble", 0, 100, 1);
  u5.call("pvm_send", u0.tid, 12);
  u2.call("pvm_setrbuf", 0);
  assert.equal(u2.call("pvm_recv", u5.tid, 13), SUSPEND);
  return p;
}

test("the dump shows ULPs with their buffer tables and message queues, buffers with counts, and the queues", () => {
  const p = figure6();
  const dump = dumpOf(p.library);
  assert.deepEqual(
    dump.buffers.map(({ name, rc }) => `${name} Rc ${rc}`),
    ["P1 Rc 2", "P2 Rc 1", "P3 Rc 2"],
  );
  const ulp = (index: number) => dump.ulps.find((u) => u.index === index)!;
  const rows = (index: number) =>
    ulp(index).btab.map((r) => `${r.lbid}->${r.buffer}${r.default && ` ${r.default}`}`);
  assert.deepEqual([0, 2, 5].map(rows), [["1->P1 send"], ["1->P1"], ["1->P2", "2->P3 send"]]);
  assert.deepEqual(ulp(0).messages, [{ source: 0x40006, tag: 12, buffer: "P3", bytes: 800 }]);
  assert.equal(ulp(2).doing, "waits in pvm_recv for tag 13 from t40006");
  assert.equal(ulp(1).state, "exited");
  assert.deepEqual(dump.engines[0]!.waitQueue, [2]);
  assert.deepEqual(dump.engines[0]!.runQueue, [0, 5]);
  assert.equal(ulp(2).descriptor["waitTag"], 13);
  assert.equal(leftovers(p), "");
});

test("as text it has the shape of the figure", () => {
  const p = figure6();
  const lines = dumpText(dumpOf(p.library)).split("\n");
  const from = lines.findIndex((line) => line.startsWith("  engine 0"));
  assert.deepEqual(
    lines.slice(from, lines.indexOf("  heap")).filter((line) => !/ULP [134]/.test(line)),
    [
      "  engine 0: lcurulp none, lrunq [0 5], lwtq [2]",
      "  ULP 0 (t40001): runnable, is runnable, engine 0",
      "    ubtab: 1->P1 (send)",
      "    umsgq: (t40006, P3, tag 12, 800 bytes)",
      "    ubtab: empty",
      "    umsgq: empty",
      "  ULP 2 (t40003): blocked, waits in pvm_recv for tag 13 from t40006, engine 0",
      "    ubtab: 1->P1",
      "    umsgq: empty",
      "    ubtab: empty",
      "    umsgq: empty",
      "    ubtab: empty",
      "    umsgq: empty",
      "  ULP 5 (t40006): runnable, is runnable, engine 0",
      "    ubtab: 1->P2, 2->P3 (send)",
      "    umsgq: empty",
      "  Gbdesc",
      "    P1: Rc 2, segments 1",
      "    P2: Rc 1, segments 1",
      "    P3: Rc 2, segments 2",
    ],
  );
  assert.equal(leftovers(p), "");
});

test.run();
