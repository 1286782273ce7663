/**
 * Splits a command line into options, values and arguments: Node's own parser, told to refuse nothing.
 *
 * Refusing is args.ts's, which knows what to suggest.
 */
import { parseArgs } from "node:util";
import type { OptionShapes, Token } from "./args.ts";

export function tokenize(words: readonly string[], options: OptionShapes): readonly Token[] {
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}
