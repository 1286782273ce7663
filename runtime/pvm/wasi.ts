/**
 * WASI preview 1 for ULPs: what a C library needs of the world, and nothing that could not move with the ULP.
 *
 * Owns: the answers of wire/wasi.ts. Output goes by lines (runtime/scheduler/output.ts); there are no files
 * and no directories, so calls on them fail with EBADF, and paths with ENOTCAPABLE; nothing is open but 0, 1
 * and 2. Results are errno values, 0 for success. Source: WASI/legacy/preview1/docs.md.
 */
import { SUSPEND, ULP, ULP_FLAG, WAIT } from "../../wire/layout.ts";
import { WASI_ERRNO, WASI_FUNCTION } from "../../wire/wasi.ts";
import { awaitOutside, awaitUntil } from "../scheduler/blocking.ts";
import type { Context } from "../scheduler/context.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { flush, print } from "../scheduler/output.ts";
import { yieldCalls } from "./engine-calls.ts";
import { currentContext } from "./guest.ts";
import { argsOf } from "./spawn.ts";

const { success, badf, fault, inval, nosys, notcapable, spipe } = WASI_ERRNO;

/**
 * Thrown through the guest's frames by proc_exit: the flag `exiting` says what it was, whatever catches it.
 */
const PROGRAM_EXIT = new Error("proc_exit");

/** clockid: 0 real time, 1 monotonic, 2 process CPU time, 3 thread CPU time. */
const CLOCKS = 4;
const NS_PER_MS = 1e6;
/** filetype of the standard streams: character_device. */
const CHARACTER_DEVICE = 2;
/** rights fd_read and fd_write. */
const READ_WRITE = 2n | 64n;

/** Most bytes of one random_get that are filled at a time: what crypto.getRandomValues takes. */
const RANDOM_BYTES = 65_536;

function isOpen(context: Context, fd: number): boolean {
  return fd >= 0 && fd <= 2 && (context.closed & (1 << fd)) === 0;
}

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

/** Ends the running ULP. */
function exitProgram(e: EngineState, code: number): never {
  const ulp = e.current;
  e.w[ulp + ULP.exitCode] = code;
  e.w[ulp + ULP.flags] = e.w[ulp + ULP.flags]! | ULP_FLAG.exiting;
  throw PROGRAM_EXIT;
}

