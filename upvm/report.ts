/**
 * What a run tells the person at the terminal when it is over: traps, who waits for whom, where each ULP was,
 * counts.
 *
 * Owns: the wording. Which ULPs failed, and why a run ended, is the run's result. Pure: text in, text out.
 */
import type { Paint } from "./paint.ts";
import type { Reason } from "./run-result.ts";

/** One level of a guest's stack, as far as it is known. Lines and columns count from 1. */
export interface Frame {
  readonly func?: string | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The place is inlined library code; the last line of the program's own before it: "ring.ts:41". */
  readonly user?: string | undefined;
}

/** One ULP at the end of the run. */
export interface UlpReport {
  readonly tid: number;
  /** 0 … N−1 in order of creation. */
  readonly index: number;
  /** What its program returned; undefined if it did not end by itself. */
  readonly exitCode?: number | undefined;
  /** A trap. Innermost frame first. */
  readonly error?: { readonly message: string; readonly stack: readonly Frame[] } | undefined;
  /** It was ended by upvm kill, or the console. */
  readonly killed?: boolean | undefined;
  /** What it was doing, if it was still there: "waits in pvm_recv for tag 5 from t40002". */
  readonly where?: string | undefined;
  readonly stack?: readonly Frame[] | undefined;
}

/** Details of so many ULPs are shown; the rest are counted. --json has them all. */
const SHOWN = 20;
/** Frames shown of one stack, from the innermost. */
const FRAMES = 12;

/** The way out, for errors that have one outside the program. */
const HINTS: readonly (readonly [message: RegExp, hint: string])[] = [
  [/^out of memory/, "a ULP has 4096 MB at most, or what --memory MB says"],
  [/^unwind stack overflow/, "give it more with --frames MB"],
  [
    /was called with other types than it has$/,
    "declare it: include its header; other machines take such calls, WebAssembly checks them",
  ],
  [
    /^(null function or )?function signature mismatch/,
    "a call through a pointer of another type, or through NULL",
  ],
  [/^table index is out of bounds/, "a call through a pointer that is no function's"],
  [
    /^unreachable$/,
    "a place that should not be reached: __builtin_trap(), a failed check of -fsanitize, undefined behaviour",
  ],
  [
    /^stack overflow: its stack has/,
    "a recursion without end, or local data larger than that: compile it with --stack MB (upvm cc: -Wl,-z,stack-size=BYTES)",
  ],
  [
    /^Maximum call stack size exceeded/,
    "a recursion without end, or too deep: each engine has one native stack",
  ],
];

/** The lines for standard error; none if all went well. */
export function report(name: string, reason: Reason, ulps: readonly UlpReport[], paint: Paint): string[] {
  const failed = ulps.filter((ulp) => ulp.error !== undefined || (ulp.exitCode ?? 0) !== 0);
  const there = ulps.filter((ulp) => ulp.where !== undefined);
  const killed = ulps.filter((ulp) => ulp.killed === true);
  const lines = shown(failed, (ulp) => failure(ulp, paint), "failed");
  lines.push(...shown(killed, (ulp) => [`${who(ulp, paint)} was ended by upvm kill`], "were ended so"));
  const say = (text: string): void => {
    lines.push(`${paint("red", "upvm:")} ${text}`);
  };
  if (reason === "deadlock") {
    say(`Cannot go on with ${name}: deadlock: ${waiting(there.length, ulps.length)}, and nothing can arrive`);
    lines.push(...shown(there, (ulp) => place(ulp, paint), "wait"));
  } else if (reason === "interrupted") {
    if (ulps.length === 0) say(`${name} was interrupted before it began`);
    else
      say(`${name} was interrupted: ${grouped(there.length)} of ${count(ulps.length, "ULP")} had not ended`);
    lines.push(...shown(there, (ulp) => place(ulp, paint), "were there"));
  } else if (reason === "closed") {
    say(`Cannot finish ${name}: its virtual machine was halted`);
  } else if (reason === "killed" && killed.length === 0) {
    say(`Cannot finish ${name}: it was ended by upvm kill`);
  } else if (failed.length > 0) {
    say(`Cannot finish ${name}: ${grouped(failed.length)} of ${count(ulps.length, "ULP")} failed`);
  }
  return lines;
}

