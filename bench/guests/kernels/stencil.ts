/** stencil.c in AssemblyScript. */
import { timed } from "./kernel";

const N = 256;
const first = new StaticArray<f64>(N * N);
const second = new StaticArray<f64>(N * N);

function row(to: StaticArray<f64>, from: StaticArray<f64>, i: i32): void {
  for (let j = 1; j < N - 1; j++) {
    const p = i * N + j;
    unchecked((to[p] = 0.25 * (from[p - N] + from[p + N] + from[p - 1] + from[p + 1])));
  }
}

function kernel(): u32 {
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      const value = <f64>((i * 7 + j * 3) % 17);
      unchecked((first[i * N + j] = value));
      unchecked((second[i * N + j] = value));
    }
  }
  let from = first;
  let to = second;
  for (let k = 0; k < 40; k++) {
    for (let i = 1; i < N - 1; i++) row(to, from, i);
    const swap = from;
    from = to;
    to = swap;
  }
  let sum = 0.0;
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) sum += unchecked(from[i * N + j]) * (j + 1);
  }
  return <u32>(<u64>(sum * 1000));
}

export function main(): i32 {
  return timed("stencil", kernel);
}
