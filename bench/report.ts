/**
 * Writes the tables of bench/README.md from what `upvm bench --json` printed:
 *
 *     node bench/report.ts figures.json
 *
 * Owns: what lies between `<!-- NAME -->` and `<!-- /NAME -->`; all other text there is written by people and stays. A
 * sheet that the run does not have keeps its old table.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportOf } from "./figures.ts";
import { withTables } from "./text.ts";

const README = join(import.meta.dirname, "README.md");
const [, , file] = process.argv;
if (file === undefined) {
  process.stderr.write("usage: node bench/report.ts FIGURES.json\n");
  process.exit(2);
}
const report = reportOf(readFileSync(file, "utf8"));
const { text, missing } = withTables(readFileSync(README, "utf8"), report);
if (missing.length > 0) process.stderr.write(`bench/README.md has no place for ${missing.join(", ")}\n`);
writeFileSync(README, text);
