/** Links of a process to the others of its job, when one ends. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { memoryLinks } from "../../net/memory-links.ts";
import { PeerLinks } from "../../upvm/peer-links.ts";
import { IDENTITY } from "../link-contract.ts";

test("when a link ends that another one has replaced, the member is not lost, and the other one stays in use", async () => {
  const lost: string[] = [];
  const nobody = () => assert.fail("nothing was sent");
  const links = new PeerLinks({
    library: () => undefined,
    mail: nobody,
    frame: nobody,
    late: nobody,
    state: nobody,
    lost: (member, why) => lost.push(`${member}: ${why}`),
  });
  const [older, newer] = [memoryLinks(IDENTITY.a, IDENTITY.b), memoryLinks(IDENTITY.a, IDENTITY.b)];
  links.add(1, older.a);
  links.add(1, newer.a);
  const end = (link: typeof older.b) => {
    const ended = new Promise((done) => link.onClose(done));
    link.close();
    return ended;
  };
  await Promise.all([end(older.b), new Promise((done) => older.a.onClose(done))]);
  assert.deepEqual(lost, []);
  assert.equal(links.link(1), newer.a);
  await Promise.all([end(newer.b), new Promise((done) => newer.a.onClose(done))]);
  assert.equal(lost.length, 1);
  assert.equal(links.link(1), undefined);
});

test.run();
