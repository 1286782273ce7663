/**
 * What a ULP prints: held back until its newline, so that lines of different ULPs do not mix.
 *
 * Owns: Context.held. The edge writes it out. A line longer than LIMITS.outputLineBytes goes out in pieces.
 */

import { ULP } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { tidText } from "../../wire/pvm.ts";
import type { Context, HeldLine } from "./context.ts";
import type { EngineState } from "./engine-state.ts";
import { sendOutput } from "./output-messages.ts";
import type { UlpAt } from "./state.ts";

const NEWLINE = 10;
const FIRST_BYTES = 256;

/** Prints bytes of a ULP. Borrows `bytes`, which may be of the guest's memory. */
export function print(e: EngineState, ulp: UlpAt, fd: number, bytes: Uint8Array): void {
  const context = e.contexts[e.w[ulp + ULP.index]!];
  if (context === undefined) return;
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end > 0) {
    hold(context, fd, bytes.subarray(0, end));
    flush(e, ulp, fd);
  }
  for (let from = end; from < bytes.length; ) {
    const line = context.held[fd];
    const room = LIMITS.outputLineBytes - (line?.used ?? 0);
    hold(context, fd, bytes.subarray(from, from + room));
    from += room;
    if (context.held[fd]!.used >= LIMITS.outputLineBytes) flush(e, ulp, fd);
  }
}

/** Prints a text, for messages of the library: `libpvm [t40001]: …`. */
export function printText(e: EngineState, ulp: UlpAt, fd: number, text: string): void {
  print(e, ulp, fd, new TextEncoder().encode(text));
}

/** Writes out what is held back for one stream. */
export function flush(e: EngineState, ulp: UlpAt, fd: number): void {
  const line = e.contexts[e.w[ulp + ULP.index]!]?.held[fd];
  if (line === undefined || line.used === 0) return;
  const tid = e.w[ulp + ULP.tid]!;
  const text = line.bytes.slice(0, line.used);
  line.used = 0;
  if (line.bytes.length > 4 * FIRST_BYTES) line.bytes = new Uint8Array(FIRST_BYTES);
  if (sendOutput(e, ulp, text)) return;
  e.edge.output(fd, e.options.tag ? tagged(text, tid) : text, tid);
}

/** Writes out what is held back: the ULP ends. */
export function flushAll(e: EngineState, ulp: UlpAt): void {
  flush(e, ulp, 1);
  flush(e, ulp, 2);
}

/** Each line with its ULP in front: `[t40001] `. */
function tagged(text: Uint8Array, tid: number): Uint8Array<ArrayBuffer> {
  const tag = new TextEncoder().encode(`[${tidText(tid)}] `);
  const starts = [0];
  for (let at = text.indexOf(NEWLINE); at >= 0 && at + 1 < text.length; at = text.indexOf(NEWLINE, at + 1))
    starts.push(at + 1);
  const out = new Uint8Array(text.length + starts.length * tag.length);
  starts.forEach((start, i) => {
    out.set(tag, start + i * tag.length);
    out.set(text.subarray(start, starts[i + 1]), start + (i + 1) * tag.length);
  });
  return out;
}

function hold(context: Context, fd: number, bytes: Uint8Array): void {
  const line: HeldLine = context.held[fd] ?? { bytes: new Uint8Array(FIRST_BYTES), used: 0 };
  context.held[fd] = line;
  const needed = line.used + bytes.length;
  if (needed > line.bytes.length) {
    const more = new Uint8Array(Math.max(needed, 2 * line.bytes.length));
    more.set(line.bytes.subarray(0, line.used));
    line.bytes = more;
  }
  line.bytes.set(bytes, line.used);
  line.used = needed;
}
