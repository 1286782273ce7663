/**
 * A sheet as text: for the terminal, and the same as Markdown for bench/README.md.
 *
 * Owns: how many digits are shown. Pure.
 */
import type { Aim, Figure, Machine, Report, ReportHead, Sheet } from "./figures.ts";

/** Three digits that count: 0.0123, 4.56, 78.9, 1234. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const before = Math.floor(Math.log10(Math.abs(value))) + 1;
  return value.toFixed(Math.max(0, Math.min(5, 3 - before)));
}

/** Wide tables have their rows down; the first column is the row's name. */
export function sheetText(sheet: Sheet, markdown: boolean): string {
  const title = markdown ? `${sheet.title}, ${sheet.unit}` : `${sheet.title} (${sheet.unit})`;
  const cells = [[sheet.rowHead, ...sheet.columns], ...sheet.rows.map((row) => rowCells(sheet, row))];
  const table = markdown ? markdownTable(cells) : plainTable(cells);
  const aims = sheet.aims.map((aim) => `${markdown ? "- " : "  "}${aimText(aim)}`);
  const notes = sheet.notes.map((note) => `${markdown ? "- " : "  "}${note}`);
  const failures = sheet.failures.map(
    (each) => `${markdown ? "- " : "  "}FAILED: ${each.trim().split("\n")[0]}`,
  );
  const parts = [
    markdown ? `**${title}**` : title,
    table,
    aims.join("\n"),
    [...notes, ...failures].join("\n"),
  ];
  return `${parts.filter((part) => part !== "").join(markdown ? "\n\n" : "\n")}\n`;
}

export function machineText(report: ReportHead): string {
  const { cpu, cores, memoryGb, os, node, upvm }: Machine = report.machine;
  const load = report.loadBefore.toFixed(2);
  return `${report.date}: ${cpu}, ${cores} cores, ${digits(memoryGb)} GB, ${os}, Node ${node}, upvm ${upvm}; load before the run ${load}`;
}

function rowCells(sheet: Sheet, row: string): string[] {
  const cell = (figure: Figure | undefined) => (figure === undefined ? "–" : digits(figure.median));
  const find = (column: string) => sheet.figures.find((each) => each.row === row && each.column === column);
  return [row, ...sheet.columns.map((column) => cell(find(column)))];
}

function aimText(aim: Aim): string {
  const bound = aim.better === "less" ? "at most" : "at least";
  const unit = aim.unit === "" ? "" : ` ${aim.unit}`;
  return `${aim.met ? "met" : "MISSED"}: ${aim.what}: ${digits(aim.got)}${unit}, ${bound} ${digits(aim.limit)}${unit}`;
}

function markdownTable(cells: readonly (readonly string[])[]): string {
  const [head = [], ...rows] = cells;
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [
    line(head),
    `|${head.map((_, column) => (column === 0 ? "---|" : "---:|")).join("")}`,
    ...rows.map(line),
  ].join("\n");
}

function plainTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return cells.map((row) => `  ${row.map(pad).join("  ")}`).join("\n");
}

/** A document with its tables replaced by those of a run, and the sheets that it has no place for. */
export function withTables(
  document: string,
  report: Report,
): { readonly text: string; readonly missing: readonly string[] } {
  const blocks = [
    ["machine", `${machineText(report)}.\n`] as const,
    ...report.sheets.map((sheet) => [sheet.name, sheetText(sheet, true)] as const),
  ];
  const missing: string[] = [];
  let text = document;
  for (const [name, block] of blocks) {
    const [begin, end] = [text.indexOf(`<!-- ${name} -->`), text.indexOf(`<!-- /${name} -->`)];
    if (begin < 0 || end < begin) missing.push(name);
    else text = `${text.slice(0, begin)}<!-- ${name} -->\n\n${block}\n${text.slice(end)}`;
  }
  return { text, missing };
}
