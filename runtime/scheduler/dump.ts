/**
 * Everything that the library descriptor leads to, as plain data and as text in the shape of the paper's
 * Figure 6.
 *
 * Owns: nothing; reads the shared heap. Exact when no engine runs; else each part is of its own moment.
 * Message buffers are called P1, P2, … in the order of their addresses, as in the figure.
 */
import { GROUP } from "../../wire/groups.ts";
import {
  BLOCK_KIND,
  BTAB,
  COUNTERS,
  ENGINE,
  GBUF,
  HEAD,
  MSG,
  SEG,
  ULP,
  ULP_FLAG,
} from "../../wire/layout.ts";
import { tidText } from "../../wire/pvm.ts";
import { rowOf } from "../heap/positions.ts";
import type { SharedHeap } from "../heap/shared-heap.ts";
import { COUNTER } from "./engine-state.ts";
import { allGroups, type GroupAt, groupText, meetingOf } from "./group-table.ts";
import type { ProcessDescriptor } from "./process-descriptor.ts";
import { members, type QueueAt, ulpAt } from "./queue.ts";
import { stateText, type UlpAt } from "./state.ts";
import { doingText } from "./wait-text.ts";

export interface BtabRow {
  readonly lbid: number;
  readonly buffer: string;
  readonly default: "" | "send" | "receive";
  /** Message it came with; tid 0: made here. */
  readonly source: number;
  readonly tag: number;
}

export interface UlpDump {
  readonly index: number;
  readonly tid: number;
  readonly state: string;
  readonly doing: string;
  readonly engine: number;
  readonly flags: readonly string[];
  readonly btab: readonly BtabRow[];
  /** umsgq, in order of arrival, and then what is still in the inbox. */
  readonly messages: readonly { source: number; tag: number; buffer: string; bytes: number }[];
  /** Every word of the descriptor by its name (wire/layout.ts, ULP). */
  readonly descriptor: Readonly<Record<string, number>>;
}

export interface EngineDump {
  readonly index: number;
  /** Running ULP [lcurulp], -1 none. */
  readonly current: number;
  /** ULP indices, in order [lrunq, lwtq]. */
  readonly runQueue: readonly number[];
  readonly waitQueue: readonly number[];
  readonly counters: Readonly<Record<string, number>>;
}

export interface GroupDump {
  readonly name: string;
  /** Members now; when it was frozen, 0 if it is dynamic. */
  readonly members: number;
  readonly frozen: number;
  /** Tids by instance number, 0: nobody; negative: has left since the group was frozen. */
  readonly instances: readonly number[];
  /** pvm_barrier and pvm_freezegroup: how many must come, how many have. */
  readonly barrier: readonly [number, number];
  readonly freeze: readonly [number, number];
}

export interface LibraryDump {
  readonly process: ProcessDescriptor;
  readonly engines: readonly EngineDump[];
  readonly ulps: readonly UlpDump[];
  /** Gbdesc. */
  readonly buffers: readonly { name: string; gbid: number; rc: number; encoding: number; segments: number }[];
  readonly groups: readonly GroupDump[];
  readonly heap: string;
}

/** What of a Library is looked at. */
export interface Dumped {
  readonly heap: SharedHeap;
  readonly process: ProcessDescriptor;
}

export function dumpOf(library: Dumped): LibraryDump {
  const { heap } = library;
  const w = heap.i32;
  const gbids = heap
    .liveBlocks()
    .filter(({ kind }) => kind === BLOCK_KIND.buffer)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  const nameOf = (gbid: number): string => {
    const place = gbids.indexOf(gbid);
    return place < 0 ? "none" : `P${place + 1}`;
  };
  const ulps = Array.from({ length: w[HEAD.ulps]! }, (_, index) => ulpAt(w, index)).filter(
    (ulp) => ulp !== 0,
  );
  return {
    process: library.process,
    engines: Array.from({ length: heap.engines }, (_, engine) => engineDump(heap, engine)),
    ulps: ulps.map((ulp) => ulpDump(w, ulp, nameOf)),
    buffers: gbids.map((gbid) => ({
      name: nameOf(gbid),
      gbid,
      rc: w[(gbid >> 2) + GBUF.refs]!,
      encoding: w[(gbid >> 2) + GBUF.encoding]!,
      segments: segmentsOf(w, gbid),
    })),
    groups: allGroups(w).map((group) => groupDump(w, group)),
    heap: heap.hdisplay(),
  };
}

function engineDump(heap: SharedHeap, engine: number): EngineDump {
  const w = heap.i32;
  const row = heap.engineRow(engine);
  const indices = (queue: number): number[] =>
    members(w, (row + queue) as QueueAt).map((ulp) => w[ulp + ULP.index]!);
  return {
    index: engine,
    current: w[row + ENGINE.current]!,
    runQueue: indices(ENGINE.runHead),
    waitQueue: indices(ENGINE.waitHead),
    counters: Object.fromEntries(COUNTERS.map((name) => [name, heap.f64[(row >> 1) + COUNTER[name]]!])),
  };
}

