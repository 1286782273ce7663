/**
 * Sends and receives that are posted, and later tested or waited for: upvm's own, beside PVM's.
 *
 *     const edge = pvm.irecv(left, 7, halo);
 *     computeWhatNeedsNoHalo();
 *     edge.wait();
 *
 * Owns: which message is for which request, and when who waits may sleep in PVM. guest/lib/requests.c is the same for C, and
 * says why; guest/include/upvm.h says what a program may rely on. The array belongs to the request until that is done.
 */
import { PvmBadParam, PvmOk } from "./constants";
import { pvm_getcontext, pvm_precv, pvm_probe, pvm_psend, pvm_room, pvm_setcontext } from "./imports";
import { countOf, dataOf, trecv, typeCode } from "./messages";

/** A context in which nothing is ever sent: to receive there is to sleep. */
const NOWHERE: i32 = -5;
const NAP_SECONDS: f64 = 0.001;
const POSTED: i32 = 1;

/** In order of posting. */
const posted: Request[] = [];
// @ts-ignore: decorator
@lazy const scratch = memory.data(16, 16);

/** A posted send or receive. It goes with its ULP, wherever that moves. */
export class Request {
  /** 1: posted; PvmOk: done; negative: PVM's error. */
  state: i32 = POSTED;
  /** Of a receive that is done: sender, tag, bytes of the whole message. */
  tid: i32 = -1;
  tag: i32 = -1;
  bytes: i32 = 0;
  private readonly context: i32 = pvm_getcontext();

  constructor(
    private readonly sends: bool,
    private readonly to: i32,
    private readonly withTag: i32,
    private readonly at: usize,
    private readonly len: i32,
    private readonly itemBytes: i32,
    private readonly type: i32,
  ) {
    if (len < 0) this.state = PvmBadParam;
    else {
      posted.push(this);
      Request.progress();
    }
  }

  /** @returns 1: it is done; 0: not yet; an error: it is done, and failed */
  test(): i32 {
    if (this.state == POSTED) Request.progress();
    return this.state < 0 ? this.state : i32(this.state != POSTED);
  }

  /** Waits until it is done; other ULPs run meanwhile. @returns PvmOk or an error */
  wait(): i32 {
    while (this.test() == 0) {
      const next = this.toWaitFor();
      if (next === null) {
        const before = pvm_setcontext(NOWHERE);
        trecv(-1, -1, NAP_SECONDS);
        pvm_setcontext(before);
        continue;
      }
      next.receive();
    }
    return this.state;
  }

  /** It is no request any more. @returns false: it was done already */
  cancel(): bool {
    if (this.state != POSTED) return false;
    this.finish(PvmOk);
    return true;
  }

  private static progress(): void {
    const all = posted.slice(0);
    for (let i = 0; i < all.length; i++) {
      if (all[i].sends) all[i].trySend();
      else all[i].tryReceive();
    }
  }

  private finish(code: i32): void {
    const place = posted.indexOf(this);
    if (place >= 0) posted.splice(place, 1);
    this.state = code < 0 ? code : PvmOk;
  }

  private trySend(): void {
    for (let i = 0; posted[i] !== this; i++) if (posted[i].sends && posted[i].to == this.to) return;
    if (pvm_room(this.to, this.len * this.itemBytes) == 0) return;
    const before = pvm_setcontext(this.context);
    const code = pvm_psend(this.to, this.withTag, this.at, this.len, this.type);
    pvm_setcontext(before);
    this.finish(code);
  }

  private receive(): void {
    const before = pvm_setcontext(this.context);
    const code = pvm_precv(
      this.to, this.withTag, this.at, this.len, this.type, scratch, scratch + 4, scratch + 8,
    );
    pvm_setcontext(before);
    this.tid = load<i32>(scratch);
    this.tag = load<i32>(scratch, 4);
    this.bytes = load<i32>(scratch, 8);
    this.finish(code);
  }

  private isThere(): i32 {
    const before = pvm_setcontext(this.context);
    const found = pvm_probe(this.to, this.withTag);
    pvm_setcontext(before);
    return found;
  }

  /** What has come since those before it were looked at may be theirs: they are looked at again. */
  private tryReceive(): void {
    while (this.state == POSTED) {
      const found = this.isThere();
      if (found == 0) return;
      let i = 0;
      while (posted[i] !== this && (posted[i].sends || !posted[i].overlaps(this) || posted[i].isThere() == 0)) i++;
      if (posted[i] !== this) posted[i].tryReceive();
      else if (found < 0) this.finish(found);
      else this.receive();
    }
  }

  private toWaitFor(): Request | null {
    for (let i = 0; i < posted.length; i++) if (posted[i].sends) return null;
    let found: Request = this;
    let r = found.firstLike();
    while (r !== found) {
      if (!covers(r.to, found.to) || !covers(r.withTag, found.withTag)) return null;
      found = r;
      r = found.firstLike();
    }
    return found;
  }

  /** The first that a message would fit which fits this one. */
  private firstLike(): Request {
    let i = 0;
    while (posted[i] !== this && !posted[i].overlaps(this)) i++;
    return posted[i];
  }

  private overlaps(other: Request): bool {
    if (this.context != other.context) return false;
    if (!covers(this.to, other.to) && !covers(other.to, this.to)) return false;
    return covers(this.withTag, other.withTag) || covers(other.withTag, this.withTag);
  }
}

function covers(pattern: i32, other: i32): bool {
  return pattern == -1 || pattern == other;
}

/** Keeps the array alive as long as its request. */
class ArrayRequest<A> extends Request {
  constructor(sends: bool, to: i32, tag: i32, readonly array: A, nitem: i32, first: i32) {
    super(
      sends, to, tag, dataOf<A>(array) + <usize>first * sizeof<valueof<A>>(), countOf(array.length, nitem, 1, first),
      sizeof<valueof<A>>(), typeCode<valueof<A>>(),
    );
  }
}

/** Posts a send of `nitem` items from `first` on, -1 for all; never waits. C: upvm_isend. */
export function isend<A>(tid: i32, tag: i32, array: A, nitem: i32 = -1, first: i32 = 0): Request {
  return new ArrayRequest<A>(true, tid, tag, array, nitem, first);
}

/** Posts a receive into the array, in the context of this call. C: upvm_irecv. */
export function irecv<A>(tid: i32, tag: i32, array: A, nitem: i32 = -1, first: i32 = 0): Request {
  return new ArrayRequest<A>(false, tid, tag, array, nitem, first);
}
