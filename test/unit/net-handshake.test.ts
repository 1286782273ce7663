import assert from "node:assert/strict";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { test } from "uvu";
import {
  Handshake,
  type HandshakeFailure,
  type HandshakeOptions,
  type LinkCrypto,
} from "../../net/handshake.ts";
import type { Frame, PeerIdentity } from "../../net/link.ts";
import { FRAME, PROTOCOL_VERSION } from "../../wire/protocol.ts";
import { IDENTITY } from "../link-contract.ts";

const CRYPTO: LinkCrypto = {
  random: (bytes) => randomBytes(bytes),
  hmac: (key, parts) => parts.reduce((hmac, part) => hmac.update(part), createHmac("sha256", key)).digest(),
  equal: timingSafeEqual,
};
const KEY = randomBytes(32);
type Way = "caller" | "listener";
interface Result {
  readonly peer: Partial<Record<Way, PeerIdentity>>;
  readonly failed: Partial<Record<Way, HandshakeFailure>>;
  readonly frames: readonly (readonly [from: Way, frame: Frame])[];
}

/** Lets two sides shake hands over a network that may change frames. */
function shake(
  caller: Partial<HandshakeOptions>,
  listener: Partial<HandshakeOptions>,
  change: (frame: Frame, from: Way) => Frame = (frame) => frame,
): Result {
  const common = { key: KEY, crypto: CRYPTO };
  const sides = {
    caller: new Handshake({ side: "caller", identity: IDENTITY.a, ...common, ...caller }),
    listener: new Handshake({ side: "listener", identity: IDENTITY.b, ...common, ...listener }),
  };
  const result = { peer: {} as Result["peer"], failed: {} as Result["failed"], frames: [] as [Way, Frame][] };
  const over = (side: Way): boolean => result.peer[side] !== undefined || result.failed[side] !== undefined;
  const way: [Way, Frame][] = sides.caller.start().map((frame) => ["caller", frame]);
  for (let next = way.shift(); next !== undefined; next = way.shift()) {
    const [from, frame] = next;
    const to = from === "caller" ? "listener" : "caller";
    result.frames.push(next);
    if (over(to)) continue;
    const seen = change(frame, from);
    const step = sides[to].take(seen, seen.body);
    for (const answer of step.send) way.push([to, answer]);
    if (step.peer !== undefined) result.peer[to] = step.peer;
    if (step.failed !== undefined) {
      result.failed[to] = step.failed;
      const other = from;
      if (!over(other) && way.every(([sender]) => sender !== to))
        result.failed[other] = sides[other].ended("the peer ended the connection");
    }
  }
  return result;
}
test("a caller that fails says it is late exactly if the listener may have taken it by then", () => {
  const whole = shake({}, {}).frames.length;
  let lates = 0;
  for (let reach = 0; reach < whole; reach++) {
    const sides = {
      caller: new Handshake({ side: "caller", identity: IDENTITY.a, key: KEY, crypto: CRYPTO }),
      listener: new Handshake({ side: "listener", identity: IDENTITY.b, key: KEY, crypto: CRYPTO }),
    };
    let isTaken = false;
    const way: [Way, Frame][] = sides.caller.start().map((frame) => ["caller", frame]);
    for (let n = 0; n < reach; n++) {
      const [from, frame] = way.shift()!;
      const to = from === "caller" ? "listener" : "caller";
      const step = sides[to].take(frame, frame.body);
      for (const answer of step.send) way.push([to, answer]);
      if (to === "listener" && step.peer !== undefined) isTaken = true;
    }
    const failed = sides.caller.ended("the connection broke");
    const isLate = failed.why === "broken" && failed.late === true;
    if (isTaken) assert.ok(isLate, `after ${reach} frames the listener has a link`);
    if (isLate) lates++;
  }
  assert.equal(lates, 2, "when it has said who it is, until it is welcome");
});

/** Everything that was sent, as text: to look for names in it. */
const saidBy = ({ frames }: Result, way: Way): string =>
  frames
    .filter(([from]) => from === way)
    .map(([, frame]) => Buffer.concat(frame.body).toString("latin1"))
    .join("");

test("two sides with the same key know each other afterwards", () => {
  const { peer, failed } = shake({}, {});
  assert.deepEqual(peer, { caller: IDENTITY.b, listener: IDENTITY.a });
  assert.deepEqual(failed, {});
});

test("a caller with another key is told nothing: no name, no version, no proof", () => {
  const result = shake({ key: randomBytes(32) }, {});
  assert.deepEqual(result.failed, { listener: { why: "key" }, caller: { why: "key" } });
  assert.deepEqual(
    result.frames.filter(([from]) => from === "listener").map(([, { type, a, b, c }]) => [type, a, b, c]),
    [[FRAME.NONCE, 0, 0, 0]],
  );
  assert.doesNotMatch(saidBy(result, "listener"), /lab|host/);
  assert.doesNotMatch(saidBy(result, "caller"), /lab|host/);
});

