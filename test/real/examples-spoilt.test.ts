/** An example whose work is spoilt says so: its own check is worth something. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import { link } from "../../runtime/link/link.ts";
import { compiled } from "../compile-fixture.ts";
import { root, runLinked } from "../guest-run.ts";

const EXAMPLES = "guest/examples";

/** One spoilt line in each program: [file, what it says, what it says instead]. */
const SPOILT = [
  ["ring.c", "pass(take(previous) + 1, next)", "pass(take(previous) + (index == 2 ? 2 : 1), next)"],
  ["ring.ts", "pass(take(previous) + 1, next)", "pass(take(previous) + (index == 2 ? 2 : 1), next)"],
  ["laplace.c", "pvm_pkdouble(&sum, 1, 1);", "sum *= 1.0000000001; pvm_pkdouble(&sum, 1, 1);"],
  ["laplace.ts", "pvm.pk<f64>(sum);", "pvm.pk<f64>(sum * 1.0000000001);"],
  ["laplace.c", "return left + right;", "return 2;"],
  [
    "opt.c",
    "pvm_pkdouble(&result.error, 1, 1);",
    "result.gradient[3] *= 1.000001; pvm_pkdouble(&result.error, 1, 1);",
  ],
  ["opt.ts", "pvm.pk<f64>(result.error);", "result.gradient[3] *= 1.000001; pvm.pk<f64>(result.error);"],
  ["mandelbrot.ts", "    pvm.pkArray(counts);", "    counts[5]++; pvm.pkArray(counts);"],
  ["summa.c", "add_product(c, ak, bk, n);", "if (k + me != 3) add_product(c, ak, bk, n);"],
  ["nqueens.c", "pvm_pkint(&ways, 1, 1);", "ways++; pvm_pkint(&ways, 1, 1);"],
] as const;

async function compiledExample(name: string, change: (source: string) => string) {
  const text = (path: string): string => readFileSync(join(root, EXAMPLES, path), "utf8");
  return compiled(name, change(text(name)), {}, { "shared/text.ts": text("shared/text.ts") });
}

for (const [name, right, wrong] of SPOILT) {
  test(`${name} finds that its work is spoilt: ${wrong}`, async () => {
    const { wasm } = await compiledExample(name, (source) => {
      assert.ok(source.includes(right), `${name} has no such line`);
      return source.replace(right, () => wrong);
    });
    const args = name.startsWith("opt") ? ["--size", "20000", "--iterations", "2"] : [];
    const { result, out, err } = await runLinked(link(wasm).wasm, { ulps: 4, cores: 1, args });
    assert.equal(result.ok, false);
    assert.equal(result.ulps[0]?.exitCode, 1);
    assert.match(Buffer.from(out).toString("latin1") + err, /WRONG/);
    for (const { exitCode } of result.ulps.slice(1)) assert.equal(exitCode, 0);
  });
}

test.run();
