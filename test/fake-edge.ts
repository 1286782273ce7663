/**
 * An Edge that remembers what was written, for tests of commands without a process.
 */
import type { Edge } from "../upvm/edge.ts";
import { UpvmError } from "../wire/errors.ts";

export interface FakeEdge extends Edge {
  /** All text so far. */
  readonly written: { out: string; err: string };
  readonly files: Map<string, Uint8Array>;
}

export function fakeEdge(over: Partial<Edge> = {}): FakeEdge {
  const written = { out: "", err: "" };
  const files = new Map<string, Uint8Array>();
  const text = (data: string | Uint8Array): string =>
    typeof data === "string" ? data : new TextDecoder().decode(data);
  return {
    written,
    files,
    out: (data) => {
      written.out += text(data);
    },
    err: (data) => {
      written.err += text(data);
    },
    print: (fd, data) => {
      written[fd === 1 ? "out" : "err"] += text(data);
      return undefined;
    },
    colour: { out: false, err: false },
    columns: 80,
    peakMemoryBytes: () => 0,
    version: "1.2.3",
    programPath: "",
    readFile: async (path) => {
      const found = files.get(path);
      if (found === undefined) throw new UpvmError("FILE_NOT_FOUND", { path, why: "no such file" });
      return found;
    },
    writeFile: async (path, data) => {
      files.set(path, typeof data === "string" ? new TextEncoder().encode(data) : data);
    },
    compile: async (path) => {
      throw new UpvmError("COMPILE", { path, output: "no compiler here" });
    },
    realFolder: async (path) => path,
    sha256: () => "0".repeat(64),
    checkpoints: async () => {
      throw new UpvmError("FILE_NOT_FOUND", { path: "", why: "no disk here" });
    },
    lines: () => ({ typed: false, each: async () => {} }),
    vm: async () => {
      throw new UpvmError("HOME_UNKNOWN", {});
    },
    input: () => ({ read: async () => new Uint8Array(0), ready: async () => true, close: () => {} }),
    cc: async () => ({ code: 0, out: "", err: "", files: new Map() }),
    nowMs: () => 0,
    interrupts: () => new AbortController().signal,
    runScript: async () => 0,
    ...over,
  };
}
