/** A network for packets that loses, repeats and exchanges them, from a seed. */

export interface BadNetwork {
  /** One way: what is given to it comes out at `to`, or not. */
  way(to: (packet: Uint8Array) => void): (packet: Uint8Array) => void;
  /** Nothing comes out any more. */
  cut(): void;
  /** How often each happened. */
  readonly did: { lost: number; repeated: number; late: number };
}

export function badNetwork(seed: number, { loss = 0.03, repeat = 0.03, late = 0.2 } = {}): BadNetwork {
  let x = seed >>> 0 || 1;
  const chance = (share: number): boolean => {
    // xorshift32
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32 < share;
  };
  const did = { lost: 0, repeated: 0, late: 0 };
  const onTheWay: (() => void)[] = [];
  let running = false;
  let isCut = false;
  const run = (): void => {
    running = false;
    const now = onTheWay.splice(0);
    for (const deliver of now) {
      if (isCut) return;
      if (chance(loss)) did.lost++;
      else if (chance(late)) {
        did.late++;
        later(deliver);
      } else deliver();
    }
  };
  const later = (deliver: () => void): void => {
    onTheWay.push(deliver);
    if (running) return;
    running = true;
    setImmediate(run);
  };
  return {
    way: (to) => (packet) => {
      const copy = new Uint8Array(packet);
      later(() => to(copy));
      if (!chance(repeat)) return;
      did.repeated++;
      later(() => to(copy));
    },
    cut: () => {
      isCut = true;
    },
    did,
  };
}
