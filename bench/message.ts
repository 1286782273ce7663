/**
 * Table X: a message from one ULP to another on the same engine, packing and unpacking included.
 */
import { Bench } from "tinybench";
import wabt from "wabt";
import { type Measured, printed, SheetBuilder, scaled } from "./figures.ts";
import { outputOf } from "./output.ts";
import { LOCAL_MESSAGE_US } from "./paper.ts";
import type { Measurement, Tools } from "./tools.ts";

export const SIZES = [4, 16, 512, 1000, 10_000, 100_000, 1_000_000];
/** Sizes at which the copies dominate: there they are the aim's measure. */
const COPY_SIZES = SIZES.filter((bytes) => bytes >= 1000);
const SIZE_ARGS = SIZES.map(String);

const OURS = [
  { column: "upvm", encoding: "default" },
  { column: "upvm raw", encoding: "raw" },
  { column: "upvm psend", encoding: "psend" },
] as const;
const PVM = [
  { column: "PVM daemon", route: "daemon", encoding: "default" },
  { column: "PVM direct", route: "direct", encoding: "default" },
  { column: "PVM direct raw", route: "direct", encoding: "raw" },
  { column: "PVM in place", route: "direct", encoding: "inplace" },
] as const;

export const message: Measurement = {
  name: "message",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "message",
      title: "One-way message on one engine, with packing and unpacking (Table X)",
      unit: "µs",
      rowHead: "bytes",
    });
    const { programs, batches } = tools;
    const program = await programs.compile("message.c");
    for (const { column, encoding } of OURS) {
      const args = ["2", "-", encoding, String(batches), ...SIZE_ARGS];
      tools.progress(`two ULPs, ${encoding}`);
      await addRun(sheet, column, () => programs.upvm(program, { ulps: 2, cores: 1 }, ...args));
    }
    tools.progress("copies in wasm");
    for (const [bytes, value] of await copies()) sheet.add(bytes, "one copy", value);
    await rivals(sheet, tools);
    for (const bytes of SIZES) {
      const { pvm, upvm } = LOCAL_MESSAGE_US;
      if (pvm[bytes] !== undefined) sheet.add(bytes, "paper: PVM", printed(pvm[bytes]));
      if (upvm[bytes] !== undefined) sheet.add(bytes, "paper: UPVM", printed(upvm[bytes]));
    }
    aims(sheet);
    return sheet.done();
  },
};

/** Adds a column from what a program prints; a run that fails is told and leaves a gap. */
export function addRun(sheet: SheetBuilder, column: string, run: () => Promise<string>): Promise<void> {
  return sheet.attempt(column, async () => {
    for (const [row, value] of outputOf(await run()).figures) sheet.add(row, column, value);
  });
}

function aims(sheet: SheetBuilder): void {
  const at = (bytes: number, column: string) => sheet.median(bytes, column);
  const small = at(4, "upvm");
  sheet.aim("4 bytes", "less", 0.3, "µs", small);
  const best = Math.min(...PVM.map(({ column }) => at(4, column) ?? Number.POSITIVE_INFINITY));
  sheet.aim(
    "PVM's best route, times ours, 4 bytes",
    "more",
    20,
    "",
    small && Number.isFinite(best) ? best / small : undefined,
  );
  for (const bytes of COPY_SIZES) {
    const [ours, copy] = [at(bytes, "upvm"), at(bytes, "one copy")];
    const beyond = ours && copy && small && (ours - small) / (2 * copy);
    sheet.aim(`${bytes} bytes, beside the cost of 4, in units of two copies`, "less", 1.3, "", beyond);
  }
  const smallPsend = at(4, "upvm psend");
  for (const bytes of COPY_SIZES) {
    const [ours, copy] = [at(bytes, "upvm psend"), at(bytes, "one copy")];
    const beyond = ours && copy && smallPsend && (ours - smallPsend) / copy;
    sheet.aim(
      `psend to a waiting precv, ${bytes} bytes, beside the cost of 4, in copies`,
      "less",
      1.3,
      "",
      beyond,
    );
  }
}

async function rivals(sheet: SheetBuilder, { native, batches, progress }: Tools): Promise<void> {
  progress("two processes, a socket pair");
  const sockets = await native.program("rivals/sockets.c");
  if (sockets) await addRun(sheet, "socket pair", () => sockets(String(batches), ...SIZE_ARGS));
  else sheet.note("socket pair: no gcc here");
  const pvm = await native.pvm("guests/message.c");
  if (pvm === undefined) sheet.note("PVM: not installed");
  for (const { column, route, encoding } of PVM) {
    if (pvm === undefined) break;
    progress(column);
    await addRun(sheet, column, () => pvm("2", route, encoding, String(batches), ...SIZE_ARGS));
  }
  progress("Open MPI");
  const mpi = await native.mpi("rivals/mpi-message.c");
  if (mpi) await addRun(sheet, "Open MPI", () => mpi(2, String(batches), ...SIZE_ARGS));
  else sheet.note("Open MPI: not installed");
}

/**
 * Microseconds to copy so many bytes in wasm. A round trip by two copies each way touches five blocks: what each side
 * sends, what it receives, and the buffer between; so does this, since a megabyte of each fills a cache.
 */
async function copies(): Promise<Map<number, Measured>> {
  const copy = await copyFunction();
  const bench = new Bench({ time: 300, warmupTime: 100 });
  const repeats = (bytes: number) => Math.max(1, Math.floor(200_000 / (bytes + 100)));
  for (const bytes of SIZES) bench.add(String(bytes), () => copy(bytes, repeats(bytes)));
  await bench.run();
  const found = new Map<number, Measured>();
  for (const { name, result } of bench.tasks) {
    if (result.state !== "completed") throw new Error(`copies of ${name} bytes: ${result.state}`);
    const { p50, min, max, samplesCount } = result.latency;
    const value = { median: p50, min, max, batches: samplesCount };
    // Milliseconds for four copies each.
    found.set(Number(name), scaled(value, 1000 / 4 / repeats(Number(name))));
  }
  return found;
}

async function copyFunction(): Promise<(bytes: number, times: number) => void> {
  const move = (to: number, from: number) =>
    `(memory.copy (i32.const ${to << 20}) (i32.const ${from << 20}) (local.get $bytes))`;
  // Blocks 0 and 1: out, 2 and 3: in, 4: the buffer between.
  const wat = `(module (memory 96) (func (export "copy") (param $bytes i32) (param $times i32) (loop $again
    ${move(4, 0)} ${move(3, 4)} ${move(4, 1)} ${move(2, 4)}
    (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))`;
  const parsed = (await wabt()).parseWat("copy.wat", wat, { bulk_memory: true });
  const module = new WebAssembly.Module(parsed.toBinary({}).buffer as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(module).exports["copy"] as (bytes: number, times: number) => void;
}
