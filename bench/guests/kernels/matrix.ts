/** matrix.c in AssemblyScript. */
import { timed } from "./kernel";

const N = 160;
const a = new StaticArray<f64>(N * N);
const b = new StaticArray<f64>(N * N);
const c = new StaticArray<f64>(N * N);

function kernel(): u32 {
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      unchecked((a[i * N + j] = <f64>((i + 2 * j) % 9)));
      unchecked((b[i * N + j] = <f64>((3 * i + j) % 7)));
    }
  }
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0.0;
      for (let k = 0; k < N; k++) sum += unchecked(a[i * N + k] * b[k * N + j]);
      unchecked((c[i * N + j] = sum));
    }
  }
  let sum = 0.0;
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) sum += unchecked(c[i * N + j]) * (i + j);
  }
  return <u32>(<u64>sum);
}

export function main(): i32 {
  return timed("matrix", kernel);
}
