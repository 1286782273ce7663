/**
 * ULPs that leave this process: what the protocol (runtime/migrate/departure.ts) asks of their source is done here.
 *
 * Owns: ULPs that are frozen for a move, and how far their state has left. Where messages go, and ULPs that come, is mover.ts.
 */
import { type FrozenUlp, WHY_NOT, type WhyNot } from "../runtime/migrate/freezer.ts";
import {
  descriptionOf,
  type Image,
  type ImageContext,
  linearMemory,
  liveRuns,
  memoryOf,
  weightOf,
  whyNoImage,
} from "../runtime/migrate/image.ts";
import type { Member, MoveEvent, MoveFrame, Refused, Tid } from "../runtime/migrate/moves.ts";
import { leavingAgain, leavingToo, releaseLeaving } from "../runtime/scheduler/outbox.ts";
import type { UlpAt } from "../runtime/scheduler/state.ts";
import { ulpOf } from "../runtime/scheduler/ulp.ts";
import { IMAGE_VERSION, PAGE_BYTES } from "../wire/image.ts";
import { INBOX_AWAY, INBOX_CLOSED, LINK_ABI, MSG, ULP } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import { encodeMove, type Offer } from "./move-frames.ts";
import type { MoverWorld } from "./mover.ts";
import { forwardParcels } from "./parcels.ts";
import { LeavingState } from "./state-transfer.ts";

/** A ULP whose state leaves. */
interface Shipping {
  readonly state: LeavingState;
  /** Its messages are in it; what comes from now on is not. */
  isDescribed: boolean;
  isStopped: boolean;
  /** Messages that came after that and have been sent behind it; they are kept, as the ULP may stay. */
  readonly late: Set<number>;
}

export class LeavingUlps {
  private readonly world: MoverWorld;
  private readonly take: (event: MoveEvent) => void;
  private readonly frozen = new Map<Tid, FrozenUlp>();
  private readonly shipping = new Map<Tid, Shipping>();
  /** What destinations have not been asked yet. */
  private readonly offers = new Map<Tid, () => void>();

  /** @param take  tells the protocol what has happened */
  constructor(world: MoverWorld, take: (event: MoveEvent) => void) {
    this.world = world;
    this.take = take;
  }

  /**
   * Asks the destination when the ULP is frozen, together with what comes next, or a little later if that takes longer: who
   * is told something may be given the processor of who tells, which is wanted here just now. MIGABORT withdraws it.
   */
  offer(to: Member, frame: MoveFrame): void {
    const { w, programs } = this.world.process.library;
    const row = w[ulpOf(w, frame.tid) + ULP.module]!;
    const hash = this.world.hashes[row];
    // What has no image is not frozen either, which says why.
    if (hash === undefined) return;
    // What it has grown to is known only by its engine.
    const bytes = programs[row]!.pages.min * PAGE_BYTES;
    const offer: Offer = { hash, bytes, abi: LINK_ABI, image: IMAGE_VERSION };
    const ask = (): void => {
      if (this.offers.get(frame.tid) !== ask) return;
      this.offers.delete(frame.tid);
      this.world.links.send(to, encodeMove({ ...frame, offer }));
    };
    this.offers.set(frame.tid, ask);
    this.world.after(LIMITS.moveOfferMs, ask);
  }

  /** The move has been given up: who has not been asked is not asked any more. */
  withdraw(tid: Tid): void {
    this.offers.delete(tid);
  }

  private whyNotSent(ulp: UlpAt): string | undefined {
    const { w } = this.world.process.library;
    return this.world.hashes[w[ulp + ULP.module]!] === undefined
      ? "its program has no hash"
      : whyNoImage(w, ulp);
  }

  async freeze(tid: Tid, move: number): Promise<void> {
    const { freezer, library } = this.world.process;
    const ulp = ulpOf(library.w, tid);
    let detail = this.whyNotSent(ulp);
    const frozen = detail === undefined ? await freezer.freeze(library.w[ulp + ULP.index]!) : undefined;
    if (typeof frozen === "string") {
      this.take({ kind: "notFrozen", tid, move, refused: refusedOf(frozen) });
      return;
    }
    detail ??= this.whyNotSent(ulp);
    if (frozen === undefined || detail !== undefined) {
      if (frozen !== undefined) freezer.thaw(frozen);
      this.take({ kind: "notFrozen", tid, move, refused: { code: "notFrozen", detail: detail ?? "" } });
      return;
    }
    this.frozen.set(tid, frozen);
    // What it has sent leaves before the barrier.
    this.world.drain();
    this.offers.get(tid)?.();
    this.take({ kind: "frozen", tid, move, weight: weightOf(library, frozen) });
  }

  shipMemory(tid: Tid, move: number, to: Member): void {
    const link = this.world.links.link(to);
    const frozen = this.frozen.get(tid);
    if (link === undefined || frozen === undefined) return;
    const state = new LeavingState(link, { tid, move }, () => shipping.isStopped);
    const shipping: Shipping = { state, isDescribed: false, isStopped: false, late: new Set() };
    this.shipping.set(tid, shipping);
    state.add(this.memory(frozen, shipping));
  }

