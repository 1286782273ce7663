/**
 * A run on the hosts of a virtual machine: the command's side of a job.
 *
 * Owns: what the command gives the master and gets from it. What ULPs print, their input and the programs that they spawn go
 * through this process, as in a run without a pvmd. The jobs are the master's (pvmd/job-master.ts).
 */
import type { Handlers, Rpc } from "../net/rpc.ts";
import type { Manifest } from "../wire/checkpoint.ts";
import { UpvmError } from "../wire/errors.ts";
import type { JobWish, Route } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import type { JobStop } from "../wire/rpc-job.ts";
import type { SeatRow } from "../wire/seats.ts";
import { splitOutput } from "./output-pipe.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { EXIT_CODE_LOST, mergeResults, type Reason, type UlpResult } from "./run-result.ts";

/** What a user chooses for a job and not for a run in one process. */
export interface VmChoice {
  /** Hosts by name; all unless told. */
  readonly hosts: readonly string[] | undefined;
  readonly link: JobWish["link"];
  readonly route: Route;
  /** Where ULPs begin; as RunOptions.place says unless told. */
  readonly seats?: readonly SeatRow[] | undefined;
}

/**
 * @param rpc  the master, who may ask what commandHandlers do; its link is closed
 * @param hashOf  SHA-256 of a module, hexadecimal
 * @throws UpvmError if the job cannot begin, or the master is gone
 */
export async function runOnMachine(
  options: RunOptions,
  choice: VmChoice,
  rpc: Rpc,
  hashOf: (module: Uint8Array) => string,
): Promise<RunResult> {
  const { module, signal } = options;
  const hash = hashOf(module);
  return await toItsEnd(rpc, signal, async () => {
    await putModule(rpc, hash, module);
    return rpc.request("run", wishOf(options, choice, hash), undefined, 0);
  });
}

/**
 * As runOnMachine, from a checkpoint. The master may ask what commandHandlers do, and for images.
 *
 * @param modules  of its programs, by row
 * @param box  what entries of the message box hold
 * @throws UpvmError as that
 */
export async function restartOnMachine(
  { job, wish, ulps, programs, images, kept }: Manifest,
  modules: readonly Uint8Array[],
  box: Uint8Array,
  signal: AbortSignal,
  rpc: Rpc,
): Promise<RunResult> {
  return await toItsEnd(rpc, signal, async () => {
    for (const [row, { hash }] of programs.entries()) await putModule(rpc, hash, modules[row]!);
    const living = images.map(({ tid, index, program }) => ({ tid, index, program }));
    const named = programs.map(({ name, hash }) => ({ name, hash }));
    const asked = { job, wish: { ...wish, ulps }, programs: named, living, kept };
    return rpc.request("restart", asked, box, 0);
  });
}

async function putModule(rpc: Rpc, hash: string, module: Uint8Array): Promise<void> {
  const { body } = await rpc.request("hasModule", { hash });
  if (!body.has) await rpc.request("putModule", { hash }, module, LIMITS.jobStartMs);
}

/** @param begin  asks for the job; answered at its end */
async function toItsEnd(
  rpc: Rpc,
  signal: AbortSignal | undefined,
  begin: () => Promise<{ readonly bytes: Uint8Array }>,
): Promise<RunResult> {
  const beganMs = performance.now();
  const interrupt = (): void => rpc.tell("interrupt", {});
  try {
    const over = begin();
    if (signal?.aborted) interrupt();
    signal?.addEventListener("abort", interrupt);
    return resultOf((await over).bytes, performance.now() - beganMs);
  } catch (error) {
    const { end, peer } = rpc.link;
    if (end === undefined || !(error instanceof UpvmError) || error.code !== "LINK_LOST") throw error;
    throw new UpvmError("JOB_LOST", { host: peer.host, why: end.text });
  } finally {
    signal?.removeEventListener("abort", interrupt);
    rpc.link.close();
  }
}

