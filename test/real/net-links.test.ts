/** Links over real sockets: the contract, and what only sockets have. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import { addressText, parseAddress } from "../../net/address.ts";
import type { Frame, Link, PeerIdentity } from "../../net/link.ts";
import {
  type ConnectOptions,
  connect,
  type Listener,
  type ListenOptions,
  listen,
} from "../../net/node-links.ts";
import { NodeStream } from "../../net/node-stream.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME } from "../../wire/protocol.ts";
import { type Ends, IDENTITY, linkContract, until } from "../link-contract.ts";

const KEY = randomBytes(32);
const folder = mkdtempSync(join(tmpdir(), "upvm-links-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
let sockets = 0;
const KINDS: Readonly<Record<string, () => string>> = {
  unix: () => `unix:${join(folder, `s${sockets++}`)}`,
  tcp: () => "tcp:127.0.0.1:0",
  tls: () => "tls:127.0.0.1:0",
};

/** A network that can break (both sides hear it) or go silent (neither does), between a caller and a listener. */
interface Network {
  readonly address: string;
  cut(): void;
  silence(): void;
  stop(): Promise<void>;
}

async function network(to: string): Promise<Network> {
  const target = parseAddress(to);
  const all = new Set<Socket>();
  const add = (socket: Socket): void => {
    all.add(socket.on("error", () => {}).setNoDelay(true));
  };
  const server: Server = createServer((here) => {
    const there =
      target.kind === "unix" ? createConnection(target.path) : createConnection(target.port, target.host);
    add(here);
    add(there);
    here.pipe(there);
    there.pipe(here);
  });
  const listening = target.kind === "unix" ? { path: `${target.path}n` } : { port: 0, host: "127.0.0.1" };
  await new Promise<void>((go) => server.listen(listening, go));
  const where = server.address();
  const cut = (): void => {
    for (const socket of all) socket.destroy();
  };
  return {
    address:
      where === null || typeof where === "string"
        ? `unix:${where}`
        : addressText({ ...(target as { kind: "tcp" }), host: "127.0.0.1", port: where.port }),
    cut,
    silence: () => {
      for (const socket of all) socket.unpipe().pause();
    },
    stop: () => {
      cut();
      return new Promise((done) => server.close(() => done()));
    },
  };
}

/** `a` calls `b` through a network. */
async function ends(
  address: string,
  times?: ConnectOptions["times"],
): Promise<Ends & { silence: () => void }> {
  const arrived: Link[] = [];
  const more = times === undefined ? {} : { times };
  const listener = await listen({ address, identity: () => IDENTITY.b, key: KEY, ...more }, (link) =>
    arrived.push(link),
  );
  const between = await network(listener.address);
  const a = await connect({ address: between.address, identity: IDENTITY.a, key: KEY, ...more });
  await until(() => arrived.length > 0);
  const stop = async (): Promise<void> => {
    await between.stop();
    listener.close();
  };
  return { a, b: arrived[0]!, cut: between.cut, silence: between.silence, stop };
}

for (const [kind, address] of Object.entries(KINDS)) linkContract(kind, () => ends(address()));
linkContract("unix, where a server's sockets cannot be made anew", () => endsWithout());

/** As `ends`, on a Node whose servers' sockets do not stand on what they are known to: `withReads` leaves `b`'s as it is. */
async function endsWithout(): Promise<Ends> {
  const address = KINDS["unix"]!();
  const arrived: Link[] = [];
  const listener = await listen({ address, identity: () => IDENTITY.b, key: KEY }, (link) =>
    arrived.push(link),
  );
  const between = await network(listener.address);
  const called = connect({ address: between.address, identity: IDENTITY.a, key: KEY });
  // The caller's socket has asked for its reads by now.
  const probe = createServer().listen(join(folder, `s${sockets++}`));
  const kind = Object.getPrototypeOf((probe as unknown as { _handle: object })._handle) as object;
  let asked = 0;
  const get = (): undefined => {
    asked++;
    return undefined;
  };
  Object.defineProperty(kind, "useUserBuffer", { configurable: true, get });
  try {
    await until(() => arrived.length > 0);
  } finally {
    Reflect.deleteProperty(kind, "useUserBuffer");
    probe.close();
  }
  assert.ok(asked > 0, "nobody has asked for reads");
  const stop = async (): Promise<void> => {
    await between.stop();
    listener.close();
  };
  return { a: await called, b: arrived[0]!, cut: between.cut, stop };
}

