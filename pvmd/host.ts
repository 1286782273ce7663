/**
 * What the virtual machine's service can make a host do: the way to its tasks.
 *
 * Owns: the interface. Today's only host is the process of `upvm run` (upvm/local-host.ts); a test has one of arrays.
 */
import type { Answer, Request } from "../wire/requests.ts";

/** A message from the virtual machine to a task. */
export interface Notice {
  readonly to: number;
  readonly tag: number;
  /** PvmBaseContext unless told. */
  readonly context?: number;
  /** The daemon unless told. */
  readonly src?: number;
  /** Wait id, 0 none. */
  readonly wid?: number;
  /** What it holds, packed with the default encoding. */
  readonly data: Uint8Array;
}

/** Tasks that a resource manager wants: SM_EXEC. */
export interface Execution {
  /** Tid of the manager; its message's wait id. */
  readonly by: number;
  readonly wid: number;
  readonly parent: number;
  readonly name: string;
  /** Row of the program, or why there is none; the engines may know it by its name all the same. */
  readonly program: number;
  readonly flags: number;
  readonly count: number;
  readonly args: readonly string[];
  /** Tid, context and tag for output, and for traces. */
  readonly output: readonly number[];
  readonly env: readonly string[];
  /** They are made, and a tasker lets them run. */
  readonly held: boolean;
}

export interface Host {
  /** What pvm_config calls it. */
  readonly name: string;
  /** Ends the wait of the task that asked. If it waits no more, the answer is dropped. */
  answer(request: Request, answer: Answer): void;
  /** Loads a program, once for each name. @returns its row in the program table, or PvmNoFile */
  load(name: string): Promise<number>;
  /** Sends a message to a task; one that has ended gets none. */
  post(notice: Notice): void;
  /** Makes tasks; an `executed` request tells of them. Nothing, if the manager has ended. */
  execute(execution: Execution): void;
  /** Lets a task run that was made and held. Once for each. */
  begin(tid: number): void;
  /** Engines are told which plug-ins there are: bits of PLUGIN_BIT. */
  setPlugins(bits: number): void;
  /** Ends a task, in any state, for a signal. One that has ended or never was stays as it is. */
  stop(tid: number, signum: number): void;
  /** True if there is this task, and it has not left PVM. */
  has(tid: number): boolean;
  /** Asks for an `ended` request when the task ends or leaves PVM. False: it has, or never was. */
  watchEnd(tid: number): boolean;
  /** Seconds and microseconds since 1970. */
  clock(): readonly [number, number];
  /** True if a host of this name can be found from here. */
  resolves(name: string): Promise<boolean>;
  /** Ends all tasks and the virtual machine. */
  halt(): void;
  /** Standard input: waits for some. @returns `bytes` at most; none at its end */
  input(bytes: number): Promise<Uint8Array>;
  /** Waits for standard input, `ms` milliseconds, -1: for ever. @returns whether a read would not wait */
  inputReady(ms: number): Promise<boolean>;
}
