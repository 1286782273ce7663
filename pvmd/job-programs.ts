/**
 * Programs of a job: its own, and those that its tasks have spawned.
 *
 * Owns: their rows, which are the same in every process of the job, and that each program is asked for once and goes to each
 * process once. A process that comes later gets all that there are before it gets any task.
 */
import type { Rpc } from "../net/rpc.ts";
import type { JobWish } from "../wire/job.ts";
import { LIMITS } from "../wire/limits.ts";
import { PVM_ERROR } from "../wire/pvm.ts";

/** Linked modules that the master keeps, by hash. */
export interface Modules {
  find(hash: string): Promise<Uint8Array | undefined>;
  /** @returns why it is not kept: its hash is another, or what the disk says; undefined: it is */
  keep(hash: string, wasm: Uint8Array): string | undefined;
  hashOf(wasm: Uint8Array): string;
}

export interface ProgramSource {
  /** Asks who runs the job for a program. @returns the linked module; undefined: there is none */
  ask(name: string): Promise<Uint8Array | undefined>;
  processes(): readonly Rpc[];
}

interface Program {
  readonly name: string;
  readonly hash: string;
  readonly wasm: Uint8Array;
}

export class JobPrograms {
  /** By row. */
  private readonly programs: Program[];
  private readonly rows = new Map<string, Promise<number>>();
  private readonly modules: Modules;
  private readonly source: ProgramSource;

  constructor({ name, hash }: JobWish, wasm: Uint8Array, modules: Modules, source: ProgramSource) {
    this.programs = [{ name, hash, wasm }];
    this.rows.set(name, Promise.resolve(0));
    this.modules = modules;
    this.source = source;
  }

  hashOf(row: number): string | undefined {
    return this.programs[row]?.hash;
  }

  /** Name and hash of each, by row. */
  list(): { name: string; hash: string }[] {
    return this.programs.map(({ name, hash }) => ({ name, hash }));
  }

  nameOf(row: number): string | undefined {
    return this.programs[row]?.name;
  }

  module(hash: string): Uint8Array | undefined {
    return this.programs.find((program) => program.hash === hash)?.wasm;
  }

  /** Row of a program, when all processes have it, or PvmNoFile. Never fails. */
  row(name: string): Promise<number> {
    let row = this.rows.get(name);
    if (row === undefined) {
      row = this.load(name).catch(() => PVM_ERROR.PvmNoFile.code);
      this.rows.set(name, row);
    }
    return row;
  }

  /** A process has joined the job. @returns whether it has all programs, and all others know of it; false: it is gone */
  async joined(rpc: Rpc): Promise<boolean> {
    try {
      // Else one of them would be told to send it a ULP before it has heard of it.
      await rpc.request("jobKnown", {}, undefined, LIMITS.jobStartMs);
      for (let row = 1; row < this.programs.length; row++) await this.give(rpc, row);
      return true;
    } catch {
      return false;
    }
  }

  private async load(name: string): Promise<number> {
    const wasm = await this.source.ask(name);
    if (wasm === undefined) return PVM_ERROR.PvmNoFile.code;
    const hash = this.modules.hashOf(wasm);
    this.modules.keep(hash, wasm);
    const row = this.programs.push({ name, hash, wasm }) - 1;
    // One that is gone is none of the job's any more.
    const given = this.source
      .processes()
      .map((rpc) => this.give(rpc, row).catch((error) => rpc.link.end ?? Promise.reject(error)));
    await Promise.all(given);
    return row;
  }

  private async give(rpc: Rpc, row: number): Promise<void> {
    const { name, hash } = this.programs[row]!;
    await rpc.request("programLoad", { row, name, hash }, undefined, LIMITS.jobStartMs);
  }
}
