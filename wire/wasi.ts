/**
 * WASI preview 1: every function of `wasi_snapshot_preview1`, its wasm type, and how upvm answers it.
 *
 * The link step checks a program's imports against this table; runtime/pvm/wasi*.ts implement its rows.
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
  acces: 2,
  badf: 8,
  busy: 10,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  mfile: 33,
  nametoolong: 37,
  noent: 44,
  nomem: 48,
  nospc: 51,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsup: 58,
  perm: 63,
  rofs: 69,
  spipe: 70,
  txtbsy: 74,
  xdev: 75,
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
  fd_advise: call("illi", "nothing to do"),
  fd_allocate: call("ill", "makes a file at least so long"),
  fd_close: call("i", "0, 1 and 2 can be closed too"),
  fd_datasync: call("i", "contents to the disk"),
  fd_fdstat_get: call("ii", "file, folder, or character device: 0, 1 and 2"),
  fd_fdstat_set_flags: call("ii", "APPEND of a file; flags of 0, 1 and 2 are ignored"),
  fd_fdstat_set_rights: call("ill", "not served: ENOTSUP"),
  fd_filestat_get: call("ii", "0, 1 and 2 are character devices of no size"),
  fd_filestat_set_size: call("il", "cuts or lengthens a file"),
  fd_filestat_set_times: call("illi", "times of a file"),
  fd_pread: call("iiili", "reads at an offset"),
  fd_prestat_dir_name: call("iii", "name of a granted folder"),
  fd_prestat_get: call("ii", "the granted folders are 3 and on"),
  fd_pwrite: call("iiili", "writes at an offset"),
  fd_read: { wasm: "iiii", result: "i", route: "block", doc: "a file; standard input, for the first ULP" },
  fd_readdir: call("iiili", "names of a folder"),
  fd_renumber: call("ii", "a file under another number"),
  fd_seek: call("ilii", "0, 1 and 2 cannot seek: ESPIPE"),
  fd_sync: call("i", "contents and times to the disk"),
  fd_tell: call("ii", "0, 1 and 2 have no position: ESPIPE"),
  fd_write: call("iiii", "a file; standard output and standard error by lines"),
  path_create_directory: call("iii", "a folder in a granted one"),
  path_filestat_get: call("iiiii", "what a name stands for"),
  path_filestat_set_times: call("iiiilli", "times of a name"),
  path_link: call("iiiiiii", "not served: ENOTSUP"),
  path_open: call("iiiiillii", "a file or folder in a granted one; EACCES if the path leads out of it"),
  path_readlink: call("iiiiii", "where a symbolic link leads"),
  path_remove_directory: call("iii", "an empty folder"),
  path_rename: call("iiiiii", "inside what is granted"),
  path_symlink: call("iiiii", "not served: ENOTSUP, for a link may lead out"),
  path_unlink_file: call("iii", "a file"),
  poll_oneoff: { wasm: "iiii", result: "i", route: "block", doc: "waits for a time, or for standard input" },
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
