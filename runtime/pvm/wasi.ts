/**
 * WASI preview 1 for ULPs: what a C library needs of the world, and nothing that could not move with the ULP.
 *
 * Owns: arguments, environment, clocks, random numbers, polls and the end of a program; and the union with the calls on
 * files (wasi-fd.ts, wasi-paths.ts) and streams (wasi-streams.ts). Results are errno values, 0 for success.
 * Source: WASI/legacy/preview1/docs.md.
 */
import { SUSPEND, WAIT } from "../../wire/layout.ts";
import { LIMITS } from "../../wire/limits.ts";
import type { Answer } from "../../wire/requests.ts";
import { WASI_ERRNO } from "../../wire/wasi.ts";
import { awaitOutside, awaitUntil } from "../scheduler/blocking.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { type FileEdge, FileError } from "../scheduler/files.ts";
import { ask } from "./ask.ts";
import { yieldCalls } from "./engine-calls.ts";
import { exitProgram } from "./exit.ts";
import { currentContext } from "./guest.ts";
import { argsOf, envOf } from "./program-texts.ts";
import { fileCalls } from "./wasi-fd.ts";
import { Files } from "./wasi-files.ts";
import { pathCalls } from "./wasi-paths.ts";
import { hasInput } from "./wasi-streams.ts";

const { success, fault, inval } = WASI_ERRNO;

/** clockid: 0 real time, 1 monotonic, 2 process CPU time, 3 thread CPU time. */
const CLOCKS = 4;
const NS_PER_MS = 1e6;

/** Most bytes of one random_get that are filled at a time: what crypto.getRandomValues takes. */
const RANDOM_BYTES = 65_536;

/** Lists that were encoded before: all ULPs of a run have the same one, and each asks twice. */
const encodedLists = new WeakMap<readonly string[], readonly Uint8Array[]>();

/** Texts in UTF-8, each with its NUL. */
function encodedTexts(texts: readonly string[]): readonly Uint8Array[] {
  const known = encodedLists.get(texts);
  if (known !== undefined) return known;
  const encoded = texts.map((text) => new TextEncoder().encode(`${text}\0`));
  encodedLists.set(texts, encoded);
  return encoded;
}

/** Stores texts with their NULs one behind the other, and the address of each: args_get, environ_get. */
function putTexts(e: EngineState, texts: readonly string[], pointers: number, buffer: number): number {
  const context = currentContext(e);
  const encoded = encodedTexts(texts);
  const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
  let at = buffer >>> 0;
  const list = pointers >>> 0;
  if (!context.covers(list, 4 * texts.length) || !context.covers(at, bytes)) return fault;
  encoded.forEach((text, i) => {
    context.view.setUint32(list + 4 * i, at, true);
    context.bytes.set(text, at);
    at += text.length;
  });
  return success;
}

function putSizes(e: EngineState, texts: readonly string[], countAt: number, bytesAt: number): number {
  const context = currentContext(e);
  if (!context.covers(countAt >>> 0, 4) || !context.covers(bytesAt >>> 0, 4)) return fault;
  const bytes = encodedTexts(texts).reduce((sum, { length }) => sum + length, 0);
  context.view.setUint32(countAt >>> 0, texts.length, true);
  context.view.setUint32(bytesAt >>> 0, bytes, true);
  return success;
}

/** Nanoseconds of a clock. */
function clockNs(e: EngineState, clock: number): bigint {
  return clock === 0 ? e.edge.wallClock() : BigInt(Math.round(e.edge.now() * NS_PER_MS));
}

function processCalls(e: EngineState) {
  return {
    args_get: (argv: number, buffer: number) => putTexts(e, argsOf(e), argv, buffer),
    args_sizes_get: (count: number, bytes: number) => putSizes(e, argsOf(e), count, bytes),
    environ_get: (environ: number, buffer: number) => putTexts(e, envOf(e), environ, buffer),
    environ_sizes_get: (count: number, bytes: number) => putSizes(e, envOf(e), count, bytes),
    clock_res_get(clock: number, at: number): number {
      if (clock < 0 || clock >= CLOCKS) return inval;
      const context = currentContext(e);
      if (!context.covers(at >>> 0, 8)) return fault;
      context.view.setBigUint64(at >>> 0, clock === 0 ? 1000n : 1n, true);
      return success;
    },
    clock_time_get(clock: number, _precision: bigint, at: number): number {
      if (clock < 0 || clock >= CLOCKS) return inval;
      const context = currentContext(e);
      if (!context.covers(at >>> 0, 8)) return fault;
      context.view.setBigUint64(at >>> 0, clockNs(e, clock), true);
      return success;
    },
    random_get(at: number, bytes: number): number {
      const context = currentContext(e);
      if (!context.covers(at >>> 0, bytes >>> 0)) return fault;
      const end = (at >>> 0) + (bytes >>> 0);
      for (let from = at >>> 0; from < end; from += RANDOM_BYTES) {
        const random = new Uint8Array(Math.min(RANDOM_BYTES, end - from));
        e.edge.random(random);
        context.bytes.set(random, from);
      }
      return success;
    },
    proc_exit: (code: number) => exitProgram(e, code),
    sched_yield: yieldCalls(e).pvm_yield,
  };
}

