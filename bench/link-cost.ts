/**
 * What the link step costs code that never blocks: the same wasm, linked and not.
 */
import { type Measured, measured, SheetBuilder, together } from "./figures.ts";
import { outputOf } from "./output.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

/** In C each; also in AssemblyScript where `as` says so. */
const KERNELS = [
  { name: "stencil", as: true },
  { name: "matrix", as: true },
  { name: "sieve", as: true },
  { name: "collatz", as: true },
  { name: "fib", as: true },
  { name: "compress", as: false },
  { name: "json", as: false },
] as const;
const ROUNDS = 7;

export const linkCost: Measurement = {
  name: "link-cost",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "link-cost",
      title: "Cost of the link step on code that never blocks",
      unit: "ms a call",
      rowHead: "kernel",
    });
    const batches = String(Math.max(3, Math.round(tools.batches / 2)));
    const ratios: number[] = [];
    for (const { name, as } of KERNELS) {
      ratios.push(await compare(sheet, tools, `kernels/${name}.c`, `${name}, C`, batches));
      if (as) ratios.push(await compare(sheet, tools, `kernels/${name}.ts`, `${name}, AS`, batches));
    }
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    sheet.aim("geometric mean of linked / not linked", "less", 1.15, "", mean);
    sheet.aim("the same with a transform better than Asyncify", "less", 1.03, "", mean);
    sheet.aim("worst of linked / not linked", "less", 1.5, "", Math.max(...ratios));
    return sheet.done();
  },
};

/** Adds a row; returns linked / not linked. @throws Error if the results differ */
async function compare(
  sheet: SheetBuilder,
  tools: Tools,
  path: string,
  row: string,
  batches: string,
): Promise<number> {
  const { programs, native, progress } = tools;
  progress(`kernel ${row}`);
  const program = await programs.compile(path);
  const own = path.endsWith(".c") ? await native.program(`guests/${path}`) : undefined;
  const run = async (output: Promise<string>) => {
    const { figures, sums } = outputOf(await output);
    const [[name, figure] = []] = figures;
    if (name === undefined || figure === undefined) throw new Error(`${path} printed no figure`);
    return { figure, sum: sums.get(name) };
  };
  const turns = await byTurns(ROUNDS, [
    () => run(programs.plain(program, batches)),
    () => run(programs.upvm(program, { ulps: 1, cores: 1 }, batches)),
    ...(own ? [() => run(own(batches))] : []),
  ]);
  const sums = new Set(turns.flatMap((runs) => runs.map(({ sum }) => sum)));
  if (sums.size !== 1) throw new Error(`${path}: results differ: ${[...sums].join(", ")}`);
  const [plain = [], linked = [], gcc = []] = turns.map((runs) => runs.map(({ figure }) => figure));
  // Each pair ran one after the other: what the machine did meanwhile concerns both.
  const ratio = measured(linked.map((each, round) => each.median / (plain[round]?.median ?? Number.NaN)));
  if (gcc.length > 0) sheet.add(row, "gcc -O2", together(gcc));
  sheet.add(row, "not linked", together(plain));
  sheet.add(row, "linked", together(linked));
  sheet.add(row, "ratio", ratio satisfies Measured);
  return ratio.median;
}