test("a listener without the key cannot pass for one, and learns no name of the caller", () => {
  // It lets every proof pass, and sends what it can make up.
  const crypto = { ...CRYPTO, equal: () => true };
  const result = shake({}, { key: randomBytes(32), crypto });
  assert.deepEqual(result.failed["caller"], { why: "key" });
  assert.doesNotMatch(saidBy(result, "caller"), /lab|host/);
});

test("an answer that is sent back as a question proves nothing", () => {
  // A listener without the key mirrors what the caller sends: nonce and proof.
  const caller = new Handshake({ side: "caller", identity: IDENTITY.a, key: KEY, crypto: CRYPTO });
  const [nonce] = caller.start();
  const { send } = caller.take(nonce!, nonce!.body);
  assert.deepEqual(caller.take(send[0]!, send[0]!.body).failed, { why: "key" });
});

test("frames of another connection are worth nothing in this one", () => {
  const old = shake({}, {});
  const replay = old.frames.filter(([from]) => from === "caller").map(([, frame]) => frame);
  const listener = new Handshake({ side: "listener", identity: IDENTITY.b, key: KEY, crypto: CRYPTO });
  assert.equal(listener.take(replay[0]!, replay[0]!.body).failed, undefined);
  assert.deepEqual(listener.take(replay[1]!, replay[1]!.body).failed, { why: "key" });
});

test("a changed bit anywhere in what is said ends it, and nobody is taken for somebody else", () => {
  const frames = shake({}, {}).frames;
  for (const [at, [from, { type, body }]] of frames.entries()) {
    const bytes = Buffer.concat(body).length;
    for (let byte = 0; byte < bytes; byte += 7) {
      let index = -1;
      const result = shake({}, {}, (frame) => {
        index++;
        if (index !== at) return frame;
        const changed = new Uint8Array(Buffer.concat(frame.body));
        changed[byte]! ^= 1;
        return { ...frame, body: [changed] };
      });
      const receiver = from === "caller" ? "listener" : "caller";
      assert.equal(result.peer[receiver], undefined, `frame of type ${type}, byte ${byte}`);
      assert.ok(result.failed[receiver] !== undefined || result.failed[from] !== undefined);
    }
  }
});

test("a peer of another version is refused by name, on both sides, and in time a newer one too", () => {
  for (const version of [0, PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1, 0xffff_ffff]) {
    const { peer, failed } = shake({ version }, {});
    assert.deepEqual(peer, {});
    assert.deepEqual(failed, {
      caller: { why: "version", host: "host2", theirs: PROTOCOL_VERSION, ours: version },
      listener: { why: "version", host: "host1", theirs: version, ours: PROTOCOL_VERSION },
    });
  }
});

test("a changed version word is no version, but somebody in between", () => {
  const { failed } = shake({}, {}, (frame) =>
    frame.type === FRAME.IDENTITY ? { ...frame, a: PROTOCOL_VERSION + 1 } : frame,
  );
  assert.equal(failed["caller"]?.why, "key");
});

test("who is not wanted is told why", () => {
  const { peer, failed } = shake({}, { accept: ({ host }) => `${host} is on the list` });
  assert.deepEqual(peer, {});
  assert.deepEqual(failed["caller"], { why: "refused", host: "host2", text: "host1 is on the list" });
  assert.deepEqual(failed["listener"], { why: "refused", host: "host1", text: "host1 is on the list" });
});

test("members of two virtual machines do not meet; who has yet to join learns the name", () => {
  const { failed } = shake({ identity: { ...IDENTITY.a, vm: "other" } }, {});
  assert.equal(failed["caller"]?.why, "refused");
  const { peer } = shake({ identity: { role: "pvmd", vm: "", host: "new" } }, {});
  assert.equal(peer["caller"]?.vm, "lab");
});

test("an identity that no peer has is refused, key or not", () => {
  for (const identity of [
    { ...IDENTITY.a, role: "king" },
    { ...IDENTITY.a, host: "" },
    { ...IDENTITY.a, host: "a\nb" },
    { ...IDENTITY.a, host: "x".repeat(256) },
    { ...IDENTITY.a, job: -1 },
    { ...IDENTITY.a, member: 1.5 },
    { ...IDENTITY.a, more: 1 },
    {},
    [],
  ]) {
    const { failed } = shake({ identity: identity as PeerIdentity }, {});
    assert.equal(failed["listener"]?.why, "broken", JSON.stringify(identity));
  }
});

test("a frame out of turn ends the handshake", () => {
  for (const type of [FRAME.PROOF, FRAME.IDENTITY, FRAME.WELCOME, FRAME.ULP_SEND]) {
    const { failed } = shake({}, {}, (frame) => (frame.type === FRAME.NONCE ? { ...frame, type } : frame));
    assert.equal(failed["listener"]?.why, "broken");
  }
});

test.run();
