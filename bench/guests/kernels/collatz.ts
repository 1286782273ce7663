/** collatz.c in AssemblyScript. */
import { timed } from "./kernel";

function kernel(): u32 {
  let longest: u32 = 0;
  let which: u32 = 0;
  for (let start: u32 = 1; start < 100_000; start++) {
    let steps: u32 = 0;
    for (let n: u64 = start; n != 1; steps++) n = n & 1 ? 3 * n + 1 : n / 2;
    if (steps > longest) {
      longest = steps;
      which = start;
    }
  }
  return which * 1000 + longest;
}

export function main(): i32 {
  return timed("collatz", kernel);
}
