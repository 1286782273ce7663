/**
 * A job: one run of a program on a virtual machine, as its application processes are told of it.
 *
 * Owns: the shape, checked wherever it arrives, and where the first ULPs are: every process works that out for itself, and
 * all come to the same. A job has a number, so that its tids are its own (wire/pvm.ts), and *members*: one application process
 * on each host, numbered from 0 (the paper's VPs). Pure.
 */
import * as v from "valibot";
import { LIMITS } from "./limits.ts";
import { SEAT_ROWS, seatsFrom } from "./seats.ts";

const whole = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
/** SHA-256 of a linked module, hexadecimal. */
export const HASH = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
export const TID = whole(-0x80000000, 0x7fffffff);
export const JOB = whole(1, LIMITS.jobs);
export const MEMBER = whole(0, LIMITS.members - 1);

const GRANT = v.strictObject({ host: v.string(), guest: v.string(), readOnly: v.boolean() });

/** Kinds of links between a job's processes; auto: as the virtual machine's hosts reach each other. */
export const LINKS = ["auto", "unix", "tcp", "tls"] as const;

/** The way of links between a job's processes: from one to the other, through the daemons, or the first where that can be. */
export const ROUTES = ["auto", "direct", "daemons"] as const;
export const ROUTE = v.picklist(ROUTES);
export type Route = v.InferOutput<typeof ROUTE>;

/** What the user asks for: `upvm run`. */
export const JOB_WISH = v.strictObject({
  name: v.string(),
  hash: HASH,
  ulps: whole(1, LIMITS.ulps),
  place: v.picklist(["block", "cyclic"]),
  link: v.picklist(LINKS),
  /** Whether they are direct; auto, which is also what a job without it has: those that can be made. */
  route: v.optional(ROUTE),
  args: v.array(v.string()),
  env: v.array(v.string()),
  grants: v.pipe(v.array(GRANT), v.maxLength(LIMITS.grants)),
  input: v.boolean(),
  tag: v.boolean(),
  handoff: v.boolean(),
  framesBytes: v.number(),
  /** Engines of each process, at most; its host's processors unless told. */
  cores: v.optional(whole(1, LIMITS.engines)),
  sliceMs: v.optional(v.number()),
  profileMs: v.optional(v.number()),
  heapBytes: v.optional(whole(LIMITS.heapBytesMin, LIMITS.heapBytesMax)),
  memoryPages: v.optional(whole(1, LIMITS.memoryPages)),
  shuffle: v.optional(v.number()),
  /** Hosts by name; all that are in service unless told. */
  hosts: v.optional(v.array(v.string())),
  /** Where its ULPs begin, in place of what `place` alone says. */
  seats: v.optional(SEAT_ROWS),
});
export type JobWish = v.InferOutput<typeof JOB_WISH>;
/** What a process of it is told. */
export const LINK_KIND = v.picklist(["unix", "tcp", "tls"]);
export type LinkKind = v.InferOutput<typeof LINK_KIND>;

/** How its processes are linked. */
export interface JobLinking {
  readonly link: LinkKind;
  readonly route: Route;
}

/** One application process of a job. */
const JOB_MEMBER = v.strictObject({ host: v.string(), engines: whole(1, LIMITS.engines) });
export type JobMember = v.InferOutput<typeof JOB_MEMBER>;

/**
 * What is decided: a wish, its number, and its members, which are in order of their numbers. The first `founders` of them have
 * the first ULPs; others have come since, for tasks that were spawned.
 */
export const JOB_SPEC = v.strictObject({
  job: JOB,
  /** How many jobs have begun in the virtual machine with it: a later one may have its number, none has this. */
  life: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  wish: JOB_WISH,
  founders: whole(1, LIMITS.members),
  /** It begins from a checkpoint: its ULPs come as images, and have no seats that they begin on. */
  restart: v.optional(v.boolean()),
  members: v.pipe(v.array(JOB_MEMBER), v.minLength(1), v.maxLength(LIMITS.members)),
});
export type JobSpec = v.InferOutput<typeof JOB_SPEC>;

/** Where a ULP is to begin. */
export interface Seat {
  readonly member: number;
  readonly engine: number;
}

/**
 * Seat of each of the first ULPs, by index. `block`: neighbours together, on one engine, then on one host. `cyclic`: dealt
 * out to all hosts in turn, and on each to its engines (the paper's interleaved placement). The user's own seats go before.
 */
export function seatsOf({ wish, members, founders }: JobSpec): readonly Seat[] {
  if (wish.seats !== undefined) return seatsFrom(wish.seats, members.slice(0, founders), wish.ulps, wish.place);
  const seats = members.slice(0, founders).flatMap(({ engines }, member) =>
    Array.from({ length: engines }, (_, engine) => ({ member, engine })),
  );
  if (wish.place === "cyclic") seats.sort((a, b) => a.engine - b.engine || a.member - b.member);
  const used = Math.min(seats.length, wish.ulps);
  return Array.from({ length: wish.ulps }, (_, i) => {
    const seat = wish.place === "cyclic" ? i % seats.length : blockSeat(i, wish.ulps, seats, used);
    return seats[seat]!;
  });
}

/** Fewer ULPs than seats: they are spread over the hosts, not put on the first. */
function blockSeat(index: number, ulps: number, seats: readonly Seat[], used: number): number {
  const block = Math.floor((index * used) / ulps);
  return Math.floor((block * seats.length) / used);
}
