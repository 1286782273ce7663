/**
 * A job that the console has started, as a process of its own: it survives the console.
 *
 * It is `upvm run` with what it is told on standard input; on file descriptor 3 it tells the job's number, and then its exit
 * code. When nobody reads any more what the tasks print it ends, and the job with it, as upvm run does.
 */
import { createWriteStream, readFileSync, writeSync } from "node:fs";
import { EXIT } from "../wire/errors.ts";
import { cli } from "./cli.ts";
import { COMMANDS } from "./commands/table.ts";
import type { SpawnOutput } from "./console-spawn.ts";
import { nodeEdge } from "./node-edge.ts";
import { writerTo } from "./node-output.ts";
import { tokenize } from "./node-tokenize.ts";

/** What the console tells. */
export interface SpawnedConfig {
  /** Of `upvm run`. */
  readonly words: readonly string[];
  readonly output: SpawnOutput;
}
/** What it is told, one JSON object in each line. */
export type SpawnedNews =
  | { readonly job: number }
  /** What was said if no job has begun. */
  | { readonly code: number; readonly said?: string };

const NEWS_FD = 3;

function tell(news: SpawnedNews): void {
  try {
    writeSync(NEWS_FD, `${JSON.stringify(news)}\n`);
  } catch {
    // The console is gone.
  }
}

export async function spawnedMain(): Promise<void> {
  // Our own words: node-vm.ts wrote them.
  const { words, output } = JSON.parse(readFileSync(0, "utf8")) as SpawnedConfig;
  const edge = nodeEdge();
  const write = typeof output === "object" ? toFile(output) : undefined;
  const streams = {
    ...edge,
    ...(write !== undefined && {
      out: write,
      err: write,
      print: (_: 1 | 2, data: string | Uint8Array) => write(data),
    }),
  };
  // Until its job begins it speaks to the console: in the pvmd's log nobody would look for a mistyped name.
  let said: string | undefined = "";
  const code = await cli(
    ["run", ...words],
    COMMANDS,
    {
      ...streams,
      err: (data) => {
        if (said === undefined) streams.err(data);
        else said += typeof data === "string" ? data : new TextDecoder().decode(data);
      },
      jobBegun: (job) => {
        tell({ job });
        const before = said;
        said = undefined;
        if (before) streams.err(before);
      },
      // Whoever types Ctrl-C at the console does not mean this.
      interrupts: () => new AbortController().signal,
    },
    tokenize,
  );
  tell({ code, ...(said !== undefined && { said }) });
  process.exitCode = code;
}

function toFile({ file, append }: Exclude<SpawnOutput, string>): ReturnType<typeof writerTo> {
  const stream = createWriteStream(file, { flags: append ? "a" : "w" });
  stream.on("error", (error) => {
    process.stderr.write(`upvm: Cannot write ${file}: ${error.message}\n`);
    process.exit(EXIT.failed);
  });
  return writerTo(stream);
}
