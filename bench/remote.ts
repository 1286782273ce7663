/**
 * Tables XI and XIII: messages between ULPs of two hosts, and a ring over both. The hosts are two pvmds on this machine, with an
 * application process each, one engine in each; what is between them is loopback TCP or a Unix socket.
 */
import { join } from "node:path";
import { codeExtension, codeRoot } from "../upvm/node-package.ts";
import { type Measured, SheetBuilder, together } from "./figures.ts";
import { onTwoHosts } from "./hosts.ts";
import { addRun } from "./message.ts";
import { outputOf } from "./output.ts";
import { printedBy } from "./spawn.ts";
import { byTurns, type Measurement, type Tools } from "./tools.ts";

const SIZES = ["4", "16", "512", "1000", "10000", "100000", "1000000"];
const SMALL = ["4", "16", "512", "1000"];
/** By turns, since all that this machine does disturbs them. */
const ROUNDS = 2;
const RING_ROUNDS = 3;
const VPS = [2, 4, 8, 16, 24];
const PAIR = join(codeRoot, "bench", `link-pair${codeExtension}`);

export const remoteMessage: Measurement = {
  name: "remote-message",
  async measure(tools) {
    const sheet = new SheetBuilder({
      name: "remote-message",
      title: "One-way message between ULPs of two hosts, with packing and unpacking (Table XI)",
      unit: "µs",
      rowHead: "bytes",
    });
    const { programs, batches, progress } = tools;
    const program = await programs.compile("message.c");
    const ours = (encoding: string, link: string, route: string) => () =>
      programs.upvm(
        program,
        { ulps: 2, cores: 1, flags: ["--link", link, "--route", route] },
        ...["2", "-", encoding, String(batches), ...SIZES],
      );
    const runs: readonly (readonly [column: string, run: () => Promise<string>])[] = [
      ["upvm, TCP", ours("default", "tcp", "direct")],
      ["Node's TCP", () => printedBy(process.execPath, [PAIR, "raw", String(batches), ...SIZES])],
      ["upvm, TCP, raw", ours("raw", "tcp", "direct")],
      ["upvm, Unix socket", ours("default", "unix", "direct")],
      ["upvm, by the daemons", ours("default", "tcp", "daemons")],
    ];
    await onTwoHosts(() =>
      sheet.attempt("two hosts", async () => {
        const rounds = await byTurns(
          ROUNDS,
          runs.map(([column, run]) => async () => {
            progress(column);
            return outputOf(await run()).figures;
          }),
        );
        for (const [index, [column]] of runs.entries()) {
          for (const bytes of SIZES) {
            const parts = rounds[index]!.flatMap((figures) => figures.get(bytes) ?? []);
            if (parts.length > 0) sheet.add(bytes, column, together(parts));
          }
        }
      }),
    );
    await rivals(sheet, tools);
    const times = (bytes: string): number | undefined => {
      const [ours, theirs] = [sheet.median(bytes, "upvm, TCP"), sheet.median(bytes, "Node's TCP")];
      return ours && theirs && ours / theirs;
    };
    for (const bytes of SMALL) sheet.aim(`${bytes} bytes, times Node's TCP`, "less", 1.3, "", times(bytes));
    const share = times("1000000");
    sheet.aim("1000000 bytes, share of the bandwidth of Node's TCP", "more", 0.8, "", share && 1 / share);
    for (const rival of ["PVM direct", "Erlang"]) {
      const [ours, theirs] = [sheet.median(4, "upvm, TCP"), sheet.median(4, rival)];
      sheet.aim(`${rival}, times ours, 4 bytes`, "more", 1, "", ours && theirs && theirs / ours);
    }
    // Tasks of PVM that are on one machine are linked by a Unix socket (seen with strace), whatever their route.
    const [unix, pvm] = [sheet.median(4, "upvm, Unix socket"), sheet.median(4, "PVM direct")];
    sheet.aim(
      "PVM direct, times ours by a Unix socket too, 4 bytes",
      "more",
      1,
      "",
      unix && pvm && pvm / unix,
    );
    return sheet.done();
  },
};

async function rivals(sheet: SheetBuilder, { native, batches, progress }: Tools): Promise<void> {
  const tcp = await native.program("rivals/tcp.c");
  if (tcp) await addRun(sheet, "C's TCP", () => tcp(String(batches), ...SIZES));
  else sheet.note("C's TCP: no gcc here");
  progress("two nodes of Erlang");
  const erlang = await native.erlang();
  if (erlang) await addRun(sheet, "Erlang", () => erlang(String(batches), ...SIZES));
  else sheet.note("Erlang: not installed");
  const pvm = await native.pvm("guests/message.c");
  if (pvm === undefined) return sheet.note("PVM: not installed");
  progress("PVM, direct route");
  await addRun(sheet, "PVM direct", () => pvm("2", "direct", "default", String(batches), ...SIZES));
  progress("PVM, by its daemon");
  await addRun(sheet, "PVM, by its daemon", () => pvm("2", "-", "default", String(batches), ...SIZES));
}

export const remoteRing: Measurement = {
  name: "remote-ring",
  async measure({ programs, native, batches, progress }) {
    const sheet = new SheetBuilder({
      name: "remote-ring",
      title: "Ring over two hosts, one int once around (Table XIII)",
      unit: "µs",
      rowHead: "VPs",
    });
    const program = await programs.compile("ring.c");
    // A virtual machine of one host: what is between its tasks, which are processes, is the same as between those of two.
    const pvm = await native.pvm("guests/ring.c");
    if (pvm === undefined) sheet.note("PVM: not installed");
    const ring = (vps: number, ...flags: string[]) =>
      programs.upvm(program, { ulps: vps, cores: 1, flags }, String(vps), "-", "default", String(batches));
    await onTwoHosts(async () => {
      for (const vps of VPS) {
        progress(`ring of ${vps} on two hosts`);
        const runs: [column: string, run: () => Promise<string>][] = [
          ["block", () => ring(vps, "--place", "block")],
          ["interleaved", () => ring(vps, "--place", "cyclic")],
          ["one host", () => ring(vps, "--hosts", "a")],
        ];
        if (pvm) runs.push(["PVM direct", () => pvm(String(vps), "direct", "default", String(batches))]);
        const parts = new Map<string, Measured[]>();
        const turns = runs.map(
          ([column, run]) =>
            () =>
              sheet.attempt(`${column}, ${vps} VPs`, async () => {
                const figure = outputOf(await run()).figures.get(String(vps));
                if (figure === undefined) throw new Error("the ring printed no figure");
                parts.set(column, [...(parts.get(column) ?? []), figure]);
              }),
        );
        await byTurns(RING_ROUNDS, turns);
        for (const [column, values] of parts) sheet.add(vps, column, together(values));
      }
    });
    // Two hops between hosts, and all others on one of them.
    const most = VPS.at(-1) ?? 0;
    const [two, block, one] = [
      sheet.median(2, "block"),
      sheet.median(most, "block"),
      sheet.median(most, "one host"),
    ];
    const expected = two && one && two + (one * (most - 2)) / most;
    sheet.aim(
      `block of ${most}, times two remote messages and the local ones`,
      "less",
      1.2,
      "",
      block && expected && block / expected,
    );
    const theirs = sheet.median(most, "PVM direct");
    sheet.aim(`PVM, times block of ${most}`, "more", 1, "", theirs && block && theirs / block);
    return sheet.done();
  },
};
