/**
 * The wasm frames of an error's stack, as V8 writes them.
 *
 * Owns: the pattern. Source: V8, `CallSiteInfo::SerializeWasm`… as seen in Node 24 and 26:
 *
 *     at ring.main (wasm://wasm/ring-3f1c2a3e:wasm-function[3]:0x1f2)
 *     at wasm://wasm/3f1c2a3e:wasm-function[3]:0x1f2
 */

export interface WasmFrame {
  /** As V8 has it: with the module's name and a dot in front, if the module has one. Absent if there is no name. */
  readonly func?: string;
  /** Function index in the module. */
  readonly index: number;
  /** Of the instruction, bytes from the start of the wasm file. */
  readonly offset: number;
}

const FRAME = /^ *at (?:(.+) \()?wasm:\/\/\S*:wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/** Innermost first; frames of JavaScript are left out. V8 keeps `Error.stackTraceLimit` frames in all, 10 by default. */
export function stackOf(error: Error): WasmFrame[] {
  const frames: WasmFrame[] = [];
  for (const line of (error.stack ?? "").split("\n")) {
    const [, func, index, offset] = FRAME.exec(line) ?? [];
    if (index === undefined || offset === undefined) continue;
    frames.push({
      ...(func !== undefined && { func }),
      index: Number(index),
      offset: Number.parseInt(offset, 16),
    });
  }
  return frames;
}
