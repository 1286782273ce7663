/**
 * The console: PVM's verbs, line by line.
 *
 * Owns: the verbs and what they print; aliases and variables. The virtual machine is asked over one link to its master;
 * lines, files and processes are the edge's (`ConsoleEdge`). Source: pvm(1PVM), and what PVM 3.4.6's console prints.
 */
import type { Rpc } from "../net/rpc.ts";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { tidBaseOf, tidOf, tidText } from "../wire/pvm.ts";
import { type Spawn, spawnOf } from "./console-spawn.ts";
import { unalias, wordsOf } from "./console-words.ts";
import { columns, hostLines } from "./host-lines.ts";
import { inspectedText, isTid, tidOfText } from "./inspect-ulp.ts";
import { nearest } from "./nearest.ts";

/** A job that the console has started. */
export interface Started {
  readonly job: number;
  /** Resolves with its exit code when it has ended. */
  readonly ended: Promise<number>;
}

export interface ConsoleEdge {
  out(text: string): void;
  /** Runs a program as a job of its own, which survives the console. @throws UpvmError */
  spawn(what: Omit<Spawn, "where">, hosts: readonly string[], env: readonly string[]): Promise<Started>;
  readonly version: string;
}

interface Verb {
  readonly usage: string;
  readonly help: string;
  /** @returns false: it could not be done, and why has been said */
  readonly run: (words: readonly string[]) => boolean | Promise<boolean>;
}

const SIGTERM = 15;
/** Signals by their names, as `sig` takes them. */
const SIGNALS: Readonly<Record<string, number>> = {
  hup: 1,
  int: 2,
  quit: 3,
  kill: 9,
  usr1: 10,
  usr2: 12,
  term: 15,
};

export class Console {
  /** Why it is over: it was told to quit, or there is nothing any more to be a console of. */
  over: "quit" | "halted" | undefined;
  /** Something could not be done. */
  failed = false;
  /** Jobs that print here, until their end has been told. */
  readonly running = new Set<Promise<void>>();
  private readonly master: Rpc;
  private readonly edge: ConsoleEdge;
  private readonly aliases = new Map<string, readonly string[]>([
    ["?", ["help"]],
    ["h", ["help"]],
    ["j", ["jobs"]],
    ["t", ["ps"]],
    ["r", ["spawn", "->"]],
  ]);
  private readonly variables = new Map<string, string>();

  constructor(master: Rpc, edge: ConsoleEdge) {
    this.master = master;
    this.edge = edge;
  }

  /** Does what a line says. Never fails: what could not be done is said. */
  async line(text: string): Promise<void> {
    const parsed = wordsOf(text, (name) => this.variables.get(name));
    if ("error" in parsed) return this.refuse(parsed.error);
    const [name, ...words] = unalias(parsed.words, this.aliases);
    if (name === undefined) return;
    const verb = Object.hasOwn(this.verbs, name) ? this.verbs[name] : undefined;
    if (verb === undefined) {
      // An alias that stands for itself leads back here.
      const near = nearest(
        name,
        this.names().filter((known) => known !== name),
      );
      return this.refuse(
        `there is no ${name}; ${near === undefined ? "help lists what there is" : `did you mean ${near}?`}`,
      );
    }
    const more = words[wordLimit(verb.usage)];
    if (more !== undefined) {
      this.failed = true;
      this.say(`${name} takes no ${more}`);
      this.wants(name);
      return;
    }
    try {
      if (!(await verb.run(words))) this.failed = true;
    } catch (error) {
      if (!(error instanceof UpvmError)) throw error;
      this.refuse(error.message);
    }
  }

  /** What may stand at the end of a line: verbs, then hosts or tasks. */
  async completions(line: string): Promise<readonly string[]> {
    const [verb, ...words] = line.trimStart().split(/\s+/);
    if (words.length === 0) return this.names();
    if (verb === "delete" || verb === "mstat")
      return (await this.master.request("hosts", {})).body.hosts.map(({ name }) => name);
    if (verb === "inspect" || verb === "kill" || verb === "pstat" || verb === "sig")
      return (await this.master.request("tasks", {})).body.tasks.map(({ tid }) => tidText(tid));
    return verb === "help" ? this.names() : [];
  }

