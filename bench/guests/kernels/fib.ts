/** fib.c in AssemblyScript. */
import { timed } from "./kernel";

function fib(n: u32): u32 {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

let argument: u32 = 30;

function kernel(): u32 {
  return fib(argument);
}

export function main(): i32 {
  argument = 30;
  return timed("fib", kernel);
}
