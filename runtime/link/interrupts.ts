/**
 * Part of pass 5, for programs that import pvm_addmhf or pvm_recvf: routines that look for messages run the program's
 * own functions.
 *
 * The import says so by what it returns (INTERRUPT): `handle`, a message handler has a message; `match`, the matching
 * function has to look at one. The wrapper calls that function, tells the engine, and calls the import again with the
 * same parameters. A wrapper is a function of the program like any other, so the suspend transform sees to it that what
 * it calls may block, be preempted and move. Programs without these imports get none of this.
 *
 *     upvm.begin_looking()
 *     loop { r = import(…)
 *            if (r == handle) { f = upvm.handle(); if (f != 0) { table[f](rbid); upvm.handled() } continue }
 *            if (r == match)  { upvm.matched(table[upvm.matcher()](bufid, tid, tag)); continue } }
 *     return r
 */
import { INTERRUPT, ULP } from "../../wire/layout.ts";
import { currentUlp, descriptorWord } from "./pack-code.ts";
import { block, branch, call, i32, ifThen, localGet, localSet, localTee, plain } from "./wasm/build.ts";
import { type Func, Node, type WasmModule } from "./wasm/module.ts";
import { I32, OP } from "./wasm/opcodes.ts";

/** Imports that a program's functions are given to. */
const GIVERS: readonly string[] = ["pvm_addmhf", "pvm_recvf_set"];
/** Routines that look for messages; true: receives, which ask the matching function about (tid, tag). */
const LOOKING: Readonly<Record<string, boolean>> = {
  pvm_send: false,
  pvm_mcast: false,
  pvm_psend: false,
  pvm_bcast: false,
  pvm_barrier: false,
  pvm_freezegroup: false,
  pvm_recv: true,
  pvm_nrecv: true,
  pvm_trecv: true,
  pvm_precv: true,
  pvm_probe: true,
};

interface Hosts {
  readonly begin: Func;
  readonly handle: Func;
  readonly handled: Func;
  readonly matcher: Func;
  readonly matched: Func;
}

/**
 * @param stubs  import → what is called in its place; gets the wrappers
 * @returns functions that may go on calling the imports themselves
 */
export function addInterrupts(module: WasmModule, stubs: Map<Func, Func>): Set<Func> {
  const own = new Set<Func>();
  const imports = module.funcs.filter(({ imported }) => imported?.module === "pvm");
  const givers = imports.filter(({ imported }) => GIVERS.includes(imported?.name ?? ""));
  if (givers.length === 0) return own;
  const tables = module.tables.length > 0;
  for (const giver of givers) {
    const stub = giverFunc(module, giver, tables);
    stubs.set(giver, stub);
  }
  if (!tables) return own;
  const host = (name: string, params: number[], results: number[]): Func =>
    module.addImport("upvm", name, params, results);
  const hosts: Hosts = {
    begin: host("begin_looking", [], []),
    handle: host("handle", [], [I32]),
    handled: host("handled", [], []),
    matcher: host("matcher", [], [I32]),
    matched: host("matched", [I32], []),
  };
  for (const imported of imports) {
    const receives = LOOKING[imported.imported?.name ?? ""];
    if (receives === undefined) continue;
    const leaf = stubs.get(imported) ?? imported;
    own.add(leaf);
    stubs.set(imported, lookingFunc(module, leaf, hosts, receives));
  }
  return own;
}

/** call_indirect through the first table. */
function callTable(module: WasmModule, params: number[], results: number[]): Node {
  const node = new Node(OP.callIndirect);
  node.index = module.typeIndex(params, results);
  node.imm = Uint8Array.of(0);
  return node;
}

function lookingFunc(module: WasmModule, leaf: Func, hosts: Hosts, receives: boolean): Func {
  const { params } = module.typeOf(leaf);
  const func = module.addFunc(leaf.name ?? "pvm", params, [I32]);
  func.locals.push(I32, I32);
  const [result, index] = [params.length, params.length + 1];
  const again = block([], [], OP.loop);
  const is = (value: number, body: Node[]): Node[] => [
    localGet(result),
    i32(value),
    plain(OP.i32Eq),
    ifThen([...body, branch(OP.br, again)]),
  ];
  const handle = [
    call(hosts.handle),
    localTee(index),
    ifThen([
      ...currentUlp(),
      descriptorWord(ULP.rbid),
      localGet(index),
      callTable(module, [I32], [I32]),
      plain(OP.drop),
      call(hosts.handled),
    ]),
  ];
  const match = [
    ...currentUlp(),
    descriptorWord(ULP.result),
    localGet(0),
    localGet(1),
    call(hosts.matcher),
    callTable(module, [I32, I32, I32], [I32]),
    call(hosts.matched),
  ];
  again.body = [
    ...params.map((_, i) => localGet(i)),
    call(leaf),
    localSet(result),
    ...is(INTERRUPT.handle, handle),
    ...(receives ? is(INTERRUPT.match, match) : []),
  ];
  func.root?.body?.push(call(hosts.begin), again, localGet(result));
  return func;
}

/** The import, with -1 in place of a table index that is no function's. Index 0 stands for none. */
function giverFunc(module: WasmModule, giver: Func, tables: boolean): Func {
  const { params } = module.typeOf(giver);
  const func = module.addFunc(giver.name ?? "pvm", params, [I32]);
  const index = params.length - 1;
  const bad = [i32(-1), localSet(index)];
  const table = (op: number): Node => {
    const node = new Node(op);
    if (op === OP.tableGet) node.index = 0;
    else node.imm = Uint8Array.of(0);
    return node;
  };
  const check = tables
    ? [
        localGet(index),
        table(OP.tableSize),
        plain(OP.i32GeU),
        ifThen(bad, [localGet(index), table(OP.tableGet), plain(OP.refIsNull), ifThen([...bad])]),
      ]
    : bad;
  func.root?.body?.push(localGet(index), ifThen(check), ...params.map((_, i) => localGet(i)), call(giver));
  return func;
}
