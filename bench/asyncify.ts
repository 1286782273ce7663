/**
 * A program made suspendable by Binaryen's Asyncify, as the design first had it: the yardstick for our own transform.
 *
 * Same polls, outside of the loops; Asyncify in place of resume points; then Binaryen's optimizer at its highest. What comes
 * out runs under plain.ts, which never suspends it: this measures what instrumentation costs code that runs.
 */
import binaryen from "binaryen";
import { insertPolls } from "../runtime/link/polls.ts";
import { access, call, i32 } from "../runtime/link/wasm/build.ts";
import { encodeModule } from "../runtime/link/wasm/encode.ts";
import type { Func, WasmModule } from "../runtime/link/wasm/module.ts";
import { I32, OP } from "../runtime/link/wasm/opcodes.ts";
import { parseModule } from "../runtime/link/wasm/parse.ts";

const PAGE: WasmModule["memories"][number] = {
  limits: { min: 1, max: 1, shared: true },
  imported: { module: "upvm", name: "ctl" },
};

/** @param wasm  as its compiler left it */
export function asyncified(wasm: Uint8Array): Uint8Array {
  const module = withoutDebug(parseModule(wasm));
  const flag = module.addImport("upvm", "flag", [], [I32]);
  const poll = module.addImport("upvm", "poll", [], []);
  insertPolls(module, { flag: () => [call(flag)], poll }, new Set([poll]));
  const instrumented = binaryenPasses(encodeModule(module).wasm, (b) => {
    binaryen.setPassArgument("asyncify-imports", "upvm.poll");
    b.runPasses(["asyncify"]);
  });
  // Asyncify refuses two memories: the flag was a call until now. The optimizer puts its code in place of the calls.
  return binaryenPasses(encodeModule(withFlag(parseModule(instrumented))).wasm, (b) => b.optimize());
}

function withoutDebug(module: WasmModule): WasmModule {
  module.customs = [];
  return module;
}

/** Gives upvm.flag its body: the word that another thread would set. The control page is the memory after the own. */
function withFlag(module: WasmModule): WasmModule {
  const flag = module.funcs.find((func) => func.imported?.name === "flag") as Func;
  module.memories.push(PAGE);
  // Imported memories come first: the program's own is number 1 now, so the flag's page is kept behind it.
  const own = module.memories[0] as WasmModule["memories"][number];
  own.imported = { module: "upvm", name: "memory" };
  own.limits = { ...own.limits, shared: false };
  const body = module.addFunc("flag", [], [I32]);
  body.root?.body?.push(i32(0), access(OP.i32Load, 1, 0));
  for (const func of module.funcs) replaceCalls(func.root?.body ?? [], flag, body);
  return withoutDebug(module);
}

function replaceCalls(nodes: readonly NonNullable<Func["root"]>[], from: Func, to: Func): void {
  for (const node of nodes) {
    if (node.func === from) node.func = to;
    replaceCalls(node.body ?? [], from, to);
    replaceCalls(node.orElse ?? [], from, to);
  }
}

const F = binaryen.Features;
/** What compilers use, and what we need; with all that it knows, Binaryen writes forms that are not yet standard. */
const FEATURES =
  F.BulkMemory |
  F.BulkMemoryOpt |
  F.SignExt |
  F.NontrappingFPToInt |
  F.MutableGlobals |
  F.Multivalue |
  F.SIMD128 |
  F.ReferenceTypes |
  F.Atomics |
  F.MultiMemory;

function binaryenPasses(wasm: Uint8Array, run: (module: binaryen.Module) => void): Uint8Array {
  binaryen.setOptimizeLevel(3);
  binaryen.setShrinkLevel(0);
  const module = binaryen.readBinary(wasm);
  module.setFeatures(FEATURES);
  run(module);
  const out = module.emitBinary();
  module.dispose();
  return out;
}
