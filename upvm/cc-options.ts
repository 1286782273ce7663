/**
 * Options of other compilers and linkers that Makefiles carry along: which mean nothing here, something else, or cannot be.
 *
 * Owns: these lists and what is said of them. All other options are clang's and wasm-ld's own. Pure.
 */

/** Of GNU's linker: about shared libraries, their search and their loading, and about the order of archives. */
const LINKER_NOTHING =
  /^(--(start|end)-group|-[()]|--(no-)?as-needed|--(no-)?undefined-version|--no-undefined|--(enable|disable)-new-dtags|--hash-style=.*|--(no-)?copy-dt-needed-entries|--(no-)?(allow-shlib-undefined|keep-memory|relax|warn-mismatch)|--warn-common|--sort-common(=.*)?|--eh-frame-hdr|--(push|pop)-state|--stats|--cref|--reduce-memory-overheads|--?(rpath-link|version-script|dynamic-list|exclude-libs|dynamic-linker)=.*|-Bsymbolic-functions|-x|--discard-all|-n|-N|-q)$/;
/** The same, with a value in the next word. */
const LINKER_NOTHING_WITH_VALUE = /^(--?(rpath-link|version-script|exclude-libs|dynamic-linker)|-h|-I)$/;

/** Words for the linker without those that mean nothing to a program that is all in one file. */
export function linkerWords(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const next = words[i + 1];
    if (LINKER_NOTHING.test(word)) continue;
    if (LINKER_NOTHING_WITH_VALUE.test(word)) i++;
    else if (word !== "-z" || next === undefined) kept.push(word);
    else {
      // now, relro, defs, noexecstack: about how a program is loaded.
      if (next.startsWith("stack-size=")) kept.push(word, next);
      i++;
    }
  }
  return kept;
}

const CHECKERS = /^-fsanitize=.*\b(address|thread|memory|leak|hwaddress|dataflow|fuzzer)\b/;
/** What cannot be had, and why: the compiler would take it, and the program not link, or not do it. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [
    CHECKERS,
    "its library is not here; every address outside a ULP's memory stops it, and -fsanitize=undefined works",
  ],
  [
    /^(--coverage|-fprofile-arcs|-ftest-coverage|-fprofile-(instr-)?generate.*|-fcoverage-mapping)$/,
    "its library is not here; upvm run --profile MS tells where ULPs compute",
  ],
  [/^-(shared|dynamiclib|bundle)$/, "a ULP's program is one file: make an archive of the objects (upvm ar)"],
];
/** What changes nothing, though who says it may count on it. */
const NO_EFFECT: readonly (readonly [RegExp, string])[] = [
  [/^-fopenmp(=.*)?$/, "there are no threads in a ULP: start more ULPs with pvm_spawn"],
  [/^-pg?$/, "upvm run --profile MS tells where ULPs compute"],
];

export interface OptionNote {
  readonly kind: "error" | "warning";
  readonly text: string;
  readonly hint: string;
}

/** What is to be said of an option; undefined: nothing. */
export function optionNote(word: string): OptionNote | undefined {
  const refused = REFUSED.find(([names]) => names.test(word));
  if (refused !== undefined) return { kind: "error", text: `there is no ${word}`, hint: refused[1] };
  const none = NO_EFFECT.find(([names]) => names.test(word));
  return none && { kind: "warning", text: `${word} has no effect`, hint: none[1] };
}

/** An option as clang is to get it. */
export function compilerWords(word: string): string[] {
  // Without a library that could print, a check that fails is a trap, at its line.
  if (/^-fsanitize=/.test(word)) return [word, "-fsanitize-trap=all"];
  return optionNote(word) === undefined ? [word] : [];
}
