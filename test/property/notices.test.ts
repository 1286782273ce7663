/**
 * Messages of the virtual machine to a ULP (notifications, messages of other jobs) are received in the order in which they were
 * sent, however slow engines are to take their parcels, while the ULP goes from engine to engine and to another process.
 * UPVM_SEED=n replays one.
 */
import assert from "node:assert/strict";
import { test } from "uvu";
import { sendUlp } from "../../runtime/migrate/engine-move.ts";
import { serveMail, serveWakes } from "../../runtime/scheduler/engine.ts";
import type { Parcel } from "../../runtime/scheduler/engine-state.ts";
import { claimWake } from "../../runtime/scheduler/mailbox.ts";
import { copyOf, leavingAgain, releaseLeaving } from "../../runtime/scheduler/outbox.ts";
import { takeOutside } from "../../runtime/scheduler/outside.ts";
import { append } from "../../runtime/scheduler/queue.ts";
import { getState, isMigrating, setState, type UlpAt } from "../../runtime/scheduler/state.ts";
import type { Engines } from "../../upvm/engine-thread.ts";
import { LocalHost } from "../../upvm/local-host.ts";
import type { Loader } from "../../upvm/program-loader.ts";
import { ENGINE, SUSPEND, ULP, ULP_STATE } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import { seeded } from "../link-stages.ts";
import { type Actor, actor, IDLE, leftovers, type Process, processOf } from "../one-thread.ts";
import { admit, begun, destination, imaged, joined, outside, read } from "../two-processes.ts";

const SEEDS = Number(process.env["UPVM_SEEDS"] ?? 200);
const NOTICES = 12;
const TAG = 9;
const ENGINES = 3;

/** The way of the virtual machine to a process's ULPs, as in earnest: its parcels wait until an engine takes them. */
function hostOf(p: Process): LocalHost {
  const send = (engine: number, parcel: Parcel): void => {
    if (engine === p.engines.length) p.freezer.take(parcel);
    else {
      p.mail[engine]!.push(parcel);
      Atomics.add(p.library.w, p.engines[engine]!.row + ENGINE.mail, 1);
    }
  };
  const threads: Partial<Engines> = { send };
  return new LocalHost(p.library, threads as Engines, {} as Loader, {
    hostName: "here",
    resolves: async () => false,
  });
}

class World {
  readonly p = processOf(IDLE, { ulps: 2, engines: ENGINES, place: () => 0, ...outside });
  readonly q = processOf(IDLE, { ulps: 2, engines: 2, place: () => 0, elsewhere: () => true, ...outside });
  readonly hosts = [hostOf(this.p), hostOf(this.q)] as const;
  readonly random: () => number;
  sent = 0;
  received = 0;
  /** It is another process's now. */
  gone = false;

  constructor(seed: number) {
    this.random = seeded(seed);
    actor(this.p, 0).call("pvm_mytid");
    begun(this.p, 0);
    this.rest();
  }

  private pick(n: number): number {
    return Math.floor(this.random() * n);
  }

  get ulp(): UlpAt {
    return this.p.ulp(0);
  }

  /** The actor is off the processor between two calls. */
  private rest(): void {
    for (const e of this.gone ? this.q.engines : this.p.engines) {
      if (e.current === 0 || getState(e.w, e.current) !== ULP_STATE.running) continue;
      setState(e.w, e.current, ULP_STATE.runnable);
      append(e.w, e.runq, e.current);
      e.current = 0 as UlpAt;
    }
  }

  post(): void {
    const data = new Uint8Array(Int32Array.of(this.sent++).buffer);
    this.hosts[this.gone ? 1 : 0].post({ to: this.p.library.w[this.ulp + ULP.tid]!, tag: TAG, data });
  }

  serve(engine = this.pick(ENGINES)): void {
    const e = (this.gone ? this.q : this.p).engines[engine];
    if (e === undefined) return;
    serveMail(e);
    serveWakes(e);
  }

  private send(engine: number, parcel: Parcel): void {
    this.p.mail[engine]!.push(parcel);
    Atomics.add(this.p.library.w, this.p.engines[engine]!.row + ENGINE.mail, 1);
  }

