/**
 * Table XIV: the paper's grid solver, cut into more pieces than there are processors: on one engine, and on all.
 */
import { type Measured, printed, SheetBuilder, together } from "./figures.ts";
import { outputOf } from "./output.ts";
import { LAPLACE_MFLOPS } from "./paper.ts";
import type { Program } from "./programs.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

const VPS = [1, 2, 3, 4, 6, 8, 11];
const ROUNDS = 2;
/** Operations of one solution. (guests/laplace.h) */
export const FLOP = 4 * 126 * 126 * 5000;

/**
 * Sum of the grid after 5000 sweeps by number of VPs: neighbours exchange their borders every tenth sweep only, so it
 * depends on how the grid is cut. PVM, Open MPI and MPICH agree on every digit.
 */
// biome-ignore format: a table
const SUMS = [
  "616400.162849", "610848.567073", "606316.678372", "602328.110153", "598787.570833", "595126.473302",
  "591587.612490", "588061.094028", "584680.409443", "581771.270291", "578736.589641",
];

interface Contender {
  readonly column: string;
  readonly vps: readonly number[];
  run(vps: number, runs: string): Promise<string>;
}

export const laplace: Measurement = {
  name: "laplace",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "laplace",
      title: "Laplace, 128 × 128, 5000 sweeps, exchange every 10 (Table XIV)",
      unit: "Mflops",
      rowHead: "VPs",
    });
    const all = [...(await ours(tools)), ...(await rivals(sheet, tools))];
    const runs = String(Math.max(3, Math.floor(tools.batches / ROUNDS)));
    for (const vps of VPS) {
      tools.progress(`grid solver on ${vps} VPs`);
      const able = all.filter((each) => each.vps.includes(vps));
      const figures = new Map<string, Measured[]>(able.map(({ column }) => [column, []]));
      await byTurns(
        ROUNDS,
        able.map(
          ({ column, run }) =>
            () =>
              sheet.attempt(`${column}, ${vps} VPs`, async () => {
                figures.get(column)?.push(solved(await run(vps, runs), vps));
              }),
        ),
      );
      for (const [column, parts] of figures) if (parts.length > 0) sheet.add(vps, column, together(parts));
    }
    paperFigures(sheet);
    aims(sheet, tools.cores);
    return sheet.done();
  },
};

/** Mflops that a solver printed. @throws Error if the grid came out differently from everyone else's */
export function solved(output: string, vps: number): Measured {
  const { figures, sums } = outputOf(output);
  const figure = figures.get(String(vps));
  const sum = sums.get(String(vps));
  if (figure === undefined) throw new Error(`no figure in what it printed: ${output.slice(0, 200)}`);
  if (sum !== SUMS[vps - 1]) throw new Error(`the grid's sum is ${sum}, not ${SUMS[vps - 1]}`);
  return figure;
}

async function ours({ programs, cores }: Tools): Promise<Contender[]> {
  const c = await programs.compile("laplace.c");
  const as = await programs.compile("laplace.ts");
  const onEngines = (program: Program, engines: number) => (vps: number, runs: string) =>
    programs.upvm(program, { ulps: vps, cores: engines }, String(vps), "-", "default", runs);
  const unlinked = (program: Program) => (_vps: number, runs: string) =>
    programs.plain(program, "1", "-", "default", runs);
  const several = VPS.filter((vps) => vps > 1);
  return [
    { column: "C not linked", vps: [1], run: unlinked(c) },
    { column: "C, 1 engine", vps: VPS, run: onEngines(c, 1) },
    ...(cores > 1 ? [{ column: `C, ${cores} engines`, vps: several, run: onEngines(c, cores) }] : []),
    { column: "AS not linked", vps: [1], run: unlinked(as) },
    { column: "AS, 1 engine", vps: VPS, run: onEngines(as, 1) },
    ...(cores > 1 ? [{ column: `AS, ${cores} engines`, vps: several, run: onEngines(as, cores) }] : []),
  ];
}

async function rivals(sheet: SheetBuilder, { native }: Tools): Promise<Contender[]> {
  const found: Contender[] = [];
  const several = VPS.filter((vps) => vps > 1);
  const alone = await native.program("rivals/laplace.c");
  if (alone) found.push({ column: "native", vps: [1], run: (_vps, runs) => alone(runs) });
  else sheet.note("native: no gcc here");
  const pvm = await native.pvm("guests/laplace.c");
  const onPvm = (route: string) => (vps: number, runs: string) =>
    pvm?.(String(vps), route, "raw", runs) ?? Promise.resolve("");
  if (pvm) found.push({ column: "PVM daemon raw", vps: several, run: onPvm("daemon") });
  if (pvm) found.push({ column: "PVM direct raw", vps: several, run: onPvm("direct") });
  else sheet.note("PVM: not installed");
  const mpi = await native.mpi("rivals/mpi-laplace.c");
  if (mpi) found.push({ column: "Open MPI", vps: VPS, run: (vps, runs) => mpi(vps, runs) });
  else sheet.note("Open MPI: not installed");
  return found;
}

function paperFigures(sheet: SheetBuilder): void {
  const { pvm, upvm, alone } = LAPLACE_MFLOPS;
  sheet.add(1, "paper: alone", printed(alone));
  for (const vps of VPS) {
    if (pvm[vps] !== undefined) sheet.add(vps, "paper: PVM", printed(pvm[vps]));
    if (upvm[vps] !== undefined) sheet.add(vps, "paper: UPVM", printed(upvm[vps]));
  }
}

function aims(sheet: SheetBuilder, cores: number): void {
  const at = (vps: number, column: string) => sheet.median(vps, column);
  const share = (a: number | undefined, b: number | undefined) => (a && b ? (a / b) * 100 : undefined);
  for (const language of ["C", "AS"]) {
    const one = at(1, `${language}, 1 engine`);
    sheet.aim(
      `${language}: linked, of not linked, 1 VP`,
      "more",
      95,
      "%",
      share(one, at(1, `${language} not linked`)),
    );
    const kept = share(at(11, `${language}, 1 engine`), one);
    sheet.aim(`${language}: lost from 1 to 11 VPs, 1 engine`, "less", 5, "%", kept && 100 - kept);
  }
  sheet.aim("C: of native, 1 VP", "more", 60, "%", share(at(1, "C, 1 engine"), at(1, "native")));
  if (cores > 1) severalEngines(sheet, `C, ${cores} engines`, cores);
  else sheet.note("one core: several engines were not measured");
}

function severalEngines(sheet: SheetBuilder, many: string, cores: number): void {
  const at = (vps: number, column: string) => sheet.median(vps, column);
  // An even number of equal pieces, and few enough that each is worth moving.
  const [one, all] = [at(4, "C, 1 engine"), at(4, many)];
  sheet.aim(`C: ${cores} engines, times one, 4 VPs`, "more", 0.9 * cores, "", one && all && all / one);
  const ahead = VPS.filter((vps) => vps >= 3).map((vps) => {
    const rivals = ["PVM daemon raw", "PVM direct raw", "Open MPI"].map((column) => at(vps, column) ?? 0);
    return (at(vps, many) ?? 0) / Math.max(...rivals);
  });
  const least = Math.min(...ahead);
  sheet.aim(
    "C: all engines, times the best of PVM and Open MPI, worst of 3 to 11 VPs",
    "more",
    1,
    "",
    Number.isFinite(least) ? least : undefined,
  );
}
