/**
 * Two links of a daemon made one way: the bytes that come on each in frames ROUTED go out on the other, in order.
 *
 * Owns: what it has of them meanwhile, LIMITS.routeBytes each way: beyond it that link is not read, which slows who writes. It
 * does not look into the bytes. When one link ends so does the other, behind what came before, and is told why.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import { type FrameSink, type Link, peerName } from "./link.ts";
import type { Rpc } from "./rpc.ts";

export interface Splice {
  /** The peer of this link has told why the way is about to end. */
  told(by: Link, why: string): void;
}

/**
 * Before either peer writes. The links are the splice's from now on: requests on them are answered no more, except those
 * under way.
 */
export function splice(a: Rpc, b: Rpc, over: () => void = () => {}): Splice {
  const whys = new Map<Link, string>();
  const way = (from: Rpc, to: Rpc): void => {
    const oneWay = new OneWay(from.link, to.link);
    from.link.onStream(FRAME.ROUTED, () => oneWay);
    from.link.onClose((end) => {
      if (to.link.end !== undefined) return over();
      const own = end.why === "left" ? undefined : `${peerName(from.peer)}: ${end.text}`;
      const why = whys.get(from.link) ?? own;
      if (why !== undefined) to.tell("routeEnd", { why: why.slice(0, LIMITS.routeEndLength) });
      to.link.close();
    });
  };
  way(a, b);
  way(b, a);
  return { told: (by, why) => whys.set(by, why) };
}

class OneWay implements FrameSink {
  readonly #from: Link;
  readonly #to: Link;
  /** Memory of what has not been written yet, bytes. */
  #held = 0;
  #paused = false;
  /** Where the next bytes may have been read to, and such places that are free again. */
  #place: Uint8Array | undefined;
  readonly #free: Uint8Array[] = [];

  constructor(from: Link, to: Link) {
    this.#from = from;
    this.#to = to;
  }

  room(most: number): Uint8Array {
    this.#place ??= this.#free.pop() ?? new Uint8Array(LIMITS.linkPlaceBytes);
    return this.#place.subarray(0, most);
  }

  add(piece: Uint8Array): void {
    const place = this.#place;
    if (place === undefined || piece.buffer !== place.buffer) return this.#send(piece.slice(), piece.length);
    this.#place = undefined;
    this.#send(piece, place.length, place);
  }

  end(): void {}
  drop(): void {}

  #send(piece: Uint8Array, held: number, place?: Uint8Array): void {
    this.#held += held;
    this.#to.send({ type: FRAME.ROUTED, a: 0, b: 0, c: 0, body: [piece] }, () => {
      this.#held -= held;
      if (place !== undefined && this.#free.length * place.length < LIMITS.routeBytes) this.#free.push(place);
      if (!this.#paused || this.#held > LIMITS.routeBytes / 2) return;
      this.#paused = false;
      this.#from.resume();
    });
    if (this.#paused || this.#held <= LIMITS.routeBytes) return;
    this.#paused = true;
    this.#from.pause();
  }
}
