/**
 * Where this package is installed, and which version it is.
 *
 * The sources are one folder below the package, the compiled files in dist/ two: both look upwards for the
 * package.json that is upvm's.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** The package's folder. */
export const packageRoot: string = findRoot(import.meta.dirname);

/** Where the code is: the package itself in a checkout, its dist/ when installed. */
export const codeRoot: string = dirname(import.meta.dirname);

/** From package.json, such as "0.1.0". */
export function packageVersion(): string {
  return manifestIn(packageRoot).version;
}

/** Extension of code files here: ".ts" in a checkout, ".js" in dist/. For files named in `new URL(...)`. */
export const codeExtension: string = import.meta.filename.endsWith(".ts") ? ".ts" : ".js";

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json")) && manifestIn(folder).name === "upvm") return folder;
    if (folder === dirname(folder)) throw new Error(`bug: no package.json of upvm above ${from}`);
  }
}

function manifestIn(folder: string): Manifest {
  // Our own file: its shape is known.
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}
