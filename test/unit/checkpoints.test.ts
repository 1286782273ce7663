/** When a job is stopped for a checkpoint, and that it always goes on: the master's part, with processes that are scripts. */
import assert from "node:assert/strict";
import { test } from "uvu";
import type { Rpc } from "../../net/rpc.ts";
import { Checkpoints, type CheckpointWorld } from "../../pvmd/checkpoints.ts";
import type { Kept, KeptGroup } from "../../wire/checkpoint.ts";
import { UpvmError } from "../../wire/errors.ts";
import { LIMITS } from "../../wire/limits.ts";

const JOB = 3;
const PEER = { role: "command", vm: "", host: "test" } as const;
const TID = (JOB << 18) | 1;

const NOTHING: Kept = {
  groups: [],
  hosts: [],
  tasks: [],
  wishes: [],
  entries: [],
  readers: [],
  contexts: [],
};

/** A process of a job. Each list is used up one by one; its last entry stays. */
class FakeProcess {
  readonly asked: string[] = [];
  readonly link: { peer: { member: number }; end: unknown };
  freezes: { ulps: [number, number][]; waits?: [number, number][]; why?: string }[] = [{ ulps: [] }];
  settles: { settled: boolean; sent: number[]; received: number[]; hasNews?: boolean }[] = [
    { settled: true, sent: [0, 0], received: [0, 0] },
  ];

  /** What happens when it is asked for something. */
  onAsk: (kind: string) => void | Promise<void> = () => {};

  constructor(member: number) {
    this.link = { peer: { member }, end: undefined };
  }