/** Runs with a listener and ends it; `refused` are the lines for its log. */
async function listening(
  options: Partial<ListenOptions>,
  run: (listener: Listener, links: Link[], refused: string[]) => Promise<void>,
): Promise<void> {
  const refused: string[] = [];
  const links: Link[] = [];
  const listener = await listen(
    {
      address: "tcp:127.0.0.1:0",
      identity: () => IDENTITY.b,
      key: KEY,
      refused: (text) => refused.push(text),
      ...options,
    },
    (link) => links.push(link),
  );
  try {
    await run(listener, links, refused);
  } finally {
    for (const link of links) link.close();
    listener.close();
  }
}
async function failure(asked: Promise<unknown>): Promise<UpvmError> {
  const error = await asked.then(
    () => assert.fail("it worked"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof UpvmError, String(error));
  return error;
}
const call = (address: string, more: Partial<ConnectOptions> = {}): Promise<Link> =>
  connect({ address, identity: IDENTITY.a, key: KEY, ...more });

for (const [kind, address] of Object.entries(KINDS)) {
  test(`${kind}: who has another key is refused, and the log says so`, () =>
    listening({ address: address() }, async (listener, links, refused) => {
      const error = await failure(call(listener.address, { key: randomBytes(32) }));
      assert.equal(error.code, "WRONG_KEY");
      assert.doesNotMatch(error.message, /lab|host2/, "no name is told");
      await until(() => refused.length > 0);
      assert.equal(links.length, 0);
      const from = kind === "unix" ? "" : " from 127\\.0\\.0\\.1:\\d+";
      assert.match(
        refused[0]!,
        new RegExp(`^A connection${from} to ${kind}:.*: the peer does not have the key$`),
      );
    }));

  test(`${kind}: a listener has so many links at once; who is beyond is told, and gets in when one has ended`, () =>
    listening({ address: address(), times: { ...LIMITS, links: 2 } }, async (listener, links, refused) => {
      const first = await call(listener.address);
      await call(listener.address);
      const error = await failure(call(listener.address));
      assert.equal(error.code, "LINK_REFUSED");
      assert.match(error.message, /it has 2 links already/);
      await until(() => refused.some((text) => text.includes("2 links")));
      assert.equal(links.length, 2);
      // Who does not read does not see the end.
      for (const link of links) link.onFrame(() => {});
      first.close();
      await until(() => links.some(({ end }) => end !== undefined));
      const next = await call(listener.address);
      assert.equal(next.end, undefined);
    }));

  test(`${kind}: a peer of which nothing comes any more is noticed by both, also by one that sends`, async () => {
    const times = { aliveEveryMs: 10, aliveWithinMs: 60, handshakeMs: LIMITS.handshakeMs };
    const { a, b, silence, stop } = await ends(address(), times);
    a.onFrame(() => {});
    b.onFrame(() => {});
    await new Promise((go) => setTimeout(go, 150));
    assert.equal(a.end ?? b.end, undefined, "an idle link is no dead one");
    b.pause();
    await new Promise((go) => setTimeout(go, 150));
    assert.equal(a.end ?? b.end, undefined, "one that does not read is not dead");
    b.resume();
    silence();
    a.send({ type: 1000, a: 0, b: 0, c: 0, body: [new Uint8Array(1 << 20)] });
    await until(() => a.end !== undefined && b.end !== undefined);
    assert.deepEqual([a.end?.why, b.end?.why], ["silent", "silent"]);
    await stop();
  });
}

test("a peer that ends without having read what came is told in words", async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const socket = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
    const [[there]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
      [Socket],
      unknown,
    ];
    const stream = new NodeStream(socket);
    const ended = new Promise<string>((done) => {
      stream.taker = { bytes: () => {}, ended: done };
    });
    stream.write([new Uint8Array(1000)], () => {});
    there.resetAndDestroy();
    assert.equal(await ended, "the peer ended the connection");
  } finally {
    server.close();
  }
});

