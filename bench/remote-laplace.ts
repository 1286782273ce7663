/**
 * Table XV: the paper's grid solver on two hosts, which are two processes of this machine with an engine each, beside one
 * host with one engine, and one with two. And from which size of the grid on two hosts are worth it.
 */
import { type Measured, measured, printed, SheetBuilder, together } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { solved } from "./laplace.ts";
import { outputOf } from "./output.ts";
import { LAPLACE_TWO_MFLOPS } from "./paper.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

const VPS = [2, 3, 4, 6, 8, 11];
const HOSTS = 2;
const ROUNDS = 2;
const TWO = "two hosts";
const FIRST = "two hosts, first solutions";
const ONE = "one host";
const TIMES = "two hosts, times one";
const ALLOW = "two of C at once, times one";
/** Solutions that do not count, 500 exchanges each: after 20,000 V8 has compiled what is between two hosts. */
const WARM = "40";
/** Of the programs that say what the cores allow. */
const ALLOW_RUNS = "3";
const ALLOW_TURNS = 3;
/** Of what the cores allow, two hosts should make so much. */
const SHARE = 0.9;

export const remoteLaplace: Measurement = {
  name: "remote-laplace",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "remote-laplace",
      title: "Laplace over two hosts, 128 × 128, 5000 sweeps, exchange every 10 (Table XV)",
      unit: "Mflops",
      rowHead: "VPs",
    });
    const all = await contenders(sheet, tools);
    const allows = await coresAllow(sheet, tools);
    const runs = String(Math.max(3, Math.floor(tools.batches / ROUNDS)));
    await onTwoHosts(async () => {
      for (const vps of VPS) {
        tools.progress(`grid solver of ${vps} VPs on two hosts`);
        const figures = new Map<string, Measured[]>();
        const allowed: number[] = [];
        const turns = all.map(([column, run]) => () => {
          return sheet.attempt(`${column}, ${vps} VPs`, async () => {
            const figure = solved(await run(vps, runs), vps);
            figures.set(column, [...(figures.get(column) ?? []), figure]);
          });
        });
        const allow = () =>
          sheet.attempt(`${ALLOW}, ${vps} VPs`, async () => {
            allowed.push(...(await allows()));
          });
        await byTurns(ROUNDS, [...turns, allow]);
        for (const [column, parts] of figures) sheet.add(vps, column, together(parts));
        compare(sheet, vps, allowed);
      }
    });
    for (const vps of VPS) {
      const { pvm, upvm } = LAPLACE_TWO_MFLOPS;
      if (pvm[vps] !== undefined) sheet.add(vps, "paper: PVM", printed(pvm[vps]));
      if (upvm[vps] !== undefined) sheet.add(vps, "paper: UPVM", printed(upvm[vps]));
    }
    // Equal halves.
    for (const vps of [2, 4]) aim(sheet, vps, `${vps} VPs`, tools.cores);
    return sheet.done();
  },
};

/** What two hosts make of one, and two programs of C. */
function compare(sheet: SheetBuilder, row: number, allowed: readonly number[]): void {
  const [two, one] = [sheet.median(row, TWO), sheet.median(row, ONE)];
  if (two !== undefined && one !== undefined) sheet.add(row, TIMES, printed(two / one));
  if (allowed.length > 0) sheet.add(row, ALLOW, measured(allowed));
}

/**
 * "As the machine's cores allow": as two programs that never wait do, in the same minute. They are more than twice one where half
 * of the grid fits into a cache that all of it does not.
 */
function aim(sheet: SheetBuilder, row: number, what: string, cores: number): void {
  const able = Math.min(cores, HOSTS);
  const [times, allowed] = [sheet.median(row, TIMES), Math.min(sheet.median(row, ALLOW) ?? able, able)];
  const share = times && times / allowed;
  sheet.aim(`${what}: two hosts, times one, of what the cores allow`, "more", SHARE, "", share);
}

/**
 * Two plain programs at once, each with half of the grid, beside one with all of it.
 *
 * @returns how many times one they are; nothing if there is no gcc
 */
async function coresAllow(
  sheet: SheetBuilder,
  { native }: Tools,
  flags: readonly string[] = [],
): Promise<() => Promise<number[]>> {
  const alone = await native.program("rivals/laplace.c", flags);
  if (alone === undefined) {
    sheet.note("what the cores allow: no gcc here");
    return async () => [];
  }
  const mflops = async (count: number): Promise<number> =>
    outputOf(await alone(ALLOW_RUNS, String(count))).figures.get("1")!.median;
  return async () => {
    let one = 0;
    let both = 0;
    // By turns, and the best of each: this machine has two speeds, and others only ever slow it down.
    for (let turn = 0; turn < ALLOW_TURNS; turn++) {
      one = Math.max(one, await mflops(1));
      const halves = await Promise.all(Array.from({ length: HOSTS }, () => mflops(HOSTS)));
      both = Math.max(
        both,
        halves.reduce((sum, half) => sum + half, 0),
      );
    }
    return [both / one];
  };
}

