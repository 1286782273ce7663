/**
 * Says where upvm differs from PVM and is not meant to: `node test/conformance/compare.ts PROGRAM [CASE...]`.
 *
 *     - a line of PVM's that is missing
 *     + a line that PVM does not print
 */
import { linkedProgram } from "../guest-run.ts";
import { onUpvm } from "./on-upvm.ts";
import { expected, golden, PROGRAMS } from "./suite.ts";

const [word, ...wanted] = process.argv.slice(2);
const program = PROGRAMS.find((name) => name === word);
if (program === undefined) {
  console.log(`usage: node test/conformance/compare.ts PROGRAM [CASE...]; programs: ${PROGRAMS.join(", ")}`);
  process.exit(2);
}
// So that what does not compile says so once.
await linkedProgram(`test/conformance/${program}.c`).catch((error: unknown) => {
  console.log(`${error}`);
  process.exit(1);
});
for (const [name, printed] of golden(program)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const got = await onUpvm(program, name).catch((error: unknown) => `${error}\n`);
  const want = expected(program, name, printed);
  console.log(`${got === want ? "same     " : "DIFFERENT"} ${name}`);
  if (got !== want) console.log(difference(want.split("\n"), got.split("\n")));
}

/** Lines of the one and of the other, in order, by their longest common part. */
function difference(want: readonly string[], got: readonly string[]): string {
  const longest = want.map(() => got.map(() => 0));
  const at = (i: number, j: number): number => longest[i]?.[j] ?? 0;
  for (let i = want.length - 1; i >= 0; i--)
    for (let j = got.length - 1; j >= 0; j--)
      longest[i]![j] = want[i] === got[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: string[] = [];
  for (let i = 0, j = 0; i < want.length || j < got.length; ) {
    if (i < want.length && want[i] === got[j]) {
      i++;
      j++;
    } else if (i < want.length && (j >= got.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push(`    - ${want[i++]}`);
    else lines.push(`    + ${got[j++]}`);
  }
  return lines.join("\n");
}
