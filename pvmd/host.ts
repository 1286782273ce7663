/**
 * What the virtual machine's service can do: the ways to tasks and to hosts.
 *
 * Owns: the interfaces. `Host` is one process that is the whole machine (upvm/local-host.ts, a test's of arrays). For a
 * machine of many hosts `Tasks` is the router over the members of all jobs (router.ts), and `Hosts` the host table.
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

/** Tasks that the service makes: pvm_spawn, and SM_EXEC, where engines do not make them themselves. */
export interface Creation {
  /** Task that asks: they are of its job, and "." is its host. */
  readonly by: number;
  /** Tid of their parent; PvmParentNotSet: none. */
  readonly parent: number;
  readonly name: string;
  /** pvm_spawn's, and its `where` and `ntask`. */
  readonly flags: number;
  readonly where: string;
  readonly count: number;
  /** Without the program's name. */
  readonly args: readonly string[];
  /** What their parent exports: NAME=VALUE. */
  readonly env: readonly string[];
  readonly context: number;
  /** Options that they begin with: number and value, one pair behind the other. */
  readonly options: readonly number[];
  /** A tasker lets them run. */
  readonly held: boolean;
}

/** A task, as pvm_tasks tells of it. */
export interface TaskFacts {
  readonly tid: number;
  /** Tid of its parent; an error's code: none. */
  readonly parent: number;
  /** Tid of its host's daemon. */
  readonly host: number;
  /** Program. */
  readonly name: string;
}

/** The way to the tasks. */
export interface Tasks {
  /** Ends the wait of the task that asked. If it waits no more, the answer is dropped. */
  answer(request: Request, answer: Answer): void;
  /**
   * Loads a program, once for each name.
   *
   * @param by  the task that asks: programs are its job's
   * @returns its row in the program table, or PvmNoFile
   */
  load(name: string, by: number): Promise<number>;
  /** Sends a message to a task; one that has ended gets none. */
  post(notice: Notice): void;
  /** Has the engine of a resource manager make tasks; an `executed` request tells of them. Nothing, if it has ended. */
  execute(execution: Execution): void;
  /**
   * Makes tasks, and lets them run unless they are held. Absent: engines make them (`execute`, SPAWN_ANSWER.start).
   *
   * @returns for each of `count` its tid or an error's code, tids first
   */
  create?(creation: Creation): Promise<readonly number[]>;
  /** Environment of the processes of a task's job: NAME=VALUE. Absent, as `create` is. */
  environment?(by: number): readonly string[];
  /** All that are there, in order of their tids. Absent: the engine of who asks knows them. */
  all?(): readonly TaskFacts[];
  /** Program of a task; undefined: there is no such task. Absent, as `all` is. */
  programOf?(tid: number): string | undefined;
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
  /** Standard input of the task's job: waits for some. @returns `bytes` at most; none at its end */
  input(bytes: number, by: number): Promise<Uint8Array>;
  /** Waits for standard input, `ms` milliseconds, -1: for ever. @returns whether a read would not wait */
  inputReady(ms: number, by: number): Promise<boolean>;
}

/** A host of the virtual machine, as tasks see it. */
export interface HostFacts {
  /** Tid of its daemon: its number in the host bits, as PVM's. The first host is number 1, TID_BASE. */
  readonly tid: number;
  readonly name: string;
  /** What its processor is, as Node says it: x64, arm64. Programs run on all: to tasks every host is HOST_ARCH. */
  readonly machine: string;
  /** Engines that a job has there: how many tasks it gets in its turn. */
  readonly engines: number;
}

/** The host table. */
export interface Hosts {
  /** Hosts in service, in order of their numbers. The first is the master. */
  all(): readonly HostFacts[];
  /** Host that a task is on: tid of its daemon; undefined: there is no such task. */
  of(task: number): number | undefined;
  /**
   * What adding them would give: PvmDupHost for one that is there, PvmNoHost for one that nobody knows, PvmBadParam for an
   * empty line; PvmOk: it can be tried.
   *
   * @param lines  as in a host file: a name, options behind it
   */
  check(lines: readonly string[]): Promise<readonly number[]>;
  /** Adds hosts that were checked. @returns tid of each one's daemon, or PvmCantStart and the like */
  add(lines: readonly string[]): Promise<readonly number[]>;
  /** A host leaves, with all of its tasks; it is none of those that must stay. @returns PvmOk or a code */
  remove(host: number): Promise<number>;
  /** Its clock: seconds and microseconds since 1970; undefined: it does not answer. */
  clock(host: number): Promise<readonly [number, number] | undefined>;
  /** Ends all tasks and the virtual machine. */
  halt(): void;
}

/** A process that is a virtual machine of one host. */
export interface Host extends Tasks {
  /** What pvm_config calls it. */
  readonly name: string;
  /** Seconds and microseconds since 1970. */
  clock(): readonly [number, number];
  /** True if a host of this name can be found from here. */
  resolves(name: string): Promise<boolean>;
  /** Ends all tasks and the virtual machine. */
  halt(): void;
}
