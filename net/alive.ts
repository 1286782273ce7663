/**
 * Whether a peer is alive: when to ask (ULP_LIBALIVEQ), when to say so unasked (ULP_LIBALIVE), when to give it up.
 *
 * Owns: how long nothing has come. Pure; counts ticks and reads no clock: after a stall of this side's own there is one
 * tick, not many, so that it does not take its peer for gone because it did not look itself.
 *
 * Who does not read hears nothing, and so concludes nothing; and cannot answer, and so speaks unasked.
 */
export type AliveStep = "nothing" | "ask" | "tell" | "silent";

export class Alive {
  readonly #ticksMax: number;
  #quietTicks = 0;
  #heard = true;

  /** @param ticksMax  ticks without a byte after which the peer is taken for gone */
  constructor(ticksMax: number) {
    this.#ticksMax = Math.max(1, ticksMax);
  }

  /** Something came. */
  heard(): void {
    this.#heard = true;
  }

  /** To be called every LIMITS.aliveEveryMs. @param reading  whether this side reads what comes */
  tick(reading: boolean): AliveStep {
    const quiet = reading && !this.#heard;
    this.#heard = false;
    this.#quietTicks = quiet ? this.#quietTicks + 1 : 0;
    if (this.#quietTicks >= this.#ticksMax) return "silent";
    if (quiet) return "ask";
    return reading ? "nothing" : "tell";
  }
}
