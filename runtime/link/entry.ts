/**
 * Pass 5: one crossing per switch.
 *
 * The state changes of a suspension are wasm, not calls from outside: a blocking routine is a stub that begins the
 * unwind itself, and `upvm_resume` rewinds, runs on and reports in one call (design: 60 ns instead of 220–300).
 */
import { SUSPEND, ULP, ULP_FLAG } from "../../wire/layout.ts";
import type { Checked } from "./check.ts";
import { addInterrupts } from "./interrupts.ts";
import { MEMORY } from "./memory.ts";
import { currentUlp, descriptorWord, packCode, setDescriptorWord } from "./pack-code.ts";
import { STATE, type SuspendCode } from "./suspend.ts";
import {
  access,
  block,
  branch,
  call,
  globalGet,
  globalSet,
  i32,
  ifThen,
  localGet,
  localSet,
  localTee,
  plain,
} from "./wasm/build.ts";
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { I32, OP } from "./wasm/opcodes.ts";

export interface EntryCode extends SuspendCode {
  /** Global: how far frames may go, byte address in the heap. */
  readonly limit: number;
  /** Functions that begin a suspension: stubs of blocking routines, and polls. */
  readonly leaves: ReadonlySet<Func>;
}

/** Adds globals, stubs and the poll, and sends the guest's calls to the stubs. */
export function addStubs(module: WasmModule, checked: Checked): EntryCode {
  const hostPoll = module.addImport("upvm", "poll", [], [I32]);
  const hostFrames = module.addImport("upvm", "frames", [I32], [I32]);
  const state = module.addGlobal("upvm_state", I32, [i32(0)]);
  const top = module.addGlobal("upvm_frames_top", I32, [i32(0)]);
  const limit = module.addGlobal("upvm_frames_limit", I32, [i32(0)]);
  const stubs = new Map<Func, Func>();
  const blocking = new Set<Func>();
  const slow = new Map<string, Func>();
  for (const [func, route] of checked.routes) {
    if (route === "block") {
      const stub = blockStub(module, func, state);
      stubs.set(func, stub);
      blocking.add(stub);
    } else if (route === "inline") slow.set((func.imported as { name: string }).name, func);
  }
  for (const [func, inline] of packCode(module, slow)) stubs.set(func, inline);
  const mytid = slow.get("pvm_mytid");
  if (mytid !== undefined) stubs.set(mytid, tidFunc(module, mytid));
  const leaves = addInterrupts(module, stubs);
  redirect(module, stubs, new Set([...leaves, ...stubs.values()]));
  const tag = module.tags.length;
  module.tags.push(module.typeIndex([], []));
  const leave = plain(OP.throw);
  leave.index = tag;
  const poll = pollFunc(module, "upvm_poll", state, hostPoll, [leave]);
  const pollReturning = pollFunc(module, "upvm_poll_returning", state, hostPoll, [
    i32(STATE.unwinding),
    globalSet(state),
  ]);
  const suspending = new Set([...blocking, poll, pollReturning]);
  const push = pushFunc(module, hostFrames, top, limit);
  return {
    state,
    top,
    limit,
    push,
    heap: MEMORY.heap,
    leaves: suspending,
    blocking,
    poll,
    pollReturning,
    tag,
  };
}

function pollFunc(module: WasmModule, name: string, state: number, hostPoll: Func, unwind: Node[]): Func {
  const poll = module.addFunc(name, [], []);
  poll.root?.body?.push(
    globalGet(state),
    ifThen([i32(STATE.normal), globalSet(state), plain(OP.return)]),
    call(hostPoll),
    ifThen(unwind),
  );
  return poll;
}

/** The routine itself when it is called; what it returned, from the descriptor, when the ULP is resumed in it. */
function blockStub(module: WasmModule, imported: Func, state: number): Func {
  const { params } = module.typeOf(imported);
  const stub = module.addFunc(imported.name ?? (imported.imported as { name: string }).name, params, [I32]);
  stub.locals.push(I32);
  const result = params.length;
  stub.root?.body?.push(
    globalGet(state),
    ifThen([
      i32(STATE.normal),
      globalSet(state),
      ...currentUlp(),
      descriptorWord(ULP.result),
      plain(OP.return),
    ]),
    ...params.map((_, i) => localGet(i)),
    call(imported),
    localTee(result),
    i32(SUSPEND),
    plain(OP.i32Eq),
    ifThen([i32(STATE.unwinding), globalSet(state)]),
    localGet(result),
  );
  return stub;
}

