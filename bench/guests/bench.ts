/**
 * bench.h in AssemblyScript: medians of batches, one line of output for each figure.
 */
const BATCH_MS: f64 = 50;

/** Prints "= ROW MEDIAN MIN MAX COUNT", which bench/output.ts reads. Sorts `values`. */
export function report(row: string, values: Array<f64>): void {
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const count = values.length;
  const median = (values[(count - 1) >> 1] + values[count >> 1]) / 2;
  console.log(`= ${row} ${median} ${values[0]} ${values[count - 1]} ${count}`);
}

/** How many repetitions fill a batch, from the time that `count` of them took. */
export function repetitions(ms: f64, count: i32, least: i32, most: i32): i32 {
  const n = ms > 0 ? BATCH_MS / (ms / count) : <f64>most;
  return <i32>Math.min(Math.max(n, <f64>least), <f64>most);
}

/** A whole number, or a decimal with so many digits after the point: as C's printf has it. */
export function fixed(value: f64, digits: i32): string {
  const scale = Math.pow(10, digits);
  const whole = Math.floor(value);
  const rest = <i64>Math.round((value - whole) * scale);
  return `${<i64>whole}.${rest.toString().padStart(digits, "0")}`;
}
