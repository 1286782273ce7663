/**
 * kernel.h in AssemblyScript: times a computation that never blocks and prints its checksum.
 */
import * as pvm from "upvm/guest";
import { repetitions, report } from "../bench";

/** An engine compiles a function again, better, after some calls: these are not measured. */
const WARM_UP_MS: f64 = 300;

/** `kernel` computes for a few milliseconds and returns a checksum. */
export function timed(name: string, kernel: () => u32): i32 {
  const args = pvm.args();
  const batches = args.length > 0 ? I32.parseInt(args[0]) : 9;
  let sum: u32 = 0;
  let calls = 0;
  const warm = performance.now();
  while (performance.now() - warm < WARM_UP_MS) {
    sum = kernel();
    calls++;
  }
  calls = repetitions(performance.now() - warm, calls, 1, 1_000_000);
  const values = new Array<f64>();
  for (let batch = 0; batch < batches; batch++) {
    const start = performance.now();
    for (let call = 0; call < calls; call++) {
      if (kernel() != sum) {
        console.log("wrong result");
        return 1;
      }
    }
    values.push((performance.now() - start) / calls);
  }
  console.log(`sum ${name} ${sum}`);
  report(name, values);
  return 0;
}
