/**
 * The command `upvm`, as a process: bin/upvm.js imports this file.
 */
import { EXIT } from "../wire/errors.ts";
import { bugText, cli } from "./cli.ts";
import { COMMANDS } from "./commands/table.ts";
import { nodeEdge } from "./node-edge.ts";
import { tokenize } from "./node-tokenize.ts";

const edge = nodeEdge();
try {
  process.exitCode = await cli(process.argv.slice(2), COMMANDS, edge, tokenize);
} catch (error) {
  edge.err(bugText(error));
  process.exitCode = EXIT.bug;
}
