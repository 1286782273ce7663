/**
 * Why a job did not begin, an UpvmError, as plain data until the command that runs it is told; and why it lost a process.
 */
import { ERRORS, type ErrorCode, UpvmError } from "../wire/errors.ts";
import type { JobSpec } from "../wire/job.ts";

export interface JobFailure {
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly text: string;
}

export const NO_HOST: JobFailure = {
  code: "JOB_NOT_RUN",
  facts: { why: "no host is in service" },
  text: "",
};

/** What the command throws. A code that is none of ours has its text. */
export function errorOf({ code, facts, text }: JobFailure): UpvmError {
  if (Object.hasOwn(ERRORS, code)) return new UpvmError(code as ErrorCode, facts);
  return new UpvmError("JOB_NOT_RUN", { why: text });
}

/**
 * Why a process is gone, with where its host may say what has ended it: its link cannot.
 *
 * @param isLeaving  its host was deleted, or leaves: that has ended it, and nobody can be asked any more
 */
export function lostText(spec: JobSpec | undefined, member: number, why: string, isLeaving: boolean): string {
  const host = spec?.members[member]?.host;
  if (isLeaving) return `host ${host} was deleted, or has left`;
  return host === undefined ? why : `${why}; upvm log ${host} may say more`;
}
