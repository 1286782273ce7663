/**
 * What trace events tell, with random parameters, results and memory: nothing that is not the program's own.
 *
 * The memory of the program has one letter everywhere. What an event tells is then such letters, a parameter, a result,
 * or one of few numbers that are known: anything else was read where the program may not read.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "uvu";
import { traceValues } from "../../runtime/pvm/trace-values.ts";
import { INTERRUPT, SUSPEND } from "../../wire/layout.ts";
import { TRACE_EVENTS } from "../../wire/trace.ts";
import { type Actor, actor, IDLE, leftovers, processOf } from "../one-thread.ts";
import type { Told } from "../trace-reader.ts";
import { begin, TAG, traced } from "../traced.ts";

const PAGE = 65_536;
/** "aaaa", as an int, also where it is read from an odd address. */
const WORD = 0x61616161;

/** Numbers that a program may give: few, small, addresses at the ends of its memory, and any. */
const NUMBER = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.integer({ min: 0, max: 40_000 }),
  fc.constantFrom(PAGE - 8, PAGE - 4, PAGE - 1, PAGE, 0x7fffffff, -0x80000000, -8, -4),
  fc.constantFrom(SUSPEND, INTERRUPT.handle, INTERRUPT.match),
  fc.integer(),
);

function fill(task: Actor): void {
  for (let at = 0; at < task.bytes.length; at += 4) task.view.setInt32(at, WORD, true);
}

/** Whether a value is the program's own: of its memory, or one of these. */
function isOwn(value: Told | Uint8Array | readonly Uint8Array[], known: readonly number[]): boolean {
  if (typeof value === "number") return value === WORD || known.includes(value);
  if (typeof value === "string") return /^a*$/.test(value);
  if (value instanceof Uint8Array) return isOwn(new TextDecoder().decode(value), known);
  return value.every((one) => isOwn(one, known));
}

test("whatever the parameters and the result of a call are, its events tell nothing of other memory", () => {
  const p = processOf(IDLE, { ulps: 1 });
  const task = actor(p, 0);
  fill(task);
  // There is a send buffer, and one message has come: a result may be the bufid of either.
  task.call("pvm_initsend", 0);
  task.call("pvm_send", task.tid, TAG);
  const bufid = task.call("pvm_recv", -1, TAG);
  const [e] = p.engines;
  const args = fc.array(NUMBER, { minLength: 10, maxLength: 10 });
  const property = fc.property(args, fc.oneof(fc.constant(bufid), NUMBER), (numbers, result) => {
    const known = [...numbers, result, -1, 0, task.tid, TAG];
    for (const event of TRACE_EVENTS)
      for (const fields of [event.entry, event.exit])
        for (const { datum, value } of traceValues(fields, { e: e!, args: numbers, result }))
          assert.ok(isOwn(value, known), `${event.name} ${datum} ${value}`);
  });
  fc.assert(property, { numRuns: 200 });
  assert.equal(leftovers(p), "");
});

test("whatever a program says of routines of its library, nothing of other memory is told, and nothing stays", () => {
  const { p, task, told } = traced();
  begin(task);
  told();
  fill(task);
  const event = fc.oneof(fc.constantFrom(...TRACE_EVENTS.map(({ id }) => id)), NUMBER);
  const call = fc.record({ begins: fc.boolean(), event, a: NUMBER, b: NUMBER, c: NUMBER });
  const property = fc.property(fc.array(call, { minLength: 1, maxLength: 40 }), (calls) => {
    const known = [-1, 0, task.tid];
    for (const { begins, event: id, a, b, c } of calls) {
      known.push(a, b, c);
      if (begins) assert.equal(task.call("pvm_trace_begin", id, a, b), 0);
      else assert.equal(task.call("pvm_trace_end", id, a, b, c), a);
      // What began with the same event, most likely.
      if (begins) assert.equal(task.call("pvm_trace_end", id, c, a, b), c);
    }
    for (const { name, data } of told())
      for (const [datum, value] of Object.entries(data))
        assert.ok(isOwn(value, known), `${name} ${datum} ${value}`);
  });
  fc.assert(property, { numRuns: 200 });
  assert.equal(leftovers(p), "");
});

test.run();
