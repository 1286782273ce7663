/**
 * Help texts, from the tables of the commands. Pure.
 */
import type { Command, Flag } from "./command.ts";
import type { Paint } from "./paint.ts";

/** Help is not wider than this even on a wide terminal: long lines are hard to read. */
const COLUMNS_MAX = 100;
/** Width of the left column of a table. */
const FIRST_COLUMN_MAX = 24;

/** `upvm --help`: what there is. */
export function overview(commands: Readonly<Record<string, Command>>, columns: number, paint: Paint): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return [
    "upvm runs message-passing (PVM) programs as many user-level processes, on all cores of one machine or many.",
    "",
    `${paint("bold", "Usage:")} upvm COMMAND [arguments] [options]`,
    "",
    paint("bold", "Commands:"),
    table(rows, columns, paint),
    "",
    paint("bold", "Options:"),
    table(
      [
        ["-h, --help", "this text, or that of a command"],
        ["-v, --version", "the version"],
      ],
      columns,
      paint,
    ),
    "",
    "upvm COMMAND --help says more about a command.",
    "",
  ].join("\n");
}

/** `upvm run --help`: all that a command takes, gives and returns. */
export function helpOf(name: string, command: Command, columns: number, paint: Paint): string {
  const width = Math.min(columns, COLUMNS_MAX);
  const part = (title: string, rows: readonly (readonly [string, string])[]): string[] =>
    rows.length === 0 ? [] : ["", paint("bold", title), table(rows, width, paint)];
  const rest = command.rest === undefined ? [] : [["-- ...", `${command.rest}`] as const];
  return [
    command.summary,
    "",
    `${paint("bold", "Usage:")} ${synopsis(name, command)}`,
    ...command.about.flatMap((text) => ["", wrap(text, width).join("\n")]),
    ...part("Arguments:", [
      ...Object.entries(command.args).map(([k, a]) => [k.toUpperCase(), a.help] as const),
      ...rest,
    ]),
    ...part("Options:", [
      ...Object.entries(command.flags).map(([key, flag]) => [spelling(key, flag), explain(flag)] as const),
      ["-h, --help", "this text"],
    ]),
    ...part("Exit codes:", Object.entries(command.exits)),
    "",
    paint("bold", "Examples:"),
    ...command.examples.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function synopsis(name: string, command: Command): string {
  const args = Object.entries(command.args).map(([key, { count }]) => {
    const word = key.toUpperCase();
    return count === "one" ? word : count === "optional" ? `[${word}]` : `[${word}...]`;
  });
  const rest = command.rest === undefined ? [] : ["[-- ...]"];
  return ["upvm", name, ...args, "[options]", ...rest].join(" ");
}

function spelling(key: string, flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  if (flag.kind === "switch") return `${short}--${key}`;
  return `${short}--${key} ${flag.kind === "choice" ? flag.choices.join("|") : flag.value}`;
}

function explain(flag: Flag): string {
  if (flag.kind === "switch") return flag.help;
  if (flag.kind === "list") return `${flag.help} (may be repeated)`;
  if (flag.kind !== "text" && flag.default !== undefined) return `${flag.help} (default: ${flag.default})`;
  return flag.absent === undefined ? flag.help : `${flag.help} (default: ${flag.absent})`;
}

/** Two columns, the second wrapped; it begins in the next line where the first is wider than most. */
function table(rows: readonly (readonly [string, string])[], columns: number, paint: Paint): string {
  const first = Math.min(FIRST_COLUMN_MAX, Math.max(...rows.map(([left]) => left.length)));
  const indent = " ".repeat(first + 4);
  return rows
    .map(([left, right]) => {
      const lines = wrap(right, Math.max(20, columns - first - 4));
      const gap = left.length > first ? `\n${indent}` : " ".repeat(first - left.length + 2);
      return `  ${paint("cyan", left)}${gap}${lines.join(`\n${indent}`)}`;
    })
    .join("\n");
}

/** Breaks at spaces so that no line is longer than `width`, unless a word is. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
