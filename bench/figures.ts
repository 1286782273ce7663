/**
 * What a measurement yields: figures in a table, aims beside them, and what could not be measured.
 *
 * Owns: the shape of `upvm bench --json`. Pure: no clock, no I/O.
 */

/** A measured value: the median of `batches` repeated runs, and the least and greatest of them. */
export interface Measured {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly batches: number;
}

export interface Figure extends Measured {
  readonly row: string;
  readonly column: string;
}

/** What the project set itself, and what came out in this run. */
export interface Aim {
  readonly what: string;
  readonly got: number;
  readonly limit: number;
  readonly better: "less" | "more";
  readonly unit: string;
  readonly met: boolean;
}

export interface Sheet {
  /** As given on the command line: kebab-case. */
  readonly name: string;
  readonly title: string;
  /** Unit of every figure, unless a column names its own. */
  readonly unit: string;
  /** Heading of the first column. */
  readonly rowHead: string;
  /** In order of appearance. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly figures: readonly Figure[];
  readonly aims: readonly Aim[];
  /** What is not there and why: a rival that is not installed. */
  readonly notes: readonly string[];
  /** Runs that failed, with what they said: their figures are missing, and the command's exit code is 1. */
  readonly failures: readonly string[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly node: string;
  readonly upvm: string;
}

/** What is known before anything is measured: the first line of `--json`. */
export interface ReportHead {
  /** Day of the run, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** Load average of the last minute before the run: above 0.5 the figures are a busy machine's. */
  readonly loadBefore: number;
}

export interface Report extends ReportHead {
  readonly sheets: readonly Sheet[];
}

/** What `upvm bench --json` printed, as far as it came: the head, then a sheet in each line. @throws SyntaxError */
export function reportOf(lines: string): Report {
  const [head = "", ...sheets] = lines.split("\n").filter((line) => line !== "");
  // Our own command's output.
  return { ...(JSON.parse(head) as ReportHead), sheets: sheets.map((line) => JSON.parse(line) as Sheet) };
}

/** Median, least and greatest of some values. @throws Error if there is none */
export function measured(values: readonly number[]): Measured {
  const sorted = [...values].sort((a, b) => a - b);
  const { length } = sorted;
  const [low, high] = [sorted[(length - 1) >> 1], sorted[length >> 1]];
  const [min, max] = [sorted[0], sorted[length - 1]];
  if (low === undefined || high === undefined || min === undefined || max === undefined)
    throw new Error("bug: nothing was measured");
  return { median: (low + high) / 2, min, max, batches: length };
}

/** Several measurements of the same thing, made by turns with others: median of the medians. */
export function together(parts: readonly Measured[]): Measured {
  return {
    median: measured(parts.map((part) => part.median)).median,
    min: Math.min(...parts.map((part) => part.min)),
    max: Math.max(...parts.map((part) => part.max)),
    batches: parts.reduce((sum, part) => sum + part.batches, 0),
  };
}

export function scaled(value: Measured, factor: number): Measured {
  const { median, min, max, batches } = value;
  return { median: median * factor, min: min * factor, max: max * factor, batches };
}

/** A figure known from print: one value, no batches. */
export function printed(value: number): Measured {
  return { median: value, min: value, max: value, batches: 0 };
}

/** Collects a sheet while it is measured. */
export class SheetBuilder {
  private readonly head: Pick<Sheet, "name" | "title" | "unit" | "rowHead">;
  private readonly figures: Figure[] = [];
  private readonly aims: Aim[] = [];
  private readonly notes: string[] = [];
  private readonly failures: string[] = [];

  constructor(head: Pick<Sheet, "name" | "title" | "unit" | "rowHead">) {
    this.head = head;
  }

  add(row: string | number, column: string, value: Measured | undefined): void {
    if (value !== undefined) this.figures.push({ ...value, row: String(row), column });
  }

  /** Median of a figure, or undefined if it was not measured. */
  median(row: string | number, column: string): number | undefined {
    return this.figures.find((each) => each.row === String(row) && each.column === column)?.median;
  }

  /** Compares with an aim; without a value there is a note instead. */
  aim(what: string, better: Aim["better"], limit: number, unit: string, got: number | undefined): void {
    if (got === undefined) this.note(`${what}: not measured`);
    else
      this.aims.push({
        what,
        got,
        limit,
        better,
        unit,
        met: better === "less" ? got <= limit : got >= limit,
      });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  /** Does one part of the measurement; if it fails, the others still count. */
  async attempt(what: string, part: () => Promise<void>): Promise<void> {
    try {
      await part();
    } catch (error) {
      this.failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  done(): Sheet {
    const unique = (texts: string[]) => [...new Set(texts)];
    return {
      ...this.head,
      rows: unique(this.figures.map((each) => each.row)),
      columns: unique(this.figures.map((each) => each.column)),
      figures: this.figures,
      aims: this.aims,
      notes: this.notes,
      failures: this.failures,
    };
  }
}
