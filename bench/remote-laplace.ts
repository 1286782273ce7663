/**
 * Table XV: the paper's grid solver on two hosts, which are two processes of this machine with an engine each, beside one
 * host with one engine, and one with two. And from which size of the grid on two hosts are worth it.
 */
import { type Measured, printed, SheetBuilder, together } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { solved } from "./laplace.ts";
import { outputOf } from "./output.ts";
import { LAPLACE_TWO_MFLOPS } from "./paper.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

const VPS = [2, 3, 4, 5, 6, 8, 11];
const HOSTS = 2;
const ROUNDS = 2;
const TWO = "two hosts";
const ONE = "one host";

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
    const runs = String(Math.max(3, Math.floor(tools.batches / ROUNDS)));
    await onTwoHosts(async () => {
      for (const vps of VPS) {
        tools.progress(`grid solver of ${vps} VPs on two hosts`);
        const figures = new Map<string, Measured[]>();
        const turns = all.map(([column, run]) => () => {
          return sheet.attempt(`${column}, ${vps} VPs`, async () => {
            const figure = solved(await run(vps, runs), vps);
            figures.set(column, [...(figures.get(column) ?? []), figure]);
          });
        });
        await byTurns(ROUNDS, turns);
        for (const [column, parts] of figures) sheet.add(vps, column, together(parts));
      }
    });
    for (const vps of VPS) {
      const { pvm, upvm } = LAPLACE_TWO_MFLOPS;
      if (pvm[vps] !== undefined) sheet.add(vps, "paper: PVM", printed(pvm[vps]));
      if (upvm[vps] !== undefined) sheet.add(vps, "paper: UPVM", printed(upvm[vps]));
    }
    aims(sheet, tools.cores);
    return sheet.done();
  },
};

type Run = (vps: number, runs: string) => Promise<string>;

async function contenders(sheet: SheetBuilder, { programs, native, cores }: Tools): Promise<[string, Run][]> {
  const program = await programs.compile("laplace.c");
  const upvm =
    (engines: number, ...flags: string[]): Run =>
    (vps, runs) =>
      programs.upvm(program, { ulps: vps, cores: engines, flags }, String(vps), "-", "default", runs);
  const pvm = await native.pvm("guests/laplace.c");
  if (pvm === undefined) sheet.note("PVM: not installed");
  return [
    [TWO, upvm(1, "--place", "block")],
    [ONE, upvm(1, "--hosts", "a")],
    ...(cores >= HOSTS ? [[`${ONE}, ${HOSTS} engines`, upvm(HOSTS, "--hosts", "a")] as [string, Run]] : []),
    ...(pvm
      ? [["PVM direct", (vps, runs) => pvm(String(vps), "direct", "default", runs)] as [string, Run]]
      : []),
  ];
}

function aims(sheet: SheetBuilder, cores: number): void {
  const times = (vps: number): number | undefined => {
    const [two, one] = [sheet.median(vps, TWO), sheet.median(vps, ONE)];
    return two && one && two / one;
  };
  const able = Math.min(cores, HOSTS);
  // Equal halves; the paper has 5.02 of 2.79 and 4.96 of 2.68 Mflops.
  for (const vps of [2, 4]) sheet.aim(`${vps} VPs: two hosts, times one`, "more", 0.9 * able, "", times(vps));
}

/** By points on a side: guests/laplace-256.c and so on. Sweeps, and those for each exchange. */
const GRIDS = [
  { points: 128, program: "laplace.c", sweeps: 5000 },
  { points: 256, program: "laplace-256.c", sweeps: 1250 },
  { points: 512, program: "laplace-512.c", sweeps: 320 },
  { points: 1024, program: "laplace-1024.c", sweeps: 80 },
];
const SWEEPS_PER_EXCHANGE = 10;
const GRID_VPS = 2;
const TIMES = "two hosts, times one";
const BETWEEN = "one host, ms from exchange to exchange";

export const remoteGrid: Measurement = {
  name: "remote-grid",
  async measure({ programs, batches, cores, progress }) {
    const sheet = new SheetBuilder({
      name: "remote-grid",
      title: "Laplace over two hosts by size of the grid, 2 VPs, exchange every 10 sweeps",
      unit: "Mflops",
      rowHead: "points on a side",
    });
    await onTwoHosts(async () => {
      for (const { points, program, sweeps } of GRIDS) {
        progress(`grid of ${points} × ${points}`);
        const linked = await programs.compile(program);
        const run =
          (...flags: string[]) =>
          async (): Promise<[Measured, string | undefined]> => {
            const args = [String(GRID_VPS), "-", "default", String(batches)];
            const { figures, sums } = outputOf(
              await programs.upvm(linked, { ulps: GRID_VPS, cores: 1, flags }, ...args),
            );
            const figure = figures.get(args[0]!);
            if (figure === undefined) throw new Error("the solver printed no figure");
            return [figure, sums.get(args[0]!)];
          };
        await sheet.attempt(`${points} points`, async () => {
          const rounds = await byTurns(ROUNDS, [run("--place", "block"), run("--hosts", "a")]);
          if (new Set(rounds.flat().map(([, sum]) => sum)).size !== 1) throw new Error("the sums differ");
          const [two, one] = rounds.map((parts) => together(parts.map(([figure]) => figure)));
          sheet.add(points, TWO, two);
          sheet.add(points, ONE, one);
          sheet.add(points, TIMES, printed(two!.median / one!.median));
          const flop = 4 * (points - 2) ** 2 * SWEEPS_PER_EXCHANGE;
          sheet.add(points, BETWEEN, printed(flop / one!.median / 1e3));
          sheet.note(`${points} points: ${sweeps} sweeps`);
        });
      }
    });
    const able = Math.min(cores, HOSTS);
    for (const { points } of GRIDS)
      sheet.aim(
        `${points} points: two hosts, times one`,
        "more",
        0.9 * able,
        "",
        sheet.median(points, TIMES),
      );
    return sheet.done();
  },
};