function ulpDump(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt, nameOf: (gbid: number) => string): UlpDump {
  const flags = w[ulp + ULP.flags]!;
  return {
    index: w[ulp + ULP.index]!,
    tid: w[ulp + ULP.tid]!,
    state: stateText(w[ulp + ULP.state]!),
    doing: doingText(w, ulp),
    engine: w[ulp + ULP.engine]!,
    flags: Object.entries(ULP_FLAG).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name])),
    btab: btabRows(w, ulp, nameOf),
    messages: messagesOf(w, ulp, nameOf),
    descriptor: Object.fromEntries(
      Object.entries(ULP).flatMap(([name, word]) => (name === "words" ? [] : [[name, w[ulp + word]!]])),
    ),
  };
}

function groupDump(w: Int32Array<SharedArrayBuffer>, group: GroupAt): GroupDump {
  const table = w[group + GROUP.tableAt]! >> 2;
  return {
    name: groupText(w, group),
    members: w[group + GROUP.members]!,
    frozen: w[group + GROUP.frozen]!,
    instances: [...w.slice(table, table + w[group + GROUP.top]!)],
    barrier: meetingOf(w, group, GROUP.barrier),
    freeze: meetingOf(w, group, GROUP.freeze),
  };
}

function btabRows(w: Int32Array<SharedArrayBuffer>, ulp: UlpAt, nameOf: (gbid: number) => string): BtabRow[] {
  const rows: BtabRow[] = [];
  for (let lbid = 1; lbid <= w[ulp + ULP.btabRows]!; lbid++) {
    const row = rowOf(w, ulp, lbid);
    const gbid = w[row + BTAB.gbid]!;
    if (gbid === 0) continue;
    const which = lbid === w[ulp + ULP.sbid] ? "send" : lbid === w[ulp + ULP.rbid] ? "receive" : "";
    const { src, tag } = BTAB;
    rows.push({ lbid, buffer: nameOf(gbid), default: which, source: w[row + src]!, tag: w[row + tag]! });
  }
  return rows;
}

function messagesOf(w: Int32Array, ulp: UlpAt, nameOf: (gbid: number) => string): UlpDump["messages"] {
  const chain = (first: number): number[] => {
    const list: number[] = [];
    for (let at = first; at > 1; at = w[(at >> 2) + MSG.next]!) list.push(at >> 2);
    return list;
  };
  // The inbox is newest first.
  return [...chain(w[ulp + ULP.msgqHead]!), ...chain(w[ulp + ULP.inbox]!).reverse()].map((m) => ({
    source: w[m + MSG.src]!,
    tag: w[m + MSG.tag]!,
    buffer: nameOf(w[m + MSG.gbid]!),
    bytes: w[m + MSG.bytes]!,
  }));
}

function segmentsOf(w: Int32Array, gbid: number): number {
  let n = 0;
  for (let at = gbid + GBUF.words * 4; at !== 0; at = w[(at >> 2) + SEG.next]!) n++;
  return n;
}

/** Figure 6 as text. */
export function dumpText(dump: LibraryDump): string {
  const lines = ["Libd", `  process: ${JSON.stringify(dump.process)}`];
  for (const engine of dump.engines) {
    const queue = (name: string, list: readonly number[]) => `${name} [${list.join(" ")}]`;
    const current = engine.current < 0 ? "none" : `ULP ${engine.current}`;
    const queues = `${queue("lrunq", engine.runQueue)}, ${queue("lwtq", engine.waitQueue)}`;
    lines.push(`  engine ${engine.index}: lcurulp ${current}, ${queues}`);
  }
  for (const ulp of dump.ulps) {
    lines.push(`  ULP ${ulp.index} (${tidText(ulp.tid)}): ${ulp.state}, ${ulp.doing}, engine ${ulp.engine}`);
    const rows = ulp.btab.map(
      (row) => `${row.lbid}->${row.buffer}${row.default === "" ? "" : ` (${row.default})`}`,
    );
    lines.push(`    ubtab: ${rows.join(", ") || "empty"}`);
    const queue = ulp.messages.map(
      (m) => `(${tidText(m.source)}, ${m.buffer}, tag ${m.tag}, ${m.bytes} bytes)`,
    );
    lines.push(`    umsgq: ${queue.join(", ") || "empty"}`);
  }
  lines.push("  Gbdesc");
  for (const { name, rc, segments } of dump.buffers)
    lines.push(`    ${name}: Rc ${rc}, segments ${segments}`);
  for (const { name, members, frozen, barrier } of dump.groups) {
    const kind = frozen === 0 ? "dynamic" : `frozen with ${frozen}`;
    lines.push(`  group "${name}": members ${members}, ${kind}, ${barrier[1]} in its barrier`);
  }
  lines.push("  heap", ...dump.heap.split("\n").map((line) => `    ${line}`));
  return lines.join("\n");
}
