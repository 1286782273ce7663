/**
 * Slow paths of pack and unpack: what the code in the linked module leaves to the engine, and strings.
 *
 * Owns: nothing but the imports' names, made from wire/pvm.ts. The work is runtime/heap/pack.ts.
 */
import { PVM_ERROR, PVM_TYPE } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { check } from "./errors.ts";
import { currentContext } from "./guest.ts";
import { addPlace, isInPlace, SIGNED_LONG, UNSIGNED_LONG } from "./in-place.ts";

type ItemCall = (at: number, nitem: number, stride: number) => number;

export function packingCalls(e: EngineState): Record<string, (...args: number[]) => number> {
  const { pack } = e;
  const guest = () => {
    const context = currentContext(e);
    context.look();
    return context.bytes;
  };
  const calls: Record<string, ItemCall> = {};
  const add = (name: string, item: (bytes: Uint8Array, at: number, n: number, stride: number) => number) => {
    calls[name] = (at, nitem, stride) => check(e, name, item(guest(), at >>> 0, nitem, stride));
  };
  /** As add; a buffer in place only notes where the items are. */
  const addPack = (name: string, bytes: number, item: Parameters<typeof add>[1]) => {
    add(name, (g, at, n, stride) =>
      isInPlace(e) ? addPlace(e, at, n, stride, bytes) : item(g, at, n, stride),
    );
  };
  for (const [type, { wireBytes }] of Object.entries(PVM_TYPE)) {
    if (type === "long" || type === "ulong") continue;
    addPack(`pvm_pk${type}`, wireBytes, (g, at, n, stride) =>
      pack.pack(e.current, g, at, wireBytes, n, stride),
    );
    add(`pvm_upk${type}`, (g, at, n, stride) => pack.unpack(e.current, g, at, wireBytes, n, stride));
  }
  for (const [type, signed] of [
    ["long", true],
    ["ulong", false],
  ] as const) {
    const long = signed ? SIGNED_LONG : UNSIGNED_LONG;
    addPack(`pvm_pk${type}`, long, (g, at, n, stride) => pack.packLong(e.current, g, at, n, stride, signed));
    add(`pvm_upk${type}`, (g, at, n, stride) => pack.unpackLong(e.current, g, at, n, stride, signed));
  }
  const { wireBytes } = PVM_TYPE.long;
  addPack("pvm_pkint64", wireBytes, (g, at, n, stride) => pack.pack(e.current, g, at, wireBytes, n, stride));
  add("pvm_upkint64", (g, at, n, stride) => pack.unpack(e.current, g, at, wireBytes, n, stride));
  return {
    ...calls,
    /** NULL is no string: PVM's manual page does not allow it. */
    pvm_pkstr: (at: number) =>
      check(
        e,
        "pvm_pkstr",
        at === 0 ? PVM_ERROR.PvmBadParam.code : pack.packString(e.current, guest(), at >>> 0),
      ),
    pvm_upkstr: (at: number) =>
      check(
        e,
        "pvm_upkstr",
        at === 0 ? PVM_ERROR.PvmBadParam.code : pack.unpackString(e.current, guest(), at >>> 0),
      ),
    pvm_upkstr_bytes: () => check(e, "pvm_upkstr_bytes", pack.nextStringBytes(e.current)),
  };
}
