/**
 * Part of Table XI: a message between two processes by a link, beside what it stands on: Node's TCP and C's.
 *
 * What a ULP adds to it (packing, its queue) is not in it.
 */
import { join } from "node:path";
import { codeExtension, codeRoot } from "../upvm/node-package.ts";
import { type Measured, SheetBuilder, together } from "./figures.ts";
import { addRun } from "./message.ts";
import { outputOf } from "./output.ts";
import { printedBy } from "./spawn.ts";
import { byTurns, type Measurement } from "./tools.ts";

const SIZES = ["4", "16", "512", "1000", "10000", "100000", "1000000"];
/** Sizes at which it is the number of messages that costs. */
const SMALL = ["4", "16", "512", "1000"];
const PAIR = join(codeRoot, "bench", `link-pair${codeExtension}`);
/** By turns, since all that this machine does disturbs them. */
const ROUNDS = 2;
const KINDS = [
  { column: "link, TCP", kind: "tcp" },
  { column: "Node's TCP", kind: "raw" },
  { column: "link, Unix socket", kind: "unix" },
  { column: "link, TLS", kind: "tls" },
] as const;

export const link: Measurement = {
  name: "link",
  async measure({ native, batches, progress }) {
    const sheet = new SheetBuilder({
      name: "link",
      title: "One-way message between two processes, without ULPs (Table XI)",
      unit: "µs",
      rowHead: "bytes",
    });
    const pair = (kind: string) => async (): Promise<ReadonlyMap<string, Measured>> => {
      progress(`two processes, ${kind}`);
      return outputOf(await printedBy(process.execPath, [PAIR, kind, String(batches), ...SIZES])).figures;
    };
    await sheet.attempt("links", async () => {
      const rounds = await byTurns(
        ROUNDS,
        KINDS.map(({ kind }) => pair(kind)),
      );
      for (const [index, { column }] of KINDS.entries()) {
        for (const bytes of SIZES) {
          const parts = rounds[index]!.flatMap((figures) => figures.get(bytes) ?? []);
          if (parts.length > 0) sheet.add(bytes, column, together(parts));
        }
      }
    });
    progress("two processes in C, TCP");
    const tcp = await native.program("rivals/tcp.c");
    if (tcp) await addRun(sheet, "C's TCP", () => tcp(String(batches), ...SIZES));
    else sheet.note("C's TCP: no gcc here");
    const times = (bytes: string): number | undefined => {
      const [ours, theirs] = [sheet.median(bytes, "link, TCP"), sheet.median(bytes, "Node's TCP")];
      return ours && theirs && ours / theirs;
    };
    for (const bytes of SMALL) sheet.aim(`${bytes} bytes, times Node's TCP`, "less", 1.3, "", times(bytes));
    const share = times("1000000");
    sheet.aim("1000000 bytes, share of the bandwidth of Node's TCP", "more", 0.8, "", share && 1 / share);
    return sheet.done();
  },
};
