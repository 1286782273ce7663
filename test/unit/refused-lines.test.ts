/** What a pvmd's log says of connections that were refused, when there are many. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { RefusedLines } from "../../upvm/refused-lines.ts";
import { LIMITS } from "../../wire/limits.ts";

test("a scanner makes so many lines a minute and no more, and the others are counted", () => {
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const after = (ms: number, act: () => void): void => {
    assert.equal(ms, LIMITS.refusedLinesMs);
    timers.push(act);
  };
  const refused = new RefusedLines(after, (text) => lines.push(text));
  for (let i = 1; i <= LIMITS.refusedLines + 180; i++) refused.add(`connection ${i}`);
  assert.equal(lines.length, LIMITS.refusedLines);
  assert.equal(timers.length, 1);
  timers.pop()!();
  const last = `connection ${LIMITS.refusedLines + 180}`;
  assert.equal(lines.pop(), `180 more in the same minute, the last of them: ${last}`);
  refused.add("one later");
  assert.equal(lines.at(-1), "one later");
  timers.pop()!();
  assert.equal(lines.length, LIMITS.refusedLines + 1, "nothing was left out");
});

test.run();
