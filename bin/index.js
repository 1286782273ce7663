/**
 * The library, `import { run } from "upvm"`: from the sources in a checkout or from dist/ in a package.
 */
import { existsSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = !root.split(sep).includes("node_modules") && existsSync(join(root, "upvm", "index.ts"));

export const { run, compile, link, UpvmError } = await import(
  sources ? "../upvm/index.ts" : "../dist/upvm/index.js"
);
