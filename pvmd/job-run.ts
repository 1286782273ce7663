/**
 * A job that runs, as its master has it beside its state (jobs.ts): who runs it, its processes, its programs, its results.
 *
 * Owns: links to its application processes, results until they are handed over, and what its command is asked for. What
 * happens to the job is decided elsewhere.
 */
import type { Rpc } from "../net/rpc.ts";
import type { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Restart } from "./checkpoints.ts";
import { errorOf } from "./job-failure.ts";
import { JobPrograms, type Modules } from "./job-programs.ts";
import type { Job } from "./jobs.ts";
import { Waves } from "./waves.ts";

export class JobRun {
  readonly client: Rpc;
  readonly restart: Restart | undefined;
  readonly programs: JobPrograms;
  /** Application processes, by number. */
  readonly processes = new Map<number, Rpc>();
  /** Those that are taken for gone, also while it is settled where their ULPs are. */
  readonly lost = new Set<number>();
  /** Their results, as JSON. */
  readonly results = new Map<number, string>();
  /** Told when a process that was enlisted has begun, or is gone. */
  readonly enlisted = new Map<number, (member: number | undefined) => void>();
  /** What the command gets when the job is over: JSON. @throws UpvmError why it did not begin */
  readonly result: Promise<Uint8Array>;
  private done: (result: Uint8Array) => void = () => {};
  private fail: (error: UpvmError) => void = () => {};
  /** Two members whose link goes through the daemons. */
  readonly routes: (readonly [number, number])[] = [];
  /** Who runs the job knows that some links do. */
  private toldRoutes = false;
  private readonly waves = new Waves();
  /** A wave is being asked for. */
  private asking = false;

  /** @param main  linked module of the program that the wish names */
  constructor(
    client: Rpc,
    wish: ConstructorParameters<typeof JobPrograms>[0],
    main: Uint8Array,
    modules: Modules,
    restart: Restart | undefined,
  ) {
    this.client = client;
    this.restart = restart;
    this.programs = new JobPrograms(wish, main, modules, {
      ask: (name) => this.askProgram(name),
      processes: () => [...this.processes.values()],
    });
    this.result = new Promise((done, fail) => {
      this.done = done;
      this.fail = fail;
    });
  }

  private async askProgram(name: string): Promise<Uint8Array | undefined> {
    const answer = await this.client.request("jobProgram", { name }, undefined, 0).catch(() => undefined);
    return answer?.body.found === true ? answer.bytes : undefined;
  }

  /**
   * Links of a member to these go through the daemons. Where that was not asked for, who runs the job is told once.
   *
   * @returns why, as a line; undefined: it was asked for
   */
  routed(
    { spec }: Job,
    member: number,
    links: readonly { readonly member: number; readonly why?: string | undefined }[],
  ): string | undefined {
    const host = (at: number): string => spec.members[at]?.host ?? "?";
    const lines: string[] = [];
    for (const { member: other, why } of links) {
      this.routes.push([other, member]);
      if (why !== undefined)
        lines.push(
          `${host(member)} and ${host(other)} have no direct link (${why}): theirs goes through the daemons`,
        );
    }
    const [first] = lines;
    if (first !== undefined && !this.toldRoutes) {
      this.toldRoutes = true;
      this.client.tell("jobNotice", { text: `${first}; upvm jobs --json tells of all` });
    }
    return lines.length === 0 ? undefined : lines.join("; ");
  }

  /** Standard input, so many bytes at most; none: its end, or the command is gone. */
  async input(bytes: number): Promise<Uint8Array> {
    const asked = { bytes: Math.min(bytes, LIMITS.inputBytes) };
    const answer = await this.client.request("jobInput", asked, undefined, 0).catch(() => undefined);
    return answer?.bytes ?? new Uint8Array(0);
  }

  /** True if a read would not have to wait, within so many milliseconds. */
  async inputReady(ms: number): Promise<boolean> {
    const answer = await this.client.request("jobInputReady", { ms }, undefined, 0).catch(() => undefined);
    return answer?.body.ready ?? true;
  }

  /** Asks all processes for a wave (waves.ts). @returns true: nothing will happen in them any more */
  async isDead(): Promise<boolean> {
    if (this.asking) return false;
    this.asking = true;
    try {
      const asked = [...this.processes].map(
        async ([member, rpc]) => [member, (await rpc.request("jobWave", {}, undefined, 0)).body] as const,
      );
      return this.waves.judge(new Map(await Promise.all(asked)));
    } catch {
      // One of them is gone: that is told by its link.
      return false;
    } finally {
      this.asking = false;
    }
  }

  /** The job is over: who runs it gets the results, or why there are none. */
  over({ lost, killed, failure, stopped }: Job): void {
    for (const tell of this.enlisted.values()) tell(undefined);
    if (failure !== undefined) {
      this.fail(errorOf(failure));
      return;
    }
    const results = `[${[...this.results.values()].join(",")}]`;
    const rest = JSON.stringify({ lost: [...lost], killed: [...killed], stopped });
    this.done(new TextEncoder().encode(`{"results":${results},"rest":${rest}}`));
  }
}
