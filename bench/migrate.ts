/**
 * Table XVII: a ULP that computes is moved from host to host and back. How long from the order at its process until its state
 * has left (obtrusiveness) and until it goes on at the other host (migration cost), beside the same bytes over TCP; how long
 * other ULPs stand still meanwhile; and what more hosts cost (paper, 4.5).
 *
 * The hosts are pvmds of this machine, as in remote.ts. Times of moves are the source process's own, of its monotonic clock:
 * migration cost ends when it hears that the ULP goes on there. When it does go on the ULP itself sees, by the time of the day:
 * all processes have one clock here, and what it is apart in two of them has one sign on the way there, the other on the way back.
 */
import { join } from "node:path";
import { codeExtension, codeRoot } from "../upvm/node-package.ts";
import type { MigratedRow } from "../wire/rpc-move.ts";
import { type Measured, measured, printed, SheetBuilder, scaled, together } from "./figures.ts";
import { type BenchHosts, type BenchJob, onHosts, onTwoHosts } from "./hosts.ts";
import { outputOf } from "./output.ts";
import { MIGRATION_S } from "./paper.ts";
import { printedBy } from "./spawn.ts";
import type { Measurement } from "./tools.ts";

const MB = 1_000_000;
/** There and back, so often before the first move that counts: what V8 compiles in; and then. */
interface Trips {
  readonly warm: number;
  readonly trips: number;
}
/** State in MB. What takes long is moved less often. */
const SIZES: readonly ({ readonly mb: string } & Trips)[] = [
  ...["0.3", "0.5", "1.0", "1.6", "2.1", "2.9"].map((mb) => ({ mb, warm: 80, trips: 20 })),
  { mb: "16", warm: 40, trips: 8 },
  { mb: "64", warm: 10, trips: 5 },
  { mb: "256", warm: 3, trips: 3 },
];
/** Of those that do not count: what a move costs that is one of the first of its process. */
const FIRST_MOVES = 12;
/** Of migrate-pause: time for more there is not. */
const WARM_UPS = 10;
/** Between two moves, so that one does not find the other's garbage. */
const PAUSE_MS = 10;
const US_PER_MS = 1000;
const ONE_WAY = join(codeRoot, "bench", `one-way${codeExtension}`);

/** Received into memory that the system gives anew each time, as a ULP's state is. */
const C_NEW = "C's TCP, new memory";

const bytesOf = (mb: string): string => String(Math.round(Number(mb) * MB));
const pause = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));

/** A move that counts. */
interface Trip extends MigratedRow {
  /** From the event until the ULP runs there, by its own looks at the clock. */
  readonly restartMs: number | undefined;
}

/** Moves a job's first ULP to the second host and back, and ends the job. @returns all moves, also those that do not count */
async function shuttle(hosts: BenchHosts, job: BenchJob, trips: Trips): Promise<Trip[]> {
  let rows: MigratedRow[] = [];
  let out = "";
  try {
    rows = await moves(hosts, job, trips);
  } finally {
    out = await job.end();
  }
  const gone = [...out.matchAll(/^gone ([\d.]+) ([\d.]+)$/gm)].map(([, from, to]) => [
    Number(from),
    Number(to),
  ]);
  return rows.map((row) => {
    // Of the pauses of a ULP, its process and the machine take some too: this one it spent on its way.
    const pause = gone.find(
      ([from, to]) => from! < row.eventMs! + row.stages!.frozenMs && to! > row.eventMs!,
    );
    return { ...row, restartMs: pause && pause[1]! - row.eventMs! };
  });
}

async function moves(hosts: BenchHosts, job: BenchJob, { warm, trips }: Trips): Promise<MigratedRow[]> {
  const { tid, host } = job.tasks[0]!;
  const other = hosts.names.find((name) => name !== host)!;
  const rows: MigratedRow[] = [];
  for (let trip = -warm; trip < trips; trip++) {
    for (const to of [other, host]) {
      rows.push(await hosts.migrate(tid, to));
      await pause(PAUSE_MS);
    }
  }
  return rows;
}

