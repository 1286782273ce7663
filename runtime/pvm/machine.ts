/**
 * The machine, as a program sees it: hosts, their states and clocks, halt; and what of it needs no question.
 *
 * Owns: the checks, and where the answers go in the guest's memory. What is answered is pvmd/hosts.ts.
 * Source: manual pages of PVM 3.4.6, and what it does where they are silent.
 */
import { HOST_ARCH, HOST_SIGNATURE } from "../../wire/pvm.ts";
import type { EngineState } from "../scheduler/engine-state.ts";
import { ask, type Continuation } from "./ask.ts";
import { check, fail, note } from "./errors.ts";
import { cText, currentContext, getInt, isPlace, putInt } from "./guest.ts";

/** Hosts that one call may name, most. */
const HOSTS_MAX = 4096;
/** Ints of a row of pvm_config_get: tid, speed, data signature. */
const CONFIG_ROW_INTS = 3;
/** struct timeval of a wasm32 C program: seconds (i64), microseconds (i32). */
const TIMEVAL = { bytes: 16, usec: 8 } as const;
const US = 1_000_000;

/** Texts of an array of `count` strings; undefined: bad address. */
function textArray(e: EngineState, list: number, count: number): string[] | undefined {
  if (count > HOSTS_MAX || list === 0 || !isPlace(e, list, 4 * count)) return undefined;
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const at = getInt(e, list + 4 * i);
    const text = at === 0 ? undefined : cText(e, at);
    if (text === undefined) return undefined;
    texts.push(text);
  }
  return texts;
}

function hostsCall(e: EngineState, kind: "addhosts" | "delhosts") {
  return (list: number, count: number, infos: number): number => {
    const hosts = count < 1 ? undefined : textArray(e, list, count);
    if (hosts === undefined || !isPlace(e, infos, 4 * count)) return fail(e, `pvm_${kind}`, "PvmBadParam");
    return ask(e, kind, { hosts }, [infos]);
  };
}

/** Microseconds since 1970. */
function nowUs(e: EngineState): number {
  return Number(e.edge.wallClock() / 1000n);
}

function putTime(e: EngineState, at: number, us: number): void {
  if (at === 0) return;
  const { view } = currentContext(e);
  const seconds = Math.floor(us / US);
  view.setBigInt64(at >>> 0, BigInt(seconds), true);
  view.setInt32((at >>> 0) + TIMEVAL.usec, us - seconds * US, true);
}

export function machineCalls(e: EngineState) {
  return {
    pvm_config_get(rows: number, capacity: number, names: number, bytes: number): number {
      const n = Math.max(0, capacity);
      if (!isPlace(e, rows, 4 * CONFIG_ROW_INTS * n) || !isPlace(e, names, Math.max(0, bytes)))
        return fail(e, "pvm_config", "PvmBadParam");
      return ask(e, "config", {}, [rows, n, names, bytes]);
    },
    pvm_mstat(host: number): number {
      const name = host === 0 ? "" : cText(e, host);
      return name === undefined || name === ""
        ? fail(e, "pvm_mstat", "PvmBadParam")
        : ask(e, "mstat", { host: name });
    },
    pvm_addhosts: hostsCall(e, "addhosts"),
    pvm_delhosts: hostsCall(e, "delhosts"),
    pvm_hostsync(host: number, rclk: number, delta: number): number {
      if (!isPlace(e, rclk, TIMEVAL.bytes) || !isPlace(e, delta, TIMEVAL.bytes))
        return fail(e, "pvm_host_sync", "PvmBadParam");
      const began = nowUs(e);
      return ask(e, "hostsync", { host }, [rclk, delta, Math.floor(began / US) | 0, began % US]);
    },
    pvm_archcode(arch: number): number {
      const name = arch === 0 ? undefined : cText(e, arch);
      if (name === undefined) return fail(e, "pvm_archcode", "PvmBadParam");
      return name === HOST_ARCH ? HOST_SIGNATURE : fail(e, "pvm_archcode", "PvmNotFound");
    },
    pvm_halt(): number {
      return ask(e, "halt", {});
    },
    pvm_start_pvmd(): number {
      return fail(e, "pvm_start_pvmd", "PvmDupHost");
    },
  };
}

export const configAnswered: Continuation = (e, { value, ints, texts }, keep) => {
  const [rows, capacity, names, bytes] = keep as [number, number, number, number];
  (ints ?? []).slice(0, capacity * CONFIG_ROW_INTS).forEach((word, i) => {
    if (rows !== 0) putInt(e, rows + 4 * i, word);
  });
  const all = new TextEncoder().encode((texts ?? []).map((text) => `${text}\0`).join(""));
  const room = Math.min(all.length, Math.max(0, bytes));
  if (names !== 0) currentContext(e).bytes.set(all.subarray(0, room), names >>> 0);
  return check(e, "pvm_config", value);
};

/** A code for each host goes to `infos`. */
export const hostsAnswered: Continuation = (e, { value, ints }, [infos]) => {
  (ints ?? []).forEach((code, i) => {
    if (infos !== 0) putInt(e, infos! + 4 * i, code);
  });
  return value;
};

export const hostsyncAnswered: Continuation = (e, { value, ints }, keep) => {
  if (value < 0) return check(e, "pvm_host_sync", value);
  const [rclk, delta, beganS, beganUs] = keep as [number, number, number, number];
  const remote = ints![0]! * US + ints![1]!;
  // The caller's clock when the host looked at its own, as near as one can tell.
  const middle = Math.floor((beganS * US + beganUs + nowUs(e)) / 2);
  putTime(e, rclk, remote);
  putTime(e, delta, middle - remote);
  return value;
};

/** A negative answer that PVM's library does not print. */
export const quietly: Continuation = (e, { value }) => note(e, value);
