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
const PACK_SHIFT: Readonly<Record<string, number>> = {
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
  let pack: { copy: Func; room: Func } | undefined;
  let unpack: { copy: Func; room: Func } | undefined;
  for (const [name, imported] of slow) {
    const shift = PACK_SHIFT[name];
    if (shift === undefined) continue;
    if (name.startsWith("pvm_pk")) {
      pack ??= {
        copy: copyFunc(module, "upvm_copy_in", MEMORY.heap, MEMORY.guest),
        room: module.addImport("upvm", "pack_room", [I32], [I32]),
      };
      inline.set(
        imported,
        itemsFunc(module, name, imported, shift, {
          at: ULP.packAt,
          end: ULP.packEnd,
          copy: pack.copy,
          room: pack.room,
          packs: true,
        }),
      );
    } else {
      unpack ??= {
        copy: copyFunc(module, "upvm_copy_out", MEMORY.guest, MEMORY.heap),
        room: module.addImport("upvm", "unpack_room", [I32], [I32]),
      };
      inline.set(
        imported,
        itemsFunc(module, name, imported, shift, {
          at: ULP.unpackAt,
          end: ULP.unpackEnd,
          copy: unpack.copy,
          room: unpack.room,
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
  /** Import: (bytes) → 1: from the position on there is room for them in one piece; 0: see the slow way. */
  readonly room: Func;
  readonly packs: boolean;
}

/** (xp, nitem, stride) → PVM's result */
function itemsFunc(module: WasmModule, name: string, slow: Func, shift: number, way: Direction): Func {
  const func = module.addFunc(name, [I32, I32, I32], [I32]);
  func.locals.push(I32, I32, I32);
  const [xp, nitem, stride, ulp, at, tried] = [0, 1, 2, 3, 4, 5];
  const bytes = (): Node[] => [localGet(nitem), i32(shift), plain(OP.i32Shl)];
  const inOrder = (to: Node, from: Node): Node[] => (way.packs ? [to, from] : [from, to]);
  const copyAll = [...inOrder(localGet(at), localGet(xp)), ...bytes(), call(way.copy)];
  const again = block([], [], OP.loop);
  again.body = [
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
    plain(OP.i32ShrU),
    plain(OP.i32LtU),
    ifThen([
      ...oneOrAll(shift, way, nitem, { at, xp }, copyAll),
      localGet(ulp),
      localGet(at),
      ...bytes(),
      plain(OP.i32Add),
      setDescriptorWord(way.at),
      i32(0),
      plain(OP.return),
    ]),
    // The segment ends: once, the engine is asked for one that holds all of it.
    localGet(tried),
    plain(OP.i32Eqz),
    ifThen([i32(1), localSet(tried), ...bytes(), call(way.room), branch(OP.brIf, again)]),
  ];
  const body = func.root?.body as Node[];
  body.push(localGet(stride), i32(1), plain(OP.i32Eq), ifThen([again]));
  body.push(localGet(xp), localGet(nitem), localGet(stride), call(slow));
  return func;
}

/** One scalar, the commonest message, is a single move. */
function oneOrAll(
  shift: number,
  way: Direction,
  nitem: number,
  { at, xp }: { at: number; xp: number },
  copyAll: Node[],
): Node[] {
  if (shift !== 2 && shift !== 3) return copyAll;
  const load = shift === 2 ? OP.i32Load : OP.i64Load;
  const store = shift === 2 ? OP.i32Store : OP.i64Store;
  const [to, from] = way.packs ? [MEMORY.heap, MEMORY.guest] : [MEMORY.guest, MEMORY.heap];
  const places = way.packs ? [localGet(at), localGet(xp)] : [localGet(xp), localGet(at)];
  const moveOne = [...places, access(load, from, 0), access(store, to, 0)];
  return [localGet(nitem), i32(1), plain(OP.i32Eq), ifThen(moveOne, copyAll)];
}
