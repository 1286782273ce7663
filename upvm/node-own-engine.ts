/**
 * One engine on the process's own thread: between its turns the thread looks after links, the master and timers.
 *
 * Owns: when the engine has a turn, and what engine and process say to each other meanwhile: both are one thread, so
 * it is kept until the turn ends. A turn begins in the same task that brought a message; it ends when no ULP can run, or when
 * another thread finds that it lasts (turn.ts). Behind it the event loop looks at the sockets for a while before it waits
 * for them, if that is worth it (looking.ts).
 */
import { getRandomValues } from "node:crypto";
import { engineMoves } from "../runtime/migrate/engine-move.ts";
import { addImports } from "../runtime/pvm/imports.ts";
import { isRelayFull } from "../runtime/pvm/relay.ts";
import { stopProcess } from "../runtime/scheduler/end.ts";
import { dispatch, endEngine, runTurn, startQueues } from "../runtime/scheduler/engine.ts";
import { type EngineEdge, EngineState, type Parcel } from "../runtime/scheduler/engine-state.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { ring } from "../runtime/scheduler/mailbox.ts";
import { isOutboxFull } from "../runtime/scheduler/outbox.ts";
import { first, remove } from "../runtime/scheduler/queue.ts";
import { endTurn, leaveSoon, OVER, TURN, TurnPatience } from "../runtime/scheduler/turn.ts";
import { ENGINE, HEAD, STOP, ULP, ULP_FLAG } from "../wire/layout.ts";
import { LIMITS } from "../wire/limits.ts";
import type { EngineNews, Engines, TurnWatch } from "./engine-thread.ts";
import { Looking } from "./looking.ts";
import { nodeFiles } from "./node-file-edge.ts";
import { type ProcessEvents, type ProcessOptions, takeNews } from "./node-process.ts";
import { TurnRoom } from "./turn-room.ts";

const NS_PER_MS = 1_000_000;

export class OwnEngine implements Engines {
  private readonly library: Library;
  private readonly events: ProcessEvents;
  private readonly watch: TurnWatch;
  private readonly engine: EngineState;
  private readonly offsetMs: number;
  /** For the engine, and from it, in order. */
  private readonly parcels: Parcel[] = [];
  private news: EngineNews[] = [];
  /** A turn is on its way, or runs. */
  private scheduled = false;
  private turnsInARow = 0;
  private lastTurn = 0;
  private timerMs = Number.POSITIVE_INFINITY;
  private readonly room = new TurnRoom();
  private readonly patience = new TurnPatience();
  private readonly looking = new Looking();
  /** After so long there was a look at output that is full. */
  private restMs: number = LIMITS.turnAgainMs;
  private readonly stopped: Promise<void>;
  private done: () => void = () => {};
  private fail: (error: unknown) => void = () => {};

  /** It has its first turn in the next task. */
  constructor(
    library: Library,
    { engine: options, beganMs }: ProcessOptions,
    events: ProcessEvents,
    watch: TurnWatch,
  ) {
    this.library = library;
    this.events = events;
    this.watch = watch;
    this.offsetMs = performance.timeOrigin - beganMs;
    // Traps tell where they were, however deep.
    Error.stackTraceLimit = LIMITS.stackFrames;
    this.stopped = new Promise((done, fail) => {
      this.done = done;
      this.fail = fail;
    });
    const edge = this.edge(options.grants.length > 0);
    const e = new EngineState(library.heap, 0, library.ctlMemories, edge, options, engineMoves);
    addImports(e);
    for (const program of library.programs) e.programs[program.id] = program;
    startQueues(e);
    this.engine = e;
    library.rung = () => this.soon();
    this.later();
  }

  send(engine: number, parcel: Parcel): void {
    const { w, heap } = this.library;
    if (engine === this.library.process.engines) {
      this.events.parcel(parcel);
      return;
    }
    this.parcels.push(parcel);
    Atomics.add(w, heap.engineRow(engine) + ENGINE.mail, 1);
    // The others' next turn, which may last, is not waited for.
    if (parcel.kind === "freeze" && !this.asleep) queueMicrotask(() => this.serveNow());
    else ring(this.library, engine);
  }

