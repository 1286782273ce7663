/**
 * What the process's own thread and its engine threads say to each other.
 *
 * Owns: the shapes. Both ends: node-process.ts and node-engine.ts. What goes from the process to an engine is
 * a Parcel (runtime/scheduler/engine-state.ts), counted in ENGINE.mail.
 */
import type { MessagePort } from "node:worker_threads";
import type { EngineOptions, Parcel, UlpFailure } from "../runtime/scheduler/engine-state.ts";
import type { Program } from "../runtime/scheduler/programs.ts";
import type { Request } from "../wire/requests.ts";

/** The engines of a process: threads (node-process.ts), or one that the process's own thread runs (node-own-engine.ts). */
export interface Engines {
  /** Sends a parcel to an engine, and wakes it or has its running ULP look; or to the own thread (HEAD.engines). */
  send(engine: number, parcel: Parcel): void;
  /** Ends when all have stopped. @throws what one died of: a bug of ours */
  ended(): Promise<void>;
  /** Stops all engines; running ULPs say where they are. @returns false: one had to be ended by force */
  interrupt(): Promise<boolean>;
}

/** Who sees to it that no turn of an engine on the process's own thread lasts (runtime/scheduler/turn.ts). */
export interface TurnWatch {
  /** TURN. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** It is to look twice in the time that a turn may last from now on, until TURN.watched is 0 again. @param ctl  the engine's control page */
  start(ctl: WebAssembly.Memory): void;
}

/** What an engine thread begins with. */
export interface EngineSetup {
  readonly index: number;
  readonly heap: WebAssembly.Memory;
  readonly ctl: readonly WebAssembly.Memory[];
  /** By engine; its own place is undefined. */
  readonly ports: readonly (MessagePort | undefined)[];
  readonly programs: readonly Program[];
  readonly options: EngineOptions;
  /** Milliseconds since 1970 when the process began: all engines count from it. */
  readonly beganMs: number;
  /** One word: how much all engines have told (news-order.ts). */
  readonly told: Int32Array<SharedArrayBuffer>;
}

/** What an engine thread sends: its place in what all of them tell, and what it tells. */
export interface NumberedNews {
  readonly number: number;
  readonly news: EngineNews;
}

/** What an engine tells the process. */
export type EngineNews =
  | { readonly kind: "output"; readonly fd: number; readonly bytes: Uint8Array; readonly tid: number }
  | { readonly kind: "failed"; readonly failure: UlpFailure }
  | { readonly kind: "interrupted"; readonly index: number; readonly stack: string }
  | { readonly kind: "sample"; readonly index: number; readonly stack: string }
  /** A ULP has ended (HEAD.machine). */
  | { readonly kind: "exited"; readonly index: number }
  /** There is something in the outbox. */
  | { readonly kind: "outbox" }
  | { readonly kind: "ask"; readonly request: Request }
  /** What became of a CreateParcel. */
  | { readonly kind: "created"; readonly order: number; readonly codes: readonly number[] }
  /** For a ULP that the process's own thread has, or is to have (runtime/migrate/freezer.ts). */
  | { readonly kind: "parcel"; readonly parcel: Parcel }
  /** Its loop has ended; it says nothing more. */
  | { readonly kind: "stopped" };
