/**
 * Erlang as a rival: two nodes of it on this machine, which send messages to each other over TCP on loopback.
 *
 * Owns: the nodes, which end with the measurement. They find each other by a port that both are told, without Erlang's port
 * mapper: that would go on after them.
 */
import { createServer } from "node:net";
import { join } from "node:path";
import type { RunProgram } from "./native.ts";
import { isInstalled, printedBy, started } from "./spawn.ts";

const ADDRESS = "127.0.0.1";
const NODE = `echo@${ADDRESS}`;

/**
 * Compiles rivals/ping.erl. Undefined: Erlang is not installed.
 *
 * @param folder   where it goes, exists
 * @param sources  the folder bench/
 */
export async function erlang(folder: string, sources: string): Promise<RunProgram | undefined> {
  if (!(await isInstalled("erlc", "-help"))) return undefined;
  await printedBy("erlc", ["-o", folder, join(sources, "rivals", "ping.erl")]);
  return async (...args) => {
    const port = String(await freePort());
    // Its cookie is kept in a file of the home folder.
    const env = { HOME: folder };
    const flags = [
      ...["-noshell", "-setcookie", "upvm-bench", "-start_epmd", "false", "-erl_epmd_port", port],
      ...["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-pa", folder],
    ];
    const other = started("erl", [...flags, "-name", NODE, "-s", "ping", "echo"], { env });
    await other.firstLine;
    const main = `ping:main(${JSON.stringify([NODE, ...args])})`;
    const caller = ["-name", `ping@${ADDRESS}`, "-dist_listen", "false", "-eval", main];
    const printed = await printedBy("erl", [...flags, ...caller], { env });
    await other.ended;
    return printed;
  };
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once("error", fail);
    server.listen(0, ADDRESS, () => {
      const where = server.address();
      server.close(() => done(where === null || typeof where === "string" ? 0 : where.port));
    });
  });
}
