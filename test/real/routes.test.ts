/** Links that daemons carry: the contract of a link over them, who gets one, which way it goes, and how it ends. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Link } from "../../net/link.ts";
import { Linking } from "../../upvm/linking.ts";
import { UpvmError } from "../../wire/errors.ts";
import type { LinkKind, Route } from "../../wire/job.ts";
import { type Ends, IDENTITY, linkContract, pattern, until } from "../link-contract.ts";
import { askAs, codeOf, Daemon, startDaemons, withDaemons } from "../routed.ts";

const routed = (link: LinkKind) => ({ link, route: "daemons" }) as const;

/** A link between processes of `from` and `to`: 1 of the job makes it to 0. */
async function linked(from: Daemon, to: Daemon, kind: LinkKind, job = 1): Promise<Omit<Ends, "cut">> {
  const taker = to.process(job, 0, routed(kind));
  const caller = from.process(job, 1, routed(kind));
  let came: (link: Link) => void = () => {};
  const arrived = new Promise<Link>((done) => {
    came = done;
  });
  const address = await taker.listen((link) => came(link));
  const made = caller.connect({ member: 0, host: to.host, address }, "daemons");
  try {
    const a = await made;
    return { a, b: await arrived, stop: async () => taker.close() };
  } catch (error) {
    taker.close();
    throw error;
  }
}

/** The contract's `a` is member 0 of host1; here it is the one that connects, and has the higher number. */
async function contractEnds(kind: LinkKind, count: number, way: (daemons: Daemon[]) => void): Promise<Ends> {
  const daemons = await startDaemons(count);
  way(daemons);
  const to = daemons[1]!;
  const from = daemons.at(-1)!;
  const { a, b, stop } = await linked(from, to, kind);
  return {
    a: withPeer(a, IDENTITY.b),
    b: withPeer(b, IDENTITY.a),
    // The daemon of the one that connects is gone without a word.
    cut: () => {
      for (const link of from.links) link.close();
    },
    stop: async () => {
      await stop();
      for (const daemon of daemons) daemon.stop();
    },
  };
}