function wishOf(options: RunOptions, { hosts, link, route, seats }: VmChoice, hash: string): JobWish {
  const {
    name = "program",
    ulps = 1,
    args = [],
    env = [],
    grants = [],
    place,
    input,
    tag,
    handoff,
  } = options;
  const { cores, sliceMs, profileMs, heapBytes, memoryPages, framesBytes, shuffle } = options;
  return {
    name,
    hash,
    ulps,
    place: place === "cyclic" ? "cyclic" : "block",
    link,
    route,
    args: [...args],
    env: [...env],
    grants: grants.map((grant) => ({ ...grant })),
    input: input !== undefined,
    tag: tag ?? false,
    handoff: handoff ?? true,
    framesBytes: framesBytes ?? LIMITS.framesBytesMax,
    ...(hosts !== undefined && { hosts: [...hosts] }),
    ...(seats !== undefined && { seats: [...seats] }),
    ...(cores !== undefined && { cores }),
    ...(sliceMs !== undefined && { sliceMs }),
    ...(profileMs !== undefined && { profileMs }),
    ...(heapBytes !== undefined && { heapBytes }),
    ...(memoryPages !== undefined && { memoryPages }),
    ...(shuffle !== undefined && { shuffle }),
  };
}

/**
 * What the master asks of the command that runs a job.
 *
 * @param notice  told what the user should know: a line
 * @param begun  told the job's number
 */
export function commandHandlers(
  { output, input, loadProgram }: RunOptions,
  notice: (text: string) => void,
  begun?: ((job: number) => void) | undefined,
): Handlers {
  return {
    jobNotice: ({ text }) => {
      notice(text);
      return { body: undefined };
    },
    jobBegun: ({ job }) => {
      begun?.(job);
      return { body: undefined };
    },
    jobOutput: async ({ pieces }, bytes) => {
      const waits: unknown[] = [];
      splitOutput(pieces, bytes, (fd, text, tid) => waits.push(output?.(fd, text, tid)));
      await Promise.all(waits);
      return { body: {} };
    },
    jobInput: async ({ bytes }) => ({ body: {}, bytes: (await input?.read(bytes)) ?? new Uint8Array(0) }),
    jobInputReady: async ({ ms }) => ({ body: { ready: (await input?.ready(ms)) ?? true } }),
    jobProgram: async ({ name }) => {
      const wasm = await loadProgram?.(name);
      return { body: { found: wasm !== undefined }, ...(wasm !== undefined && { bytes: wasm }) };
    },
  };
}

/** What the master hands over: the result of each process that was left, and what happened to the others. */
interface Outcome {
  readonly results: readonly RunResult[];
  readonly rest: {
    readonly lost: readonly (readonly [number, string])[];
    readonly killed: readonly number[];
    readonly stopped?: JobStop;
  };
}

/** The results are upvm's own words: the processes wrote them. */
function resultOf(bytes: Uint8Array, ms: number): RunResult {
  const { results, rest } = JSON.parse(new TextDecoder().decode(bytes)) as Outcome;
  const merged = mergeResults(results, ms);
  const lost = rest.lost.map(([tid, why]) => ({
    tid,
    index: (tid & INDEX) - 1,
    program: 0,
    exitCode: EXIT_CODE_LOST,
    error: { message: `its process was ended: ${why}`, stack: [] },
  }));
  const ended = merged.ulps.map((ulp): UlpResult => {
    // It may have ended by itself just before.
    const byCommand = ulp.killed !== undefined && rest.killed.includes(ulp.tid);
    return byCommand ? { ...ulp, killedByCommand: true } : ulp;
  });
  const ulps = [...ended, ...lost].sort((a, b) => a.index - b.index);
  const reason = reasonOf(rest.stopped, merged.reason, ulps);
  return { ...merged, ulps, reason, ok: reason === "done" };
}

/** Who has ended the job says more than how its processes did. */
function reasonOf(stopped: JobStop | undefined, merged: Reason, ulps: readonly UlpResult[]): Reason {
  if (stopped === "interrupted" || stopped === "killed" || stopped === "closed") return stopped;
  if (merged !== "done") return merged;
  if (ulps.some(({ exitCode }) => exitCode === EXIT_CODE_LOST)) return "failed";
  return ulps.some(({ killedByCommand }) => killedByCommand) ? "killed" : "done";
}

/** Bits of a tid that number a job's tasks. */
const INDEX = 0x3ffff;