type Run = (vps: number, runs: string) => Promise<string>;

async function contenders(sheet: SheetBuilder, { programs, native, cores }: Tools): Promise<[string, Run][]> {
  const program = await programs.compile("laplace.c");
  const upvm =
    (engines: number, warm: string, ...flags: string[]): Run =>
    (vps, runs) =>
      programs.upvm(
        program,
        { ulps: vps, cores: engines, flags },
        ...[String(vps), "-", "default", runs, warm],
      );
  const pvm = await native.pvm("guests/laplace.c");
  if (pvm === undefined) sheet.note("PVM: not installed");
  return [
    [TWO, upvm(1, WARM, "--place", "block")],
    [FIRST, upvm(1, "0", "--place", "block")],
    [ONE, upvm(1, WARM, "--hosts", "a")],
    ...(cores >= HOSTS
      ? [[`${ONE}, ${HOSTS} engines`, upvm(HOSTS, WARM, "--hosts", "a")] as [string, Run]]
      : []),
    ...(pvm
      ? [["PVM direct", (vps, runs) => pvm(String(vps), "direct", "default", runs, WARM)] as [string, Run]]
      : []),
  ];
}

/**
 * By points on a side: guests/laplace-256.c and so on. Sweeps of a solution, and solutions that do not count: of 512 points and
 * more they are not enough for V8 to have compiled, which would take minutes, and matters less.
 */
const GRIDS = [
  { points: 128, program: "laplace.c", sweeps: 5000, warm: WARM },
  { points: 256, program: "laplace-256.c", sweeps: 1250, warm: "160" },
  { points: 512, program: "laplace-512.c", sweeps: 320, warm: "100" },
  { points: 1024, program: "laplace-1024.c", sweeps: 80, warm: "10" },
];
const SWEEPS_PER_EXCHANGE = 10;
const GRID_VPS = 2;
const BETWEEN = "one host, ms from exchange to exchange";

export const remoteGrid: Measurement = {
  name: "remote-grid",
  async measure(tools) {
    const { programs, batches, progress } = tools;
    const sheet = new SheetBuilder({
      name: "remote-grid",
      title: "Laplace over two hosts by size of the grid, 2 VPs, exchange every 10 sweeps",
      unit: "Mflops",
      rowHead: "points on a side",
    });
    await onTwoHosts(async () => {
      for (const { points, program, sweeps, warm } of GRIDS) {
        progress(`grid of ${points} × ${points}`);
        const linked = await programs.compile(program);
        const allows = await coresAllow(sheet, tools, [`-DGRID=${points}`, `-DSWEEPS=${sweeps}`]);
        const run =
          (...flags: string[]) =>
          async (): Promise<[Measured, string | undefined]> => {
            const args = [String(GRID_VPS), "-", "default", String(batches), warm];
            const { figures, sums } = outputOf(
              await programs.upvm(linked, { ulps: GRID_VPS, cores: 1, flags }, ...args),
            );
            const figure = figures.get(args[0]!);
            if (figure === undefined) throw new Error("the solver printed no figure");
            return [figure, sums.get(args[0]!)];
          };
        await sheet.attempt(`${points} points`, async () => {
          const allowed: number[] = [];
          const rounds = await byTurns(ROUNDS, [
            run("--place", "block"),
            async () => {
              allowed.push(...(await allows()));
              return await run("--hosts", "a")();
            },
          ]);
          if (new Set(rounds.flat().map(([, sum]) => sum)).size !== 1) throw new Error("the sums differ");
          const [two, one] = rounds.map((parts) => together(parts.map(([figure]) => figure)));
          sheet.add(points, TWO, two);
          sheet.add(points, ONE, one);
          compare(sheet, points, allowed);
          const flop = 4 * (points - 2) ** 2 * SWEEPS_PER_EXCHANGE;
          sheet.add(points, BETWEEN, printed(flop / one!.median / 1e3));
          sheet.note(`${points} points: ${sweeps} sweeps`);
        });
      }
    });
    for (const { points } of GRIDS) aim(sheet, points, `${points} points`, tools.cores);
    return sheet.done();
  },
};
