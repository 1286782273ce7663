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
import { leavingAgain, releaseLeaving } from "../runtime/scheduler/outbox.ts";
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
}

export class LeavingUlps {
  private readonly world: MoverWorld;
  private readonly take: (event: MoveEvent) => void;
  private readonly frozen = new Map<Tid, FrozenUlp>();
  private readonly shipping = new Map<Tid, Shipping>();

  /** @param take  tells the protocol what has happened */
  constructor(world: MoverWorld, take: (event: MoveEvent) => void) {
    this.world = world;
    this.take = take;
  }

  offer(to: Member, frame: MoveFrame): void {
    const { w, programs } = this.world.process.library;
    const row = w[ulpOf(w, frame.tid) + ULP.module]!;
    const hash = this.world.hashes[row];
    // What has no image is not frozen either, which says why.
    if (hash === undefined) return;
    // What it has grown to is known only by its engine.
    const bytes = programs[row]!.pages.min * PAGE_BYTES;
    const offer: Offer = { hash, bytes, abi: LINK_ABI, image: IMAGE_VERSION };
    this.world.links.send(to, encodeMove({ ...frame, offer }));
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
    this.take({ kind: "frozen", tid, move, weight: weightOf(library, frozen) });
  }

  shipMemory(tid: Tid, move: number, to: Member): void {
    const link = this.world.links.link(to);
    const frozen = this.frozen.get(tid);
    if (link === undefined || frozen === undefined) return;
    const state = new LeavingState(link, { tid, move }, () => shipping.isStopped);
    const shipping: Shipping = { state, isDescribed: false, isStopped: false };
    this.shipping.set(tid, shipping);
    state.add(this.memory(frozen, shipping));
  }

  /** Its memory, when it is known what of it is not zero; undefined: it was stopped meanwhile. */
  private async memory(frozen: FrozenUlp, shipping: Shipping): Promise<Image | undefined> {
    const scan = liveRuns(linearMemory(frozen));
    let looked = scan.next();
    for (; !looked.done; looked = scan.next()) {
      await new Promise<void>((go) => this.world.after(0, go));
      if (shipping.isStopped) return undefined;
    }
    return memoryOf(this.world.process.library, frozen, this.imageContext(frozen), looked.value);
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

  stopShipping(tid: Tid): void {
    const shipping = this.shipping.get(tid);
    if (shipping !== undefined) shipping.isStopped = true;
    this.shipping.delete(tid);
  }

  thaw(tid: Tid): void {
    this.world.process.freezer.thaw(this.unfrozen(tid));
    this.take({ kind: "cleared" });
  }

  free(tid: Tid, to: Member): void {
    const { links, process } = this.world;
    const { library } = process;
    const { messages, parcels } = process.freezer.release(this.unfrozen(tid));
    for (const at of messages) {
      const message = leavingAgain(library, at, tid);
      links.mail(to, { ...message, release: () => releaseLeaving(library, message) }, 0);
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

  /** Migration's keepsFrom: what has come into the inbox of a frozen ULP since its image was made. */
  keepsFrom(src: Tid): boolean {
    const { w } = this.world.process.library;
    for (const [tid, { isDescribed }] of this.shipping) {
      const frozen = this.frozen.get(tid);
      if (frozen === undefined || !isDescribed) continue;
      let at = Atomics.load(w, frozen.ulp + ULP.inbox);
      if (at === INBOX_CLOSED || at === INBOX_AWAY) continue;
      for (; at !== 0; at = w[(at >> 2) + MSG.next]!) if (w[(at >> 2) + MSG.src] === src) return true;
    }
    return false;
  }
}

function refusedOf(why: WhyNot): Refused {
  if (why === "ended" || why === "moving") return { code: why, detail: "" };
  return { code: why === "memory" ? "noMemory" : "notFrozen", detail: WHY_NOT[why] };
}
