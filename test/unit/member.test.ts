/** Where messages between processes go: here, to another member, after a ULP that has moved, or nowhere. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { type Addressed, Member, NOWHERE } from "../../upvm/member.ts";
import { LIMITS } from "../../wire/limits.ts";
import { tidOf } from "../../wire/pvm.ts";

interface Note extends Addressed {
  readonly n: number;
}

/** Member 1 of three; ULP i begins at member i. */
function second(): { member: Member<Note>; said: string[]; note: (to: number, n?: number) => Note } {
  const said: string[] = [];
  const first = [0, 1, 2].map((i) => [tidOf(i), { member: i, engine: 0 }] as const);
  const member = new Member<Note>(1, first, {
    deliver: ({ n }) => said.push(`deliver ${n}`),
    send: (to, { n }, times) => said.push(`send ${n} to ${to}${times > 0 ? ` forwarded ${times}` : ""}`),
    drop: ({ n }) => said.push(`drop ${n}`),
    ask: (tid) => said.push(`ask ${tid - tidOf(0)}`),
  });
  return { member, said, note: (to, n = 1) => ({ to: tidOf(to), src: tidOf(0), n }) };
}

test("a message goes to the member that has its receiver, and into the inbox if that is this one", () => {
  const { member, said, note } = second();
  member.leave(note(2));
  member.arrive(note(1, 2), 0);
  assert.deepEqual(said, ["send 1 to 2", "deliver 2"]);
});

test("a message for a ULP that has moved is sent on, but not for ever", () => {
  const { member, said, note } = second();
  member.place(tidOf(1), 2);
  member.arrive(note(1), 0);
  member.arrive(note(1, 2), LIMITS.forwards);
  assert.deepEqual(said, ["send 1 to 2 forwarded 1", "drop 2"]);
});

test("where a ULP is that nobody has told of is asked once; its messages wait, in order", () => {
  const { member, said, note } = second();
  member.leave(note(7, 1));
  member.leave(note(7, 2));
  member.leave(note(8, 3));
  assert.ok(member.waits);
  member.located(tidOf(7), 0);
  member.located(tidOf(8), NOWHERE);
  member.leave(note(7, 4));
  member.leave(note(8, 5));
  assert.deepEqual(said, ["ask 7", "ask 8", "send 1 to 0", "send 2 to 0", "drop 3", "send 4 to 0", "drop 5"]);
  assert.equal(member.waits, false);
});

test("news that come while the master is asked are newer than its answer", () => {
  const { member, said, note } = second();
  member.leave(note(7));
  member.place(tidOf(7), 2);
  member.located(tidOf(7), 0);
  member.leave(note(7, 2));
  assert.deepEqual(said, ["ask 7", "send 1 to 2", "send 2 to 2"]);
});

test("a process that is gone takes its ULPs along, and who comes to it later has ended too", () => {
  const { member, said, note } = second();
  assert.deepEqual(member.lost(2), [tidOf(2)]);
  member.leave(note(2));
  member.place(tidOf(9), 2);
  member.leave(note(9, 2));
  assert.deepEqual(said, ["drop 1", "drop 2"]);
});

test.run();
