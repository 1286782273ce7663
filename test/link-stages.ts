/**
 * The link step taken apart for tests: each pass by itself, and a host that runs linked modules without the runtime.
 *
 * The host suspends where a seeded random number says so, and now and then carries the ULP to a new instance: memory
 * kept, globals by upvm_save and upvm_load, tables by number. Results must not change.
 */
import wabt from "wabt";
import { suspendable } from "../runtime/link/call-graph.ts";
import { changesTable, check } from "../runtime/link/check.ts";
import { nameSection, takeNames } from "../runtime/link/debug.ts";
import { addEntry, addResume, addStubs, type EntryCode } from "../runtime/link/entry.ts";
import { type MemoryPages, shareMemory } from "../runtime/link/memory.ts";
import { insertPolls } from "../runtime/link/polls.ts";
import { resumePoints } from "../runtime/link/resume-points.ts";
import { addFunctionTable, addState } from "../runtime/link/state.ts";
import { call } from "../runtime/link/wasm/build.ts";
import { encodeModule } from "../runtime/link/wasm/encode.ts";
import type { Func, Node, WasmModule } from "../runtime/link/wasm/module.ts";
import { I32 } from "../runtime/link/wasm/opcodes.ts";
import { parseModule } from "../runtime/link/wasm/parse.ts";
import { SUSPEND, ULP } from "../wire/layout.ts";

const tool = await wabt();
const FEATURES = {
  threads: true,
  multi_memory: true,
  bulk_memory: true,
  simd: true,
  tail_call: true,
  exceptions: true,
  multi_value: true,
  reference_types: true,
  sat_float_to_int: true,
  sign_extension: true,
  mutable_globals: true,
};

export function watToWasm(text: string): Uint8Array {
  return new Uint8Array(
    tool.parseWat("test.wat", text, FEATURES).toBinary({ write_debug_names: true }).buffer,
  );
}

export function wasmToWat(wasm: Uint8Array): string {
  const module = tool.readWasm(wasm, { ...FEATURES, readDebugNames: true });
  module.applyNames();
  return module.toText({ foldExprs: false, inlineExport: false });
}

/** As text, with the names of its functions. */
export function textOf(module: WasmModule): string {
  for (const [index, func] of module.funcs.entries()) func.index = index;
  module.customs.push(nameSection(module));
  const text = wasmToWat(encodeModule(module).wasm);
  module.customs.pop();
  return text;
}

export interface Stages {
  readonly module: WasmModule;
  readonly code: EntryCode;
  readonly pages: MemoryPages;
  readonly stateBytes: number;
  readonly tables: number;
  readonly wasm: Uint8Array;
}

/** All passes; polls ask the host (import test.flag), so that a test says exactly when. `after` sees each stage. */
export function linkInStages(
  wasm: Uint8Array,
  after: (pass: string, module: WasmModule) => void = () => {},
): Stages {
  const module = parseModule(wasm);
  takeNames(module);
  const checked = check(module, "test");
  const tables = changesTable(module) ? module.tables.length : 0;
  const { pages, init } = shareMemory(module);
  after("memory", module);
  const code = addStubs(module, checked);
  const entry = addEntry(module, checked.entries);
  after("stubs", module);
  const asked = module.addImport("test", "flag", [], [I32]);
  const flag = (): Node[] => [call(asked)];
  insertPolls(module, { flag, poll: code.poll }, code.leaves);
  after("polls", module);
  resumePoints(module, suspendable(module, code.leaves), code);
  after("suspend", module);
  const resume = addResume(module, entry, code);
  after("entry", module);
  const state = addState(module, new Set([code.state, code.top, code.limit]));
  const exported = (name: string, func: Func): WasmModule["exports"][number] => ({
    name,
    kind: "func",
    func,
    index: 0,
  });
  module.exports = [
    exported("upvm_init", init),
    exported("upvm_resume", resume),
    exported("upvm_save", state.save),
    exported("upvm_load", state.load),
  ];
  if (tables > 0) {
    for (let i = 0; i < tables; i++)
      module.exports.push({ name: `upvm_table${i}`, kind: "table", func: undefined, index: i });
    module.exports.push({
      name: "upvm_functions",
      kind: "table",
      func: undefined,
      index: addFunctionTable(module).table,
    });
  }
  after("state", module);
  return { module, code, pages, stateBytes: state.bytes, tables, wasm: encodeModule(module).wasm };
}

/** Descriptor, frames and saved globals of the test host's one ULP, byte addresses in its heap. */
const DESCRIPTOR = 1024;
const SAVED = 8192;
const FRAMES = 65_536;
const HEAP_PAGES = 256;

/** A seeded random number generator: 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export interface HostOptions {
  readonly seed: number;
  /** How often a poll is asked for, and suspends. */
  readonly suspend: number;
  /** How often a suspended ULP goes on in a new instance. */
  readonly move: number;
}

export interface HostResult {
  readonly exitCode: number;
  readonly output: string;
  readonly suspensions: number;
  readonly moves: number;
}