/** Undefined: no ULP has told when it ran again. */
function medianOf(rows: readonly Trip[], value: (row: Trip) => number | undefined): Measured | undefined {
  const values = rows.map(value).filter((it) => it !== undefined);
  return values.length > 0 ? measured(values) : undefined;
}

export const migrateCost: Measurement = {
  name: "migrate-cost",
  async measure({ programs, native, batches, progress }) {
    const sheet = new SheetBuilder({
      name: "migrate-cost",
      title: "A ULP that computes is moved to another host and back (Table XVII)",
      unit: "ms",
      rowHead: "MB",
    });
    const { linked } = await programs.compile("migrant.c");
    const c = await native.program("rivals/one-way.c");
    if (c === undefined) sheet.note("C's TCP: no gcc here");
    await onTwoHosts(async (hosts) => {
      for (const { mb, ...trips } of SIZES) {
        const words = [String(batches), bytesOf(mb)];
        const baselines: [column: string, run: () => Promise<string>][] = [
          ["Node's TCP", () => printedBy(process.execPath, [ONE_WAY, ...words])],
        ];
        if (c !== undefined)
          baselines.push(["C's TCP", () => c(...words)], [C_NEW, () => c("new", ...words)]);
        // Before ours and after it: what disturbs the machine differs from minute to minute.
        const parts = new Map<string, Measured[]>();
        const measureThem = async (): Promise<void> => {
          for (const [column, run] of baselines)
            await sheet.attempt(`${column}, ${mb} MB`, async () => {
              const value = outputOf(await run()).figures.get(bytesOf(mb));
              if (value === undefined) throw new Error("it printed no figure");
              parts.set(column, [...(parts.get(column) ?? []), scaled(value, 1 / US_PER_MS)]);
            });
        };
        progress(`a ULP of ${mb} MB on its way`);
        await measureThem();
        await sheet.attempt(`${mb} MB`, async () => {
          const job = await hosts.run(linked, ["--ulps", "1", "--cores", "1"], bytesOf(mb));
          const all = await shuttle(hosts, job, trips);
          const rows = all.slice(2 * trips.warm);
          const add = (column: string, value: (trip: Trip) => number | undefined): void =>
            sheet.add(mb, column, medianOf(rows, value));
          add("obtrusive", ({ obtrusiveMs }) => obtrusiveMs);
          add("runs there", ({ restartMs }) => restartMs);
          if (2 * trips.warm >= FIRST_MOVES)
            sheet.add(
              mb,
              "its first moves",
              medianOf(all.slice(0, FIRST_MOVES), (it) => it.restartMs),
            );
          add("migration", ({ migrationMs }) => migrationMs);
          add("of it: until frozen", ({ stages }) => stages!.frozenMs);
        });
        await measureThem();
        for (const [column, values] of parts) sheet.add(mb, column, together(values));
      }
    });
    const ratio = (mb: string, baseline: string): number | undefined => {
      const [ours, tcp] = [sheet.median(mb, "obtrusive"), sheet.median(mb, baseline)];
      return ours && tcp && ours / tcp;
    };
    for (const baseline of ["Node's TCP", C_NEW]) {
      for (const { mb } of SIZES) {
        const value = ratio(mb, baseline);
        if (value !== undefined) sheet.add(mb, `obtrusive / ${baseline}`, printed(value));
      }
    }
    for (const [mb, { obtrusive, migration, tcp }] of Object.entries(MIGRATION_S)) {
      sheet.add(mb, "paper: obtrusive, s", printed(obtrusive));
      sheet.add(mb, "paper: migration, s", printed(migration));
      sheet.add(mb, "paper: obtrusive / TCP", printed(obtrusive / tcp));
    }
    sheet.aim("0.3 MB, until it runs there", "less", 1.2, "ms", sheet.median("0.3", "runs there"));
    for (const { mb } of SIZES) {
      const limit = Number(mb) < 1 ? undefined : Number(mb) < 16 ? 1.3 : 1.15;
      if (limit !== undefined)
        sheet.aim(`${mb} MB, obtrusive, times Node's TCP`, "less", limit, "", ratio(mb, "Node's TCP"));
    }
    return sheet.done();
  },
};

