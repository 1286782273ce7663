/** When a job is stopped for a checkpoint, and that it always goes on: the master's part, with processes that are scripts. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Rpc } from "../../net/rpc.ts";
import { Checkpoints, type CheckpointWorld } from "../../pvmd/checkpoints.ts";
import { MemoryStore } from "../../pvmd/memory-store.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";

const JOB = 3;
const PEER = { role: "command", vm: "", host: "test" } as const;
const TID = (JOB << 18) | 1;

/** A process of a job. Each list is used up one by one; its last entry stays. */
class FakeProcess {
  readonly asked: string[] = [];
  readonly link: { peer: { member: number }; end: unknown };
  freezes: { ulps: [number, number][]; why?: string }[] = [{ ulps: [] }];
  settles = [{ settled: true, sent: [0, 0], received: [0, 0] }];

  constructor(member: number) {
    this.link = { peer: { member }, end: undefined };
  }

  async request(kind: string): Promise<{ body: unknown; bytes: Uint8Array }> {
    this.asked.push(kind);
    const next = <T>(list: T[]): T => (list.length > 1 ? list.shift()! : list[0]!);
    const body = kind === "jobFreeze" ? next(this.freezes) : kind === "jobSettled" ? next(this.settles) : {};
    return { body, bytes: new Uint8Array(4) };
  }

  tell(kind: string): void {
    this.asked.push(kind);
  }

  count(kind: string): number {
    return this.asked.filter((one) => one === kind).length;
  }
}

function made() {
  const processes = [new FakeProcess(0), new FakeProcess(1)];
  processes[0]!.freezes = [{ ulps: [[TID, 0]] }];
  const store = new MemoryStore();
  const job = { state: "running", making: 0, spec: { wish: { name: "x" } } };
  const programs = {
    hashOf: (row: number) => (row === 0 ? "ab" : undefined),
    list: () => [],
    module: () => new Uint8Array(2),
  };
  const world = {
    job: (number: number) =>
      number === JOB ? { job, processes: new Map(processes.entries()), programs } : undefined,
    store,
    nextIndex: () => 1,
    after: (_: number, run: () => void) => setImmediate(run),
  } as unknown as CheckpointWorld;
  const checkpoints = new Checkpoints(world);
  const client = { link: { end: undefined } } as unknown as Rpc;
  const ask = (as: Rpc = client) => checkpoints.handlers({ rpc: as });
  const begin = async (as?: Rpc) => (await ask(as).checkpoint!({ job: JOB }, new Uint8Array(0), PEER)).body;
  return { processes, store, job, checkpoints, client, ask, begin };
}

const refused = (why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UpvmError && error.code === "CANNOT_CHECKPOINT", String(error));
  assert.match(error.message, why);
  return true;
};

test("it is stopped when all processes are, and all that was sent has come; it goes on when that is told", async () => {
  const { processes, begin, ask, checkpoints } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  a.settles = [
    { settled: true, sent: [0, 2], received: [0, 0] },
    { settled: true, sent: [0, 2], received: [0, 0] },
  ];
  b.settles = [
    { settled: true, sent: [0, 0], received: [1, 0] },
    { settled: false, sent: [0, 0], received: [2, 0] },
    { settled: true, sent: [0, 0], received: [2, 0] },
  ];
  const body = (await begin()) as { living: unknown };
  assert.deepEqual(body.living, [{ tid: TID, index: 0, program: 0 }]);
  assert.deepEqual([a.count("jobFreeze"), a.count("jobSettled"), a.count("jobThaw")], [1, 3, 0]);
  assert.equal(checkpoints.isStopped(JOB), true);
  assert.equal(
    (await ask().checkpointImage!({ job: JOB, tid: TID }, new Uint8Array(0), PEER)).bytes?.length,
    4,
  );
  ask().checkpointEnd!({ job: JOB }, new Uint8Array(0), PEER);
  assert.deepEqual([a.count("jobThaw"), b.count("jobThaw"), checkpoints.isStopped(JOB)], [1, 1, false]);
});

test("while a ULP waits for an answer all are thawed and stopped again; for ever is refused with its reason", async () => {
  const { processes, begin, checkpoints } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  b.freezes = [{ ulps: [], why: "t1: it waits" }, { ulps: [], why: "t1: it waits" }, { ulps: [] }];
  await begin();
  assert.deepEqual([a.count("jobFreeze"), a.count("jobThaw")], [3, 2]);
  const stuck = made();
  stuck.processes[1]!.freezes = [{ ulps: [], why: "t1: it waits" }];
  await assert.rejects(stuck.begin(), refused(/job 3: t1: it waits/));
  assert.equal(stuck.processes[0]!.count("jobFreeze"), LIMITS.checkpointTries);
  assert.equal(stuck.checkpoints.isStopped(JOB), false);
  assert.equal(stuck.processes[0]!.count("jobThaw"), LIMITS.checkpointTries + 1);
  assert.equal(checkpoints.isStopped(JOB), true);
});

test("groups, a second checkpoint at once, no such job: refused by name, and the job is not touched", async () => {
  const { processes, store, begin, ask } = made();
  const group = (...tids: number[]) => new TextEncoder().encode(JSON.stringify({ tids }));
  await store.txn([], [{ key: "group/others", value: group((9 << 18) + 1) }]);
  await store.txn([], [{ key: "group/work", value: group((9 << 18) + 1, TID) }]);
  await assert.rejects(begin(), refused(/its ULPs are in groups/));
  assert.equal(processes[0]!.count("jobFreeze"), 0);
  await store.txn([], [{ key: "group/work" }]);
  await begin();
  const other = { link: { end: undefined } } as unknown as Rpc;
  await assert.rejects(begin(other), refused(/another checkpoint/));
  await assert.rejects(
    async () => ask().checkpoint!({ job: 9 }, new Uint8Array(0), PEER),
    refused(/no such job/),
  );
  await assert.rejects(
    async () => ask(other).checkpointImage!({ job: JOB, tid: TID }, new Uint8Array(0), PEER),
    refused(/it is not stopped/),
  );
});

test("a job goes on if the command that stopped it is gone", async () => {
  const { processes, begin, checkpoints, client } = made();
  await begin();
  checkpoints.clientEnded({ link: {} } as unknown as Rpc);
  assert.equal(checkpoints.isStopped(JOB), true);
  checkpoints.clientEnded(client);
  assert.deepEqual([processes[1]!.count("jobThaw"), checkpoints.isStopped(JOB)], [1, false]);
});

test.run();
