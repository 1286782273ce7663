/** An application process whose master and peer are this test: what goes over its links, frame by frame. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Frame, Link, PeerIdentity } from "../../net/link.ts";
import { memoryLinks } from "../../net/memory-links.ts";
import { type Handlers, Rpc } from "../../net/rpc.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { type ApplicationEdge, runApplication } from "../../upvm/application.ts";
import type { RunResult } from "../../upvm/run.ts";
import type { JobSpec } from "../../wire/job.ts";
import { LINK_ABI } from "../../wire/layout.ts";
import { FRAME, SEND_HEAD } from "../../wire/protocol.ts";
import { tidOf } from "../../wire/pvm.ts";
import { program } from "../wat-programs.ts";

const identity = (member: number): PeerIdentity => ({
  role: "process",
  vm: "lab",
  host: "h",
  job: 1,
  member,
});

/** Member 0 in earnest; the test is member 1, which has ULP 1, and the master. */
class Played {
  readonly frames: Frame[] = [];
  readonly asked: string[] = [];
  readonly ended: (readonly number[])[] = [];
  readonly kept: string[] = [];
  /** Members whose links broke, and why. */
  readonly lost: string[] = [];
  /** Where the master says that a ULP is. */
  readonly places = new Map<number, number>();
  out = "";
  result: RunResult | undefined;
  readonly over: Promise<void>;
  peer!: Link;
  private master!: Rpc;
  private waiting: (() => void)[] = [];

  /** @param connects  false: member 1 is gone before it has linked to this one */
  constructor(module: Uint8Array, ulps = 2, connects = true) {
    const wish = {
      name: "p",
      hash: "0".repeat(64),
      ulps,
      place: "block",
      link: "tcp",
      args: [],
      env: [],
    } as const;
    const rest = {
      grants: [],
      input: false,
      tag: false,
      handoff: true,
      framesBytes: 1 << 20,
      heapBytes: 8 << 20,
    };
    const members = [0, 1].map((i) => ({ host: `h${i}`, engines: 1 }));
    const spec: JobSpec = {
      job: 1,
      life: 1,
      wish: { ...wish, args: [], env: [], ...rest, grants: [] },
      founders: 2,
      members,
    };
    const links = memoryLinks(identity(0), { role: "pvmd", vm: "lab", host: "m" });
    this.master = new Rpc(links.b, this.handlers(spec, module, connects));
    const edge: ApplicationEdge = {
      member: 0,
      master: async (handlers) => new Rpc(links.a, handlers),
      listen: async (onLink) => {
        const { a, b } = memoryLinks(identity(0), identity(1));
        this.peer = b;
        b.onFrame((frame) => this.take(frame));
        if (connects) onLink(a);
        return "tcp:h0:1";
      },
      connect: () => assert.fail("the one with the higher number connects"),
      findModule: async () => undefined,
      keepModule: async (hash) => void this.kept.push(hash),
      after: (ms, run) => void setTimeout(run, ms),
      nowMs: () => performance.now(),
      dayMs: () => Date.now(),
      availableBytes: () => 1 << 30,
      reached: () => {},
      store: new MemoryStore(),
    };
    this.over = runApplication(edge);
  }

  private handlers(spec: JobSpec, module: Uint8Array, connects: boolean): Handlers {
    const told = { body: undefined };
    return {
      processHello: ({ address, abi }) => {
        assert.deepEqual([address, abi], ["tcp:h0:1", LINK_ABI]);
        return { body: spec };
      },
      module: () => ({ body: {}, bytes: module }),
      processReady: () => {
        const members = [0, 1].map((member) => ({ member, host: `h${member}`, address: "" }));
        this.master.tell("jobBegin", { members });
        if (!connects) {
          this.master.tell("jobLost", { member: 1 });
          this.master.tell("ulpsGone", { tids: [tidOf(1)] });
        }
        return told;
      },
      ulpAsk: ({ kind }) => {
        this.asked.push(kind);
        return { body: {} };
      },
      ulpsEnded: ({ ended }) => {
        this.ended.push(...ended);
        this.look();
        return told;
      },
      peerLost: ({ member, why }) => {
        this.lost.push(`${member}: ${why}`);
        this.look();
        return told;
      },
      locate: ({ tid }) => ({ body: { member: this.places.get(tid) ?? -1 } }),
      output: (_, bytes) => {
        this.out += new TextDecoder().decode(bytes);
        return { body: {} };
      },
      processResult: (_, bytes) => {
        this.result = JSON.parse(new TextDecoder().decode(bytes)) as RunResult;
        return { body: {} };
      },
    };
  }

