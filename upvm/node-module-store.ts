/**
 * Linked modules that a host has, by the SHA-256 of their bytes: each goes to a host once.
 *
 * Owns: the folder `modules` in a host's home. Never trusted: a file whose hash is not its name is none. Bounded: the ones
 * unused for longest go. Nothing here fails: what is not kept is fetched again.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Modules } from "../pvmd/job-programs.ts";
import { LIMITS } from "../wire/limits.ts";

const SUFFIX = ".wasm";

export function moduleHash(wasm: Uint8Array): string {
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

  /** @returns false: this is not the module's hash */
  keep(hash: string, wasm: Uint8Array): boolean {
    if (moduleHash(wasm) !== hash) return false;
    const file = join(this.folder, hash + SUFFIX);
    // Written aside and renamed, so that no other process sees half of it.
    const aside = `${file}.${process.pid}`;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(aside, wasm, { mode: 0o600 });
      renameSync(aside, file);
      this.dropOldest();
    } catch {
      // No room, no right: it is fetched again.
      rmSync(aside, { force: true });
    }
    return true;
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
