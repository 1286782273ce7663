/**
 * The words of `upvm cc`, as a compiler's: what is compiled, with which options, and what becomes of it.
 *
 * Owns: which words take a value, and which are for the compiler, the linker or nobody. What is not known is the
 * compiler's: it knows more options than anyone. Pure.
 */
import { compilerWords, linkerWords, type OptionNote, optionNote } from "./cc-options.ts";
import type { Include } from "./compile-c-files.ts";

/** `link`: a program. The others stop before: an object, assembler text, preprocessed text or dependencies, nothing. */
export type CcMode = "link" | "object" | "assembly" | "preprocess" | "dependencies" | "syntax";

export interface CcInput {
  readonly kind: "source" | "object" | "library";
  /** A library's name, else a path. */
  readonly path: string;
  /** -x, if it was given before. */
  readonly language?: string;
}

export interface CcArgs {
  readonly mode: CcMode;
  /** Sources, objects and libraries in order: the linker takes the first that has a symbol. */
  readonly inputs: readonly CcInput[];
  readonly output: string | undefined;
  readonly include: readonly Include[];
  /** Files of -include and -imacros: they are read too. */
  readonly included: readonly { readonly flag: string; readonly path: string }[];
  /** For the compiler, those above apart. */
  readonly compile: readonly string[];
  /** -MMD and its kind: a file with dependencies is written beside; its name if -MF says. */
  readonly dependencies: { readonly file: string | undefined; readonly target: boolean } | undefined;
  /** Folders of -L, and words for the linker. */
  readonly folders: readonly string[];
  readonly link: readonly string[];
  /** Options that cannot be had, or do nothing: what the user is told. */
  readonly notes: readonly OptionNote[];
  /** No input but a question, such as --version: the compiler answers. */
  readonly question: boolean;
}

/** What standard input is called as a source, also in messages. */
export const STDIN = "<stdin>";

const MODE: Readonly<Record<string, CcMode>> = {
  "-c": "object",
  "-S": "assembly",
  "-E": "preprocess",
  "-M": "dependencies",
  "-MM": "dependencies",
  "-fsyntax-only": "syntax",
};
const INCLUDE = ["-isystem", "-iquote", "-idirafter", "-I"] as const;
/** Options of the compiler with a value in the next word. */
const WITH_VALUE = ["-D", "-U", "-MT", "-MQ", "-Xclang", "-mllvm", "--param", "-ftemplate-depth"];
/** Words of the linker with a value in the next one. */
const LINK_WITH_VALUE = ["-z", "-u"];
/** What says nothing here: one thread, no shared libraries, no other stages. */
const NOTHING =
  /^-(pthreads?|pipe|static|rdynamic|no-pie|pie|fPIC|fpic|fPIE|fpie|m64|m32|march=.*|mtune=.*)$/;
const QUESTION = /^(--version|-dumpversion|-dumpmachine|-print-.*|--print-.*|--target-help)$/;

/** Reads words of a compiler's command line. `read` gives the text of a response file; null: there is none. */
export function ccArgs(words: readonly string[], read: (path: string) => string | null): CcArgs {
  const rest = expanded(words, read).reverse();
  const found = new Found();
  while (rest.length > 0) {
    const word = rest.pop() as string;
    found.take(word, () => rest.pop() ?? "");
  }
  return found.args();
}

/** Collects while the words go by. */
class Found {
  private mode: CcMode = "link";
  private language: string | undefined;
  private output: string | undefined;
  private depends = false;
  private dependsFile: string | undefined;
  private dependsTarget = false;
  private question = false;
  private readonly inputs: CcInput[] = [];
  private readonly include: Include[] = [];
  private readonly included: { flag: string; path: string }[] = [];
  private readonly compile: string[] = [];
  private readonly folders: string[] = [];
  private readonly link: string[] = [];
  private readonly notes: OptionNote[] = [];

