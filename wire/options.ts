/**
 * Options of pvm_setopt: one row for each, by PVM's number.
 *
 * Source: pvm_setopt(3PVM), and what PVM 3.4.6 returns. No code here has effects.
 */

/**
 * `any`: every int. `tid`: 0 or the task's own. `self`: a tag that can be set once its tid option is not 0. `read`:
 * PvmNotImpl when it is set. `none`: neither set nor read, as PVM on machines without shared memory.
 */
export type OptionRule = "any" | "route" | "tid" | "trace" | "fragment" | "self" | "read" | "none";

export interface Option {
  readonly code: number;
  readonly rule: OptionRule;
  readonly initial: number;
  /** Options that have this value in a task that is spawned; the others begin with `initial`. */
  readonly child?: readonly string[];
  readonly doc: string;
}

export const PVM_OPTION = {
  PvmRoute: { code: 1, rule: "route", initial: 2, doc: "how messages travel: kept, and without effect; upvm run --route says it for all of a job" },
  PvmDebugMask: { code: 2, rule: "any", initial: 0, doc: "kept, and without effect: upvm has `--dump` and `--stats`" },
  PvmAutoErr: { code: 3, rule: "any", initial: 1, doc: "0 errors are not printed, 1 printed, 2 printed and the task ends, 3 aborts" },
  PvmOutputTid: { code: 4, rule: "tid", initial: 0, child: ["PvmOutputTid", "PvmSelfOutputTid"], doc: "whom tasks spawned from now on send their output to" },
  PvmOutputCode: { code: 5, rule: "any", initial: 0, child: ["PvmOutputCode", "PvmSelfOutputCode"], doc: "with which tag" },
  PvmTraceTid: { code: 6, rule: "tid", initial: 0, child: ["PvmTraceTid", "PvmSelfTraceTid"], doc: "whom tasks spawned from now on send their trace events to" },
  PvmTraceCode: { code: 7, rule: "any", initial: 0, child: ["PvmTraceCode", "PvmSelfTraceCode"], doc: "with which tag" },
  PvmTraceBuffer: { code: 8, rule: "any", initial: 0, child: ["PvmTraceBuffer", "PvmSelfTraceBuffer"], doc: "bytes of events that they put into one message; 0: each is sent at once" },
  PvmTraceOptions: { code: 9, rule: "trace", initial: 0, child: ["PvmTraceOptions", "PvmSelfTraceOptions"], doc: "PvmTraceFull: all events; PvmTraceTime, PvmTraceCount: sums at the end; 0: none" },
  PvmFragSize: { code: 10, rule: "fragment", initial: 4080, doc: "bytes, 52 to 1 MiB; kept, and without effect: messages are not cut" },
  PvmResvTids: { code: 11, rule: "any", initial: 0, doc: "not 0: reserved tags and tids may be sent to" },
  PvmSelfOutputTid: { code: 12, rule: "any", initial: 0, doc: "whom the task's own output is sent to, 0: the terminal" },
  PvmSelfOutputCode: { code: 13, rule: "self", initial: 0, doc: "with which tag" },
  PvmSelfTraceTid: { code: 14, rule: "any", initial: 0, doc: "whom the task's own trace events are sent to, 0: nobody" },
  PvmSelfTraceCode: { code: 15, rule: "self", initial: 0, doc: "with which tag" },
  PvmSelfTraceBuffer: { code: 16, rule: "any", initial: 0, doc: "as PvmTraceBuffer" },
  PvmSelfTraceOptions: { code: 17, rule: "trace", initial: 0, doc: "as PvmTraceOptions" },
  PvmShowTids: { code: 18, rule: "any", initial: 1, doc: "pvm_catchout writes `[t40002]` before each line" },
  PvmPollType: { code: 19, rule: "none", initial: 0, doc: "PvmNotImpl, as PVM on this kind of machine" },
  PvmPollTime: { code: 20, rule: "none", initial: 0, doc: "PvmNotImpl" },
  PvmOutputContext: { code: 21, rule: "any", initial: 0, child: ["PvmOutputContext", "PvmSelfOutputContext"], doc: "context of the output of tasks spawned from now on" },
  PvmTraceContext: { code: 22, rule: "any", initial: 0, child: ["PvmTraceContext", "PvmSelfTraceContext"], doc: "context of trace events of tasks spawned from now on" },
  PvmSelfOutputContext: { code: 23, rule: "read", initial: 0, doc: "context of the task's own output; only to be read" },
  PvmSelfTraceContext: { code: 24, rule: "read", initial: 0, doc: "context of the task's own trace events; only to be read" },
  PvmNoReset: { code: 25, rule: "any", initial: 0, doc: "not 0: the task goes on when the virtual machine is reset" },
} as const satisfies Record<string, Option>;
export type OptionName = keyof typeof PVM_OPTION;

/** Behind PVM's options, where a task begins with a list of them: words of its trace mask, flags of its pvm_spawn. */
export const TASK_TRACE = { mask: 64, flags: 68 } as const;

/** Initial values by number; [0] is no option. */
export const OPTION_DEFAULT: readonly number[] = (() => {
  const values = [0];
  for (const { code, initial } of Object.values(PVM_OPTION)) values[code] = initial;
  return values;
})();

/** Options of a spawned task that have the value of one of its parent's: by number. */
export const INHERITED: readonly { readonly from: number; readonly to: number }[] = (
  Object.values(PVM_OPTION) as readonly Option[]
).flatMap(({ code, child }) => (child ?? []).map((name) => ({ from: code, to: PVM_OPTION[name as OptionName].code })));

/** Least and most of PvmFragSize, bytes. */
export const FRAGMENT_BYTES = { least: 52, most: 1 << 20 } as const;
