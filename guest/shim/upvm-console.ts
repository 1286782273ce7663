/**
 * AssemblyScript's `console` over WASI, as Node has it: log, info, debug and times go to standard output, warn, error
 * and failed assertions to standard error. One line, one write.
 */
import { upvm_CLOCK_MONOTONIC, upvm_clock, upvm_writeText } from "./upvm-wasi";

// @ts-ignore: decorator
@lazy const timers = new Map<string, u64>();

function timeText(label: string): string {
  return label + ": " + (<f64>(upvm_clock(upvm_CLOCK_MONOTONIC) - timers.get(label)) / 1e6).toString() + "ms\n";
}

export namespace upvm_console {
  export function log(message: string = ""): void {
    upvm_writeText(1, message + "\n");
  }
  export function info(message: string = ""): void {
    log(message);
  }
  export function debug(message: string = ""): void {
    log(message);
  }
  export function error(message: string = ""): void {
    upvm_writeText(2, message + "\n");
  }
  export function warn(message: string = ""): void {
    error(message);
  }
  export function assert<T>(condition: T, message: string = ""): void {
    if (!condition) error(message.length > 0 ? "Assertion failed: " + message : "Assertion failed");
  }
  export function time(label: string = "default"): void {
    timers.set(label, upvm_clock(upvm_CLOCK_MONOTONIC));
  }
  export function timeLog(label: string = "default"): void {
    if (timers.has(label)) upvm_writeText(1, timeText(label));
  }
  export function timeEnd(label: string = "default"): void {
    timeLog(label);
    timers.delete(label);
  }
}
