/**
 * What few ULPs need beyond their descriptor (MORE): options, message handlers, a matching function, odd contexts.
 *
 * Owns: that block, ULP.context and ULP.common. Not what the options mean (runtime/pvm/options.ts), not which handler
 * takes a message (handlers.ts).
 * ULP.common is the context of a ULP that uses nothing special, and is in PVM. Else it is a number that no other ULP has: the
 * kernel, which compares the words of sender and receiver, then leaves the message to the engine.
 */
import { BLOCK_KIND, ULP, ULP_FLAG } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { FRAME, FRAME_KIND, MORE, MORE_USE } from "../../wire/more.ts";
import { INHERITED, OPTION_DEFAULT } from "../../wire/options.ts";
import type { UlpAt } from "./state.ts";
import { type Owner, umalloc } from "./uheap.ts";

/** Smallest int: from here on, LIMITS.ulps numbers are ULP.common of ULPs that use something special. */
const OWN_NUMBERS = -0x80000000;

/** Word index of the block of a ULP; 0: it has none. */
export function moreOf(w: Int32Array, ulp: UlpAt): number {
  return w[ulp + ULP.moreAt]! >> 2;
}

/** As moreOf, and makes it if there is none. 0: the heap is full. */
export function needMore(o: Owner, ulp: UlpAt): number {
  const { w } = o;
  if (w[ulp + ULP.moreAt] !== 0) return moreOf(w, ulp);
  const at = umalloc(o, ulp, MORE.words * 4, BLOCK_KIND.more);
  if (at === 0) return 0;
  const more = at >> 2;
  w.fill(0, more, more + MORE.words);
  for (const [option, value] of OPTION_DEFAULT.entries())
    if (option > 0) w[more + MORE.options + option] = value;
  w[ulp + ULP.moreAt] = at;
  return more;
}

export function uses(w: Int32Array, ulp: UlpAt, use: number): boolean {
  const more = moreOf(w, ulp);
  return more !== 0 && (w[more + MORE.uses]! & use) !== 0;
}

/** True if a receive asks a function of the program which message it takes; not while that function runs. */
export function usesMatcher(w: Int32Array, ulp: UlpAt): boolean {
  const more = moreOf(w, ulp);
  if (more === 0 || w[more + MORE.matcher] === 0) return false;
  const frame = w[more + MORE.framesAt]! >> 2;
  return frame === 0 || w[frame + FRAME.kind] !== FRAME_KIND.matcher;
}

/** Says that a ULP uses something, or no longer does. It has the block. */
export function setUse(w: Int32Array, ulp: UlpAt, use: number, on: boolean): void {
  const at = moreOf(w, ulp) + MORE.uses;
  w[at] = on ? w[at]! | use : w[at]! & ~use;
  setCommon(w, ulp);
}

/** Sets ULP.common, by what the ULP uses and whether it has left PVM. */
export function setCommon(w: Int32Array, ulp: UlpAt): void {
  const more = moreOf(w, ulp);
  const left = (w[ulp + ULP.flags]! & ULP_FLAG.left) !== 0;
  const special = left || (more !== 0 && w[more + MORE.uses] !== 0);
  w[ulp + ULP.common] = special ? OWN_NUMBERS + w[ulp + ULP.index]! : w[ulp + ULP.context]!;
}

/** Sets the context of a ULP. False: the heap is full, and nothing has changed. */
export function setContext(o: Owner, ulp: UlpAt, context: number): boolean {
  const { w } = o;
  const odd = context < OWN_NUMBERS + LIMITS.ulps;
  if (odd && needMore(o, ulp) === 0) return false;
  w[ulp + ULP.context] = context;
  if (odd || uses(w, ulp, MORE_USE.context)) setUse(w, ulp, MORE_USE.context, odd);
  else setCommon(w, ulp);
  return true;
}

/** Value of an option that is kept for each ULP. */
export function optionOf(w: Int32Array, ulp: UlpAt, option: number): number {
  const more = moreOf(w, ulp);
  return more === 0 ? OPTION_DEFAULT[option]! : w[more + MORE.options + option]!;
}

/** False: the heap is full. */
export function setOption(o: Owner, ulp: UlpAt, option: number, value: number): boolean {
  if (optionOf(o.w, ulp, option) === value) return true;
  const more = needMore(o, ulp);
  if (more !== 0) o.w[more + MORE.options + option] = value;
  return more !== 0;
}

/** Gives a new ULP the options that it has from its parent. False: the heap is full. */
export function inheritOptions(o: Owner, parent: UlpAt, child: UlpAt): boolean {
  if (moreOf(o.w, parent) === 0) return true;
  return INHERITED.every(({ from, to }) => setOption(o, child, to, optionOf(o.w, parent, from)));
}