  private names(): readonly string[] {
    return [...Object.keys(this.verbs), ...this.aliases.keys()];
  }

  private readonly verbs: Readonly<Record<string, Verb>> = {
    add: { usage: "HOST...", help: "add hosts to the virtual machine", run: (words) => this.add(words) },
    alias: {
      usage: "[NAME WORDS...]",
      help: "let a name stand for words, or list them",
      run: (words) => this.alias(words),
    },
    conf: { usage: "", help: "list the hosts", run: () => this.conf() },
    delete: {
      usage: "[--kill] HOST...",
      help: "delete hosts: their tasks move to others, or end",
      run: (words) => this.delete(words),
    },
    echo: { usage: "WORDS...", help: "print the words", run: (words) => this.say(words.join(" ")) },
    halt: { usage: "", help: "end the virtual machine, and this console", run: () => this.halt() },
    help: { usage: "[VERB]", help: "list the verbs, or tell of one", run: (words) => this.help(words) },
    id: { usage: "", help: "tell which virtual machine this is", run: () => this.id() },
    inspect: {
      usage: "TID...",
      help: "tell what tasks are: descriptors",
      run: (words) => this.inspect(words),
    },
    jobs: { usage: "", help: "list what runs", run: () => this.jobs() },
    kill: { usage: "TID...", help: "end tasks", run: (words) => this.signal(SIGTERM, words, "kill") },
    mstat: { usage: "HOST...", help: "tell whether hosts are up", run: (words) => this.mstat(words) },
    ps: { usage: "[-HOST]", help: "list tasks, of all hosts or of one", run: (words) => this.ps(words) },
    pstat: { usage: "TID...", help: "tell whether tasks are there", run: (words) => this.pstat(words) },
    quit: { usage: "", help: "leave the console; the virtual machine stays", run: () => this.quit() },
    reset: { usage: "", help: "end all tasks", run: () => this.reset() },
    setenv: {
      usage: "[NAME [VALUE]]",
      help: "set a variable, for $NAME and for tasks; list them",
      run: (words) => this.setenv(words),
    },
    sig: {
      usage: "SIGNAL TID...",
      help: "send a signal, by number or name, to tasks",
      run: (words) => this.sig(words),
    },
    spawn: {
      usage: "[-COUNT] [-HOST|-ARCH] [->|->FILE|->>FILE] PROGRAM ARGS...",
      help: "run a program; -> prints here, else in the pvmd's log",
      run: (words) => this.spawn(words),
    },
    unalias: { usage: "NAME...", help: "forget aliases", run: (words) => this.unalias(words) },
    version: { usage: "", help: "print the version", run: () => this.say(this.edge.version) },
  };

  private say(text: string): true {
    this.edge.out(`${text}\n`);
    return true;
  }

  private refuse(why: string): void {
    this.failed = true;
    this.say(`upvm: ${why}`);
  }

  private wants(verb: string): false {
    this.say(`usage: ${verb} ${this.verbs[verb]?.usage}`.trimEnd());
    return false;
  }

  private table(rows: readonly (readonly string[])[]): true {
    return this.say(columns(rows).join("\n"));
  }

  private async conf(): Promise<true> {
    const { hosts } = (await this.master.request("hosts", {})).body;
    this.say(`${hosts.length} ${hosts.length === 1 ? "host" : "hosts"}`);
    return this.say(hostLines(hosts).join("\n"));
  }

  private async add(hosts: readonly string[]): Promise<boolean> {
    if (hosts.length === 0) return this.wants("add");
    const waitMs = Math.ceil(hosts.length / LIMITS.hostersAtOnce) * LIMITS.hosterMs + LIMITS.rpcMs;
    const { body } = await this.master.request("addHosts", { hosts: [...hosts] }, undefined, waitMs);
    return this.each(body.hosts, "added");
  }