/** Windows of guests/gaps.c. */
const WINDOW_MS = 10;
const GAP_SECONDS = 12;
const GAP_MOVES = 60;
const GAP_SIZES = ["0.3", "1.0", "2.9", "16"];

/** Longest gaps of a watching ULP by window, ms. */
type Gaps = ReadonlyMap<number, number>;

function gapsOf(text: string, rank: number): Gaps {
  const found = [...text.matchAll(/^gap (\d+) (\d+) ([\d.]+)$/gm)].filter(([, who]) => Number(who) === rank);
  return new Map(found.map(([, , window, us]) => [Number(window), Number(us) / US_PER_MS]));
}

/** Longest gap in the windows that a time touches; undefined: some of them were not watched. */
function longestIn(gaps: Gaps, fromMs: number, toMs: number): number | undefined {
  let longest = 0;
  for (let window = Math.floor(fromMs / WINDOW_MS); window <= Math.floor(toMs / WINDOW_MS); window++) {
    const gap = gaps.get(window);
    if (gap === undefined) return undefined;
    longest = Math.max(longest, gap);
  }
  return longest;
}

/** Longest gaps of programs that nobody moves, in as many and as long times as the moves took, one after the other. */
function gapsAlone(text: string, spansMs: readonly number[]): number[] {
  const watched = [gapsOf(text, 1), gapsOf(text, 2)];
  const found: number[] = [];
  for (const gaps of watched) {
    let fromMs = Math.min(...gaps.keys()) * WINDOW_MS;
    for (const spanMs of spansMs) {
      const gap = longestIn(gaps, fromMs, fromMs + spanMs);
      if (gap !== undefined) found.push(gap);
      fromMs += spanMs + GAP_SECONDS * 5;
    }
  }
  return found;
}

export const migratePause: Measurement = {
  name: "migrate-pause",
  async measure({ programs, native, progress }) {
    const sheet = new SheetBuilder({
      name: "migrate-pause",
      title: "Longest gap of a computing ULP of the same process, for each move",
      unit: "ms",
      rowHead: "MB",
    });
    const { linked } = await programs.compile("gaps.c");
    const machine = await native.program("rivals/gaps.c");
    if (machine === undefined) sheet.note("plain C: no gcc here");
    await onTwoHosts(async (hosts) => {
      for (const mb of GAP_SIZES) {
        progress(`ULPs that watch the clock while one of ${mb} MB is moved`);
        await sheet.attempt(`${mb} MB`, async () => {
          // Just before: what disturbs the machine differs from minute to minute.
          const ofMachine = await machine?.(String(GAP_SECONDS / 2));
          const flags = ["--ulps", "4", "--cores", "1", "--place", "block"];
          const job = await hosts.run(linked, flags, bytesOf(mb), String(GAP_SECONDS));
          const [first, second] = [job.tasks[1]!, job.tasks[2]!];
          if (first.host === second.host) throw new Error("both that watch are on one host");
          const moves: { from: string; beganMs: number; endMs: number }[] = [];
          const until = performance.now() + (GAP_SECONDS - 1) * 1000;
          for (let move = 0; move < GAP_MOVES && performance.now() < until; move++) {
            await pause(GAP_SECONDS * 5 + ((move * 7) % 10));
            const [from, to] = move % 2 === 0 ? [first.host, second.host] : [second.host, first.host];
            const beganMs = performance.timeOrigin + performance.now();
            await hosts.migrate(job.tasks[0]!.tid, to);
            moves.push({ from, beganMs, endMs: performance.timeOrigin + performance.now() });
          }
          const out = await job.ended();
          const watched = [
            { host: first.host, gaps: gapsOf(out, 1) },
            { host: second.host, gaps: gapsOf(out, 2) },
          ];
          const seen: Record<"source" | "target" | "nothing moves", number[]> = {
            source: [],
            target: [],
            "nothing moves": [],
          };
          for (const { from, beganMs, endMs } of moves.slice(2 * WARM_UPS)) {
            for (const { host, gaps } of watched) {
              const gap = longestIn(gaps, beganMs, endMs);
              if (gap !== undefined) seen[from === host ? "source" : "target"].push(gap);
              // As many windows, in the pause before it.
              const earlierMs = GAP_SECONDS * 2.5;
              const quiet = longestIn(gaps, beganMs - earlierMs, endMs - earlierMs);
              if (quiet !== undefined) seen["nothing moves"].push(quiet);
            }
          }
          const spansMs = moves.slice(2 * WARM_UPS).map(({ beganMs, endMs }) => endMs - beganMs);
          const plain = ofMachine === undefined ? [] : gapsAlone(ofMachine, spansMs);
          for (const [where, gaps] of [...Object.entries(seen), ["plain C", plain] as const]) {
            if (gaps.length === 0) continue;
            const value = measured(gaps);
            sheet.add(mb, where, value);
            sheet.add(mb, `${where}, longest`, printed(value.max));
          }
        });
      }
    });
    for (const mb of GAP_SIZES) {
      for (const where of ["source", "target"])
        sheet.aim(
          `${mb} MB, longest at the ${where}`,
          "less",
          2,
          "ms",
          sheet.median(mb, `${where}, longest`),
        );
    }
    return sheet.done();
  },
};

