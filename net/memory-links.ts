/**
 * Two ends of a link in memory, for tests and simulation.
 *
 * Owns: what is on its way between them. Each frame is delivered by one call of a function that is handed to `schedule`,
 * so that a simulation decides when; order is kept whichever of these it calls first. No clock: it is never silent.
 */
import { FRAME } from "../wire/protocol.ts";
import { BaseLink } from "./base-link.ts";
import { joined } from "./intake.ts";
import { type FrameHead, type Link, type LinkEnd, type PeerIdentity, ProtocolError } from "./link.ts";

export interface MemoryLinks {
  /** The end of `a`: its peer is `b`. */
  readonly a: Link;
  readonly b: Link;
  /** Breaks the link: both ends are told that it is lost, and so is what was on its way. */
  cut(): void;
}

/**
 * @param schedule  calls what it is handed, once, whenever it likes; by default as a microtask
 */
export function memoryLinks(
  a: PeerIdentity,
  b: PeerIdentity,
  schedule: (run: () => void) => void = queueMicrotask,
): MemoryLinks {
  const ends = { a: new MemoryLink(b, schedule), b: new MemoryLink(a, schedule) };
  ends.a.other = ends.b;
  ends.b.other = ends.a;
  return {
    ...ends,
    cut: () => {
      ends.a.cut();
      ends.b.cut();
    },
  };
}

class MemoryLink extends BaseLink {
  other!: MemoryLink;
  readonly #schedule: (run: () => void) => void;
  /** On their way to this end, in order. */
  #coming: (readonly [FrameHead, Uint8Array])[] = [];
  #comingBytes = 0;
  #paused = false;

  constructor(peer: PeerIdentity, schedule: (run: () => void) => void) {
    super(peer);
    this.#schedule = schedule;
  }

  get queuedBytes(): number {
    return this.other.#comingBytes;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.begun();
  }

  close(): void {
    this.put({ type: FRAME.BYE, a: 0, b: 0, c: 0 }, []);
    this.finish({ why: "closed", text: "it was closed here" });
  }

  cut(): void {
    this.#coming = [];
    this.#comingBytes = 0;
    this.finish({ why: "lost", text: "the link was cut" });
  }

  protected put(head: FrameHead, body: readonly Uint8Array[], written?: () => void): void {
    const copy = new Uint8Array(joined(body));
    written?.();
    this.other.#coming.push([{ type: head.type, a: head.a, b: head.b, c: head.c }, copy]);
    this.other.#comingBytes += copy.length;
    this.#schedule(() => this.other.#deliver());
  }

  protected begun(): void {
    for (let n = this.#coming.length; n > 0; n--) this.#schedule(() => this.#deliver());
  }

  protected release(end: LinkEnd): void {
    this.#coming = [];
    this.#comingBytes = 0;
    // What was sent before a close still arrives, and says so itself.
    if (end.why !== "closed" && this.other.end === undefined) this.other.cut();
    this.other.unqueued();
  }

  #deliver(): void {
    if (this.#paused || !this.intake.ready || this.end !== undefined) return;
    const next = this.#coming.shift();
    if (next === undefined) return;
    const [head, body] = next;
    this.#comingBytes -= body.length;
    if (head.type === FRAME.BYE) this.finish({ why: "left", text: "the peer closed it" });
    else this.#accept(head, body);
    this.other.unqueued();
  }

  #accept(head: FrameHead, body: Uint8Array): void {
    try {
      this.intake.accept(head, [body]);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.finish({ why: "broken", text: error.message });
    }
  }
}