  private async delete(words: readonly string[]): Promise<boolean> {
    const [first] = words;
    const hosts = first === "--kill" ? words.slice(1) : [...words];
    if (hosts.length === 0) return this.wants("delete");
    const tasks = first === "--kill" ? "end" : "move";
    const { body } = await this.master.request("deleteHosts", { hosts, tasks }, undefined, 0);
    return this.each(body.hosts, "deleted");
  }

  private each(results: readonly { host: string; error?: string | undefined }[], done: string): boolean {
    const good = results.filter(({ error }) => error === undefined).length;
    this.say(`${good} ${done}`);
    return this.table(results.map(({ host, error }) => [host, error ?? done])) && good === results.length;
  }

  private alias([name, ...words]: readonly string[]): true {
    if (name === undefined)
      return this.table([...this.aliases].map(([each, stands]) => [each, stands.join(" ")]));
    if (words.length === 0) return this.say(this.aliases.get(name)?.join(" ") ?? `${name} is no alias`);
    this.aliases.set(name, words);
    return true;
  }

  private unalias(names: readonly string[]): boolean {
    if (names.length === 0) return this.wants("unalias");
    const none = names.filter((name) => !this.aliases.delete(name));
    for (const name of none) this.say(`${name} is no alias`);
    return none.length === 0;
  }

  private help([about]: readonly string[]): boolean {
    if (about === undefined)
      return this.table(Object.entries(this.verbs).map(([name, { help }]) => [name, help]));
    const verb = Object.hasOwn(this.verbs, about) ? this.verbs[about] : undefined;
    if (verb === undefined) {
      this.say(`there is no ${about}`);
      return false;
    }
    return this.say(`${about} ${verb.usage}\n  ${verb.help}`);
  }

  private async id(): Promise<true> {
    const { body } = await this.master.request("whoIsMaster", {});
    return this.say(
      `virtual machine ${body.vm}, whose first host is ${body.host}; the console is no task of it`,
    );
  }

  private async jobs(): Promise<true> {
    const { jobs } = (await this.master.request("jobs", {})).body;
    if (jobs.length === 0) return this.say("no jobs");
    const rows = jobs.map(({ job, state, program, ulps, hosts }) => [
      `[${job}]`,
      state,
      program,
      `${ulps}`,
      hosts.join(","),
    ]);
    return this.table([["JOB", "STATE", "PROGRAM", "TASKS", "HOSTS"], ...rows]);
  }

  private async inspect(words: readonly string[]): Promise<boolean> {
    if (words.length === 0 || !words.every(isTid)) return this.wants("inspect");
    for (const word of words) {
      const { body } = await this.master.request("inspect", { tid: tidOfText(word) });
      this.say(inspectedText(body));
    }
    return true;
  }

  private async ps([where]: readonly string[]): Promise<boolean> {
    if (where !== undefined && !where.startsWith("-")) return this.wants("ps");
    const { tasks } = (await this.master.request("tasks", {})).body;
    // -a is PVM's for all, which is what there is here.
    const host = where === undefined || where === "-a" ? undefined : where.slice(1);
    const shown = tasks.filter((task) => host === undefined || task.host === host);
    if (shown.length === 0) return this.say("no tasks");
    const rows = shown.map(({ tid, job, host, state, program }) => [
      tidText(tid),
      `[${job}]`,
      host,
      state,
      program,
    ]);
    return this.table([["TID", "JOB", "HOST", "STATE", "PROGRAM"], ...rows]);
  }

  private async mstat(names: readonly string[]): Promise<boolean> {
    if (names.length === 0) return this.wants("mstat");
    const { hosts } = (await this.master.request("hosts", {})).body;
    const states = new Map(hosts.map(({ name, state }) => [name, state as string]));
    this.table(names.map((name) => [name, states.get(name) ?? "no such host"]));
    return names.every((name) => states.has(name));
  }