test("who has no key sees random bytes of a listener, and nothing else", () =>
  listening({}, async (listener, _links, refused) => {
    const { port } = parseAddress(listener.address) as { port: number };
    const socket = createConnection(port, "127.0.0.1");
    const seen: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => seen.push(chunk)).on("error", () => {});
    const closed = new Promise((go) => socket.once("close", go));
    const word = (...words: number[]): Buffer => Buffer.from(Uint32Array.from(words).buffer);
    socket.write(Buffer.concat([word(48, 64, 0, 0, 0), randomBytes(32)]));
    await until(() => Buffer.concat(seen).length > 0);
    socket.write(Buffer.concat([word(48, 65, 0, 0, 0), randomBytes(32)]));
    await closed;
    const all = Buffer.concat(seen);
    assert.equal(all.length, 52, "one frame");
    assert.ok(all.subarray(0, 20).equals(word(48, 64, 0, 0, 0)));
    assert.match(refused[0]!, /the peer does not have the key/);
  }));

/** Connects, says so much, and waits until it is let go. */
function stranger({ address }: Listener, bytes?: Uint8Array): Promise<unknown> {
  const { port } = parseAddress(address) as { port: number };
  const socket = createConnection(port, "127.0.0.1").on("error", () => {});
  if (bytes !== undefined) socket.write(bytes);
  return new Promise((go) => socket.once("close", go).resume());
}

test("who says nothing is let go after a while", () =>
  listening({ times: { ...LIMITS, handshakeMs: 20 } }, async (listener, _links, refused) => {
    await stranger(listener);
    await until(() => refused.length === 1);
    assert.match(refused[0]!, /the handshake was not done within 20 ms/);
  }));

