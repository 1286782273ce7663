/**
 * Compiles on Node: from the cache if nothing has changed, else in a process of its own.
 *
 * Why a process: asc ends its own when it crashes, LLVM's 300 MB go when it ends, and V8 can be told how to run compilers
 * (node-compiler-flags.ts). It is kept for a moment: most of the first program's time is the compiler's own start (6 s of
 * processor time with the guest's library, the second 0.4; two cores, Node 26.10).
 * Owns: the process. What is kept between runs is node-compile-cache.ts's.
 */
import { type ChildProcess, fork } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import { type ErrorCode, UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import type { Compiled, CompileOptions } from "./compile.ts";
import { defaultCacheFolder, findCompiled, keepCompiled, type Reads } from "./node-compile-cache.ts";
import { codeExtension } from "./node-package.ts";

/** What the process is asked for. */
export interface CompileTask {
  readonly path: string;
  readonly options: CompileOptions;
  /** Where parts of programs are kept; undefined: nowhere. */
  readonly cacheFolder: string | undefined;
}
/** What is sent: the working folder besides, which may be another one each time. */
export interface CompileOrder extends CompileTask {
  readonly folder: string;
}
/** What it answers: the program and what it was made from, or why not. */
export type CompileAnswer =
  | { readonly compiled: Compiled; readonly reads: Reads }
  | { readonly code: ErrorCode; readonly facts: Readonly<Record<string, string | number>> };

/**
 * Compiles a .ts, .c or .wat file to wasm that is not linked yet.
 *
 * @param path  as the user wrote it; relative to the working folder
 * @param cacheFolder  where compiled programs are kept; undefined: nowhere
 * @throws UpvmError COMPILE (the compiler's own words), FILE_NOT_FOUND, NOT_A_PROGRAM, USAGE
 */
export async function compile(
  path: string,
  options: CompileOptions = {},
  cacheFolder: string | undefined = defaultCacheFolder(),
): Promise<Compiled> {
  const task: CompileTask = { path, options, cacheFolder };
  // What a compiler of the user's reads is not known here: its programs are not kept.
  const kept = options.cc === undefined ? cacheFolder : undefined;
  const found = kept && findCompiled(kept, task);
  if (found) return found;
  const answer = await compileApart(task);
  if ("code" in answer) throw new UpvmError(answer.code, answer.facts);
  if (kept) keepCompiled(kept, task, answer.compiled, answer.reads);
  return answer.compiled;
}

async function compileApart(task: CompileTask): Promise<CompileAnswer> {
  const idle = kept?.mayBeAsked() ? kept : undefined;
  kept = undefined;
  if (idle !== undefined) {
    const answer = await askAndKeep(idle, task);
    // It may have been ended from outside while it was idle: only a new one can say that the program was the reason.
    if (idle.mayBeAsked() || !("code" in answer)) return answer;
  }
  return await askAndKeep(new CompilerProcess(), task);
}

async function askAndKeep(compiler: CompilerProcess, task: CompileTask): Promise<CompileAnswer> {
  const answer = await compiler.answer(task);
  // Of two that compiled at once one is enough.
  if (kept === undefined && compiler.mayBeAsked()) kept = compiler;
  else compiler.end();
  return answer;
}

/** The process that compiled last and has nothing to do. */
let kept: CompilerProcess | undefined;

/** A process that compiles one program after the other. While it has nothing to do it keeps nobody alive. */
class CompilerProcess {
  /** So many more programs may it be asked for: what compilers leave behind in it has an end. */
  #left = LIMITS.compilesPerProcess;
  readonly #child: ChildProcess;
  #said = "";
  #answered: ((answer: CompileAnswer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #task: CompileTask | undefined;
  #ended = false;
  #idle: NodeJS.Timeout | undefined;

  constructor() {
    const path = join(import.meta.dirname, `node-compile-process${codeExtension}`);
    const child = fork(path, {
      serialization: "advanced",
      // What Node was told of this process's main file is not meant for that one's.
      execArgv: [],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        if (this.#said.length < SAID_CHARS) this.#said += text;
      });
    // It is our own child: what it sends is an answer.
    child.on("message", (told) => this.#settle(told as CompileAnswer));
    child.once("error", (error) => {
      this.#ended = true;
      this.#failed?.(error);
    });
    child.once("close", () => {
      this.#ended = true;
      // Only a compiler that gives up on itself ends the process before it has answered.
      const path = this.#task?.path ?? "";
      this.#settle({ code: "COMPILE", facts: { path, output: crash(path, this.#said) } });
    });
  }

  /** False once it has ended, or has compiled enough. */
  mayBeAsked(): boolean {
    return !this.#ended && this.#child.connected && this.#left > 0;
  }

  answer(task: CompileTask): Promise<CompileAnswer> {
    clearTimeout(this.#idle);
    this.#left--;
    this.#said = "";
    this.#task = task;
    this.#hold(true);
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#child.send({ ...task, folder: process.cwd() } satisfies CompileOrder, (error) => {
        // One that cannot be told anything has ended, or is as good as that: "close" settles it.
        if (error !== null) this.#child.kill("SIGKILL");
      });
    });
  }

  end(): void {
    clearTimeout(this.#idle);
    // It waits for messages and nothing else, and ends when none can come.
    if (this.#child.connected) this.#child.disconnect();
  }

  #settle(answer: CompileAnswer): void {
    const answered = this.#answered;
    this.#answered = undefined;
    this.#failed = undefined;
    if (this.#ended) return answered?.(answer);
    this.#hold(false);
    this.#idle = setTimeout(() => this.end(), LIMITS.compilerIdleMs).unref();
    answered?.(answer);
  }

  /** Whether this process waits for it before it ends. */
  #hold(yes: boolean): void {
    const { channel, stdout, stderr } = this.#child;
    const word = yes ? "ref" : "unref";
    this.#child[word]();
    channel?.[word]();
    // Pipes of a child are sockets, which the types do not say.
    for (const stream of [stdout, stderr]) if (stream instanceof Socket) stream[word]();
  }
}

/** Of what a compiler says while it crashes, so much is looked at, characters. */
const SAID_CHARS = 1 << 20;

/** A compiler's crash in one line: asc prints twenty, with its own stack. */
function crash(path: string, said: string): string {
  if (/out of memory/i.test(said)) return "the compiler ran out of memory";
  const stage = /crashed during (\w+)/.exec(said)?.[1];
  const error = /\b\w*Error: .*/.exec(said)?.[0] ?? (said.trim() || "it gave no reason");
  return `${path}: the compiler crashed${stage === undefined ? "" : ` (${stage})`}: ${error}`;
}
