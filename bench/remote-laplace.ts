/**
 * Table XV: the paper's grid solver on two hosts, which are two processes of this machine with an engine each, beside one
 * host with one engine, and one with two.
 */
import { type Measured, printed, SheetBuilder, together } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { solved } from "./laplace.ts";
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