function waiting(there: number, all: number): string {
  if (there < all) return `${grouped(there)} of ${count(all, "ULP")} wait`;
  return all === 1 ? "its only ULP waits" : `all ${count(all, "ULP")} wait`;
}

/** "ULP 3 (t40004)": the number that the program knows, and PVM's name. */
export function ulpName(index: number, tid: number): string {
  return `ULP ${index} (t${tid.toString(16)})`;
}

/** "main (ring.ts:41:7)", "main (ring.ts:41, in ~lib/array.ts:115:25)". */
export function frameText(frame: Frame): string {
  const func = frame.func ?? "?";
  if (frame.file === undefined) return func;
  const line = frame.line === undefined ? "" : `:${frame.line}`;
  const column = frame.line === undefined || frame.column === undefined ? "" : `:${frame.column}`;
  const place = `${frame.file}${line}${column}`;
  return frame.user === undefined ? `${func} (${place})` : `${func} (${frame.user}, in ${place})`;
}

function shown(ulps: readonly UlpReport[], each: (ulp: UlpReport) => string[], what: string): string[] {
  const lines = ulps.slice(0, SHOWN).flatMap(each);
  const more = ulps.length - SHOWN;
  return more > 0 ? [...lines, `  and ${count(more, "more ULP")} ${what}; --json shows all`] : lines;
}

function who({ index, tid }: UlpReport, paint: Paint): string {
  return `${paint("red", "upvm:")} ${ulpName(index, tid)}`;
}

function failure(ulp: UlpReport, paint: Paint): string[] {
  if (ulp.error === undefined) return [`${who(ulp, paint)} ended with exit code ${ulp.exitCode}`];
  const hint = HINTS.find(([message]) => message.test(ulp.error?.message ?? ""))?.[1];
  return [
    `${who(ulp, paint)} stopped: ${ulp.error.message}`,
    ...frames(ulp.error.stack, paint),
    ...(hint === undefined ? [] : [`  ${paint("dim", hint)}`]),
  ];
}

function place(ulp: UlpReport, paint: Paint): string[] {
  return [`  ${ulpName(ulp.index, ulp.tid)} ${ulp.where ?? ""}`, ...frames(ulp.stack ?? [], paint)];
}

/** The calls, innermost first; a recursion's equal ones in one line, and the C library's around main not at all. */
function frames(stack: readonly Frame[], paint: Paint): string[] {
  const own = stack.findLastIndex(({ file }) => file !== undefined);
  const told = own < 0 ? stack : stack.slice(0, own + 1);
  const runs: { text: string; times: number }[] = [];
  for (const frame of told) {
    const text = frameText(frame);
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ text, times: 1 });
  }
  const times = (n: number): string => (n === 1 ? "" : `, ${grouped(n)} times`);
  const lines = runs
    .slice(0, FRAMES)
    .map((run) => `    ${paint("dim", "at")} ${run.text}${times(run.times)}`);
  const more = runs.slice(FRAMES).reduce((sum, run) => sum + run.times, 0);
  return more > 0 ? [...lines, `    ${paint("dim", `and ${count(more, "more call")}`)}`] : lines;
}

/** Names and numbers in two columns, for --stats. */
export function statsLines(stats: readonly (readonly [string, string])[]): string[] {
  const first = Math.max(...stats.map(([name]) => name.length));
  const second = Math.max(...stats.map(([, value]) => value.length));
  return stats.map(([name, value]) => `  ${name.padEnd(first)}  ${value.padStart(second)}`);
}

/** 1234567 → "1,234,567". */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** 1 → "1 ULP", 24 → "24 ULPs". */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}
