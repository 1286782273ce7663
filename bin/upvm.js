#!/usr/bin/env node
/**
 * Starts the command: on a Node that is new enough, from the sources in a checkout or from dist/ in a package.
 *
 * Owns: which Node and which files. Plain JavaScript that an old Node can read, since its task is to say that
 * the Node is too old, or to find the newer one that `npm ci` has put next to the package. Not the command
 * itself: upvm/main.ts.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** First version that runs TypeScript files and wasm with several memories. Also in package.json, "engines". */
const NODE_MAJOR = 24;
/** Set for the second attempt, so that there is no third. */
const TRIED = "UPVM_NODE_TRIED";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) {
  keepCompiled();
  await import(entry());
} else {
  const newer = process.env[TRIED] ? undefined : findNode();
  if (newer) runWith(newer);
  else refuse();
}

/**
 * Lets Node keep what it makes of the sources, in the user's own cache folder, for the processes and threads that are
 * started from this one too: a command that only asks something then starts in a third of the time.
 */
function keepCompiled() {
  if (process.env["NODE_COMPILE_CACHE"] !== undefined) return;
  const base = process.env["XDG_CACHE_HOME"];
  const folder = join(base && isAbsolute(base) ? base : join(homedir(), ".cache"), "upvm", "node");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    module.enableCompileCache?.(folder);
    process.env["NODE_COMPILE_CACHE"] = folder;
  } catch {
    // Without it all is only slower.
  }
}

/** Sources where there are some; Node strips no types from files under node_modules, so there only dist/. */
function entry() {
  const source = join(root, "upvm", "main.ts");
  const packaged = root.split(sep).includes("node_modules");
  if (!packaged && existsSync(source)) return "../upvm/main.ts";
  return "../dist/upvm/main.js";
}

/** The npm package `node`, in the node_modules of this folder or of one above. */
function findNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  for (let folder = root; ; folder = dirname(folder)) {
    const file = join(folder, "node_modules", "node", "bin", name);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Runs this file again with `node`, and ends as it ends. */
function runWith(node) {
  const child = spawn(node, process.argv.slice(1), {
    stdio: "inherit",
    env: Object.assign({}, process.env, { [TRIED]: "1" }),
  });
  // Ctrl-C reaches the child by the terminal as well; it takes two at the same moment for one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", refuse);
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function refuse() {
  process.stderr.write(
    `upvm: Cannot run on Node ${process.versions.node}: it needs Node ${NODE_MAJOR} or newer\n` +
      "  install one from https://nodejs.org, or put one beside it: npm install node\n",
  );
  process.exit(2);
}
