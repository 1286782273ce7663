/**
 * What the examples print with: numbers with a fixed number of digits, as C's "%.3f" has them.
 */

/** `value` with `digits` digits behind the point, rounded; exact while value · 10^digits is below 2^53. */
export function fixed(value: f64, digits: i32): string {
  if (value < 0) return "-" + fixed(-value, digits);
  const scale = Math.pow(10, digits);
  const scaled = <u64>nearest(value * scale);
  const whole = (scaled / <u64>scale).toString();
  if (digits == 0) return whole;
  return whole + "." + (scaled % <u64>scale).toString().padStart(digits, "0");
}

/** The middle one of some values; sorts them. */
export function median(values: Array<f64>): f64 {
  values.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return values[values.length / 2];
}

/** The number behind `name` in a program's arguments, or `otherwise`. */
export function option(args: string[], name: string, otherwise: i32): i32 {
  const at = args.indexOf(name);
  return at >= 0 && at + 1 < args.length ? I32.parseInt(args[at + 1]) : otherwise;
}
