/** What several engines tell, in the order in which they told it. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { NewsOrder } from "../../upvm/news-order.ts";

function heard(): { order: NewsOrder; told: number[]; take: (...numbers: number[]) => void } {
  const order = new NewsOrder();
  const told: number[] = [];
  const take = (...numbers: number[]): void => {
    for (const number of numbers) order.take(number, () => told.push(number));
  };
  return { order, told, take };
}

test("what comes before its turn waits for what was told before it", () => {
  const { told, take } = heard();
  take(0, 2, 3);
  assert.deepEqual(told, [0]);
  take(1, 5);
  assert.deepEqual(told, [0, 1, 2, 3]);
  take(4);
  assert.deepEqual(told, [0, 1, 2, 3, 4, 5]);
});

test("when an engine is gone nothing waits for it, and what comes late all the same is told at once", () => {
  const { order, told, take } = heard();
  take(4, 2, 0);
  order.giveUp();
  assert.deepEqual(told, [0, 2, 4]);
  take(5, 1, 7);
  assert.deepEqual(told, [0, 2, 4, 5, 1]);
  take(6);
  assert.deepEqual(told, [0, 2, 4, 5, 1, 6, 7]);
});

test.run();
