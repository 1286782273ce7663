/**
 * Part of pass 5: pack and unpack as code of the linked module.
 *
 * The common case (stride 1, fits in what is left of the segment) is a copy between the guest's memory and the
 * process heap, and a new position in the descriptor: no crossing into the engine. All else is left to the import
 * of the same name (runtime/heap/pack.ts). What is copied is the same bytes in the same order.
 */
import { CTL, ULP } from "../../wire/layout.ts";
import { MEMORY } from "./memory.ts";
import {
  access,
  block,
  branch,
  bulk,
  call,
  i32,
  ifThen,
  localGet,
  localSet,
  localTee,
  plain,
} from "./wasm/build.ts";
import type { Func, Node, WasmModule } from "./wasm/module.ts";
import { I32, OP } from "./wasm/opcodes.ts";

/** Routines whose items have the same bytes in the guest and on the wire: name → log2 of an item's bytes. */
export const PACK_SHIFT: Readonly<Record<string, number>> = {
  pvm_pkbyte: 0,
  pvm_pkshort: 1,
  pvm_pkushort: 1,
  pvm_pkint: 2,
  pvm_pkuint: 2,
  pvm_pkfloat: 2,
  pvm_pkdouble: 3,
  pvm_pkcplx: 3,
  pvm_pkint64: 3,
  pvm_pkdcplx: 4,
  pvm_upkbyte: 0,
  pvm_upkshort: 1,
  pvm_upkushort: 1,
  pvm_upkint: 2,
  pvm_upkuint: 2,
  pvm_upkfloat: 2,
  pvm_upkdouble: 3,
  pvm_upkcplx: 3,
  pvm_upkint64: 3,
  pvm_upkdcplx: 4,
};

/** Up to here a loop of 16-byte moves is faster than memory.copy, which leaves wasm (32 ns at least, measured). */
const LOOP_BYTES = 256;

export const descriptorWord = (word: number): Node => access(OP.i32Load, MEMORY.heap, word * 4);
export const setDescriptorWord = (word: number): Node => access(OP.i32Store, MEMORY.heap, word * 4);
/** Pushes the address of the running ULP's descriptor. */
export const currentUlp = (): Node[] => [i32(0), access(OP.i32Load, MEMORY.ctl, CTL.current)];

/** (to, from, bytes): copies from one memory to another. */
function copyFunc(module: WasmModule, name: string, into: number, from: number): Func {
  const func = module.addFunc(name, [I32, I32, I32], []);
  const [to, at, bytes] = [0, 1, 2];
  const move = (load: number, store: number): Node[] => [
    localGet(to),
    localGet(at),
    access(load, from, 0),
    access(store, into, 0),
  ];
  const step = (size: number): Node[] => [
    localGet(to),
    i32(size),
    plain(OP.i32Add),
    localSet(to),
    localGet(at),
    i32(size),
    plain(OP.i32Add),
    localSet(at),
  ];
  const sixteen = block([], [], OP.loop);
  sixteen.body = [
    localGet(bytes),
    i32(16),
    plain(OP.i32GeU),
    ifThen([
      ...move(OP.v128Load, OP.v128Store),
      ...step(16),
      localGet(bytes),
      i32(16),
      plain(OP.i32Sub),
      localSet(bytes),
      branch(OP.br, sixteen),
    ]),
  ];
  const rest = (size: number, load: number, store: number): Node[] => [
    localGet(bytes),
    i32(size),
    plain(OP.i32And),
    ifThen([...move(load, store), ...step(size)]),
  ];
  const body = func.root?.body as Node[];
  body.push(
    localGet(bytes),
    i32(LOOP_BYTES),
    plain(OP.i32GtU),
    ifThen([localGet(to), localGet(at), localGet(bytes), bulk(OP.memoryCopy, into, from), plain(OP.return)]),
    sixteen,
    ...rest(8, OP.i64Load, OP.i64Store),
    ...rest(4, OP.i32Load, OP.i32Store),
    ...rest(2, OP.i32Load16U, OP.i32Store16),
    ...rest(1, OP.i32Load8U, OP.i32Store8),
  );
  return func;
}