type Exports = Record<string, (...args: number[]) => number>;
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** WASI for one program: standard output and exit, no arguments. */
export function wasiFor(
  memory: () => WebAssembly.Memory,
  output: Uint8Array[],
): Record<string, (...args: never[]) => number> {
  const view = (): DataView => new DataView(memory().buffer);
  return {
    args_sizes_get: (count: number, bytes: number) => {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return 0;
    },
    args_get: () => 0,
    environ_sizes_get: (count: number, bytes: number) => {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return 0;
    },
    environ_get: () => 0,
    fd_write: (_fd: number, iovs: number, count: number, written: number) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const at = view().getUint32(iovs + 8 * i, true);
        const bytes = view().getUint32(iovs + 8 * i + 4, true);
        output.push(new Uint8Array(memory().buffer).slice(at, at + bytes));
        total += bytes;
      }
      view().setUint32(written, total, true);
      return 0;
    },
    fd_close: () => 0,
    fd_seek: () => 70,
    fd_fdstat_get: (_fd: number, at: number) => {
      new Uint8Array(memory().buffer).fill(0, at, at + 24);
      view().setUint8(at, 2);
      return 0;
    },
    proc_exit: (code: number) => {
      throw new Exit(code);
    },
    sched_yield: () => 0,
  } as Record<string, (...args: never[]) => number>;
}

function textOfBytes(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("");
}

/** The program as it is, without the link step. */
export function runPlain(wasm: Uint8Array): { exitCode: number; output: string } {
  const output: Uint8Array[] = [];
  let memory: WebAssembly.Memory;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>), {
    wasi_snapshot_preview1: wasiFor(() => memory, output),
  });
  const exports = instance.exports as unknown as Exports & { memory: WebAssembly.Memory };
  memory = exports.memory;
  let exitCode = 0;
  try {
    exitCode = (exports["_start"] ?? exports["main"])?.() ?? 0;
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    exitCode = error.code;
  }
  return { exitCode, output: textOfBytes(output) };
}

/** The linked program, suspended and moved at random. */
export function runLinked(stages: Stages, options: HostOptions): HostResult {
  return new Host(stages, options).run();
}

class Host {
  private readonly stages: Stages;
  private readonly options: HostOptions;
  private readonly random: () => number;
  private readonly module: WebAssembly.Module;
  private readonly memory: WebAssembly.Memory;
  private readonly ctl = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  private readonly heap = new WebAssembly.Memory({ initial: HEAP_PAGES, maximum: HEAP_PAGES, shared: true });
  private readonly words = new Int32Array(this.heap.buffer);
  private readonly output: Uint8Array[] = [];
  private suspensions = 0;
  private moves = 0;

  constructor(stages: Stages, options: HostOptions) {
    this.stages = stages;
    this.options = options;
    this.random = seeded(options.seed);
    this.module = new WebAssembly.Module(stages.wasm as Uint8Array<ArrayBuffer>);
    const { min, max } = stages.pages;
    this.memory = new WebAssembly.Memory({ initial: min, maximum: Math.min(max, min + 256), shared: true });
    new Int32Array(this.ctl.buffer)[1] = DESCRIPTOR;
  }

  private instance(): Exports {
    const wasi = wasiFor(() => this.memory, this.output);
    wasi["sched_yield"] = () => {
      if (this.random() >= this.options.suspend) return 0;
      this.words[(DESCRIPTOR >> 2) + ULP.result] = 0;
      return SUSPEND;
    };
    return new WebAssembly.Instance(this.module, {
      upvm: {
        memory: this.memory,
        ctl: this.ctl,
        heap: this.heap,
        poll: () => 1,
        pack_room: () => 0,
        unpack_room: () => 0,
        frames: () => {
          throw new Error("frames are full");
        },
      },
      test: { flag: () => (this.random() < this.options.suspend ? 1 : 0) },
      wasi_snapshot_preview1: wasi,
    }).exports as unknown as Exports;
  }

  private moved(from: Exports): Exports {
    this.moves++;
    from["upvm_save"]?.(SAVED);
    const to = this.instance();
    to["upvm_load"]?.(SAVED);
    for (let i = 0; i < this.stages.tables; i++) {
      const [old, fresh] = [from, to].map((one) => one[`upvm_table${i}`] as unknown as WebAssembly.Table);
      const functions = to["upvm_functions"] as unknown as WebAssembly.Table;
      const byName = new Map<string, unknown>();
      for (let j = 0; j < functions.length; j++)
        byName.set((functions.get(j) as { name: string }).name, functions.get(j));
      if (old === undefined || fresh === undefined) continue;
      fresh.grow(old.length - fresh.length);
      for (let j = 0; j < old.length; j++) {
        const entry = old.get(j) as { name: string } | null;
        fresh.set(j, entry === null ? null : byName.get(entry.name));
      }
    }
    return to;
  }

  run(): HostResult {
    let exports = this.instance();
    exports["upvm_init"]?.();
    let top = FRAMES;
    let fresh = 1;
    let exitCode: number;
    try {
      for (;;) {
        top = exports["upvm_resume"]?.(top, HEAP_PAGES * 65_536, fresh) ?? 0;
        fresh = 0;
        if (top === 0) break;
        this.suspensions++;
        if (this.random() < this.options.move) exports = this.moved(exports);
      }
      exitCode = this.words[(DESCRIPTOR >> 2) + ULP.exitCode] ?? 0;
    } catch (error) {
      if (!(error instanceof Exit)) throw error;
      exitCode = error.code;
    }
    return { exitCode, output: textOfBytes(this.output), suspensions: this.suspensions, moves: this.moves };
  }
}