/** Layout of poll_oneoff: a subscription is 48 bytes, an event 32. */
const SUBSCRIPTION = { bytes: 48, tag: 8, clock: 16, timeout: 24, flags: 40 } as const;
const EVENT = { bytes: 32, error: 8, type: 10 } as const;
const EVENT_CLOCK = 0;
const EVENT_READ = 1;
const ABSOLUTE = 1;

interface Subscription {
  readonly user: bigint;
  readonly type: number;
  /** Milliseconds until it is ready; Infinity: when input comes. */
  readonly ms: number;
  readonly input: boolean;
}

/** Writes the events of what is ready, and how many they are. */
function putEvents(context: Context, ready: readonly Subscription[], to: number, readyAt: number): void {
  const { view } = context;
  ready.forEach(({ user, type }, i) => {
    const at = to + i * EVENT.bytes;
    context.bytes.fill(0, at, at + EVENT.bytes);
    view.setBigUint64(at, user, true);
    view.setUint16(at + EVENT.error, success, true);
    view.setUint8(at + EVENT.type, type);
  });
  view.setUint32(readyAt, ready.length, true);
}

/** What is asked for; Infinity for standard input that has to be waited for. */
function subscriptions(e: EngineState, context: Context, from: number, count: number): Subscription[] {
  const { view } = context;
  /** Milliseconds until the time that a subscription names. */
  const delayMs = (at: number): number => {
    const timeout = view.getBigUint64(at + SUBSCRIPTION.timeout, true);
    if ((view.getUint16(at + SUBSCRIPTION.flags, true) & ABSOLUTE) === 0) return Number(timeout) / NS_PER_MS;
    return Number(timeout - clockNs(e, view.getUint32(at + SUBSCRIPTION.clock, true))) / NS_PER_MS;
  };
  return Array.from({ length: count }, (_, i) => {
    const at = from + i * SUBSCRIPTION.bytes;
    const type = view.getUint8(at + SUBSCRIPTION.tag);
    const input = type === EVENT_READ && view.getUint32(at + SUBSCRIPTION.clock, true) === 0 && hasInput(e);
    const waits = input ? Infinity : 0;
    return { user: view.getBigUint64(at, true), type, ms: type === EVENT_CLOCK ? delayMs(at) : waits, input };
  });
}

function pollCalls(e: EngineState) {
  return {
    /**
     * Waits until the first of the clocks asked for, or until standard input can be read. Files and output are always
     * ready. The events of a sleep are written before it: nobody looks at them until it is over, and then they are as
     * said.
     */
    poll_oneoff(fromAt: number, eventsAt: number, n: number, readyAt: number): number {
      const context = currentContext(e);
      const [from, to, count] = [fromAt >>> 0, eventsAt >>> 0, n >>> 0];
      if (count === 0) return inval;
      const inside =
        context.covers(from, count * SUBSCRIPTION.bytes) &&
        context.covers(to, count * EVENT.bytes) &&
        context.covers(readyAt >>> 0, 4);
      if (!inside) return fault;
      const list = subscriptions(e, context, from, count);
      const soonest = Math.max(0, Math.min(...list.map(({ ms }) => ms)));
      if (soonest > 0 && list.some(({ input }) => input)) {
        const ms = soonest === Infinity ? -1 : Math.min(Math.ceil(soonest), LIMITS.pollMs);
        return ask(e, "inputReady", { ms }, [from, to, count, readyAt]);
      }
      putEvents(
        context,
        list.filter(({ ms }) => ms <= soonest),
        to,
        readyAt >>> 0,
      );
      if (soonest === 0) return success;
      const ulp = e.current;
      awaitOutside(e, ulp, WAIT.sleep);
      awaitUntil(e, ulp, e.edge.now() + soonest);
      return SUSPEND;
    },
  };
}

/** Standard input can be read, or the time is over: the events of a poll. */
export function inputPolled(e: EngineState, answer: Answer, keep: readonly number[]): number {
  const [from = 0, to = 0, count = 0, readyAt = 0] = keep;
  const context = currentContext(e);
  const list = subscriptions(e, context, from, count);
  const clocks = list.filter(({ type }) => type === EVENT_CLOCK).map(({ ms }) => ms);
  const soonest = Math.min(...clocks);
  const ready = answer.value > 0 ? list.filter(({ input }) => input) : list.filter(({ ms }) => ms <= soonest);
  putEvents(context, ready, to >>> 0, readyAt >>> 0);
  return success;
}

/** Files of an engine without any: no folder was granted. */
const NO_FILES = new Proxy({} as FileEdge, {
  get: () => (): never => {
    throw new FileError(WASI_ERRNO.badf);
  },
});

/** Every function of preview 1 that is not refused. */
export function wasiCalls(e: EngineState): Record<string, WebAssembly.ImportValue> {
  const files = new Files(e, e.edge.files ?? NO_FILES);
  e.fileHandles = files.handles;
  return { ...processCalls(e), ...fileCalls(e, files), ...pathCalls(e, files), ...pollCalls(e) };
}
