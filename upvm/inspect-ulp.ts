/**
 * `upvm inspect TID` and the console's inspect: a ULP's descriptor as text.
 *
 * Owns: the wording. What is told is wire/rpc-job.ts (INSPECTED).
 */
import { tidText } from "../wire/pvm.ts";
import type { Inspected } from "../wire/rpc-job.ts";
import { columns } from "./host-lines.ts";
import { grouped } from "./report.ts";

/** True if a word names a ULP, such as t40002, and no file. */
export const isTid = (word: string): boolean => /^t[0-9a-f]{1,8}$/i.test(word);
export const tidOfText = (word: string): number => Number.parseInt(word.slice(1), 16) | 0;

/** What `--json` prints: tids as texts. */
export function inspectedJson({ tid, look, ...task }: Inspected): object {
  if (look === undefined) return { tid: tidText(tid), ...task };
  const { queue, buffers, parent, ...words } = look;
  return {
    ...{ tid: tidText(tid), ...task, ...words },
    parent: parent > 0 ? tidText(parent) : null,
    queue: queue.map(([source, tag, bytes]) => ({ source: tidText(source), tag, bytes })),
    buffers: buffers.map(([id, use, bytes, references]) => ({ id, default: use, bytes, references })),
  };
}

export function inspectedText({ tid, index, job, host, program, remote, look, why }: Inspected): string {
  const elsewhere = remote.length === 0 ? "on no other host" : `marked remote on ${remote.join(", ")}`;
  const head = [
    ["tid", `${tidText(tid)}, ULP ${index} of job ${job}`],
    ["host", `${host}: local there, ${elsewhere}`],
  ];
  if (look === undefined) return columns([...head, ["descriptor", `unknown: ${why}`]]).join("\n");
  const { state, doing, engine, flags, memoryBytes, heapBlocks, heapBytes, frameBytes, context } = look;
  const rows = [
    ...head,
    ["program", program],
    ["parent", look.parent > 0 ? tidText(look.parent) : "none"],
    ["state", flags.length === 0 ? state : `${state} (${flags.join(", ")})`],
    ["event", doing],
    ["engine", `${engine}`],
    ["memory", `base 0, ${grouped(memoryBytes)} bytes`],
    ["heap", `${grouped(heapBytes)} bytes in ${heapBlocks} blocks of the process heap`],
    ["saved context", `${grouped(frameBytes)} bytes of frames`],
    ["message context", `${context}`],
    ["counts", `${look.switches} switches, ${look.sent} sent, ${look.received} received`],
    ["umsgq", `${look.messages} unread`],
    ...look.queue.map(([source, tag, bytes]) => ["", `from ${tidText(source)}, tag ${tag}, ${bytes} bytes`]),
    ["ubtab", `${look.buffers.length} buffers`],
    ...look.buffers.map(([id, use, bytes, references]) => [
      "",
      `${id}: ${bytes} bytes, ${references} references${use === "" ? "" : `, default ${use} buffer`}`,
    ]),
  ];
  return columns(rows).join("\n");
}
