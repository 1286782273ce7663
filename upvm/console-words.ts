/**
 * A line of the console as words: quotes, variables, comments, aliases. Pure.
 *
 * As PVM's console: `'` and `"` keep words together, `$NAME` is a variable (not between `'`), `#` begins a comment, an alias
 * stands for words and is replaced once. Source: pvm(1PVM).
 */

export type Words = { readonly words: readonly string[] } | { readonly error: string };

/** @param variables  undefined: there is none of this name */
export function wordsOf(line: string, variable: (name: string) => string | undefined): Words {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (quote !== "" && char === quote) quote = "";
    else if (char === "$" && quote !== "'") {
      const name = /^(\w+|\{\w+\})/.exec(line.slice(at + 1))?.[0] ?? "";
      const value = variable(name.replace(/[{}]/g, ""));
      if (name === "") word = `${word ?? ""}$`;
      else if (value === undefined) return { error: `there is no variable ${name}` };
      else word = (word ?? "") + value;
      at += name.length;
    } else if (quote !== "") word += char;
    else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "#" && word === undefined) break;
    else word = (word ?? "") + char;
  }
  if (quote !== "") return { error: `a ${quote} is not closed` };
  if (word !== undefined) words.push(word);
  return { words };
}

/** Replaces the first word if it is an alias. */
export function unalias(
  words: readonly string[],
  aliases: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const [first = "", ...rest] = words;
  const stands = aliases.get(first);
  return stands === undefined ? words : [...stands, ...rest];
}