/** Its tid; who has left PVM asks the engine, and so joins it again; who is traced does, and makes events of it. */
function tidFunc(module: WasmModule, slow: Func): Func {
  const func = module.addFunc("pvm_mytid", [], [I32]);
  func.root?.body?.push(
    ...currentUlp(),
    descriptorWord(ULP.flags),
    i32(ULP_FLAG.left | ULP_FLAG.traced),
    plain(OP.i32And),
    ifThen([call(slow), plain(OP.return)]),
    ...currentUlp(),
    descriptorWord(ULP.tid),
  );
  return func;
}

/** (bytes, id) → address of a new frame, whose last word is id. The engine makes room when there is none. */
function pushFunc(module: WasmModule, hostFrames: Func, top: number, limit: number): Func {
  const func = module.addFunc("upvm_push", [I32, I32], [I32]);
  func.locals.push(I32);
  const [bytes, id, frame] = [0, 1, 2];
  func.root?.body?.push(
    globalGet(top),
    localTee(frame),
    localGet(bytes),
    plain(OP.i32Add),
    globalGet(limit),
    plain(OP.i32GtU),
    ifThen([
      // The engine copies the frames so far: tell it where they end.
      ...currentUlp(),
      localGet(frame),
      setDescriptorWord(ULP.framesTop),
      localGet(bytes),
      call(hostFrames),
      localSet(frame),
      ...currentUlp(),
      descriptorWord(ULP.framesLimit),
      globalSet(limit),
    ]),
    localGet(frame),
    localGet(bytes),
    plain(OP.i32Add),
    globalSet(top),
    globalGet(top),
    i32(4),
    plain(OP.i32Sub),
    localGet(id),
    access(OP.i32Store, MEMORY.heap, 0),
    localGet(frame),
  );
  return func;
}

/** Every mention of a stubbed import means the stub, but in the stubs themselves. */
function redirect(module: WasmModule, stubs: ReadonlyMap<Func, Func>, own: ReadonlySet<Func>): void {
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.func !== undefined) node.func = stubs.get(node.func) ?? node.func;
      if (node.body !== undefined) visit(node.body);
      if (node.orElse !== undefined) visit(node.orElse);
    }
  };
  for (const func of module.funcs) if (func.root?.body !== undefined && !own.has(func)) visit(func.root.body);
  for (const element of module.elements) {
    element.funcs?.forEach((func, i, funcs) => {
      funcs[i] = stubs.get(func) ?? func;
    });
    element.exprs?.forEach(visit);
  }
  for (const global of module.globals) visit(global.init);
}

/**
 * The function that a ULP runs: start function, then the entries. Its result, if any, is the exit code. A single
 * entry that takes nothing is that function itself: a frame less at each switch.
 */
export function addEntry(module: WasmModule, entries: readonly Func[]): Func {
  const only = entries.length === 1 && module.start === undefined ? entries[0] : undefined;
  if (only !== undefined && module.typeOf(only).params.length === 0) return only;
  const entry = module.addFunc("upvm_entry", [], [I32]);
  const body = entry.root?.body as Node[];
  if (module.start !== undefined) body.push(call(module.start));
  module.start = undefined;
  let left = false;
  for (const func of entries) {
    const { params, results } = module.typeOf(func);
    if (left) body.push(plain(OP.drop));
    body.push(...params.map(() => i32(0)), call(func));
    left = results.length > 0;
  }
  if (!left) body.push(i32(0));
  return entry;
}

/**
 * (framesTop, framesLimit, fresh) → 0: the entry returned, its code is in the descriptor; else the new framesTop.
 * Added after the suspend transform: it is the one caller that is not resumable.
 */
export function addResume(module: WasmModule, entry: Func, code: EntryCode): Func {
  const resume = module.addFunc("upvm_resume", [I32, I32, I32], [I32]);
  resume.locals.push(I32);
  const [top, limit, fresh, result] = [0, 1, 2, 3];
  const exitCode = module.typeOf(entry).results.length > 0 ? [localSet(result)] : [];
  const guard = block([call(entry), ...exitCode], [], OP.tryTable);
  const caught = block([]);
  const after = block([]);
  guard.catches = [{ kind: 0, tag: code.tag, label: caught }];
  caught.body = [guard, branch(OP.br, after)];
  after.body = [caught, globalGet(code.top), plain(OP.return)];
  resume.root?.body?.push(
    localGet(top),
    globalSet(code.top),
    localGet(limit),
    globalSet(code.limit),
    localGet(fresh),
    plain(OP.i32Eqz),
    ifThen([i32(STATE.rewinding), globalSet(code.state)]),
    after,
    globalGet(code.state),
    ifThen([i32(STATE.normal), globalSet(code.state), globalGet(code.top), plain(OP.return)]),
    ...currentUlp(),
    localGet(result),
    setDescriptorWord(ULP.exitCode),
    i32(0),
  );
  return resume;
}