  /** The engine that has the ULP gives it to another. */
  give(): void {
    const { p, ulp } = this;
    const { w } = p.library;
    const from = p.engines[w[ulp + ULP.engine]!];
    if (this.gone || from === undefined || isMigrating(w, ulp)) return;
    const state = getState(w, ulp);
    if (state === ULP_STATE.blocked && !claimWake(from, ulp)) return;
    assert.ok(sendUlp(from, ulp, (from.index + 1 + this.pick(ENGINES - 1)) % ENGINES));
  }

  /** It is taken off its engine, and given back or moved to the other process; notices come meanwhile. */
  async freeze(): Promise<void> {
    if (this.gone) return;
    const { p, q } = this;
    const freezing = p.freezer.freeze(0);
    while (this.random() < 0.6) this.serve();
    for (let round = 0; round < 2 * ENGINES; round++) {
      this.serve(round % ENGINES);
      // What an engine could not obey when it came, it looks at again.
      for (const parcel of p.engines[round % ENGINES]!.deferred.splice(0)) this.send(round % ENGINES, parcel);
    }
    const frozen = await Promise.race([freezing, new Promise<string>((go) => setTimeout(go, 1000, "late"))]);
    assert.ok(typeof frozen === "object", String(frozen));
    while (this.random() < 0.5) this.post();
    if (this.random() < 0.6) return p.freezer.thaw(frozen);
    const incoming = read(destination(q), joined(imaged(p, frozen)));
    while (this.random() < 0.5) this.post();
    const { messages, parcels } = p.freezer.release(frozen);
    admit(q, incoming);
    this.gone = true;
    // What came later goes after it. That nothing is sent straight there before is the master's matter (pvmd/parked.ts).
    for (const at of messages) {
      const message = leavingAgain(p.library, at, this.p.library.w[this.ulp + ULP.tid]!);
      assert.ok(takeOutside(q.library, { ...message, data: copyOf(message) }));
      releaseLeaving(p.library, message);
    }
    assert.deepEqual(parcels, []);
  }

  /** The ULP looks, or waits. */
  hear(): void {
    const p = this.gone ? this.q : this.p;
    const { w } = p.library;
    const ulp = p.ulp(0);
    const e = p.engines[w[ulp + ULP.engine]!];
    if (e === undefined || isMigrating(w, ulp) || getState(w, ulp) === ULP_STATE.blocked) return;
    const who = actor(p, 0, e.contexts[0]);
    const woken = this.waits;
    const got = woken ? who.resumed() : who.call(this.random() < 0.5 ? "pvm_nrecv" : "pvm_recv", -1, TAG);
    this.waits = got === SUSPEND;
    if (got > 0) this.check(who);
    this.rest();
  }
  private waits = false;

  private check(who: Actor): void {
    who.call("pvm_upkint", 0x10, 1, 1);
    assert.equal(who.view.getInt32(0x10, true), this.received);
    this.received += 1;
  }

  async play(): Promise<void> {
    const steps = [() => this.post(), () => this.serve(), () => this.give(), () => this.hear()];
    while (this.sent < NOTICES) {
      if (this.random() < 0.05) await this.freeze();
      else steps[this.pick(steps.length)]!();
    }
    for (let round = 0; round < 3 * NOTICES; round++) {
      for (let engine = 0; engine < ENGINES; engine++) this.serve(engine);
      this.hear();
    }
    assert.equal(this.received, this.sent);
    assert.equal(leftovers(this.p) + leftovers(this.q), "");
  }
}

test("notices are received in order, whatever engines and processes the ULP goes to meanwhile", async () => {
  const only = process.env["UPVM_SEED"];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      await new World(seed).play();
    } catch (error) {
      throw new Error(`UPVM_SEED=${seed}: ${String(error)}`, { cause: error });
    }
  }
});

test("of a notice for which a full ULP has no room its engine tells", () => {
  const { p, hosts } = new World(1);
  const { w } = p.library;
  const ulp = p.ulp(0);
  const told: string[] = [];
  for (const e of p.engines) e.undelivered = (_, at, { tag }) => told.push(`${at === ulp} ${tag}`);
  w[ulp + ULP.inboxCount] = LIMITS.messagesPerUlp;
  hosts[0].post({ to: w[ulp + ULP.tid]!, tag: TAG, data: new Uint8Array(4) });
  w[ulp + ULP.inboxCount] = 0;
  for (const e of p.engines) serveMail(e);
  assert.deepEqual([told, w[ulp + ULP.inbox]], [[`true ${TAG}`], 0]);
  assert.equal(leftovers(p), "");
});

test.run();
