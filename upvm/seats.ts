/**
 * `upvm run --seats`: which ULP begins on which host and engine, as a user writes it.
 *
 * Owns: the words. A list as mpirun's --host takes it, or the lines of a file: Open MPI's hostfile and rankfile are read, as far
 * as they say what upvm has. What seats mean is wire/seats.ts. Pure.
 */
import type { Placement } from "../runtime/scheduler/placement.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { badSeat, type SeatRow, seatsFrom } from "../wire/seats.ts";
import { usage } from "./args.ts";

/** The host where the command is given. */
export const THIS_HOST = ".";
/** HOST[/ENGINE][:COUNT]. A host is "." for the one where the command is given. */
const ITEM = /^(\.|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?:\/(\d{1,4}))?(?::(\d{1,6}))?$/;
const SLOTS = /^(\S+)\s+slots\s*=\s*(\d{1,6})(?:\s+max[_-]slots\s*=\s*\d+)?$/;
const RANK = /^rank\s+(\d{1,6})\s*=\s*(\S+?)(?:\s+slot\s*=\s*(\d{1,4}))?$/;
const TAKES = "it takes HOST[/ENGINE][:COUNT]";

/** @param text  HOST[/ENGINE][:COUNT], with commas between. @throws UpvmError USAGE */
export function seatsOfList(text: string): SeatRow[] {
  return text.split(",").map((item) => rowOf(item.trim()));
}

/**
 * @param path  of the file, for what is said
 * @throws UpvmError USAGE, with the number of the line
 */
export function seatsOfFile(path: string, text: string): SeatRow[] {
  const rows: SeatRow[] = [];
  const ranks = new Map<number, SeatRow>();
  for (const [at, line] of text.split("\n").entries()) {
    const words = line.replace(/#.*/, "").trim();
    const bad = (why: string): UpvmError =>
      refused(`line ${at + 1} of ${path}, "${words.slice(0, 80)}"`, why);
    if (words === "") continue;
    const rank = RANK.exec(words);
    if (rank === null) {
      const slots = SLOTS.exec(words);
      rows.push(slots === null ? rowOf(words, bad) : rowOf(`${slots[1]}:${slots[2]}`, bad));
    } else {
      if (ranks.has(Number(rank[1]))) throw bad("that rank has a seat already");
      ranks.set(Number(rank[1]), rowOf(rank[3] === undefined ? rank[2]! : `${rank[2]}/${rank[3]}`, bad));
    }
    if (ranks.size > 0 && rows.length > 0) throw bad("a file has either ranks or hosts");
    if (Math.max(rows.length, ranks.size) > LIMITS.ulps) throw bad(`${LIMITS.ulps} lines at most`);
  }
  if (ranks.size === 0 && rows.length === 0) throw refused(path, "it says no host");
  return ranks.size === 0 ? rows : inOrder(path, ranks);
}

/** ULPs that these seats are for: what `--ulps` is unless told. */
export function seatCount(rows: readonly SeatRow[]): number {
  return Math.min(
    rows.reduce((sum, { count }) => sum + count, 0),
    LIMITS.ulps,
  );
}

/** Engines of the only host there is, which all seats are on. Throws UpvmError SEAT_UNKNOWN for one that it has not. */
export function placementOf(rows: readonly SeatRow[], place: "block" | "cyclic"): Placement {
  let seats: readonly { engine: number }[] | undefined;
  return (index, ulps, engines) => {
    if (seats === undefined) {
      const hosts = [{ host: THIS_HOST, engines }];
      const bad = badSeat(rows, hosts);
      if (bad !== undefined)
        throw new UpvmError("SEAT_UNKNOWN", { host: "this host", engine: bad.engine, engines });
      seats = seatsFrom(rows, hosts, ulps, place);
    }
    return seats[index]!.engine;
  };
}

/**
 * Hosts that a job is to have: those that --hosts names, else those that have seats; undefined: all.
 *
 * @throws UpvmError USAGE if a seat is on none of them
 */
export function hostsOf(
  names: readonly string[],
  rows: readonly SeatRow[] | undefined,
): readonly string[] | undefined {
  const seated = [...new Set(rows?.map(({ host }) => host))];
  if (names.length === 0) return rows && seated;
  const other = seated.find((host) => !names.includes(host));
  if (other !== undefined) throw usage(`Cannot take ${other} for --seats: --hosts does not name it`, "run");
  return names;
}

function inOrder(path: string, ranks: ReadonlyMap<number, SeatRow>): SeatRow[] {
  return Array.from({ length: ranks.size }, (_, rank) => {
    const row = ranks.get(rank);
    if (row === undefined) throw refused(path, `it has ${ranks.size} ranks, and not rank ${rank}`);
    return row;
  });
}

function rowOf(
  text: string,
  bad = (why: string): UpvmError => refused(`"${text.slice(0, 80)}"`, why),
): SeatRow {
  const item = ITEM.exec(text);
  if (item === null) throw bad(TAKES);
  const [, host = "", engine, count] = item;
  if (Number(engine ?? 0) >= LIMITS.engines) throw bad(`a host has ${LIMITS.engines} engines at most`);
  if (Number(count ?? 1) < 1 || Number(count ?? 1) > LIMITS.ulps)
    throw bad(`a count is from 1 to ${LIMITS.ulps}`);
  return { host, count: Number(count ?? 1), ...(engine !== undefined && { engine: Number(engine) }) };
}

function refused(what: string, why: string): UpvmError {
  return usage(`Cannot take ${what} for --seats: ${why}`, "run");
}