  args(): CcArgs {
    const { mode, inputs, output, include, included, compile, folders, notes, question } = this;
    const link = linkerWords(this.link);
    const file = this.dependsFile;
    const dependencies = this.depends ? { file, target: this.dependsTarget } : undefined;
    const asked = question || (inputs.length === 0 && compile.includes("-v"));
    const all = { mode, inputs, output, include, included, compile, dependencies, folders, link, notes };
    return { ...all, question: asked };
  }

  take(word: string, next: () => string): void {
    if (!word.startsWith("-") || word === "-") this.input(word);
    else if (NOTHING.test(word)) return;
    else if (this.takeFile(word, next) || this.takeLink(word, next)) return;
    else if (word.startsWith("-x")) this.language = languageOf(word === "-x" ? next() : word.slice(2));
    else if (WITH_VALUE.includes(word)) {
      if (word === "-MT" || word === "-MQ") this.dependsTarget = true;
      this.compile.push(word, next());
    } else {
      const mode = MODE[word];
      if (mode !== undefined) this.mode = mode;
      // -c is said for each source anyway; dependencies on headers of the package are of no use to anyone.
      if (word === "-M" || word === "-MM") this.compile.push("-MM");
      else if (word === "-MD" || word === "-MMD") this.depends = true;
      else if (word !== "-c") this.compile.push(...compilerWords(word));
      const note = optionNote(word);
      if (note !== undefined) this.notes.push(note);
      this.question ||= QUESTION.test(word);
    }
  }

  private input(path: string): void {
    const object = /\.(o|a|obj|lo|so|so\..*)$/.test(path) && this.language === undefined;
    const { language } = this;
    this.inputs.push({
      kind: object ? "object" : "source",
      path: path === "-" ? STDIN : path,
      ...(language !== undefined && { language }),
    });
  }

  /** Options whose value is a path. */
  private takeFile(word: string, next: () => string): boolean {
    const value = (flag: string): string => (word === flag ? next() : word.slice(flag.length));
    if (word.startsWith("-o") && !word.startsWith("-object")) this.output = value("-o");
    else if (word.startsWith("-MF")) this.dependsFile = value("-MF");
    else if (word === "-include" || word === "-imacros") this.included.push({ flag: word, path: next() });
    else {
      const flag = INCLUDE.find((name) => word.startsWith(name));
      if (flag === undefined) return false;
      this.include.push({ flag, folder: value(flag) });
    }
    return true;
  }

  private takeLink(word: string, next: () => string): boolean {
    const value = (flag: string): string => (word === flag ? next() : word.slice(flag.length));
    if (word.startsWith("-l")) this.inputs.push({ kind: "library", path: value("-l") });
    else if (word.startsWith("-L")) this.folders.push(value("-L"));
    else if (word.startsWith("-Wl,")) this.link.push(...word.split(",").slice(1));
    else if (word === "-Xlinker") this.link.push(next());
    else if (LINK_WITH_VALUE.includes(word)) this.link.push(word, next());
    else if (word === "-s") this.link.push("--strip-all");
    else return false;
    return true;
  }
}

/** What -x says; "none": what the name says. */
function languageOf(value: string): string | undefined {
  return value === "none" ? undefined : value;
}

/** Words with those of response files in the place of `@FILE`. */
function expanded(words: readonly string[], read: (path: string) => string | null, depth = 0): string[] {
  return words.flatMap((word) => {
    const text = word.startsWith("@") && depth < RESPONSE_DEPTH ? read(word.slice(1)) : null;
    return text === null ? [word] : expanded(splitWords(text), read, depth + 1);
  });
}
/** Response files in response files; one that names itself ends here, as an input that is not there. */
const RESPONSE_DEPTH = 16;

/** Words as a shell splits them: quotes and backslashes keep a word together. */
export function splitWords(text: string): string[] {
  const words = text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return words.map((word) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs,
      (_, escaped?: string, double?: string, single?: string) =>
        escaped ?? double?.replace(/\\(.)/gs, "$1") ?? single ?? "",
    ),
  );
}