const HOSTS = [2, 4, 8, 16];
/** Of the paper's messages of the protocol, bytes. */
const PROTOCOL_BYTES = "20";

export const migrateHosts: Measurement = {
  name: "migrate-hosts",
  async measure({ programs, batches, progress }) {
    const sheet = new SheetBuilder({
      name: "migrate-hosts",
      title: "Migration cost of a ULP of 1 MB by the number of hosts of its job",
      unit: "ms",
      rowHead: "hosts",
    });
    const { linked } = await programs.compile("migrant.c");
    const message = await programs.compile("message.c");
    let oneWayUs: number | undefined;
    for (const count of HOSTS) {
      progress(`a ULP of 1 MB among ${count} hosts`);
      const names = Array.from({ length: count }, (_, i) => `h${i}`);
      await sheet.attempt(`${count} hosts`, () =>
        onHosts(names, async (hosts) => {
          if (oneWayUs === undefined) {
            const options = { ulps: 2, cores: 1, flags: [] };
            const words = ["2", "-", "default", String(batches), PROTOCOL_BYTES];
            const { figures } = outputOf(await programs.upvm(message, options, ...words));
            oneWayUs = figures.get(PROTOCOL_BYTES)?.median;
          }
          const flags = ["--ulps", `${count}`, "--cores", "1", "--place", "cyclic"];
          const job = await hosts.run(linked, flags, bytesOf("1"));
          const trips = { warm: 40, trips: 12 };
          const rows = (await shuttle(hosts, job, trips)).slice(2 * trips.warm);
          const add = (column: string, value: (trip: Trip) => number | undefined): void =>
            sheet.add(count, column, medianOf(rows, value));
          add("migration", ({ migrationMs }) => migrationMs);
          add("runs there", ({ restartMs }) => restartMs);
          add("obtrusive", ({ obtrusiveMs }) => obtrusiveMs);
          add("flush", ({ stages }) => stages!.flushedMs - stages!.frozenMs);
        }),
      );
    }
    const two = sheet.median(HOSTS[0]!, "migration");
    if (two !== undefined && oneWayUs !== undefined) {
      const relation = (count: number): number => two + (2 * oneWayUs! * (count - 2)) / US_PER_MS;
      for (const count of HOSTS) sheet.add(count, "the paper's relation", printed(relation(count)));
      sheet.note(`the paper's relation (4.5): of 2 hosts, and 2 × ${oneWayUs.toFixed(0)} µs for each more`);
      const most = HOSTS.at(-1)!;
      const got = sheet.median(most, "migration");
      sheet.aim(`${most} hosts, times the relation`, "less", 1, "", got && got / relation(most));
    }
    return sheet.done();
  },
};
