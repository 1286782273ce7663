/**
 * The running ULP's memory, as its calls see it: numbers, strings and arrays at addresses that it gives.
 *
 * Owns: the checks. A bad address is the guest's mistake and gives PvmBadParam, not a trap: PVM's own library
 * would crash there. Addresses come from wasm as signed 32-bit numbers.
 */
import { ULP } from "../../wire/layout.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";

/** Context of the running ULP. */
export function currentContext(e: EngineState): Context {
  return e.contexts[e.w[e.current + ULP.index]!]!;
}

/** Bytes of a NUL-terminated string without its NUL; undefined if it does not end inside the memory. */
function cString(e: EngineState, at: number): Uint8Array | undefined {
  const context = currentContext(e);
  context.look();
  const from = at >>> 0;
  const end = context.bytes.indexOf(0, from);
  return from < context.bytes.length && end >= 0 ? context.bytes.slice(from, end) : undefined;
}

/** As cString, as text. */
export function cText(e: EngineState, at: number): string | undefined {
  const bytes = cString(e, at);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

/**
 * Stores a text for C: cut to `capacity` bytes with its NUL, nothing if `capacity` is 0 or less.
 *
 * @returns bytes of the whole text without a NUL; undefined: bad address
 */
export function putText(e: EngineState, text: string, at: number, capacity: number): number | undefined {
  const bytes = new TextEncoder().encode(text);
  if (capacity <= 0) return bytes.length;
  const context = currentContext(e);
  const stored = Math.min(bytes.length, capacity - 1);
  if (!context.covers(at >>> 0, stored + 1)) return undefined;
  context.bytes.set(bytes.subarray(0, stored), at >>> 0);
  context.bytes[(at >>> 0) + stored] = 0;
  return bytes.length;
}

/** True if [at, at + bytes) is in the memory, or `at` is NULL. */
export function isPlace(e: EngineState, at: number, bytes: number): boolean {
  return at === 0 || currentContext(e).covers(at >>> 0, bytes);
}

/** Stores an int unless `at` is NULL. The address was checked (isPlace). */
export function putInt(e: EngineState, at: number, value: number): void {
  if (at !== 0) currentContext(e).view.setInt32(at >>> 0, value, true);
}

/** Reads an int. The address was checked. */
export function getInt(e: EngineState, at: number): number {
  return currentContext(e).view.getInt32(at >>> 0, true);
}