test("who says nonsense, or too much, is let go, and the listener goes on", () =>
  listening({}, async (listener, links, refused) => {
    await stranger(listener, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await stranger(listener, Buffer.alloc(10 << 20));
    await stranger(listener, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    await until(() => refused.length === 3);
    const link = await call(listener.address);
    await until(() => links.length === 1);
    link.close();
  }));

test("who does not speak TLS where it is spoken is told in words", () =>
  listening({ address: "tls:127.0.0.1:0" }, async (listener, _links, refused) => {
    await stranger(listener, Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await until(() => refused.length === 1);
    assert.match(
      refused[0]!,
      /^A connection from 127\.0\.0\.1:\d+ to tls:.*: the peer does not speak upvm's TLS/,
    );
    const { port } = parseAddress(listener.address) as { port: number };
    createConnection(port, "127.0.0.1")
      .on("error", () => {})
      .end();
    await until(() => refused.length === 2);
    assert.match(refused[1]!, /: the peer went before TLS was made$/);
  }));

for (const kind of ["tcp", "tls"]) {
  test(`${kind}: connections that show no key keep nobody out, and links are not taken for such`, () =>
    listening({ address: `${kind}:127.0.0.1:0` }, async (listener, _links, refused) => {
      const { port } = parseAddress(listener.address) as { port: number };
      const link = await call(listener.address);
      const idle: Socket[] = [];
      for (let i = 0; i < LIMITS.halfOpenLinks; i++) {
        idle.push(createConnection(port, "127.0.0.1").on("error", () => {}));
        await new Promise((go) => idle.at(-1)!.once("connect", go));
      }
      const oldest = new Promise((go) => idle[0]!.once("close", go).resume());
      // One goes when the first comes; a caller's own place is free again when it has shown the key.
      for (let i = 0; i < 3; i++) (await call(listener.address)).close();
      await oldest;
      assert.equal(link.end, undefined);
      for (const socket of idle) socket.destroy();
      await until(() => refused.length === LIMITS.halfOpenLinks);
      link.close();
    }));
}

for (const [kind, address] of Object.entries(KINDS))
  test(`${kind}: a listener that is closed is so at once, and its links stay`, () =>
    listening({ address: address() }, async (listener, links) => {
      const link = await call(listener.address);
      await until(() => links.length > 0);
      const answered = new Promise<Frame>((done) => link.onFrame(done));
      listener.close();
      assert.equal((await failure(call(listener.address))).code, "CANNOT_CONNECT");
      links[0]!.send({ type: FRAME.ULP_SEND, a: 1, b: 2, c: 3, body: [] });
      assert.equal((await answered).c, 3);
      link.close();
    }));

test("a listener says why it does not take a peer, and a caller whom it did not want", () =>
  listening(
    { accept: (peer) => (peer.host === "host1" ? "go away\u001b[2J" : undefined) },
    async (listener) => {
      const refused = await failure(call(listener.address));
      assert.equal(refused.message, `Cannot connect to ${listener.address}: host2 refused: go away?[2J`);
      const other: PeerIdentity = { role: "command", vm: "", host: "desk" };
      const wrong = await failure(call(listener.address, { identity: other, accept: () => "it is another" }));
      assert.equal(wrong.code, "LINK_REFUSED");
      const link = await call(listener.address, { identity: other });
      assert.equal(link.peer.vm, "lab", "who has yet to join learns the name");
      link.close();
    },
  ));

test("two virtual machines do not meet, even with the same key", () =>
  listening({}, async (listener) => {
    const identity: PeerIdentity = { role: "pvmd", vm: "other", host: "host9" };
    const error = await failure(call(listener.address, { identity }));
    assert.match(error.message, /host2 refused: it belongs to the virtual machine lab/);
  }));

test("what cannot be reached is told in words, with a way out", async () => {
  for (const [address, code, pattern] of [
    ["tcp:127.0.0.1:1", "CANNOT_CONNECT", /nobody listens there/],
    [`unix:${join(folder, "nobody")}`, "CANNOT_CONNECT", /nobody listens there/],
    ["tls:127.0.0.1:1", "CANNOT_CONNECT", /nobody listens there/],
    ["tcp:nowhere.invalid:7", "CANNOT_CONNECT", /host of that name|cannot be found/],
  ] as const) {
    const error = await failure(call(address));
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    assert.ok(error.hint !== undefined && error.hint.length > 0);
  }
  const here = { address: "tcp:nowhere.invalid:7", identity: () => IDENTITY.b, key: KEY };
  const error = await failure(listen(here, () => {}));
  assert.equal(error.code, "CANNOT_LISTEN");
  assert.match(error.message, /host of that name|cannot be found/);
});

test("a tcp caller at a tls listener and the other way round fail, and say that the kind may be wrong", async () => {
  for (const [is, called] of [
    ["tls", "tcp"],
    ["tcp", "tls"],
  ] as const) {
    await listening({ address: `${is}:127.0.0.1:0` }, async (listener) => {
      const error = await failure(call(listener.address.replace(is, called)));
      assert.equal(error.code, "CANNOT_CONNECT");
      assert.match(String(error.hint), /tcp or tls|listens with tls/);
    });
  }
});

test("what the system does not take at once follows in order, behind it and before what is written later", async () => {
  for (const kind of ["unix", "tcp"] as const) {
    const hash = createHash("sha256");
    let came = 0;
    const server = createServer({ pauseOnConnect: true }).listen(
      kind === "tcp" ? { port: 0, host: "127.0.0.1" } : { path: join(folder, "taken") },
    );
    await once(server, "listening");
    const address = server.address() as AddressInfo | string;
    const socket = createConnection(
      typeof address === "string" ? { path: address } : { port: address.port, host: "127.0.0.1" },
    );
    const [[taker]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
      [Socket],
      unknown,
    ];
    // Far more than a socket holds, and cut where it likes.
    const pieces = [1, 9_999_999, 16 << 10, 5, 12_345_678].map((bytes) => randomBytes(bytes));
    const stream = new NodeStream(socket);
    const written: number[] = [];
    stream.write(pieces.slice(0, 3), () => written.push(0));
    assert.ok(socket.writableLength > 0, "the system has taken all");
    stream.write(pieces.slice(3), () => written.push(1));
    taker.on("data", (chunk: Buffer) => {
      came += chunk.length;
      hash.update(chunk);
    });
    taker.resume();
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    await until(() => came >= bytes && written.length === 2);
    assert.deepEqual(written, [0, 1]);
    const expected = createHash("sha256");
    for (const piece of pieces) expected.update(piece);
    assert.equal(hash.digest("hex"), expected.digest("hex"));
    stream.destroy();
    server.close();
  }
});

test("an address in use is refused; a socket that a dead daemon left is taken over", async () => {
  const path = join(folder, "left");
  writeFileSync(path, "");
  await assert.rejects(listen({ address: `unix:${path}/x`, identity: () => IDENTITY.b, key: KEY }, () => {}));
  rmSync(path);
  await listening({ address: `unix:${path}` }, async (first) => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const error = await failure(
      listen({ address: first.address, identity: () => IDENTITY.b, key: KEY }, () => {}),
    );
    assert.match(error.message, /somebody listens there already/);
    assert.ok(statSync(path).isSocket(), "it is still there");
  });
  await listening({}, async (first) => {
    const error = await failure(
      listen({ address: first.address, identity: () => IDENTITY.b, key: KEY }, () => {}),
    );
    assert.equal(error.code, "CANNOT_LISTEN");
  });
});

test.run();
