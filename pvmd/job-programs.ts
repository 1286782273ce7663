/**
 * Programs of a job: its own, and those that its tasks have spawned.
 *
 * Owns: their rows, which are the same in every process of the job and for who runs it, and that each program is got once and
 * goes to each process once. A process that comes later gets all that there are before it gets any task. That there is no such
 * program is not kept: there may be one when it is asked for again.
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
  /** Processes that have loaded it. */
  readonly there: WeakSet<Rpc>;
}

export class JobPrograms {
  /** By row. */
  private readonly programs: Program[];
  /** Of those that are there, or are asked for. */
  private readonly rows = new Map<string, Promise<number>>();
  private readonly modules: Modules;
  private readonly source: ProgramSource;

  constructor({ name, hash }: JobWish, wasm: Uint8Array, modules: Modules, source: ProgramSource) {
    this.programs = [{ name, hash, wasm, there: new WeakSet() }];
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
      void row.then((found) => found < 0 && this.rows.delete(name));
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
    // Who runs the job counts what it gives as we do: what has come, and then not gone to all processes, is not asked for again.
    const known = this.programs.findIndex((program) => program.name === name);
    const row = known < 0 ? await this.get(name) : known;
    if (row === undefined) return PVM_ERROR.PvmNoFile.code;
    // One that is gone is none of the job's any more.
    const given = this.source
      .processes()
      .map((rpc) => this.give(rpc, row).catch((error) => rpc.link.end ?? Promise.reject(error)));
    await Promise.all(given);
    return row;
  }

  private async get(name: string): Promise<number | undefined> {
    const wasm = await this.source.ask(name);
    if (wasm === undefined) return undefined;
    const hash = this.modules.hashOf(wasm);
    this.modules.keep(hash, wasm);
    return this.programs.push({ name, hash, wasm, there: new WeakSet() }) - 1;
  }

  private async give(rpc: Rpc, row: number): Promise<void> {
    const { name, hash, there } = this.programs[row]!;
    if (there.has(rpc)) return;
    await rpc.request("programLoad", { row, name, hash }, undefined, LIMITS.jobStartMs);
    there.add(rpc);
  }
}
