/**
 * Requests that make tasks: pvm_spawn, SM_EXEC; and what a tracer and a tasker have to do with them.
 *
 * Owns: what new tasks begin with, and who lets them run. Where they are made is the router's (router.ts, placement.ts); in
 * a virtual machine of one process the engine of who asks makes them, and is told here on which terms.
 */
import { PVM_OPTION, TASK_TRACE } from "../wire/options.ts";
import { SM, SPAWN_ANSWER, TRACER } from "../wire/plugins.ts";
import { PVM_CONSTANT, PVM_ERROR } from "../wire/pvm.ts";
import type { RequestOf } from "../wire/requests.ts";
import type { Creation } from "./host.ts";
import type { Handler, Machine } from "./machine.ts";
import { Packer } from "./plugin-data.ts";

/** Options of a task by number. */
type Options = Map<number, number>;

/** A spawn that the engine does not do alone: a plug-in has a say in it, or tasks go to several hosts. */
export const spawn: Handler<"spawn"> = async (machine, request) => {
  const { host, plugins } = machine;
  const { body } = request;
  if (host.create !== undefined) return spawnAnywhere(machine, request);
  if (body.refused < 0) return { value: body.refused };
  const program = body.program >= 0 ? body.program : await host.load(body.name, request.tid);
  if (program < 0) return { value: program };
  const tasker = plugins.registered("tasker") === undefined ? 0 : 1;
  return { value: program, ints: [SPAWN_ANSWER.start, tasker, ...tracerOf(machine)] };
};

async function spawnAnywhere(machine: Machine, { tid, body }: RequestOf<"spawn">) {
  const { name, flags, where, count, args, env, context } = body;
  const options = pairsOf(body.options);
  traceTo(options, tracerOf(machine));
  const held = machine.plugins.registered("tasker") !== undefined;
  const parent = (flags & PVM_CONSTANT.PvmNoSpawnParent) !== 0 ? PVM_ERROR.PvmParentNotSet.code : tid;
  const task = { by: tid, parent, name, flags, where, count, args, env, context, held };
  const tids = await makeTasks(machine, { ...task, options: [...options].flat() });
  return { value: tids.filter((each) => each > 0).length, ints: [SPAWN_ANSWER.placed, ...tids] };
}

/** Makes tasks where they belong. @returns as Tasks.create */
export async function makeTasks(machine: Machine, creation: Creation): Promise<readonly number[]> {
  const { by, name, args, flags } = creation;
  const tids = (await machine.host.create?.(creation)) ?? [];
  if (creation.held) {
    const made = tids.filter((tid) => tid > 0);
    const env = environmentOf(machine.host.environment?.(by) ?? [], creation.env);
    askTasker(machine, { tids: made, flags, args: [name, ...args], env });
  }
  return tids;
}

/** A process's environment, and what a parent exports in its place. As envOf of runtime/pvm/program-texts.ts. */
function environmentOf(common: readonly string[], own: readonly string[]): string[] {
  const nameOf = (text: string): string => text.split("=", 1)[0]!;
  const names = new Set(own.map(nameOf));
  return [...common.filter((text) => !names.has(nameOf(text))), ...own];
}

/** Tasks were made by an engine, and wait. */
export const started: Handler<"started"> = async (machine, { body }) => {
  askTasker(machine, body);
  return undefined;
};

/** The tasker is asked to let tasks run. If there is none any more, they run. */
function askTasker({ host, plugins }: Machine, body: RequestOf<"started">["body"]): void {
  const tasker = plugins.registered("tasker");
  for (const tid of body.tids) {
    if (tasker === undefined) host.begin(tid);
    else if (host.watchEnd(tid)) {
      plugins.held.set(tid, tasker.tid);
      const data = new Packer().ints(tid, body.flags).text(body.args[0] ?? "");
      host.post({ to: tasker.tid, tag: SM.SM_STTASK.tag, data: data.list(body.args).list(body.env).data() });
    }
  }
}

/** What the tracer wants: TRACER; without one its tid is 0. */
function tracerOf({ plugins }: Machine): readonly number[] {
  const tracer = plugins.registered("tracer");
  return tracer === undefined ? NO_TRACER : [tracer.tid, ...(tracer.wants ?? [])];
}
const NO_TRACER: readonly number[] = Array<number>(TRACER.ints).fill(0);

function pairsOf(words: readonly number[]): Options {
  const options: Options = new Map();
  for (let i = 0; i + 1 < words.length; i += 2) options.set(words[i]!, words[i + 1]!);
  return options;
}

/** A tracer takes what has no other place to go. As runtime/pvm/spawn.ts does it for tasks of one process. */
function traceTo(options: Options, wants: readonly number[]): void {
  const at = (place: keyof typeof TRACER) => wants[TRACER[place]] ?? 0;
  if (at("tid") === 0) return;
  if ((options.get(PVM_OPTION.PvmSelfOutputTid.code) ?? 0) === 0)
    setOutput(options, [at("tid"), at("outputContext"), at("outputCode")]);
  if ((options.get(PVM_OPTION.PvmSelfTraceTid.code) ?? 0) !== 0) return;
  setTrace(options, [at("tid"), at("traceContext"), at("traceCode")]);
  options.set(PVM_OPTION.PvmSelfTraceBuffer.code, at("traceBuffer"));
  options.set(PVM_OPTION.PvmSelfTraceOptions.code, at("traceOptions"));
  for (let i = 0; TRACER.mask + i < TRACER.ints; i++)
    options.set(TASK_TRACE.mask + i, wants[TRACER.mask + i] ?? 0);
}

/** Tid, context and tag. */
function setOutput(options: Options, [tid = 0, context = 0, tag = 0]: readonly number[]): void {
  options.set(PVM_OPTION.PvmSelfOutputTid.code, tid);
  options.set(PVM_OPTION.PvmSelfOutputContext.code, context);
  options.set(PVM_OPTION.PvmSelfOutputCode.code, tag);
}
function setTrace(options: Options, [tid = 0, context = 0, tag = 0]: readonly number[]): void {
  options.set(PVM_OPTION.PvmSelfTraceTid.code, tid);
  options.set(PVM_OPTION.PvmSelfTraceContext.code, context);
  options.set(PVM_OPTION.PvmSelfTraceCode.code, tag);
}

/** Options of tasks of SM_EXEC: where its six ints say that output and traces go. */
export function outputOptions(output: readonly number[]): number[] {
  const options: Options = new Map();
  setOutput(options, output.slice(0, 3));
  setTrace(options, output.slice(3));
  return [...options].flat();
}