function processCalls(e: EngineState) {
  const { env } = e.options;
  return {
    args_get: (argv: number, buffer: number) => putTexts(e, argsOf(e), argv, buffer),
    args_sizes_get: (count: number, bytes: number) => putSizes(e, argsOf(e), count, bytes),
    environ_get: (environ: number, buffer: number) => putTexts(e, env, environ, buffer),
    environ_sizes_get: (count: number, bytes: number) => putSizes(e, env, count, bytes),
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

function streamCalls(e: EngineState) {
  /**
   * Calls `use` for each part of a list of (address, length), with all checked before. Bytes, or undefined.
   */
  const eachPart = (list: number, parts: number, use: (bytes: Uint8Array) => void): number | undefined => {
    const context = currentContext(e);
    if (!context.covers(list >>> 0, 8 * (parts >>> 0))) return undefined;
    const vectors = Array.from({ length: parts >>> 0 }, (_, i) => {
      const at = context.view.getUint32((list >>> 0) + 8 * i, true);
      return { at, bytes: context.view.getUint32((list >>> 0) + 8 * i + 4, true) };
    });
    if (!vectors.every(({ at, bytes }) => context.covers(at, bytes))) return undefined;
    for (const { at, bytes } of vectors) use(context.bytes.subarray(at, at + bytes));
    return vectors.reduce((sum, { bytes }) => sum + bytes, 0);
  };
  const putCount = (at: number, value: number): number => {
    const context = currentContext(e);
    if (!context.covers(at >>> 0, 4)) return fault;
    context.view.setUint32(at >>> 0, value, true);
    return success;
  };
  return {
    fd_write(fd: number, list: number, parts: number, written: number): number {
      if (!isOpen(currentContext(e), fd) || fd === 0) return badf;
      const bytes = eachPart(list, parts, (part) => print(e, e.current, fd, part));
      return bytes === undefined ? fault : putCount(written, bytes);
    },
    fd_read(fd: number, _list: number, _parts: number, read: number): number {
      return isOpen(currentContext(e), fd) && fd === 0 ? putCount(read, 0) : badf;
    },
    fd_close(fd: number): number {
      const context = currentContext(e);
      if (!isOpen(context, fd)) return badf;
      if (fd !== 0) flush(e, e.current, fd);
      context.closed |= 1 << fd;
      return success;
    },
    fd_fdstat_get(fd: number, at: number): number {
      const context = currentContext(e);
      if (!isOpen(context, fd)) return badf;
      if (!context.covers(at >>> 0, 24)) return fault;
      context.bytes.fill(0, at >>> 0, (at >>> 0) + 24);
      context.view.setUint8(at >>> 0, CHARACTER_DEVICE);
      context.view.setBigUint64((at >>> 0) + 8, READ_WRITE, true);
      return success;
    },
    fd_filestat_get(fd: number, at: number): number {
      const context = currentContext(e);
      if (!isOpen(context, fd)) return badf;
      if (!context.covers(at >>> 0, 64)) return fault;
      context.bytes.fill(0, at >>> 0, (at >>> 0) + 64);
      context.view.setUint8((at >>> 0) + 16, CHARACTER_DEVICE);
      return success;
    },
    fd_fdstat_set_flags: (fd: number) => (isOpen(currentContext(e), fd) ? success : badf),
    fd_seek: (fd: number) => (isOpen(currentContext(e), fd) ? spipe : badf),
    fd_tell: (fd: number) => (isOpen(currentContext(e), fd) ? spipe : badf),
    fd_pread: (fd: number) => (isOpen(currentContext(e), fd) ? spipe : badf),
    fd_pwrite: (fd: number) => (isOpen(currentContext(e), fd) ? spipe : badf),
  };
}

/** Layout of poll_oneoff: a subscription is 48 bytes, an event 32. */
const SUBSCRIPTION = { bytes: 48, tag: 8, clock: 16, timeout: 24, flags: 40 } as const;
const EVENT = { bytes: 32, error: 8, type: 10 } as const;
const EVENT_CLOCK = 0;
const ABSOLUTE = 1;

function pollCalls(e: EngineState) {
  /** Milliseconds until the time that a subscription names. */
  const delayMs = (context: Context, at: number): number => {
    const { view } = context;
    const timeout = view.getBigUint64(at + SUBSCRIPTION.timeout, true);
    if ((view.getUint16(at + SUBSCRIPTION.flags, true) & ABSOLUTE) === 0) return Number(timeout) / NS_PER_MS;
    return Number(timeout - clockNs(e, view.getUint32(at + SUBSCRIPTION.clock, true))) / NS_PER_MS;
  };
  return {
    /**
     * Sleeps until the first of the clocks asked for. Streams are always ready. The events are written before
     * the sleep: nobody looks at them until it is over, and then they are as said.
     */
    poll_oneoff(subscriptions: number, events: number, n: number, readyAt: number): number {
      const context = currentContext(e);
      const [from, to, count] = [subscriptions >>> 0, events >>> 0, n >>> 0];
      if (count === 0) return inval;
      const inside =
        context.covers(from, count * SUBSCRIPTION.bytes) &&
        context.covers(to, count * EVENT.bytes) &&
        context.covers(readyAt >>> 0, 4);
      if (!inside) return fault;
      const { view } = context;
      const list = Array.from({ length: count }, (_, i) => {
        const at = from + i * SUBSCRIPTION.bytes;
        const type = view.getUint8(at + SUBSCRIPTION.tag);
        return {
          user: view.getBigUint64(at, true),
          type,
          ms: type === EVENT_CLOCK ? delayMs(context, at) : 0,
        };
      });
      const soonest = Math.max(0, Math.min(...list.map(({ ms }) => ms)));
      const ready = list.filter(({ ms }) => ms <= soonest);
      ready.forEach(({ user, type }, i) => {
        const at = to + i * EVENT.bytes;
        context.bytes.fill(0, at, at + EVENT.bytes);
        view.setBigUint64(at, user, true);
        view.setUint16(at + EVENT.error, success, true);
        view.setUint8(at + EVENT.type, type);
      });
      view.setUint32(readyAt >>> 0, ready.length, true);
      if (soonest === 0) return success;
      const ulp = e.current;
      awaitOutside(e, ulp, WAIT.sleep);
      awaitUntil(e, ulp, e.edge.now() + soonest);
      return SUSPEND;
    },
  };
}

/** Answers of the functions that have no code of their own: nothing is open that they could be about. */
function refusal(name: string): (...args: (number | bigint)[]) => number {
  if (name.startsWith("path_")) return () => notcapable;
  return name.startsWith("fd_") ? () => badf : () => nosys;
}

/** Every function of preview 1 that is not refused by the link step. */
export function wasiCalls(e: EngineState): Record<string, WebAssembly.ImportValue> {
  const calls: Record<string, WebAssembly.ImportValue> = {};
  for (const [name, { route }] of Object.entries(WASI_FUNCTION))
    if (route !== "refused") calls[name] = refusal(name);
  return Object.assign(calls, processCalls(e), streamCalls(e), pollCalls(e));
}
