/**
 * Overlap of computation and communication (the paper's 4.5 names it and does not show it): the grid solver on two hosts with a
 * network that holds everything for some milliseconds. With one VP on each host the host waits for the other's columns; with more,
 * those inside compute meanwhile.
 *
 * Owns: the delay, which is in the application processes alone (delay.ts).
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { codeExtension, codeRoot } from "../upvm/node-package.ts";
import { printed, SheetBuilder, scaled } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { outputOf } from "./output.ts";
import type { Measurement } from "./tools.ts";

const PROGRAM = "laplace-1024.c";
const EXCHANGES = 8;
const FLOP = 4 * 1022 * 1022 * 80;
const DELAYS_MS = [0, 1, 5];
const PER_HOST = [1, 2, 4, 8];
const HOSTS = 2;
const RUNS = 9;

export const overlap: Measurement = {
  name: "overlap",
  async measure({ programs, progress }) {
    const sheet = new SheetBuilder({
      name: "overlap",
      title: "Laplace over two hosts with a delay between them, 1024 × 1024: from exchange to exchange",
      unit: "ms",
      rowHead: "VPs on each host",
    });
    const program = await programs.compile(PROGRAM);
    const delay = pathToFileURL(join(codeRoot, "bench", `delay${codeExtension}`)).href;
    for (const delayMs of DELAYS_MS)
      await withEnv({ NODE_OPTIONS: `--import=${delay}`, UPVM_BENCH_DELAY_MS: String(delayMs) }, () =>
        onTwoHosts(async () => {
          for (const perHost of PER_HOST) {
            progress(`${delayMs} ms, ${perHost} VPs on each host`);
            const vps = String(perHost * HOSTS);
            const flags = ["--link", "tcp", "--place", "block"];
            await sheet.attempt(`${delayMs} ms, ${perHost} VPs on each host`, async () => {
              const options = { ulps: perHost * HOSTS, cores: 1, flags };
              const text = await programs.upvm(program, options, vps, "-", "default", String(RUNS));
              const figure = outputOf(text).figures.get(vps);
              if (figure === undefined) throw new Error("the solver printed no figure");
              // The best of all: other work on this machine only ever adds time.
              const ms = printed(1 / figure.max);
              sheet.add(perHost, column(delayMs), scaled(ms, FLOP / EXCHANGES / 1e3));
            });
          }
        }),
      );
    for (const delayMs of DELAYS_MS.slice(1)) {
      for (const perHost of PER_HOST) sheet.add(perHost, lost(delayMs), hidden(sheet, perHost, delayMs));
      const most = PER_HOST.at(-1)!;
      const left = sheet.median(most, lost(delayMs));
      sheet.aim(`${delayMs} ms: lost with ${most} VPs on each host, of the delay`, "less", 0.5, "", left);
    }
    return sheet.done();
  },
};

const column = (delayMs: number): string => `delay ${delayMs} ms`;
const lost = (delayMs: number): string => `lost, of ${delayMs} ms`;

/** How much of the delay an exchange takes more than without one. */
function hidden(
  sheet: SheetBuilder,
  perHost: number,
  delayMs: number,
): ReturnType<typeof printed> | undefined {
  const [without, within] = [sheet.median(perHost, column(0)), sheet.median(perHost, column(delayMs))];
  return without === undefined || within === undefined ? undefined : printed((within - without) / delayMs);
}

async function withEnv(env: Readonly<Record<string, string>>, run: () => Promise<void>): Promise<void> {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  try {
    await run();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
