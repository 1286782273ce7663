/**
 * Linked modules that a host has, by the SHA-256 of their bytes: each goes to a host once.
 *
 * Owns: the folder `modules` in a host's home. Never trusted: a file whose hash is not its name is none. Bounded: the ones
 * unused for longest go. Nothing here fails: what is not kept is fetched again, or its owner is told why it cannot be kept.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Modules } from "../pvmd/job-programs.ts";
import { LIMITS } from "../wire/limits.ts";
import { homeWords } from "./node-home.ts";

const SUFFIX = ".wasm";

function moduleHash(wasm: Uint8Array): string {
  return createHash("sha256").update(wasm).digest("hex");
}

export class ModuleStore implements Modules {
  private readonly folder: string;

  /** @param home  the host's home folder */
  constructor(home: string) {
    this.folder = join(home, "modules");
  }

  async find(hash: string): Promise<Uint8Array | undefined> {
    try {
      const file = join(this.folder, hash + SUFFIX);
      const wasm = new Uint8Array(await readFile(file));
      if (moduleHash(wasm) !== hash) return undefined;
      const now = new Date();
      utimesSync(file, now, now);
      return wasm;
    } catch {
      return undefined;
    }
  }

  hashOf(wasm: Uint8Array): string {
    return moduleHash(wasm);
  }

  keep(hash: string, wasm: Uint8Array): string | undefined {
    if (moduleHash(wasm) !== hash) return "the module's hash is another";
    const file = join(this.folder, hash + SUFFIX);
    // Written aside and renamed, so that no other process sees half of it.
    const aside = `${file}.${process.pid}`;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(aside, wasm, { mode: 0o600 });
      renameSync(aside, file);
    } catch (error) {
      quietly(() => rmSync(aside, { force: true }));
      return `${this.folder}: ${homeWords(error)}`;
    }
    quietly(() => this.dropOldest());
    return undefined;
  }

  private dropOldest(): void {
    const files = readdirSync(this.folder).map((name) => {
      const { mtimeMs, size } = statSync(join(this.folder, name));
      return { name, mtimeMs, size };
    });
    files.sort((a, b) => b.mtimeMs - a.mtimeMs);
    let bytes = 0;
    files.forEach(({ name, size }, i) => {
      bytes += size;
      if (i > 0 && (bytes > LIMITS.modulesBytes || i >= LIMITS.cacheEntries))
        rmSync(join(this.folder, name), { force: true });
    });
  }
}

/** What need not be done now: another process does the same there, or the next one does it. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Of no consequence.
  }
}
