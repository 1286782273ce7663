/**
 * What AssemblyScript's own globals need of WASI: seven functions, and writing whole texts.
 *
 * Owns: the declarations. Never opens a file: a ULP has its three standard streams.
 * Names begin with `upvm_`, since the compiler makes every export of a library file global.
 */

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
export declare function upvm_fd_write(fd: i32, iovs: usize, iovsLength: i32, written: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
export declare function upvm_fd_read(fd: i32, iovs: usize, iovsLength: i32, read: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function upvm_clock_time_get(clock: i32, precisionNs: i64, timeNs: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function upvm_random_get(buffer: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
export declare function upvm_proc_exit(code: i32): void;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_sizes_get")
export declare function upvm_args_sizes_get(count: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "args_get")
export declare function upvm_args_get(pointers: usize, buffer: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function upvm_environ_sizes_get(count: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function upvm_environ_get(pointers: usize, buffer: usize): i32;

// WASI's clock ids.
export const upvm_CLOCK_REALTIME = 0;
export const upvm_CLOCK_MONOTONIC = 1;

/** Room for out-parameters: one iovec at 0, one result at 8. */
// @ts-ignore: decorator
@lazy export const upvm_out = memory.data(16, 8);

/** Writes all of [at, at + bytes) to `fd`; gives up silently when the stream refuses (there is nobody to tell). */
export function upvm_write(fd: i32, at: usize, bytes: usize): void {
  while (bytes > 0) {
    store<usize>(upvm_out, at);
    store<usize>(upvm_out, bytes, 4);
    if (upvm_fd_write(fd, upvm_out, 1, upvm_out + 8) != 0) return;
    const written = load<usize>(upvm_out, 8);
    if (written == 0) return;
    at += written;
    bytes -= written;
  }
}

/** Writes `text` in UTF-8, in one call, so that lines of several streams do not mix. */
export function upvm_writeText(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  upvm_write(fd, changetype<usize>(bytes), bytes.byteLength);
}

/** Nanoseconds of a clock; 0 if the host refuses. */
export function upvm_clock(clock: i32): u64 {
  return upvm_clock_time_get(clock, 1, upvm_out + 8) == 0 ? load<u64>(upvm_out, 8) : 0;
}
