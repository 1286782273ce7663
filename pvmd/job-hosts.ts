/**
 * Hosts of a job: which it may use, and what its process on each is.
 *
 * Owns: the choice, by the wish of who runs it. Pure.
 */
import { UpvmError } from "../wire/errors.ts";
import type { JobMember, JobWish, LinkKind } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { badSeat } from "../wire/seats.ts";

/** A host that a job can have a process on. */
export interface JobHost {
  readonly name: string;
  /** Tid of its daemon. */
  readonly tid: number;
  readonly cores: number;
}

/** Those of `all` that a job may use, in order of their numbers, or as the wish has them; each once. @throws UpvmError HOST_UNKNOWN */
export function hostsFor({ hosts }: JobWish, all: readonly JobHost[]): readonly JobHost[] {
  if (hosts === undefined) return all;
  return [...new Set(hosts)].map((name) => {
    const found = all.find((host) => host.name === name);
    if (found === undefined) throw new UpvmError("HOST_UNKNOWN", { what: "run on", host: name });
    return found;
  });
}

/** Those of `all` that a job may use now: some of those that it was told may be gone. */
export function allowedFor({ hosts }: JobWish, all: readonly JobHost[]): readonly JobHost[] {
  return hosts === undefined ? all : all.filter(({ name }) => hosts.includes(name));
}

/**
 * Kind of link that a job's processes have, unless the wish names one: TLS as soon as one host of the virtual machine listens
 * by TLS. Who asked for that does not expect messages and images of ULPs to cross the network in the clear.
 *
 * @param addresses  of all hosts of the virtual machine
 */
export function linkFor({ link }: JobWish, addresses: readonly string[]): LinkKind {
  if (link !== "auto") return link;
  return addresses.some((address) => address.startsWith("tls:")) ? "tls" : "tcp";
}

/** @throws UpvmError SEAT_UNKNOWN: a ULP is to begin where there is nothing of this job */
export function checkSeats({ seats }: JobWish, members: readonly JobMember[]): void {
  const bad = seats && badSeat(seats, members);
  if (bad === undefined) return;
  if (bad.engines === 0) throw new UpvmError("HOST_UNKNOWN", { what: "run on", host: bad.host });
  throw new UpvmError("SEAT_UNKNOWN", { host: bad.host, engine: bad.engine, engines: bad.engines });
}

export function memberOn({ name, cores }: JobHost, wish: JobWish): JobMember {
  return { host: name, engines: Math.min(wish.cores ?? cores, LIMITS.engines) };
}
