/**
 * PVM 3.4 for AssemblyScript programs: `import * as pvm from "upvm/guest"`.
 *
 * `pvm.send(tid, tag)` is pvm_send(3PVM): PVM's names without the prefix, C's parameters, and an i32 back that is
 * negative, one of `pvm.Pvm…`, when the call failed. Where C takes strings, lists or out-parameters, the short name
 * takes AssemblyScript's own (messages.ts, headers.ts, tasks.ts, groups.ts, tracing.ts), and C's form keeps its full name:
 * `pvm.pvm_bufinfo`.
 * The one file that gathers: a program imports it by the package's name.
 */
export * from "./constants";
export * from "./imports";
export * from "./routines";
export * from "./messages";
export * from "./headers";
export * from "./tasks";
export * from "./machine";
export * from "./groups";
export { irecv, isend, Request } from "./requests";
export * from "./tracing";