/** The contract names its own hosts. */
function withPeer(link: Link, peer: Link["peer"]): Link {
  return new Proxy(link, {
    get: (target, key) => {
      if (key === "peer") return peer;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

linkContract("through two daemons", () => contractEnds("tcp", 3, () => {}));
linkContract("through two daemons, tls end to end", () => contractEnds("tls", 3, () => {}));
linkContract("by the master, to which the other's daemon connects", () =>
  contractEnds("unix", 3, ([first, , third]) => {
    first!.unreached.add("h2");
    third!.unreached.add("h2");
  }),
);

test("a way leads only from a process that its daemon has started to one of the same job that another has", () =>
  withDaemons(3, async (first, second, third) => {
    const { a, stop } = await linked(third, second, "tcp");
    first.process(1, 2, routed("tcp"));
    first.process(2, 0, routed("tcp"));
    const target = { job: 1, member: 0, host: "h2" };
    const ask = async (daemon: Daemon, peer: object, of: Partial<typeof target>) => {
      const rpc = await askAs(daemon.local, peer);
      const [code, text] = await codeOf(rpc.request("route", { ...target, ...of }));
      rpc.link.close();
      return `${code} ${text}`;
    };
    const process = { role: "process", job: 1, member: 2 };
    assert.equal(await ask(first, process, {}), " ", "who may ask gets it");
    assert.match(
      await ask(first, { ...process, job: 2, member: 0 }, {}),
      /^NO_ROUTE .*no process of the job of who/,
    );
    assert.match(
      await ask(first, { ...process, member: 7 }, {}),
      /^NO_ROUTE .*who asks is no process of this host/,
    );
    assert.match(await ask(first, process, { member: 3 }), /^NO_ROUTE .*it is not there/);
    assert.match(await ask(first, process, { host: "h3" }), /^NO_ROUTE .*it is not there/);
    assert.match(await ask(first, process, { host: "h9" }), /^NO_ROUTE .*no such host in service/);
    assert.match(await ask(first, { role: "command" }, {}), /^NOT_SERVED /);
    assert.match(await ask(third, { role: "pvmd" }, {}), /^NO_ROUTE .*that is not h3/);
    const pvmd = await askAs(third.address, { role: "pvmd" });
    const id = "0".repeat(32);
    assert.match((await codeOf(pvmd.request("routeBack", { id, job: 1, member: 1 })))[1], /only the master/);
    assert.match((await codeOf(pvmd.request("routeTake", { id })))[1], /nobody waits for it/);
    assert.equal(a.end, undefined, "another's link is not harmed");
    a.close();
    pvmd.link.close();
    await until(() => [first, second, third].every(({ routes }) => routes.carried === 0));
    await stop();
  }));

test("a process takes no way but of its own daemon, and no link but of its own job", () =>
  withDaemons(2, async (first, second) => {
    const taker = second.process(1, 0, routed("tcp"));
    const links: Link[] = [];
    const address = await taker.listen((link) => links.push(link));
    assert.match(address, /^unix:/, "where links go through the daemons, nobody else can connect");
    for (const peer of [{ host: "h2" }, { role: "pvmd" }] as const)
      assert.equal((await codeOf(askAs(address, { job: 1, member: 1, ...peer })))[0], "LINK_REFUSED");
    const stranger = first.process(2, 1, routed("tcp"));
    const [code, text] = await codeOf(stranger.connect({ member: 0, host: "h2", address }, "daemons"));
    assert.deepEqual([code, links.length], ["LINK_NOT_ROUTED", 0]);
    assert.match(text, /h1 and h2 through the daemons: .*process 0 of job 2 on h2: it is not there/);
    taker.close();
  }));

test("the end of one side is told to the other, with its reason, and nothing of it is left", () =>
  withDaemons(2, async (first, second) => {
    const { a, b, stop } = await linked(first, second, "tcp");
    const ended = new Promise((done) => b.onClose(done));
    a.onFrame(() => {});
    b.onFrame(() => {});
    const [way] = [...first.links].filter(({ peer }) => peer.role === "process");
    // What the process takes for nonsense: its connection to the daemon is gone, without a word.
    way!.send({ type: 4711, a: 0, b: 0, c: 0, body: [] });
    await until(() => way!.end !== undefined);
    const text = "process 1 of job 1 on h1: the peer ended the connection";
    assert.deepEqual(await ended, { why: "lost", text });
    await until(() => first.routes.carried + second.routes.carried === 0);
    await stop();
  }));

for (const isThere of [true, false])
  test(`a process whose connection to its daemon breaks ${isThere ? "has lost the other one" : "blames nobody else if that is gone"}`, () =>
    withDaemons(2, async (first, second) => {
      const { a, stop } = await linked(first, second, "tcp");
      const ends: string[] = [];
      a.onFrame(() => {});
      a.onClose(({ why }) => ends.push(why));
      if (!isThere) first.stopListening();
      // What the process takes for nonsense breaks the connection.
      const [way] = [...first.links].filter(({ peer }) => peer.role === "process");
      way!.send({ type: 4711, a: 0, b: 0, c: 0, body: [] });
      await until(() => ends.length > 0 || first.lostBy.length > 0);
      assert.deepEqual([ends, first.lostBy], isThere ? [["lost"], []] : [[], [1]]);
      await stop();
    }));

test("a daemon carries so many links and no more; one that has ended makes room", () =>
  withDaemons(2, async (first, second) => {
    const { a, stop } = await linked(first, second, "tcp");
    second.most = 1;
    const [code, text] = await codeOf(linked(first, second, "tcp", 2));
    assert.equal(code, "LINK_NOT_ROUTED");
    assert.match(text, /the daemon of h2 carries 1 links already/);
    a.close();
    await until(() => second.routes.carried === 0);
    const { stop: stopAgain } = await linked(first, second, "tcp", 3);
    await stop();
    await stopAgain();
  }));

test("a host that the master's daemon does not reach either connects to it, and the logs say so once", () =>
  withDaemons(3, async (first, second, third) => {
    first.unreached.add("h2");
    third.unreached.add("h2");
    for (let times = 0; times < 2; times++) {
      const { a, b, stop } = await linked(third, second, "tcp");
      const got: number[] = [];
      b.onFrame((frame) => got.push(frame.body[0]!.length));
      a.send({ type: 1000, a: 0, b: 0, c: 0, body: [pattern(100_000)] });
      await until(() => got.length === 1);
      assert.equal(first.routes.carried, 1 + times);
      await stop();
    }
    for (const { log } of [first, third]) {
      assert.equal(log.length, 1);
      assert.match(log[0]!, /^links of processes to h2 go another way: Cannot connect to tcp:127.0.0.1:1/);
    }
  }));

test("a daemon that has connected and then says that it could not leaves no connection", async () => {
  const all = new Map<string, Daemon>();
  const [first, second] = [new Daemon("h1", all), new Daemon("h2", all)];
  const { routes } = second;
  const handlers = routes.handlers.bind(routes);
  routes.handlers = (caller) => {
    const real = handlers(caller);
    return {
      ...real,
      routeBack: async (...asked) => {
        await real.routeBack!(...asked);
        throw new UpvmError("NO_ROUTE", { job: 1, member: 0, host: "h2", why: "it is late" });
      },
    };
  };
  await first.start();
  await second.start();
  const taker = second.process(1, 0, routed("tcp"));
  try {
    first.unreached.add("h2");
    await taker.listen(() => {});
    first.process(1, 1, routed("tcp"));
    const asks = await askAs(first.local, { role: "process", job: 1, member: 1 });
    const open = () => [...first.links].filter(({ end }) => end === undefined).length;
    const before = open();
    assert.match((await codeOf(asks.request("route", { job: 1, member: 0, host: "h2" })))[1], /it is late/);
    assert.equal(open(), before, "it is closed before the answer");
    asks.link.close();
    await until(() => first.routes.carried + second.routes.carried === 0);
  } finally {
    taker.close();
    second.stop();
    first.stop();
  }
});

test("auto is direct where that can be, and through the daemons where it cannot; direct says what to do", () =>
  withDaemons(2, async (first, second) => {
    const taker = first.process(1, 0, { link: "tcp", route: "auto" });
    const came: Link[] = [];
    const address = await taker.listen((link) => came.push(link));
    const peer = { member: 0, host: "h1", address };
    const linkBy = async (route: Route, address: string) => {
      const links = second.process(1, 1, { link: "tcp", route });
      const linking = new Linking({
        member: 1,
        connect: (to, way) => links.connect(to, way),
        add: () => {},
      });
      return await linking.toAll([{ ...peer, address }], route);
    };
    const refuses = "tcp:127.0.0.1:1";
    assert.deepEqual(await linkBy("auto", address), []);
    assert.equal(first.routes.carried, 0);
    const [routed] = await linkBy("auto", refuses);
    assert.equal(routed?.member, 0);
    assert.match(routed?.why ?? "", /^Cannot connect to tcp:127.0.0.1:1: nobody listens there/);
    assert.equal(first.routes.carried, 1);
    assert.deepEqual(await linkBy("daemons", address), [{ member: 0 }]);
    await until(() => came.length === 3);
    const [code, text] = await codeOf(linkBy("direct", refuses));
    assert.equal(code, "LINK_NOT_DIRECT");
    assert.match(text, /Cannot link the processes on h2 and h1 directly: Cannot connect to tcp:127.0.0.1:1/);
    for (const link of came) link.close();
    taker.close();
  }));

test.run();