  take(frame: Frame): void {
    this.frames.push({ ...frame, body: [frame.body[0]!.slice()] });
    this.look();
  }

  private look(): void {
    for (const go of this.waiting.splice(0)) go();
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((go) => this.waiting.push(go));
  }

  stop(): void {
    this.master.tell("jobStop", { reason: "interrupted" });
  }

  /** A message of ULP 1, as member 1 sends it. */
  send(to: number, tag: number, value: number, type: number = FRAME.ULP_SEND): void {
    const words = new Int32Array(SEND_HEAD.words + 1);
    words[SEND_HEAD.tag] = tag;
    words[SEND_HEAD.words] = value;
    this.peer.send({ type, a: to, b: tidOf(1), c: 0, body: [new Uint8Array(words.buffer)] });
  }

  /** The first frame of this type, when it has come. */
  async frame(type: number): Promise<Frame> {
    await this.until(() => this.frames.some((frame) => frame.type === type));
    return this.frames.find((frame) => frame.type === type)!;
  }

  async finish(): Promise<RunResult> {
    this.master.tell("jobFinish", {});
    await this.over;
    return this.result!;
  }
}

/** ULP 0 answers with 1 more than it gets, until that is 0; then it sends that to t40004 and waits. */
const ECHO = program(`
  (func (export "main") (result i32)
    (local $value i32)
    (loop $again
      (drop (call $pvm_recv (i32.const -1) (i32.const 7)))
      (drop (call $pvm_upkint (i32.const 8) (i32.const 1) (i32.const 1)))
      (local.set $value (i32.load (i32.const 8)))
      (i32.store (i32.const 8) (i32.add (local.get $value) (i32.const 1)))
      (drop (call $pvm_initsend (i32.const 0)))
      (drop (call $pvm_pkint (i32.const 8) (i32.const 1) (i32.const 1)))
      (drop (call $pvm_send
        (select (i32.const ${tidOf(1)}) (i32.const ${tidOf(3)}) (local.get $value)) (i32.const 9)))
      (br_if $again (local.get $value)))
    (drop (call $pvm_recv (i32.const -1) (i32.const 8)))
    (i32.const 0))`);
const numberOf = ({ body }: Frame): number => new Int32Array(body[0]!.buffer)[SEND_HEAD.words]!;

test("messages come and go as frames with the words of Table III, wherever their receivers are", async () => {
  const played = new Played(ECHO);
  played.places.set(tidOf(3), 1);
  while (played.peer === undefined) await new Promise((go) => setImmediate(go));
  played.send(tidOf(0), 7, 41);
  const answer = await played.frame(FRAME.ULP_SEND);
  assert.deepEqual([answer.a, answer.b, numberOf(answer)], [tidOf(1), tidOf(0), 42]);
  assert.equal(new Int32Array(answer.body[0]!.buffer)[SEND_HEAD.tag], 9);
  // One that was sent on because its receiver was elsewhere is as good.
  played.send(tidOf(0), 7, 0, FRAME.ULP_MSGFWD);
  await played.until(() => played.frames.filter(({ type }) => type === FRAME.ULP_SEND).length === 2);
  const learnt = played.frames.filter(({ type }) => type === FRAME.ULP_SEND)[1]!;
  assert.deepEqual([learnt.a, numberOf(learnt)], [tidOf(3), 1], "its place was asked of the master");
  // For a ULP that is not here: it is sent on, with how often.
  played.send(tidOf(1), 7, 5);
  const forwarded = await played.frame(FRAME.ULP_MSGFWD);
  assert.deepEqual([forwarded.a, forwarded.c, numberOf(forwarded)], [tidOf(1), 1, 5]);
  played.send(tidOf(0), 8, 0);
  await played.until(() => played.ended.length > 0);
  assert.deepEqual(played.ended, [[tidOf(0), 0, 0]]);
  assert.equal((await played.frame(FRAME.ULP_EXIT)).a, tidOf(0));
  const result = await played.finish();
  assert.deepEqual([result.reason, result.leaks, result.ulps.length], ["done", "", 1]);
  assert.deepEqual(played.kept, ["0".repeat(64)]);
});

