/**
 * WASI preview 1: every function of `wasi_snapshot_preview1`, its wasm type, and how upvm answers it.
 *
 * The link step checks a program's imports against this table; runtime/wasi/ implements its rows.
 * Source: WASI/legacy/preview1/witx, snapshot of 2020-06 (plus sock_accept).
 */

/**
 * `call`: answered at once. `block`: may suspend the ULP. `refused`: a program that imports it is not linked,
 * because what it opens (a socket, a signal) could not move with the ULP.
 */
export type WasiRoute = "call" | "block" | "refused";

export interface WasiFunction {
  /** Wasm parameters: i i32, l i64. */
  readonly wasm: string;
  /** Wasm result: "i" is an errno, "" none. */
  readonly result: "i" | "";
  readonly route: WasiRoute;
  readonly doc: string;
}

/** Errors of preview 1 that this runtime gives. */
export const WASI_ERRNO = {
  success: 0,
  badf: 8,
  fault: 21,
  inval: 28,
  nomem: 48,
  nosys: 52,
  notsup: 58,
  spipe: 70,
  notcapable: 76,
} as const;

const call = (wasm: string, doc: string): WasiFunction => ({ wasm, result: "i", route: "call", doc });
const refused = (wasm: string, doc: string): WasiFunction => ({ wasm, result: "i", route: "refused", doc });

/** Namespace `wasi_snapshot_preview1`: name → type, route. */
export const WASI_FUNCTION = {
  args_get: call("ii", "the program's arguments"),
  args_sizes_get: call("ii", "how many, and bytes of all with their NULs"),
  clock_res_get: call("ii", "1 microsecond for real time, 1 nanosecond for the others"),
  clock_time_get: call("ili", "real time; monotonic and CPU time since the process began"),
  environ_get: call("ii", "the variables that the user granted"),
  environ_sizes_get: call("ii", "none unless granted"),
  fd_advise: call("illi", "no files: EBADF"),
  fd_allocate: call("ill", "no files: EBADF"),
  fd_close: call("i", "0, 1 and 2 can be closed"),
  fd_datasync: call("i", "no files: EBADF"),
  fd_fdstat_get: call("ii", "0, 1 and 2 are character devices"),
  fd_fdstat_set_flags: call("ii", "flags of 0, 1 and 2 are ignored"),
  fd_fdstat_set_rights: call("ill", "no files: EBADF"),
  fd_filestat_get: call("ii", "0, 1 and 2 are character devices of no size"),
  fd_filestat_set_size: call("il", "no files: EBADF"),
  fd_filestat_set_times: call("illi", "no files: EBADF"),
  fd_pread: call("iiili", "no files: ESPIPE or EBADF"),
  fd_prestat_dir_name: call("iii", "no directories: EBADF"),
  fd_prestat_get: call("ii", "no directories: EBADF"),
  fd_pwrite: call("iiili", "no files: ESPIPE or EBADF"),
  fd_read: call("iiii", "standard input is at its end"),
  fd_readdir: call("iiili", "no directories: EBADF"),
  fd_renumber: call("ii", "no files: EBADF"),
  fd_seek: call("ilii", "0, 1 and 2 cannot seek: ESPIPE"),
  fd_sync: call("i", "no files: EBADF"),
  fd_tell: call("ii", "0, 1 and 2 have no position: ESPIPE"),
  fd_write: call("iiii", "standard output and standard error, by lines"),
  path_create_directory: call("iii", "no directories: ENOTCAPABLE"),
  path_filestat_get: call("iiiii", "no directories: ENOTCAPABLE"),
  path_filestat_set_times: call("iiiilli", "no directories: ENOTCAPABLE"),
  path_link: call("iiiiiii", "no directories: ENOTCAPABLE"),
  path_open: call("iiiiillii", "no directories: ENOTCAPABLE"),
  path_readlink: call("iiiiii", "no directories: ENOTCAPABLE"),
  path_remove_directory: call("iii", "no directories: ENOTCAPABLE"),
  path_rename: call("iiiiii", "no directories: ENOTCAPABLE"),
  path_symlink: call("iiiii", "no directories: ENOTCAPABLE"),
  path_unlink_file: call("iii", "no directories: ENOTCAPABLE"),
  poll_oneoff: { wasm: "iiii", result: "i", route: "block", doc: "sleeps; output is always ready" },
  proc_exit: { wasm: "i", result: "", route: "call", doc: "ends the ULP" },
  proc_raise: refused("i", "no signals"),
  random_get: call("ii", "random bytes"),
  sched_yield: { wasm: "", result: "i", route: "block", doc: "pvm_yield" },
  sock_accept: refused("iii", "no sockets"),
  sock_recv: refused("iiiiii", "no sockets"),
  sock_send: refused("iiiii", "no sockets"),
  sock_shutdown: refused("ii", "no sockets"),
} as const satisfies Record<string, WasiFunction>;
export type WasiName = keyof typeof WASI_FUNCTION;
