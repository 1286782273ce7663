/**
 * What the link step costs code that never blocks: the same wasm, linked and not.
 */
import { measured, SheetBuilder, together } from "./figures.ts";
import { outputOf } from "./output.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

/** In bench/guests/kernels. Those in AssemblyScript compute the same as those in C. */
const KERNELS = [
  ...["stencil.c", "stencil.ts", "matrix.c", "matrix.ts", "sieve.c", "sieve.ts"],
  ...["collatz.c", "collatz.ts", "fib.c", "fib.ts", "compress.c", "json.c"],
];
const ROUNDS = 3;

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
    for (const kernel of KERNELS)
      await sheet.attempt(kernel, async () => {
        ratios.push(await compare(sheet, tools, kernel, batches));
      });
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    sheet.aim("geometric mean of linked / not linked", "less", 1.15, "", mean);
    sheet.aim("the same with a transform better than Asyncify", "less", 1.03, "", mean);
    sheet.aim("worst of linked / not linked", "less", 1.5, "", Math.max(...ratios));
    return sheet.done();
  },
};

/** Adds a row; returns linked / not linked. @throws Error if the results differ */
async function compare(sheet: SheetBuilder, tools: Tools, kernel: string, batches: string): Promise<number> {
  const { programs, native, progress } = tools;
  progress(`kernel ${kernel}`);
  const program = await programs.compile(`kernels/${kernel}`);
  const own = kernel.endsWith(".c") ? await native.program(`guests/kernels/${kernel}`) : undefined;
  const unlinked = { ...program, linked: program.plain };
  const run = async (output: Promise<string>) => {
    const { figures, sums } = outputOf(await output);
    const [[name, figure] = []] = figures;
    if (name === undefined || figure === undefined) throw new Error(`${kernel} printed no figure`);
    return { figure, sum: sums.get(name) };
  };
  const turns = await byTurns(ROUNDS, [
    () => run(programs.plain(program, batches)),
    () => run(programs.upvm(program, { ulps: 1, cores: 1 }, batches)),
    () => run(programs.asyncified(program, batches)),
    () => run(programs.upvm(unlinked, { ulps: 1, cores: 1, flags: ["--no-polls"] }, batches)),
    ...(own ? [() => run(own(batches))] : []),
  ]);
  const sums = new Set(turns.flatMap((runs) => runs.map(({ sum }) => sum)));
  if (sums.size !== 1) throw new Error(`results differ: ${[...sums].join(", ")}`);
  const [plain = [], linked = [], asyncify = [], unpolled = [], gcc = []] = turns.map((runs) =>
    runs.map(({ figure }) => figure),
  );
  // Each pair ran one after the other: what the machine did meanwhile concerns both.
  const toPlain = (figures: typeof plain) =>
    measured(figures.map((each, round) => each.median / (plain[round]?.median ?? Number.NaN)));
  const ratio = toPlain(linked);
  if (gcc.length > 0) sheet.add(kernel, "gcc -O2", together(gcc));
  sheet.add(kernel, "not linked", together(plain));
  sheet.add(kernel, "linked", together(linked));
  sheet.add(kernel, "linked / not", ratio);
  sheet.add(kernel, "Asyncify / not", toPlain(asyncify));
  sheet.add(kernel, "no polls / not", toPlain(unpolled));
  return ratio.median;
}
