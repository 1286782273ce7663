/**
 * The lines of a pvmd's log on connections that were refused: whoever reaches its port can make as many as they like.
 *
 * Owns: how many there are, and that those that are left out are counted. No clock: `after` is handed in.
 */
import { LIMITS } from "../wire/limits.ts";

export class RefusedLines {
  private readonly after: (ms: number, act: () => void) => unknown;
  private readonly told: (text: string) => void;
  private lines = 0;
  private leftOut = 0;
  private last = "";

  constructor(after: (ms: number, act: () => void) => unknown, told: (text: string) => void) {
    this.after = after;
    this.told = told;
  }

  add(text: string): void {
    if (this.lines === 0) this.after(LIMITS.refusedLinesMs, () => this.over());
    this.lines += 1;
    if (this.lines <= LIMITS.refusedLines) return this.told(text);
    this.leftOut += 1;
    this.last = text;
  }

  private over(): void {
    const { leftOut, last } = this;
    this.lines = 0;
    this.leftOut = 0;
    if (leftOut > 0) this.told(`${leftOut} more in the same minute, the last of them: ${last}`);
  }
}