  /** Its memory, when it is known what of it is not zero; undefined: it was stopped meanwhile. */
  private memory(frozen: FrozenUlp, shipping: Shipping): Image | Promise<Image | undefined> {
    const scan = liveRuns(linearMemory(frozen));
    const looked = scan.next();
    const image = (runs: readonly number[]): Image =>
      memoryOf(this.world.process.library, frozen, this.imageContext(frozen), runs);
    return looked.done === true ? image(looked.value) : this.scanned(scan, shipping, image);
  }

  private async scanned(
    scan: ReturnType<typeof liveRuns>,
    shipping: Shipping,
    image: (runs: readonly number[]) => Image,
  ): Promise<Image | undefined> {
    for (;;) {
      await new Promise<void>((go) => this.world.after(0, go));
      if (shipping.isStopped) return undefined;
      const looked = scan.next();
      if (looked.done === true) return image(looked.value);
    }
  }

  private imageContext({ ulp }: FrozenUlp): ImageContext {
    const { library, grants, nowMs } = this.world.process;
    const hash = Uint8Array.fromHex(this.world.hashes[library.w[ulp + ULP.module]!]!);
    return { hash, nowMs: nowMs(), grants: grants.map(({ guest }) => guest) };
  }

  async ship(tid: Tid, move: number): Promise<void> {
    const { process, arrivals } = this.world;
    const shipping = this.shipping.get(tid);
    // What has come for it and found no room in the heap travels with it.
    while (!arrivals.idle) await new Promise<void>((go) => this.world.after(LIMITS.arrivalAgainMs, go));
    const frozen = this.frozen.get(tid);
    if (shipping === undefined || shipping.isStopped || frozen === undefined) return;
    shipping.isDescribed = true;
    const { state } = shipping;
    state.add(descriptionOf(process.library, frozen, this.imageContext(frozen)));
    if (await state.end()) this.take({ kind: "shipped", tid, move, bytes: state.bytes });
  }

  /** What came for it since its state was described. The bytes stay where they are until they have left. */
  shipLate(tid: Tid, move: number, to: Member): void {
    const shipping = this.shipping.get(tid);
    const frozen = this.frozen.get(tid);
    if (shipping?.isDescribed !== true || frozen === undefined) return;
    const { library } = this.world.process;
    for (const at of inboxOf(library.w, frozen.ulp)) {
      if (shipping.late.has(at)) continue;
      shipping.late.add(at);
      const { message, release } = leavingToo(library, at, tid);
      this.world.links.late(to, { ...message, release }, move);
    }
  }

  stopShipping(tid: Tid): void {
    const shipping = this.shipping.get(tid);
    if (shipping !== undefined) shipping.isStopped = true;
    this.shipping.delete(tid);
  }

  /** The process ends: no more of any state is written. */
  drop(): void {
    this.offers.clear();
    for (const tid of [...this.shipping.keys()]) this.stopShipping(tid);
  }

  thaw(tid: Tid): void {
    this.world.process.freezer.thaw(this.unfrozen(tid));
    this.take({ kind: "cleared" });
  }

  free(tid: Tid, to: Member): void {
    const { links, process } = this.world;
    const { library } = process;
    const late = this.shipping.get(tid)?.late;
    const frozen = this.unfrozen(tid);
    const { messages, parcels } = process.freezer.release(frozen);
    this.world.pages?.giveBack(linearMemory(frozen));
    for (const at of messages) {
      const message = leavingAgain(library, at, tid);
      if (late?.has(at) === true) releaseLeaving(library, message);
      else links.mail(to, { ...message, release: () => releaseLeaving(library, message) }, 0);
    }
    forwardParcels(links, tid, to, parcels);
    this.take({ kind: "cleared" });
  }

  private unfrozen(tid: Tid): FrozenUlp {
    const frozen = this.frozen.get(tid)!;
    this.frozen.delete(tid);
    this.stopShipping(tid);
    return frozen;
  }

  /** Traffic.keepsFrom: what has come into the inbox of a frozen ULP since its image was made. */
  keepsFrom(src: Tid): boolean {
    const { w } = this.world.process.library;
    for (const [tid, { isDescribed }] of this.shipping) {
      const frozen = this.frozen.get(tid);
      if (frozen === undefined || !isDescribed) continue;
      if (inboxOf(w, frozen.ulp).some((at) => w[(at >> 2) + MSG.src] === src)) return true;
    }
    return false;
  }
}

/** Messages in an inbox that nobody empties just now, the oldest first: addresses of descriptors. */
function inboxOf(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt): number[] {
  const newestFirst: number[] = [];
  let at = Atomics.load(w, ulp + ULP.inbox);
  if (at === INBOX_CLOSED || at === INBOX_AWAY) return [];
  for (; at !== 0; at = w[(at >> 2) + MSG.next]!) newestFirst.push(at);
  return newestFirst.reverse();
}

function refusedOf(why: WhyNot): Refused {
  if (why === "ended" || why === "moving") return { code: why, detail: "" };
  return { code: why === "memory" ? "noMemory" : "notFrozen", detail: WHY_NOT[why] };
}
