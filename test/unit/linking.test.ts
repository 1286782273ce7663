/** upvm/linking.ts: who connects to whom, and which links a process has when it begins. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Link } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { Linking } from "../../upvm/linking.ts";

const identity = (member: number) =>
  ({ role: "process", vm: "lab", host: `h${member}`, job: 1, member }) as const;
const peer = (member: number) => ({ member, host: `h${member}`, address: `unix:${member}` });

/** Process `own`, its end of a link that it makes to each, and what it has added. */
function process(own: number) {
  const connected: number[] = [];
  const added: [number, Link][] = [];
  const linking = new Linking({
    member: own,
    connect: async ({ member }) => {
      connected.push(member);
      return memoryLinks(identity(own), identity(member)).a;
    },
    add: (member, link) => added.push([member, link]),
  });
  /** Process `member` connects. */
  const comes = (member: number): Link => {
    const { a } = memoryLinks(identity(own), identity(member));
    linking.came(a);
    return a;
  };
  return { linking, connected, added, comes, members: () => added.map(([member]) => member).sort() };
}

test("of two processes the one with the higher number connects, and the other waits for it", async () => {
  const { linking, connected, comes, members } = process(1);
  const all = linking.toAll([peer(0), peer(1), peer(2), peer(3)], "auto");
  comes(2);
  comes(3);
  await all;
  assert.deepEqual(connected, [0]);
  linking.begin();
  assert.deepEqual(members(), [0, 2, 3]);
});

test("a link that came before it was waited for is the one, and is added once", async () => {
  const { linking, added, comes } = process(0);
  const link = comes(1);
  await linking.toAll([peer(0), peer(1)], "auto");
  assert.deepEqual(linking.members, [1]);
  assert.deepEqual(added, [], "nothing is taken before the process runs");
  linking.begin();
  assert.deepEqual(added, [[1, link]]);
});

test("who is gone before or while it is waited for is waited for no more", async () => {
  const { linking, comes, members } = process(0);
  linking.gone(1);
  const all = linking.toAll([peer(0), peer(1), peer(2), peer(3)], "auto");
  linking.gone(2);
  comes(3);
  await all;
  assert.deepEqual(linking.members, [3]);
  linking.begin();
  assert.deepEqual(members(), [3]);
});

test("one that joins later is added, whether this process runs already or not yet", async () => {
  const { linking, comes, members } = process(0);
  const all = linking.toAll([peer(0), peer(1)], "auto");
  comes(2);
  comes(1);
  await all;
  assert.deepEqual(linking.members, [1], "one that was not named has no part in the beginning");
  linking.begin();
  assert.deepEqual(members(), [1, 2]);
  comes(3);
  assert.deepEqual(members(), [1, 2, 3]);
});

test("a process that cannot be connected to is told to who wanted the links", async () => {
  const linking = new Linking({
    member: 1,
    connect: async () => {
      throw new Error("no way");
    },
    add: () => {},
  });
  await assert.rejects(linking.toAll([peer(0), peer(1)], "auto"), /no way/);
});

test("who says no number is no process of the job, and its link is closed", () => {
  const { linking } = process(0);
  const { a } = memoryLinks(identity(0), { role: "command", vm: "lab", host: "h9" });
  linking.came(a);
  assert.equal(a.end?.why, "closed");
});

test.run();
