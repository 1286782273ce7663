/** `upvm inspect`: what the link step found in a program, or the descriptor of a ULP that runs. */

import { symbolizer } from "../../runtime/link/lines.ts";
import type { LinkInfo } from "../../runtime/link/link-info.ts";
import { EXIT } from "../../wire/errors.ts";
import { command } from "../command.ts";
import { inspectedJson, inspectedText, isTid, tidOfText } from "../inspect-ulp.ts";
import { painter } from "../paint.ts";
import { placeNear } from "../places.ts";
import { type Program, prepare } from "../program.ts";
import { frameText, grouped, statsLines } from "../report.ts";
import { masterPvmd, withRpc } from "../vm.ts";

/** Functions that may suspend are listed up to here; --json has them all. */
const SHOWN = 40;

export const inspect = command({
  summary: "Show what the link step finds in a program, or what a ULP is that runs",
  about: [
    "A program is compiled and linked as for upvm run, but not run. Nothing is written. A ULP, by its tid, is looked at wherever it is: its descriptor, with state and event, memory, heap, unread messages and buffers.",
  ],
  args: {
    file: { count: "one", help: "the program: .wasm, .wat, .ts or .c; or a tid, as upvm ps lists them" },
  },
  flags: { json: { kind: "switch", help: "print it as JSON" } },
  examples: ["upvm inspect ring.wasm", "upvm inspect solver.c --json", "upvm inspect t40002"],
  exits: {
    0: "shown",
    1: "there is no such ULP, or no virtual machine",
    2: "wrong usage",
    3: "the program cannot be compiled or linked",
  },
  async run({ args, flags }, edge) {
    if (isTid(args.file)) {
      const master = masterPvmd(await edge.vm(), "inspect ULPs");
      const ask = { tid: tidOfText(args.file) };
      const { body } = await withRpc(master, (rpc) => rpc.request("inspect", ask));
      edge.out(flags.json ? `${JSON.stringify(inspectedJson(body))}\n` : `${inspectedText(body)}\n`);
      return body.look === undefined ? EXIT.failed : EXIT.ok;
    }
    const program = await prepare(args.file, {}, edge);
    const facts = factsOf(program);
    edge.out(flags.json ? `${JSON.stringify(facts)}\n` : text(facts, edge.colour.out));
    return EXIT.ok;
  },
});

/** A function that may suspend. */
interface Resumable {
  readonly name: string;
  /** Calls and polls in it at which it may. */
  readonly points: number;
  /** Largest frame that it saves, bytes. */
  readonly frameBytes: number;
  /** One of those places in the source, such as "ring.ts:41"; the program's own rather than a library's. */
  readonly where?: string;
}

interface Facts {
  readonly file: string;
  readonly bytes: number;
  readonly linkedBytes: number;
  readonly info: Omit<LinkInfo, "points">;
  readonly resumable: readonly Resumable[];
}

function factsOf(program: Program): Facts {
  const { points, ...info } = program.linked.info;
  return {
    file: program.path,
    bytes: program.wasm.length,
    linkedBytes: program.linked.wasm.length,
    info,
    resumable: resumables(program, points),
  };
}

/** Resume points by function, in the order of the module. */
function resumables(program: Program, points: LinkInfo["points"]): Resumable[] {
  const linked = symbolizer(program.linked.wasm);
  const all = new Map<number, Resumable>();
  for (const [func, at, frameBytes] of points) {
    const before = all.get(func);
    const place = placeNear(linked, at);
    const here = place?.file === undefined ? undefined : `${place.file}:${place.line}`;
    // Inlined library code comes first as often as not; the program's own line says more.
    const own = before?.where !== undefined && !before.where.startsWith("~lib/");
    const where = own ? before.where : (here ?? before?.where);
    all.set(func, {
      name: linked.functionName(func) ?? `function ${func}`,
      points: (before?.points ?? 0) + 1,
      frameBytes: Math.max(before?.frameBytes ?? 0, frameBytes),
      ...(where !== undefined && { where }),
    });
  }
  return [...all.values()];
}

function text(facts: Facts, colour: boolean): string {
  const paint = painter(colour);
  const { info } = facts;
  const rows: [string, string][] = [
    ["bytes", grouped(facts.bytes)],
    ["bytes linked", grouped(facts.linkedBytes)],
    ["interface version", String(info.abi)],
    ["entry", info.entries.join(", ")],
    ["memory, pages of 64 KiB", `${grouped(info.pages.min)} to ${grouped(info.pages.max)}`],
    ["globals, bytes saved", grouped(info.stateBytes)],
    ["tables that change", grouped(info.tables)],
    ["functions", grouped(info.counts.functions)],
    ["functions that may suspend", grouped(info.counts.resumable)],
    ["polls in loops", info.unpolled ? "none (--no-polls)" : grouped(info.counts.polls)],
  ];
  const lines = [paint("bold", facts.file), ...statsLines(rows), "", paint("bold", "Imports")];
  lines.push(...(info.imports.length === 0 ? ["  none"] : info.imports.map((name) => `  ${name}`)));
  lines.push("", paint("bold", "May suspend: places, bytes of its frame"));
  for (const { name, points, frameBytes, where } of facts.resumable.slice(0, SHOWN)) {
    const place = frameText({ func: name, file: where });
    lines.push(`  ${String(points).padStart(4)}  ${String(frameBytes).padStart(6)}  ${place}`);
  }
  const more = facts.resumable.length - SHOWN;
  if (facts.resumable.length === 0) lines.push("  none: it never waits for a message and has no loops");
  if (more > 0) lines.push(`  and ${grouped(more)} more; --json shows all`);
  return `${lines.join("\n")}\n`;
}
