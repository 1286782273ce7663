/** sieve.c in AssemblyScript. */
import { timed } from "./kernel";

const N = 2_000_000;
const composite = new StaticArray<u8>(N);

function kernel(): u32 {
  let sum: u32 = 0;
  composite.fill(0);
  for (let i = 2; i < N; i++) {
    if (unchecked(composite[i])) continue;
    sum += i;
    for (let j = <i64>i * i; j < N; j += i) unchecked((composite[<i32>j] = 1));
  }
  return sum;
}

export function main(): i32 {
  return timed("sieve", kernel);
}
