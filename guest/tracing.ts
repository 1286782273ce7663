/**
 * Trace events: which routines make them, and who registers to get them.
 *
 * Owns: the mask as a class. Where events go is pvm_setopt's (PvmTraceTid and its like); docs/guest.md says what comes.
 */
import { PvmOk, TEV_MASK_LENGTH, TEV_MAX } from "./constants";
import { pvm_gettmask, pvm_reg_tracer, pvm_settmask } from "./imports";

/** Which routines make events: `TEV_SEND` and its like. C's Pvmtmask, with C's macros as methods. */
export class TraceMask {
  /** As C has it: four events to a character. */
  readonly text: StaticArray<u8> = new StaticArray<u8>(TEV_MASK_LENGTH);

  constructor() {
    this.clear();
  }

  /** None at all. TEV_MASK_INIT */
  clear(): this {
    this.text.fill(0x40);
    this.text[TEV_MASK_LENGTH - 1] = 0;
    return this;
  }

  /** All there are. */
  all(): this {
    for (let event = 0; event <= TEV_MAX; event++) this.set(event);
    return this;
  }

  /** TEV_MASK_SET */
  set(event: i32): this {
    this.text[event / 4] |= 1 << <u8>(event & 3);
    return this;
  }

  /** TEV_MASK_UNSET */
  unset(event: i32): this {
    this.text[event / 4] &= ~(1 << <u8>(event & 3));
    return this;
  }

  /** TEV_MASK_CHECK */
  check(event: i32): bool {
    return (this.text[event / 4] & (1 << <u8>(event & 3))) != 0;
  }
}

/** Sets the mask of this task (PvmTaskSelf), or of tasks spawned from now on (PvmTaskChild). Source: pvm_settmask(3PVM) */
export function settmask(who: i32, mask: TraceMask): i32 {
  return pvm_settmask(who, changetype<usize>(mask.text));
}

/** The mask that is set; none if `who` is neither. Source: pvm_gettmask(3PVM) */
export function gettmask(who: i32): TraceMask {
  const mask = new TraceMask();
  if (pvm_gettmask(who, changetype<usize>(mask.text)) != PvmOk) mask.clear();
  return mask;
}

/**
 * Registers as tracer: tasks spawned from now on that have no other place for them send it their trace events and output.
 *
 * @param trcctx  context and tag of trace events, then of output
 * @param mask    which routines make events
 * @param trcbuf  bytes of events in one message; 0: each at once
 * @param trcopt  PvmTraceFull, PvmTraceTime or PvmTraceCount
 * @returns PvmOk. Source: pvmproto.h of PVM 3.4.6, which has no page for it
 */
export function reg_tracer(
  trcctx: i32, trctag: i32, outctx: i32, outtag: i32, mask: TraceMask = new TraceMask(), trcbuf: i32 = 0, trcopt: i32 = 0,
): i32 {
  return pvm_reg_tracer(trcctx, trctag, outctx, outtag, changetype<usize>(mask.text), trcbuf, trcopt);
}
