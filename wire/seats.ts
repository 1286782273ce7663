/**
 * Seats: where the first ULPs of a run are to begin, by host and engine, as the user says it (`upvm run --seats`).
 *
 * Owns: the shape, checked wherever it arrives, and which ULP gets which seat. The paper's custom allocation (3.2.2, vi). How a
 * user writes them is upvm/seats.ts; who has no seats gets them by `--place` (job.ts). Pure.
 */
import * as v from "valibot";
import { LIMITS } from "./limits.ts";

/** So many ULPs, one after the other, on one host. */
export const SEAT_ROW = v.strictObject({
  host: v.string(),
  /** One of its engines; absent: they are put on all of them as `place` says. */
  engine: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(LIMITS.engines - 1))),
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(LIMITS.ulps)),
});
export type SeatRow = v.InferOutput<typeof SEAT_ROW>;
export const SEAT_ROWS = v.pipe(v.array(SEAT_ROW), v.minLength(1), v.maxLength(LIMITS.ulps));

/** A host that has seats, and its engines. */
interface SeatHost {
  readonly host: string;
  readonly engines: number;
}

/** The row that cannot be, since its host has not that engine; undefined: there is none. */
export function badSeat(rows: readonly SeatRow[], hosts: readonly SeatHost[]): (SeatHost & { readonly engine: number }) | undefined {
  for (const row of rows) {
    const engines = hosts.find(({ host }) => host === row.host)?.engines ?? 0;
    if (engines <= (row.engine ?? 0)) return { ...row, engine: row.engine ?? 0, engines };
  }
  return undefined;
}

/**
 * Seat of each ULP, by index. After the last row the first comes again.
 *
 * @param rows  without a badSeat on these hosts
 * @returns place of its host in `hosts`, and an engine of it
 */
export function seatsFrom(
  rows: readonly SeatRow[],
  hosts: readonly SeatHost[],
  ulps: number,
  place: "block" | "cyclic",
): { member: number; engine: number }[] {
  const numbers = new Map(hosts.map(({ host }, member) => [host, member]));
  const given: { member: number; engine: number | undefined }[] = [];
  while (given.length < ulps)
    for (const { host, engine, count } of rows)
      for (let n = Math.min(count, ulps - given.length); n > 0; n--)
        given.push({ member: numbers.get(host)!, engine });
  const free = hosts.map(() => 0);
  for (const { member, engine } of given) if (engine === undefined) free[member]!++;
  const taken = hosts.map(() => 0);
  return given.map(({ member, engine }) => {
    if (engine !== undefined) return { member, engine };
    const nth = taken[member]!++;
    const { engines } = hosts[member]!;
    const of = free[member]!;
    return { member, engine: place === "cyclic" ? nth % engines : Math.floor((nth * Math.min(engines, of)) / of) };
  });
}