  async request(kind: string): Promise<{ body: unknown; bytes: Uint8Array }> {
    this.asked.push(kind);
    await this.onAsk(kind);
    if (this.link.end !== undefined)
      throw new UpvmError("LINK_LOST", { host: "h", kind, why: "it was killed" });
    const next = <T>(list: T[]): T => (list.length > 1 ? list.shift()! : list[0]!);
    const frozen = () => ({ waits: [], ...next(this.freezes) });
    const settled = () => ({ hasNews: false, ...next(this.settles) });
    const body = kind === "jobFreeze" ? frozen() : kind === "jobSettled" ? settled() : {};
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
  /** What the groups are, time after time. */
  const groups: KeptGroup[][] = [[]];
  const job = { state: "running", making: 0, live: new Map([[TID, 0]]), spec: { wish: { name: "x" } } };
  const seen: {
    isMoving: boolean;
    kept: Partial<Kept>;
    cannot?: string;
    parked: number[];
    news: boolean[];
    over?: number;
  } = { isMoving: false, kept: {}, parked: [], news: [] };
  const programs = {
    hashOf: (row: number) => (row === 0 ? "ab" : undefined),
    list: () => [],
    module: () => new Uint8Array(2),
  };
  const world = {
    job: (number: number) =>
      number === JOB ? { job, processes: new Map(processes.entries()), programs } : undefined,
    isMoving: () => seen.isMoving,
    keep: async (job: number, tids: ReadonlySet<number>) => {
      assert.deepEqual([job, ...tids], [JOB, TID]);
      const kept = { ...NOTHING, ...seen.kept, groups: groups.length > 1 ? groups.shift()! : groups[0]! };
      return seen.cannot ?? { kept, data: [Uint8Array.of(1), Uint8Array.of(2, 3)] };
    },
    park: (tid: number) => seen.parked.push(tid),
    isParked: () => seen.news.shift() ?? false,
    isOver: (tid: number) => seen.over === tid,
    letGo: (tid: number) => seen.parked.splice(seen.parked.indexOf(tid), 1),
    nextIndex: () => 1,
    after: (ms: number, run: () => void) =>
      ms === LIMITS.checkpointFreezeMs ? timers.push(run) : setImmediate(run),
  } as unknown as CheckpointWorld;
  /** What is done when ULPs were waited for long enough, once for each time that they are stopped. */
  const timers: (() => void)[] = [];
  const checkpoints = new Checkpoints(world);
  const client = { link: { end: undefined as unknown } } as unknown as Rpc;
  const ask = (as: Rpc = client) => checkpoints.handlers({ rpc: as });
  const begin = async (as?: Rpc) => (await ask(as).checkpoint!({ job: JOB }, new Uint8Array(0), PEER)).body;
  return { processes, groups, job, seen, timers, checkpoints, client, ask, begin };
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

test("while a ULP waits for an answer the others stand still; for ever is refused with its reason, and now and then all go on", async () => {
  const { processes, begin, checkpoints } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  b.freezes = [{ ulps: [], why: "t1: it waits" }, { ulps: [], why: "t1: it waits" }, { ulps: [] }];
  await begin();
  assert.deepEqual([a.count("jobFreeze"), a.count("jobThaw")], [3, 0]);
  const stuck = made();
  stuck.processes[1]!.freezes = [{ ulps: [], why: "t1: it waits" }];
  await assert.rejects(stuck.begin(), refused(/job 3: t1: it waits/));
  assert.equal(stuck.processes[0]!.count("jobFreeze"), LIMITS.checkpointTries);
  assert.equal(stuck.checkpoints.isStopped(JOB), false);
  assert.equal(
    stuck.processes[0]!.count("jobThaw"),
    LIMITS.checkpointTries / LIMITS.checkpointHolds + 1,
    "and at the end",
  );
  assert.equal(checkpoints.isStopped(JOB), true);
});

test("a ULP that moves is waited for; one that nobody has stopped, since it was on its way, is looked for again", async () => {
  const { processes, begin, seen, checkpoints } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  seen.isMoving = true;
  const done = begin();
  for (let i = 0; i < 5; i++) await new Promise((go) => setImmediate(go));
  assert.deepEqual([a.asked, checkpoints.isStopped(JOB)], [[], true]);
  // The source was asked when it had left, the destination before it came.
  a.freezes = [{ ulps: [] }];
  b.freezes = [{ ulps: [] }, { ulps: [[TID, 0]] }];
  seen.isMoving = false;
  assert.equal(((await done) as { living: unknown[] }).living.length, 1);
  assert.deepEqual([a.count("jobFreeze"), a.count("jobThaw")], [2, 0]);
});

test("what the virtual machine has told a ULP that was stopped already is not missed: it takes it first", async () => {
  const { processes, begin } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  b.settles = [
    { settled: true, sent: [0, 0], received: [0, 0], hasNews: true },
    { settled: true, sent: [0, 0], received: [0, 0] },
  ];
  await begin();
  assert.deepEqual([a.count("jobFreeze"), a.count("jobSettled"), a.count("jobThaw")], [2, 2, 0]);
});

test("what the virtual machine has for a ULP while the job is kept waits until it goes on; what comes just then is another moment's", async () => {
  const { processes, begin, seen, ask } = made();
  seen.news = [true, false];
  await begin();
  assert.deepEqual([processes[0]!.count("jobFreeze"), seen.parked], [2, [TID]]);
  ask().checkpointEnd!({ job: JOB }, new Uint8Array(0), PEER);
  assert.deepEqual(seen.parked, []);
  seen.cannot = "no";
  await assert.rejects(begin(), refused(/no/));
  assert.deepEqual(seen.parked, []);
});

test("a process that has come meanwhile is stopped too; and if one is gone, the others go on and it is told", async () => {
  const { processes, begin, checkpoints, client, ask } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  const late = new FakeProcess(2);
  b.freezes = [{ ulps: [], why: "t1: it waits" }, { ulps: [] }];
  b.onAsk = () => {
    if (processes.length === 2) processes.push(late);
  };
  for (const one of [a, b, late]) one.settles = [{ settled: true, sent: [0, 0, 0], received: [0, 0, 0] }];
  await begin();
  assert.deepEqual([late.count("jobFreeze"), late.count("jobSettled")], [1, 1]);
  checkpoints.clientEnded(client);
  assert.equal(late.count("jobThaw"), 1);

  late.onAsk = () => {
    late.link.end = { why: "lost" };
  };
  await assert.rejects(begin(), refused(/a process of it is gone: .*it was killed/));
  assert.deepEqual([a.count("jobThaw"), late.count("jobThaw")], [2, 1]);
  processes.pop();
  await begin();
  a.link.end = { why: "lost" };
  await assert.rejects(
    async () => ask().checkpointImage!({ job: JOB, tid: TID }, new Uint8Array(0), PEER),
    refused(/a process of it is gone/),
  );
});

test("an image that may have what is also kept is refused: it would be told twice", async () => {
  const { processes, begin, ask, seen } = made();
  await begin();
  const image = () => ask().checkpointImage!({ job: JOB, tid: TID }, new Uint8Array(0), PEER);
  assert.equal((await image()).bytes?.length, 4);
  // It becomes too much while the image is made.
  processes[0]!.onAsk = () => {
    seen.over = TID;
  };
  await assert.rejects(async () => image(), refused(/too much has come for tc0001 meanwhile/));
});

test("a job whose client is gone while it is being stopped goes on, and another can keep it", async () => {
  const { processes, begin, checkpoints, client } = made();
  const [a] = processes as [FakeProcess];
  let isGone = false;
  a.onAsk = () => {
    if (isGone) return;
    isGone = true;
    (client.link as { end: unknown }).end = { why: "lost" };
    checkpoints.clientEnded(client);
  };
  await assert.rejects(begin(), refused(/who asked is gone/));
  assert.deepEqual([a.asked.at(-1), checkpoints.isStopped(JOB)], ["jobThaw", false]);
  await begin({ link: { end: undefined } } as unknown as Rpc);
  assert.equal(checkpoints.isStopped(JOB), true);
});

/** A process with a ULP that computes without polls: it says so when it is told that all go on. */
function busy(process: FakeProcess): void {
  process.freezes = [{ ulps: [], why: "t2: it could not be stopped in time" }];
  process.onAsk = async (kind) => {
    while (kind === "jobFreeze" && process.count("jobThaw") === 0)
      await new Promise((go) => setImmediate(go));
  };
}

test("a job with a ULP that does not stop goes on when the time for that is over, and who asked is told which", async () => {
  const { processes, begin, checkpoints, timers } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  busy(b);
  a.freezes = [{ ulps: [], why: "t1: it waits" }];
  const asked = begin();
  while (b.count("jobFreeze") === 0) await new Promise((go) => setImmediate(go));
  // The other process has answered.
  await new Promise((go) => setImmediate(go));
  assert.deepEqual([a.count("jobThaw"), timers.length], [0, 1]);
  timers[0]!();
  await assert.rejects(asked, refused(/job 3: t2: it could not be stopped in time/));
  assert.equal(a.count("jobFreeze"), 1, "it is not tried again, with all standing still for as long");
  assert.deepEqual([a.asked.at(-1), checkpoints.isStopped(JOB)], ["jobThaw", false]);
});

test("a job that has been stopped just when the time was over goes on too", async () => {
  const { processes, begin, checkpoints, timers } = made();
  const [a] = processes as [FakeProcess];
  a.onAsk = (kind) => {
    if (kind === "jobFreeze") timers[0]!();
  };
  await assert.rejects(begin(), refused(/job 3: its ULPs could not be stopped in time/));
  assert.deepEqual([a.count("jobFreeze"), checkpoints.isStopped(JOB)], [1, false]);
});

test("a job that waits for a ULP to stop goes on as soon as the command is gone", async () => {
  const { processes, begin, checkpoints, client, timers } = made();
  const [a, b] = processes as [FakeProcess, FakeProcess];
  busy(b);
  const asked = begin();
  while (b.count("jobFreeze") === 0) await new Promise((go) => setImmediate(go));
  (client.link as { end: unknown }).end = { why: "lost" };
  checkpoints.clientEnded(client);
  assert.deepEqual([a.count("jobThaw"), b.count("jobThaw")], [1, 1]);
  await assert.rejects(asked, refused(/who asked is gone/));
  assert.equal(checkpoints.isStopped(JOB), false);
  // Another's: the time that was set for the first is none of it.
  b.onAsk = () => {};
  b.freezes = [{ ulps: [] }];
  await begin({ link: { end: undefined } } as unknown as Rpc);
  timers[0]!();
  assert.equal(checkpoints.isStopped(JOB), true);
});

const group = (...serials: number[]): KeptGroup => {
  const waits = serials.map((serial) => ({ kind: "barrier" as const, tid: TID, serial, count: 2 }));
  return { name: "g", tids: [TID], frozen: 0, defunct: false, waits };
};

test("who waits in a barrier is kept there; if it has just been answered, another moment is taken", async () => {
  const { processes, groups, begin } = made();
  const [a] = processes as [FakeProcess];
  a.freezes = [{ ulps: [[TID, 0]], waits: [[TID, 5]] }];
  // Its request has not come yet; an earlier one is not this one; it waits.
  groups.splice(0, 1, [group()], [group(4)], [group(5)]);
  assert.deepEqual(((await begin()) as { kept: Kept }).kept.groups, [group(5)]);
  assert.deepEqual([a.count("jobFreeze"), a.count("jobThaw")], [3, 0]);
  const answered = made();
  answered.processes[0]!.freezes = [{ ulps: [[TID, 0]], waits: [[TID, 5]] }];
  await assert.rejects(
    answered.begin(),
    refused(/t[0-9a-f]+: what the virtual machine has for it is on its way/),
  );
  assert.equal(answered.checkpoints.isStopped(JOB), false);
});

test("who waits for an entry of the message box is kept there; what cannot be kept is refused by name", async () => {
  const { processes, seen, ask } = made();
  processes[0]!.freezes = [{ ulps: [[TID, 0]], waits: [[TID, 5]] }];
  const reader = { tid: TID, serial: 5, name: "x", index: 0, flags: 16 };
  seen.kept = { readers: [reader] };
  const { body, bytes } = await ask().checkpoint!({ job: JOB }, new Uint8Array(0), PEER);
  assert.deepEqual(body.kept.readers, [reader]);
  assert.deepEqual([...bytes!], [1, 2, 3]);
  const other = made();
  other.seen.cannot = "t1 serves the virtual machine as its hoster";
  await assert.rejects(other.begin(), refused(/t1 serves the virtual machine as its hoster/));
  assert.equal(other.checkpoints.isStopped(JOB), false);
});

test("groups that are too much for a file are refused by name", async () => {
  const { groups, begin } = made();
  groups.splice(0, 1, [{ ...group(), tids: Array<number>(LIMITS.ulps + 1).fill(TID) }]);
  await assert.rejects(begin(), refused(/group g has instances beyond 12000/));
  const long = { ...group(), name: "x".repeat(LIMITS.groupNameBytes) };
  const count = LIMITS.checkpointKeptBytes / LIMITS.groupNameBytes;
  groups.splice(0, 1, Array<KeptGroup>(count).fill(long));
  await assert.rejects(
    begin(),
    refused(/its 2048 groups, 0 notifications, 0 entries of the message box are too much/),
  );
});

test("a second checkpoint at once, no such job: refused by name, and the job is not touched", async () => {
  const { begin, ask } = made();
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