  private async pstat(words: readonly string[]): Promise<boolean> {
    const tids = tidsOf(words);
    if (tids === undefined) return this.wants("pstat");
    const { tasks } = (await this.master.request("tasks", {})).body;
    const there = new Set(tasks.map(({ tid }) => tid));
    this.table(tids.map((tid) => [tidText(tid), there.has(tid) ? "ok" : "no such task"]));
    return tids.every((tid) => there.has(tid));
  }

  private async sig([signal = "", ...words]: readonly string[]): Promise<boolean> {
    const name = signal.toLowerCase().replace(/^sig/, "");
    const signum = /^\d+$/.test(signal) ? Number(signal) : (SIGNALS[name] ?? 0);
    if (signum < 1) return this.wants("sig");
    return this.signal(signum, words, "sig");
  }

  private async signal(signum: number, words: readonly string[], verb: string): Promise<boolean> {
    const tids = tidsOf(words);
    if (tids === undefined) return this.wants(verb);
    const { noTids } = (await this.master.request("kill", { tids: [...tids], jobs: [], signum })).body;
    for (const tid of noTids) this.say(`${tidText(tid)}: no such task`);
    return noTids.length === 0;
  }

  private async reset(): Promise<true> {
    const { jobs } = (await this.master.request("jobs", {})).body;
    const ask = { tids: [], jobs: jobs.map(({ job }) => job), signum: SIGTERM };
    if (jobs.length > 0) await this.master.request("kill", ask);
    return this.say(`${jobs.length} ${jobs.length === 1 ? "job" : "jobs"} ended`);
  }

  private setenv([name, value]: readonly string[]): boolean {
    if (name === undefined) return this.variables.size === 0 || this.table([...this.variables]);
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      this.say(`${name} is no variable's name`);
      return false;
    }
    this.variables.set(name, value ?? "");
    return true;
  }

  private async spawn(words: readonly string[]): Promise<boolean> {
    const what = spawnOf(words);
    if ("error" in what) {
      this.say(what.error);
      return this.wants("spawn");
    }
    const hosts = await this.hostsFor(what.where);
    if (hosts === undefined) {
      this.say(`there is no host and no architecture ${what.where}`);
      return false;
    }
    const env = [...this.variables].map(([name, value]) => `${name}=${value}`);
    const { job, ended } = await this.edge.spawn(what, hosts, env);
    this.say(`[${job}]\n${what.count} started`);
    for (let index = 0; index < what.count; index++) this.say(tidText(tidOf(index, tidBaseOf(job))));
    const over = ended.then((code) => {
      this.running.delete(over);
      if (code !== 0) this.failed = true;
      this.say(`[${job}] finished${code === 0 ? "" : `, with ${code}`}`);
    });
    if (what.output === "console") this.running.add(over);
    return true;
  }

  /** Names of the hosts that are meant; all of them: none. Undefined: nothing is meant. */
  private async hostsFor(where: string | undefined): Promise<readonly string[] | undefined> {
    if (where === undefined) return [];
    const { hosts } = (await this.master.request("hosts", {})).body;
    const meant = hosts.filter(({ name, arch }) => name === where || arch === where);
    return meant.length === 0 ? undefined : meant.map(({ name }) => name);
  }

  private async halt(): Promise<boolean> {
    const { late } = (await this.master.request("halt", {}, undefined, LIMITS.haltMs + LIMITS.rpcMs)).body;
    for (const host of late) this.say(`nothing was heard of ${host}`);
    this.over = "halted";
    return late.length === 0;
  }

  private quit(): true {
    this.over = "quit";
    return true;
  }
}

/** How many words a verb takes. */
function wordLimit(usage: string): number {
  return usage.includes("...") ? Number.POSITIVE_INFINITY : usage.split(" ").filter(Boolean).length;
}

/** Undefined: one is none, or there is none. */
function tidsOf(words: readonly string[]): readonly number[] | undefined {
  if (words.length === 0 || !words.every((word) => /^t[0-9a-f]{1,8}$/i.test(word))) return undefined;
  return words.map((word) => Number.parseInt(word.slice(1), 16) | 0);
}
