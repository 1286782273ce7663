/**
 * Table XVI: what it costs to be migratable when nothing migrates: the same programs in a process of a virtual machine's job,
 * and without a pvmd, on one engine.
 *
 * Owns: the pairs, and the processor that all run on (where there is taskset). Both runs of a pair follow each other at once, the
 * one first that was second before. What is compared is the best batch of each run, since a machine that does other things too
 * only ever adds time; and of the runs the fastest third, since a whole run may fall into a bad time: on a machine that is for seconds
 * at a time twice as slow the ratios of the pairs go from -40 to +90 %, and their median says nothing about 3 %. It stands beside it.
 */
import { type Measured, measured, printed, SheetBuilder, together } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { FLOP, solved } from "./laplace.ts";
import { outputOf } from "./output.ts";
import { OVERHEAD_PERCENT } from "./paper.ts";
import { isInstalled, printedBy } from "./spawn.ts";
import type { Measurement, Tools } from "./tools.ts";

const PAIRS = 15;
/** More than this is missed, %. */
const MOST = 3;

interface Subject {
  readonly row: string;
  /** Microseconds, each time. @param flags  of upvm run */
  run(...flags: string[]): Promise<Measured>;
}

export const overhead: Measurement = {
  name: "overhead",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "overhead",
      title: "What it costs to be migratable when nothing migrates (Table XVI)",
      unit: "µs",
      rowHead: "program",
    });
    const all = await subjects(tools);
    const measure = async (): Promise<void> => {
      for (const { row, run } of all) {
        const [alone, job]: [Measured[], Measured[]] = [[], []];
        await sheet.attempt(row, async () => {
          for (let pair = 0; pair < PAIRS; pair++) {
            tools.progress(`${row}: pair ${pair + 1} of ${PAIRS}`);
            const first = async () => alone.push(await run("--local"));
            const second = async () => job.push(await run("--hosts", "a"));
            for (const each of pair % 2 === 0 ? [first, second] : [second, first]) await each();
          }
          const [without, within] = [together(alone), together(job)];
          sheet.add(row, "no pvmd", without);
          sheet.add(row, "job of a virtual machine", within);
          const [least, most] = [fastest(alone), fastest(job)];
          sheet.add(row, "no pvmd, fastest", least);
          sheet.add(row, "job, fastest", most);
          sheet.add(row, MORE, printed((most.median / least.median - 1) * 100));
          const pairs = alone.map(({ min }, pair) => (job[pair]!.min / min - 1) * 100);
          sheet.add(row, "median of pairs, %", measured(pairs));
        });
        sheet.add(row, "paper: UPVM, of PVM, %", row === RING_OF_TWO ? printed(OVERHEAD_PERCENT) : undefined);
        sheet.aim(`${row}: more`, "less", MOST, "%", sheet.median(row, MORE));
      }
    };
    if (!(await onOneProcessor(() => onTwoHosts(measure))))
      sheet.note("not on one processor: no taskset here");
    return sheet.done();
  },
};

const MORE = "more, %";

/** The best batches of the fastest third of the runs. */
function fastest(runs: readonly Measured[]): Measured {
  const best = runs.map(({ min }) => min).sort((a, b) => a - b);
  return measured(best.slice(0, Math.ceil(best.length / 3)));
}

/** Has this process, and all that it starts meanwhile, run on one processor. @returns false: as ever, there is no taskset */
async function onOneProcessor(run: () => Promise<void>): Promise<boolean> {
  if (!(await isInstalled("taskset", "--version"))) {
    await run();
    return false;
  }
  const pid = String(process.pid);
  const now = await printedBy("taskset", ["-cp", pid]);
  const allowed = now.slice(now.lastIndexOf(":") + 1).trim();
  const last = /\d+$/.exec(allowed)![0];
  await printedBy("taskset", ["-acp", last, pid]);
  try {
    await run();
  } finally {
    await printedBy("taskset", ["-acp", allowed, pid]);
  }
  return true;
}

const RING_OF_TWO = "ring of 2, once around";

async function subjects({ programs, batches }: Tools): Promise<Subject[]> {
  const [ring, laplace] = [await programs.compile("ring.c"), await programs.compile("laplace.c")];
  const rounds = (row: string, ulps: number): Subject => ({
    row,
    async run(...flags) {
      const args = [String(ulps), "-", "default", String(batches)];
      const { figures } = outputOf(await programs.upvm(ring, { ulps, cores: 1, flags }, ...args));
      const figure = figures.get(String(ulps));
      if (figure === undefined) throw new Error("the ring printed no figure");
      return figure;
    },
  });
  const solver = (vps: number): Subject => ({
    row: `Laplace, ${vps} VPs`,
    async run(...flags) {
      const args = [String(vps), "-", "default", String(batches)];
      const options = { ulps: vps, cores: 1, flags };
      const { median, min, max, ...rest } = solved(await programs.upvm(laplace, options, ...args), vps);
      return { median: FLOP / median, min: FLOP / max, max: FLOP / min, ...rest };
    },
  });
  return [rounds(RING_OF_TWO, 2), rounds("ring of 24, once around", 24), solver(2), solver(11)];
}
