/**
 * The word a user probably meant.
 *
 * Pure. Distance is Damerau and Levenshtein's with adjacent transpositions (optimal string alignment), after
 * "A technique for computer detection and correction of spelling errors", CACM 7(3), 1964.
 */

/** Edits that are still taken for a slip: one in three letters, at least one. */
function slips(word: string): number {
  return Math.max(1, Math.floor(word.length / 3));
}

/**
 * The nearest of `words` to `given`, or undefined if none is near. A word that `given` begins counts as near:
 * `--stat` means `--stats`. Of equally near words the first.
 */
export function nearest(given: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestEdits = slips(given) + 1;
  for (const word of words) {
    const edits = distance(given, word);
    // Words that have no letter in common are not near, however short.
    if (edits < bestEdits && edits < Math.max(given.length, word.length)) [best, bestEdits] = [word, edits];
  }
  return best ?? (given.length >= 2 ? words.find((word) => word.startsWith(given)) : undefined);
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function distance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replace = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, replace);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  }
  return rows[a.length]![b.length]!;
}