/** Puts the routines' code into the module; `slow` is the import that it falls back on. */
export function packCode(module: WasmModule, slow: ReadonlyMap<string, Func>): Map<Func, Func> {
  const inline = new Map<Func, Func>();
  let pack: Func | undefined;
  let unpack: Func | undefined;
  for (const [name, imported] of slow) {
    const shift = PACK_SHIFT[name];
    if (shift === undefined) continue;
    if (name.startsWith("pvm_pk")) {
      pack ??= copyFunc(module, "upvm_copy_in", MEMORY.heap, MEMORY.guest);
      inline.set(
        imported,
        itemsFunc(module, name, imported, shift, {
          at: ULP.packAt,
          end: ULP.packEnd,
          copy: pack,
          packs: true,
        }),
      );
    } else {
      unpack ??= copyFunc(module, "upvm_copy_out", MEMORY.guest, MEMORY.heap);
      inline.set(
        imported,
        itemsFunc(module, name, imported, shift, {
          at: ULP.unpackAt,
          end: ULP.unpackEnd,
          copy: unpack,
          packs: false,
        }),
      );
    }
  }
  return inline;
}

interface Direction {
  /** Descriptor words: position, end of the segment. */
  readonly at: number;
  readonly end: number;
  readonly copy: Func;
  readonly packs: boolean;
}

/** (xp, nitem, stride) → PVM's result */
function itemsFunc(module: WasmModule, name: string, slow: Func, shift: number, way: Direction): Func {
  const func = module.addFunc(name, [I32, I32, I32], [I32]);
  func.locals.push(I32, I32);
  const [xp, nitem, stride, ulp, at] = [0, 1, 2, 3, 4];
  const copied: Node[] = [];
  // One scalar, the commonest message: a single move.
  const single = shift === 2 || shift === 3;
  const load = shift === 2 ? OP.i32Load : OP.i64Load;
  const store = shift === 2 ? OP.i32Store : OP.i64Store;
  const copyAll = way.packs
    ? [localGet(at), localGet(xp), localGet(nitem), i32(shift), plain(OP.i32Shl), call(way.copy)]
    : [localGet(xp), localGet(at), localGet(nitem), i32(shift), plain(OP.i32Shl), call(way.copy)];
  if (single) {
    const moveOne = way.packs
      ? [localGet(at), localGet(xp), access(load, MEMORY.guest, 0), access(store, MEMORY.heap, 0)]
      : [localGet(xp), localGet(at), access(load, MEMORY.heap, 0), access(store, MEMORY.guest, 0)];
    copied.push(localGet(nitem), i32(1), plain(OP.i32Eq), ifThen(moveOne, copyAll));
  } else {
    copied.push(...copyAll);
  }
  const body = func.root?.body as Node[];
  body.push(
    localGet(stride),
    i32(1),
    plain(OP.i32Eq),
    ifThen([
      // nitem − 1 < items left, unsigned: also refuses 0 and negative counts.
      localGet(nitem),
      i32(1),
      plain(OP.i32Sub),
      ...currentUlp(),
      localTee(ulp),
      descriptorWord(way.end),
      localGet(ulp),
      descriptorWord(way.at),
      localTee(at),
      plain(OP.i32Sub),
      i32(shift),
      plain(0x76),
      plain(OP.i32LtU),
      ifThen([
        ...copied,
        localGet(ulp),
        localGet(at),
        localGet(nitem),
        i32(shift),
        plain(OP.i32Shl),
        plain(OP.i32Add),
        setDescriptorWord(way.at),
        i32(0),
        plain(OP.return),
      ]),
    ]),
    localGet(xp),
    localGet(nitem),
    localGet(stride),
    call(slow),
  );
  return func;
}
