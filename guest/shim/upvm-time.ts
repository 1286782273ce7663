/**
 * AssemblyScript's `Date.now`, `performance.now` and `crypto.getRandomValues` over WASI.
 */
import { Date } from "date";
import { upvm_CLOCK_MONOTONIC, upvm_CLOCK_REALTIME, upvm_clock, upvm_random_get } from "./upvm-wasi";

export class upvm_Date extends Date {
  /** Milliseconds since 1970. */
  static now(): i64 {
    return <i64>(upvm_clock(upvm_CLOCK_REALTIME) / 1_000_000);
  }
}

export namespace upvm_performance {
  /** Milliseconds, with fractions, of a clock that only goes forward. */
  export function now(): f64 {
    return <f64>upvm_clock(upvm_CLOCK_MONOTONIC) / 1e6;
  }
}

export namespace upvm_crypto {
  export function getRandomValues(array: Uint8Array): void {
    if (upvm_random_get(array.dataStart, array.byteLength) != 0) throw new Error("no random numbers");
  }
}
