/**
 * The command `upvm`, as a process: bin/upvm.js imports this file.
 */
import { EXIT } from "../wire/errors.ts";

/** Processes of upvm's own that its commands start: no command for a user, and not in the help. */
const OWN: Readonly<Record<string, () => Promise<void>>> = {
  pvmd: async () => (await import("./node-pvmd.ts")).pvmdMain(),
  application: async () => (await import("./node-application.ts")).applicationMain(),
  spawned: async () => (await import("./node-spawned.ts")).spawnedMain(),
};

const words = process.argv.slice(2);
const own = Object.hasOwn(OWN, words[0] ?? "") && words.length === 1 ? OWN[words[0] ?? ""] : undefined;
// Neither loads what only the other needs: a daemon has no compilers.
if (own !== undefined) await own();
else await command();

async function command(): Promise<void> {
  const { bugText, cli } = await import("./cli.ts");
  const { COMMANDS } = await import("./commands/table.ts");
  const { nodeEdge } = await import("./node-edge.ts");
  const { tokenize } = await import("./node-tokenize.ts");
  const edge = nodeEdge();
  try {
    process.exitCode = await cli(words, COMMANDS, edge, tokenize);
  } catch (error) {
    edge.err(bugText(error));
    process.exitCode = EXIT.bug;
  }
}