test("questions between libraries are answered, and a signal ends a ULP", async () => {
  const played = new Played(ECHO);
  while (played.peer === undefined) await new Promise((go) => setImmediate(go));
  const ask = (type: number, a = 0, c = 0): void => played.peer.send({ type, a, b: 0, c, body: [] });
  ask(FRAME.ULP_CONFIGQ);
  const config = await played.frame(FRAME.ULP_CONFIG);
  assert.equal(config.a, 2);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(config.body[0])), {
    member: 0,
    engines: 1,
    abi: LINK_ABI,
  });
  ask(FRAME.ULP_STATUSQ, tidOf(1));
  const status = await played.frame(FRAME.ULP_STATUS);
  assert.deepEqual([status.a, status.b], [tidOf(1), 1]);
  ask(FRAME.ULP_SIGNAL, tidOf(0), 9);
  await played.until(() => played.ended.length > 0);
  assert.deepEqual(played.ended, [[tidOf(0), 0, 9]]);
  assert.ok(played.asked.includes("ended"));
  const result = await played.finish();
  assert.deepEqual([result.ulps[0]!.killed, result.leaks], [9, ""]);
});

test("a message that is cut short ends the link, and the process goes on", async () => {
  const played = new Played(ECHO);
  while (played.peer === undefined) await new Promise((go) => setImmediate(go));
  const ended = new Promise<string>((done) => played.peer.onClose(({ why }) => done(why)));
  played.peer.send({ type: FRAME.ULP_SEND, a: tidOf(0), b: tidOf(1), c: 0, body: [new Uint8Array(7)] });
  assert.equal(await ended, "lost");
  await played.until(() => played.lost.length > 0);
  assert.match(played.lost[0]!, /^1: .*7 bytes/);
  played.stop();
  await played.over;
  assert.equal(played.result!.reason, "interrupted");
});

/** ULP 0 sends ULP 1 a message, and ends. */
const SEND = program(`
  (func (export "main") (result i32)
    (drop (call $pvm_initsend (i32.const 0)))
    (drop (call $pvm_send (i32.const ${tidOf(1)}) (i32.const 9)))
    (i32.const 0))`);

test("a process that is lost before all have linked to it is not waited for: the others begin, and its ULPs have ended", async () => {
  const played = new Played(SEND, 2, false);
  await played.until(() => played.ended.length > 0);
  assert.deepEqual(played.ended, [[tidOf(0), 0, 0]]);
  const result = await played.finish();
  assert.deepEqual([result.reason, result.leaks, result.ulps.length], ["done", "", 1]);
});

test("messages for a heap that is full wait in their order, and are not lost", async () => {
  const played = new Played(ECHO);
  while (played.peer === undefined) await new Promise((go) => setImmediate(go));
  const bytes = 1 << 20;
  for (let i = 0; i < 20; i++) {
    const words = new Int32Array(SEND_HEAD.words + bytes / 4);
    words[SEND_HEAD.tag] = 7;
    words[SEND_HEAD.words] = 100 + i;
    played.peer.send({
      type: FRAME.ULP_SEND,
      a: tidOf(0),
      b: tidOf(1),
      c: 0,
      body: [new Uint8Array(words.buffer)],
    });
  }
  await played.until(() => played.frames.filter(({ type }) => type === FRAME.ULP_SEND).length === 20);
  const answers = played.frames.filter(({ type }) => type === FRAME.ULP_SEND).map(numberOf);
  assert.deepEqual(
    answers,
    Array.from({ length: 20 }, (_, i) => 101 + i),
  );
  played.stop();
  await played.over;
  assert.equal(played.result!.leaks, "");
});

test.run();
