/**
 * Plug-ins: tasks that take over a part of the daemon. Their messages' tags, and what engines know of them.
 *
 * Source: pvmproto.h and pvm_reg_tasker(3PVM), pvm_reg_rm(3PVM), pvm_reg_hoster(3PVM) of PVM 3.4.6. No code here has
 * effects.
 */

/** 0x80040001: tags below 0 are reserved (PvmResvTids). */
const FIRST = -0x7ffbffff;

/** t: any task, d: the daemon, R: resource manager, H: hoster, T: tasker. */
export const SM = {
  SM_SPAWN: { tag: FIRST, doc: "t>R, R>t: spawn tasks" },
  SM_EXEC: { tag: FIRST + 1, doc: "R>d: start tasks" },
  SM_EXECACK: { tag: FIRST + 2, doc: "d>R: which were started" },
  SM_TASK: { tag: FIRST + 3, doc: "t>R, R>t: list of tasks" },
  SM_CONFIG: { tag: FIRST + 4, doc: "t>R, R>t: list of hosts" },
  SM_ADDHOST: { tag: FIRST + 5, doc: "t>R, R>t: add hosts" },
  SM_DELHOST: { tag: FIRST + 6, doc: "t>R, R>t: remove hosts" },
  SM_ADD: { tag: FIRST + 7, doc: "R>d: add hosts" },
  SM_ADDACK: { tag: FIRST + 8, doc: "d>R: which were added" },
  SM_NOTIFY: { tag: FIRST + 9, doc: "t>R: messages about events" },
  SM_TASKX: { tag: FIRST + 10, doc: "d>R, T>d: a task has ended" },
  SM_HOSTX: { tag: FIRST + 11, doc: "d>R: a host has gone" },
  SM_HANDOFF: { tag: FIRST + 12, doc: "R>d: another resource manager" },
  SM_SCHED: { tag: FIRST + 13, doc: "t>R, R>t: wants to be the resource manager" },
  SM_STHOST: { tag: FIRST + 14, doc: "d>H: start daemons" },
  SM_STHOSTACK: { tag: FIRST + 15, doc: "H>d: which were started" },
  SM_STTASK: { tag: FIRST + 16, doc: "d>T: start a task; T>d, upvm's own: let it run" },
} as const;
export const SM_FIRST = FIRST;
export const SM_LAST = FIRST + 16;

/** What a resource manager answers tasks with. */
export const MANAGER_ANSWERS: readonly number[] = [
  SM.SM_SPAWN.tag,
  SM.SM_TASK.tag,
  SM.SM_CONFIG.tag,
  SM.SM_ADDHOST.tag,
  SM.SM_DELHOST.tag,
  SM.SM_SCHED.tag,
];

/** Bits of HEAD.plugins: which kinds are registered. */
export const PLUGIN_BIT = { rm: 1, tasker: 2, hoster: 4, tracer: 8 } as const;
export type PluginKind = keyof typeof PLUGIN_BIT;

/** First int of the answer to a spawn: `placed`, then tids; `start`, then 1 if a tasker lets them run, then TRACER. */
export const SPAWN_ANSWER = { placed: 0, start: 1 } as const;

/** What a tracer wants of tasks, in order: its tid, 0 none; context and tag of events, of output; buffer, options, mask. */
export const TRACER = {
  tid: 0,
  traceContext: 1,
  traceCode: 2,
  outputContext: 3,
  outputCode: 4,
  traceBuffer: 5,
  traceOptions: 6,
  /** MASK_WORDS words. */
  mask: 7,
  ints: 11,
} as const;