  ended(): Promise<void> {
    return this.stopped;
  }

  async interrupt(): Promise<boolean> {
    stopProcess(this.library, STOP.interrupted);
    await this.ended();
    return true;
  }

  private edge(files: boolean): EngineEdge {
    const { w } = this.library;
    const tell = (news: EngineNews): void => {
      this.news.push(news);
    };
    return {
      turn: this.watch.words,
      now: () => performance.now() + this.offsetMs,
      wallClock: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * NS_PER_MS)),
      random: (into) => {
        getRandomValues(into as Uint8Array<ArrayBuffer>);
      },
      wait: () => {
        throw new Error("bug: an engine on the process's own thread is about to sleep");
      },
      receive: () => this.parcels.shift(),
      // Only to this thread: there is no other engine.
      send: (_, parcel) => tell({ kind: "parcel", parcel }),
      output: (fd, bytes, tid) => {
        Atomics.add(w, HEAD.outputBytes, bytes.length);
        tell({ kind: "output", fd, bytes, tid });
        if (isOutputFull(w)) endTurn(this.engine);
      },
      ...(files && { files: nodeFiles() }),
      failed: (failure) => tell({ kind: "failed", failure }),
      interrupted: (index, stack) => tell({ kind: "interrupted", index, stack }),
      sampled: (index, stack) => tell({ kind: "sample", index, stack }),
      exited: (index) => tell({ kind: "exited", index }),
      ringOutbox: () => {
        tell({ kind: "outbox" });
        leaveSoon(this.engine);
      },
      // As a port does: the engine may use again what it has asked with.
      ask: (request) => tell({ kind: "ask", request: structuredClone(request) }),
      created: (order, codes) => tell({ kind: "created", order, codes }),
    };
  }

  /** A turn at the end of this task; of many in a row one lets the event loop have its way. */
  private soon(): void {
    if (this.scheduled) return;
    if (this.turnsInARow >= LIMITS.turnsInARow) {
      this.later();
      return;
    }
    this.scheduled = true;
    this.turnsInARow += 1;
    queueMicrotask(() => this.turn());
  }

  private later(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.turnsInARow = 0;
      this.turn();
    });
  }

  private turn(): void {
    this.awake();
    let idle = false;
    let full = false;
    const done = this.guarded(() => {
      full = this.isFull();
      if (full) this.serve();
      else idle = this.run();
      this.tellNews();
    });
    if (!done) return;
    this.scheduled = false;
    if (this.library.w[HEAD.stop] !== STOP.none) this.end();
    else if (full) this.after(this.againMs());
    else if (idle) this.sleep();
    else this.later();
  }

  /** @returns false: our bug, of which the process ends */
  private guarded(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      stopProcess(this.library, STOP.failed);
      this.fail(error);
      return false;
    }
  }

  private run(): boolean {
    const { words } = this.watch;
    this.restMs = LIMITS.turnAgainMs;
    this.lastTurn = (this.lastTurn + 1) & 0x7fffffff || 1;
    this.adaptPatience();
    Atomics.store(words, TURN.running, this.lastTurn);
    if (Atomics.load(words, TURN.watched) === 0) {
      Atomics.store(words, TURN.watched, 1);
      this.watch.start(this.library.ctlMemories[0]!);
    }
    const idle = runTurn(this.engine);
    Atomics.store(words, TURN.running, 0);
    return idle;
  }

  /** What TURN.over says is of the last turn; or serve() has said it, which asks for nothing here. */
  private adaptPatience(): void {
    const { words } = this.watch;
    if (Atomics.exchange(words, TURN.over, 0) === OVER.lasted)
      words[TURN.patience] = this.patience.behindLasted(this.hasCome, this.engine.timers.length > 0);
  }

  /** Something waits for the engine. */
  private get hasCome(): boolean {
    const { w, heap } = this.library;
    const row = heap.engineRow(0);
    return Atomics.load(w, row + ENGINE.wakes) !== 0 || Atomics.load(w, row + ENGINE.mail) !== 0;
  }

  /** Between two turns: what was sent is served, and nobody runs. */
  private serveNow(): void {
    if (this.isEnded) return;
    if (!this.scheduled) {
      this.soon();
      return;
    }
    this.guarded(() => {
      this.awake();
      this.adaptPatience();
      this.serve();
      this.tellNews();
    });
  }

  /** ULPs are ended, frozen and made also while none may run: a turn that is over as it begins does that, and dispatches nobody. */
  private serve(): void {
    Atomics.store(this.watch.words, TURN.over, OVER.asked);
    runTurn(this.engine);
  }

  /** Output may stand still for days: it is looked at less and less often. */
  private againMs(): number {
    if (!isOutputFull(this.library.w)) return LIMITS.turnAgainMs;
    this.restMs = Math.min(2 * this.restMs, LIMITS.turnRestMs);
    return this.restMs;
  }

  /** ULPs wait for room. */
  private isFull(): boolean {
    const { w } = this.library;
    const full = { output: isOutputFull(w), messages: isOutboxFull(w) || isRelayFull(w) };
    const { waits, refused } = this.room.look(full, performance.now());
    this.watch.words[TURN.waited] = refused ? 1 : 0;
    return waits && w[HEAD.stop] === STOP.none;
  }

  /** What is told may be followed by parcels, and by more to tell only in another turn. */
  private tellNews(): void {
    const { news } = this;
    if (news.length === 0) return;
    this.news = [];
    for (const one of news) takeNews(this.library, this.events, 0, one, this.fail);
  }

  /** No ULP can run: the next that is rung, or a deadline, brings the next turn. */
  private sleep(): void {
    const { w, heap } = this.library;
    const row = heap.engineRow(0);
    if (this.hasCome) {
      this.soon();
      return;
    }
    Atomics.store(w, row + ENGINE.idle, 1);
    Atomics.add(w, HEAD.idleEngines, 1);
    this.asleep = true;
    if (this.looking.begin(performance.now())) this.look();
    const { nextMs } = this.engine.timers;
    if (nextMs < Number.POSITIVE_INFINITY) this.after(Math.max(1, nextMs - this.engine.edge.now()));
  }
  private asleep = false;

  /** While there is an immediate, the event loop looks at the sockets and does not wait for them: 2 µs each time. */
  private look(): void {
    if (this.looks) return;
    this.looks = true;
    setImmediate(() => {
      this.looks = false;
      if (this.asleep && this.looking.again(performance.now())) this.look();
    });
  }
  private looks = false;

  private awake(): void {
    if (!this.asleep) return;
    this.looking.end(performance.now());
    const { w, heap } = this.library;
    this.asleep = false;
    Atomics.store(w, heap.engineRow(0) + ENGINE.idle, 0);
    Atomics.sub(w, HEAD.idleEngines, 1);
    Atomics.add(w, HEAD.idleEpoch, 1);
  }

  /** A turn after so long, or after as long as a timer can wait, unless there is one before. */
  private after(wantedMs: number): void {
    const ms = Math.min(wantedMs, LIMITS.timerMs);
    const atMs = performance.now() + ms;
    if (atMs >= this.timerMs) return;
    this.timerMs = atMs;
    setTimeout(() => {
      if (this.timerMs === atMs) this.timerMs = Number.POSITIVE_INFINITY;
      this.soon();
    }, ms);
  }

  /** The process stops. A ULP that computed says where it is. */
  private end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { engine, library } = this;
    const { w } = library;
    library.rung = undefined;
    try {
      if (w[HEAD.stop] === STOP.interrupted) {
        const ulp = first(w, engine.runq);
        if (ulp > 0 && (w[ulp + ULP.flags]! & ULP_FLAG.preempted) !== 0) {
          remove(w, engine.runq, ulp);
          dispatch(engine, ulp);
        }
      }
      endEngine(engine);
      this.tellNews();
      this.done();
    } catch (error) {
      this.fail(error);
    }
  }
  private isEnded = false;
}

function isOutputFull(w: Int32Array): boolean {
  return Atomics.load(w, HEAD.outputBytes) > LIMITS.outputBytes;
}
