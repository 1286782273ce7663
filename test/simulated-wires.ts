/** Links of a simulation: frames between numbered ends arrive in order after some time, until their sender is killed. */
import type { Timeline } from "./timeline.ts";

interface Wire<F> {
  /** When the last frame arrives. */
  lastMs: number;
  /** Frames that would arrive later do not: the sender was killed. */
  cutMs: number;
  sent: number;
  taken: number;
  /** With a transport that reorders: what came too early, by number. */
  readonly early: Map<number, F>;
}

export class SimulatedWires<F> {
  private readonly time: Timeline;
  private readonly wires = new Map<string, Wire<F>>();
  private readonly reorders: boolean;
  private readonly arrived: (to: number, from: number, frame: F) => void;

  /** @param reorders  the transport does, and a layer above it puts frames into order, as the paper asks for */
  constructor(time: Timeline, reorders: boolean, arrived: (to: number, from: number, frame: F) => void) {
    this.time = time;
    this.reorders = reorders;
    this.arrived = arrived;
  }

  send(from: number, to: number, frame: F): void {
    const { time } = this;
    const wire = this.wire(from, to);
    const delayMs = time.below(10) === 0 ? 20 * time.rnd() : time.rnd();
    const soonest = time.nowMs + delayMs;
    const arrivesMs = this.reorders ? soonest : Math.max(wire.lastMs, soonest);
    wire.lastMs = Math.max(wire.lastMs, arrivesMs);
    const number = wire.sent++;
    time.at(arrivesMs, () => {
      if (arrivesMs > wire.cutMs) return;
      if (this.reorders) this.inOrder(from, to, wire, number, frame);
      else this.arrived(to, from, frame);
    });
  }

  /** The sender is killed: some of what is on the way arrives still. @returns when the other end learns of it, at the earliest */
  cut(from: number, to: number): number {
    const { time } = this;
    const wire = this.wire(from, to);
    wire.cutMs = time.nowMs + time.rnd() * Math.max(0, wire.lastMs - time.nowMs);
    return Math.max(wire.cutMs, time.nowMs);
  }

  private inOrder(from: number, to: number, wire: Wire<F>, number: number, frame: F): void {
    wire.early.set(number, frame);
    for (let next = wire.early.get(wire.taken); next !== undefined; next = wire.early.get(wire.taken)) {
      wire.early.delete(wire.taken++);
      this.arrived(to, from, next);
    }
  }

  private wire(from: number, to: number): Wire<F> {
    const name = `${from}>${to}`;
    let wire = this.wires.get(name);
    if (wire === undefined) {
      wire = { lastMs: 0, cutMs: Number.POSITIVE_INFINITY, sent: 0, taken: 0, early: new Map() };
      this.wires.set(name, wire);
    }
    return wire;
  }
}

/**
 * A request to a control store that loses some: it may get lost, its answer may, and it may be done after one was told that
 * nobody knows.
 */
export function simulatedRequest<R>(
  time: Timeline,
  losesShare: number,
  act: () => R,
  answer: (result: R | "unknown") => void,
): void {
  const [thereMs, backMs] = [3 * time.rnd(), 3 * time.rnd()];
  if (time.rnd() >= losesShare) {
    time.after(thereMs, () => {
      const result = act();
      time.after(backMs, () => answer(result));
    });
    return;
  }
  if (time.below(2) === 0) time.after(time.below(2) === 0 ? thereMs : 400 * time.rnd(), act);
  // Or nobody ever answers.
  if (time.below(3) > 0) time.after(thereMs + backMs, () => answer("unknown"));
}
