/**
 * Arguments and environment of a ULP: those of the process, or what it was given when it was spawned.
 *
 * Owns: the block ULP.argsAt of a spawned ULP, and ULP.exportAt, the environment that its own children are given.
 *
 *     argsAt:   bytes of arguments | bytes of environment | arguments, each with its NUL | environment, likewise
 *     exportAt: bytes | environment, each `NAME=VALUE` with its NUL
 */
import { BLOCK_KIND, ULP } from "../../wire/layout.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import type { UlpAt } from "../scheduler/state.ts";
import { ufree, umalloc } from "../scheduler/uheap.ts";

const HEAD_BYTES = 8;

function encoded(texts: readonly string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
}

/** A copy of the bytes, since TextDecoder takes no shared memory. */
function texts(e: EngineState, at: number, bytes: number): string[] {
  return new TextDecoder()
    .decode(e.heap.u8.slice(at, at + bytes))
    .split("\0")
    .slice(0, -1);
}

/** Arguments of a ULP, the running one unless told: its own if it was spawned, else the process's. */
export function argsOf(e: EngineState, ulp: UlpAt = e.current): readonly string[] {
  const at = e.w[ulp + ULP.argsAt]!;
  return at === 0 ? e.options.args : texts(e, at + HEAD_BYTES, e.w[at >> 2]!);
}

/** Environment of a ULP of this engine, the running one unless told: the process's, with what its parent exported. */
export function envOf(e: EngineState, ulp: UlpAt = e.current): readonly string[] {
  const at = e.w[ulp + ULP.argsAt]!;
  if (at === 0 || e.w[(at >> 2) + 1] === 0) return e.options.env;
  const own = texts(e, at + HEAD_BYTES + e.w[at >> 2]!, e.w[(at >> 2) + 1]!);
  const nameOf = (text: string): string => text.split("=", 1)[0]!;
  const names = new Set(own.map(nameOf));
  return [...e.options.env.filter((text) => !names.has(nameOf(text))), ...own];
}

/** What the running ULP exports, as it is kept. */
function exportedOf({ w, heap, current }: EngineState): Uint8Array {
  const at = w[current + ULP.exportAt]!;
  return at === 0 ? NONE : heap.u8.slice(at + 4, at + 4 + w[at >> 2]!);
}
const NONE = new Uint8Array();

/** The same as texts: what a spawned task gets beside the process's environment. */
export function exportedTexts(e: EngineState): string[] {
  return new TextDecoder().decode(exportedOf(e)).split("\0").slice(0, -1);
}

/**
 * Gives a new ULP its arguments, and what the running ULP exports, or another environment. False: the heap is full.
 */
export function giveTexts(
  e: EngineState,
  ulp: UlpAt,
  args: readonly string[],
  env?: readonly string[],
): boolean {
  const { w, heap } = e;
  const text = encoded(args);
  const exported = env === undefined ? exportedOf(e) : encoded(env);
  const envBytes = exported.length;
  const at = umalloc(e, ulp, HEAD_BYTES + text.length + envBytes, BLOCK_KIND.args);
  if (at === 0) return false;
  w[at >> 2] = text.length;
  w[(at >> 2) + 1] = envBytes;
  heap.u8.set(text, at + HEAD_BYTES);
  heap.u8.set(exported, at + HEAD_BYTES + text.length);
  w[ulp + ULP.argsAt] = at;
  return true;
}

/** What tasks that the running ULP spawns from now on find in their environment. False: the heap is full. */
export function setExported(e: EngineState, env: readonly string[]): boolean {
  const { w, current: ulp } = e;
  ufree(e, ulp, w[ulp + ULP.exportAt]!);
  w[ulp + ULP.exportAt] = 0;
  if (env.length === 0) return true;
  const text = encoded(env);
  const at = umalloc(e, ulp, 4 + text.length, BLOCK_KIND.args);
  if (at === 0) return false;
  w[at >> 2] = text.length;
  e.heap.u8.set(text, at + 4);
  w[ulp + ULP.exportAt] = at;
  return true;
}
