/** Seats: what a user writes for `--seats`, and which ULP begins where. */
import assert from "node:assert/strict";
import { test } from "uvu";
import { checkSeats, hostsFor } from "../../pvmd/job-hosts.ts";
import { place } from "../../runtime/scheduler/placement.ts";
import { hostsOf, placementOf, seatCount, seatsOfFile, seatsOfList } from "../../upvm/seats.ts";
import { UpvmError } from "../../wire/errors.ts";
import { type JobSpec, type JobWish, seatsOf } from "../../wire/job.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { SeatRow } from "../../wire/seats.ts";

const MEMBERS = [
  { host: "a", engines: 2 },
  { host: "b", engines: 1 },
];
function wish(seats: SeatRow[], ulps: number, way: "block" | "cyclic" = "block"): JobWish {
  const plain = { name: "p", hash: "0".repeat(64), link: "tcp", input: false, tag: false } as const;
  const rest = { args: [], env: [], grants: [], handoff: true, framesBytes: 1 << 20 };
  return { ...plain, ...rest, ulps, place: way, seats };
}
function seated(text: string, ulps: number, way: "block" | "cyclic" = "block"): string {
  const later = { host: "c", engines: 1 };
  const spec: JobSpec = {
    ...{ job: 1, life: 1, wish: wish(seatsOfList(text), ulps, way), founders: 2 },
    members: [...MEMBERS, later],
  };
  checkSeats(spec.wish, MEMBERS);
  return seatsOf(spec)
    .map(({ member, engine }) => `${MEMBERS[member]!.host}${engine}`)
    .join(" ");
}
const refused = (run: () => unknown, text: RegExp): void =>
  assert.throws(run, (error) => error instanceof UpvmError && text.test(error.message));

test("each ULP begins on the host that its seat names, on the engine that it names, or dealt out there", () => {
  assert.equal(seated("b,a/1,a/0,b", 4), "b0 a1 a0 b0");
  assert.equal(seated("a:4,b:2", 6), "a0 a0 a1 a1 b0 b0");
  assert.equal(seated("a:4,b:2", 6, "cyclic"), "a0 a1 a0 a1 b0 b0");
  assert.equal(seated("b:2,a/1", 3), "b0 b0 a1");
});
test("after the last seat the first comes again, and what is left over is not used", () => {
  assert.equal(seated("a/0,b", 5), "a0 b0 a0 b0 a0");
  assert.equal(seated("a/0:2,b:9", 3), "a0 a0 b0");
});
test("a seat on a host or an engine that the job has not is refused by name", () => {
  refused(() => seated("c", 1), /Cannot run on c: the virtual machine has no host of that name/);
  refused(() => seated("a,b/1", 2), /Cannot begin a ULP on engine 1 of b: it has 1, from 0 on/);
});
test("a list is hosts with engines and counts; anything else is refused with what was written", () => {
  assert.deepEqual(seatsOfList("a, ./3:12,_b-1.net:2"), [
    { host: "a", count: 1 },
    { host: ".", count: 12, engine: 3 },
    { host: "_b-1.net", count: 2 },
  ]);
  for (const bad of ["", "a,,b", "a:", "a/", "a:1:2", "a/x", "/1", "-a", "a b", "..", "ä"])
    refused(() => seatsOfList(bad), /Cannot take ".*" for --seats: it takes HOST\[\/ENGINE\]\[:COUNT\]/);
  refused(() => seatsOfList(`a/${LIMITS.engines}`), /a host has 64 engines at most/);
  for (const count of [0, LIMITS.ulps + 1])
    refused(() => seatsOfList(`a:${count}`), /a count is from 1 to 12000/);
});
test("files of Open MPI are read: hosts with slots, or ranks in any order", () => {
  const hosts = "# machines\n a slots=2 max_slots=8\nb:3 # small\n\n./1\n";
  assert.deepEqual(seatsOfFile("f", hosts), [
    { host: "a", count: 2 },
    { host: "b", count: 3 },
    { host: ".", count: 1, engine: 1 },
  ]);
  assert.equal(seatCount(seatsOfFile("f", hosts)), 6);
  assert.deepEqual(seatsOfFile("f", "rank 1=b slot=0\nrank 0 = a\n"), [
    { host: "a", count: 1 },
    { host: "b", count: 1, engine: 0 },
  ]);
});
test("a file that says nothing, two things, or too much is refused with the line", () => {
  refused(() => seatsOfFile("f", "# none\n"), /Cannot take f for --seats: it says no host/);
  refused(() => seatsOfFile("f", "a\nb slots\n"), /Cannot take line 2 of f, "b slots" for --seats/);
  refused(() => seatsOfFile("f", "rank 0=a\nrank 0=b\n"), /line 2 of f.*that rank has a seat already/);
  refused(() => seatsOfFile("f", "rank 0=a\nb\n"), /line 2 of f.*either ranks or hosts/);
  refused(() => seatsOfFile("f", "rank 0=a\nrank 2=b\n"), /it has 2 ranks, and not rank 1/);
  refused(() => seatsOfFile("f", "a\n".repeat(LIMITS.ulps + 1)), /12000 lines at most/);
  refused(() => seatsOfFile("f", "rank 0=a slot=0-1\n"), /line 1 of f/);
});
test("a job has the hosts of its seats; --hosts may name more, and not fewer", () => {
  const rows = seatsOfList("b,a,b");
  assert.deepEqual(hostsOf([], rows), ["b", "a"]);
  assert.deepEqual(hostsOf(["a", "b", "c"], rows), ["a", "b", "c"]);
  assert.deepEqual([hostsOf([], undefined), hostsOf(["a"], undefined)], [undefined, ["a"]]);
  refused(() => hostsOf(["a"], rows), /Cannot take b for --seats: --hosts does not name it/);
});
test("a host that is named twice has one process of the job", () => {
  const all = ["a", "b"].map((name, i) => ({ name, tid: i + 1, cores: 1 }));
  const plain = wish(seatsOfList("a"), 1);
  const named = (hosts: string[]) => hostsFor({ ...plain, hosts }, all).map(({ name }) => name);
  assert.deepEqual([named(["b", "a", "b"]), named(["a"])], [["b", "a"], ["a"]]);
  refused(() => named(["a", "c"]), /Cannot run on c/);
});
test("without a pvmd seats are engines of this machine", () => {
  const policy = placementOf(seatsOfList("./1,.:2"), "block");
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => place(policy, index, 4, 2)),
    [1, 0, 1, 1],
  );
  refused(() => place(placementOf(seatsOfList("./2"), "block"), 0, 1, 2), /engine 2 of this host: it has 2/);
});

test.run();
