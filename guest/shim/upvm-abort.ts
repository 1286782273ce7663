/**
 * AssemblyScript's `abort`, `trace` and the seed of `Math.random`, over WASI and pvm_mytid.
 *
 * Owns: the texts. abort() allocates nothing: it also runs when memory is exhausted or the heap is damaged.
 * Dropped: @assemblyscript/wasi-shim 0.1.0. Its abort writes over address 0 and ends the program without a trap, so
 * that nobody sees the stack; its console.error goes to standard output.
 */
import { upvm_out, upvm_random_get, upvm_write, upvm_writeText } from "./upvm-wasi";

// @ts-ignore: decorator
@external("pvm", "pvm_mytid")
declare function upvm_mytid(): i32;

// Characters of a message or file name that are printed; each needs at most three bytes of UTF-8.
// @ts-ignore: decorator
@inline const MESSAGE_CHARS = 512;
// @ts-ignore: decorator
@inline const FILE_CHARS = 256;
// @ts-ignore: decorator
@lazy const line = memory.data((MESSAGE_CHARS + FILE_CHARS) * 3 + 64);

function putAscii(at: usize, text: string): usize {
  for (let i = 0, n = text.length; i < n; i++) store<u8>(at + i, <u8>load<u16>(changetype<usize>(text) + (<usize>i << 1)));
  return at + text.length;
}

function putText(at: usize, text: string | null, limit: i32): usize {
  if (text === null) return at;
  const length = min(text.length, limit);
  return at + String.UTF8.encodeUnsafe(changetype<usize>(text), length, at);
}

function putNumber(at: usize, value: u32): usize {
  let digits: usize = 1;
  for (let rest = value / 10; rest > 0; rest /= 10) digits++;
  for (let i = digits; i > 0; i--) {
    store<u8>(at + i - 1, <u8>(48 + (value % 10)));
    value /= 10;
  }
  return at + digits;
}

function putHex(at: usize, value: u32): usize {
  let shift = 28;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) {
    const digit = <u8>((value >> shift) & 15);
    store<u8>(at++, digit < 10 ? 48 + digit : 87 + digit);
  }
  return at;
}

/** Prints `upvm [t40001]: abort: MESSAGE in FILE:LINE:COLUMN` to standard error, as the runtime names who fails, and traps. */
export function upvm_abort(
  message: string | null = null, file: string | null = null, lineNumber: u32 = 0, column: u32 = 0,
): void {
  let at = putAscii(line, "upvm [t");
  at = putHex(at, upvm_mytid());
  at = putAscii(at, "]: abort: ");
  at = putText(at, message, MESSAGE_CHARS);
  at = putAscii(at, " in ");
  at = putText(at, file, FILE_CHARS);
  at = putAscii(at, ":");
  at = putNumber(at, lineNumber);
  at = putAscii(at, ":");
  at = putNumber(at, column);
  at = putAscii(at, "\n");
  upvm_write(2, line, at - line);
  unreachable();
}

/** Prints `trace: MESSAGE a, b, …` to standard error: the first `n` numbers. */
export function upvm_trace(
  message: string, n: i32 = 0, a0: f64 = 0, a1: f64 = 0, a2: f64 = 0, a3: f64 = 0, a4: f64 = 0,
): void {
  let text = "trace: " + message;
  if (n > 0) text += " " + a0.toString();
  if (n > 1) text += ", " + a1.toString();
  if (n > 2) text += ", " + a2.toString();
  if (n > 3) text += ", " + a3.toString();
  if (n > 4) text += ", " + a4.toString();
  upvm_writeText(2, text + "\n");
}

/** A seed for Math.random from the host's random numbers. */
export function upvm_seed(): f64 {
  upvm_random_get(upvm_out + 8, 8);
  return reinterpret<f64>(load<u64>(upvm_out, 8));
}
