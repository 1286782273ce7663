/**
 * AssemblyScript's `process` over WASI: arguments, environment, exit code and the three standard streams.
 */
import {
  upvm_CLOCK_MONOTONIC,
  upvm_CLOCK_REALTIME,
  upvm_args_get,
  upvm_args_sizes_get,
  upvm_clock,
  upvm_environ_get,
  upvm_environ_sizes_get,
  upvm_fd_read,
  upvm_out,
  upvm_proc_exit,
  upvm_write,
  upvm_writeText,
} from "./upvm-wasi";

/** The strings at `count` pointers. */
function textsAt(pointers: usize, count: i32): string[] {
  const texts = new Array<string>(count);
  for (let i = 0; i < count; i++) {
    const at = load<usize>(pointers + (<usize>i << 2));
    let end = at;
    while (load<u8>(end) != 0) end++;
    texts[i] = String.UTF8.decodeUnsafe(at, end - at);
  }
  return texts;
}

function readArgv(): string[] {
  if (upvm_args_sizes_get(upvm_out, upvm_out + 4) != 0) return [];
  const count = load<i32>(upvm_out);
  const block = heap.alloc(<usize>count * 4 + load<usize>(upvm_out, 4));
  const texts = upvm_args_get(block, block + <usize>count * 4) == 0 ? textsAt(block, count) : [];
  heap.free(block);
  return texts;
}

function readEnvironment(): Map<string, string> {
  const map = new Map<string, string>();
  if (upvm_environ_sizes_get(upvm_out, upvm_out + 4) != 0) return map;
  const count = load<i32>(upvm_out);
  const block = heap.alloc(<usize>count * 4 + load<usize>(upvm_out, 4));
  if (upvm_environ_get(block, block + <usize>count * 4) == 0) {
    const texts = textsAt(block, count);
    for (let i = 0; i < count; i++) {
      const text = texts[i];
      const equals = text.indexOf("=");
      if (equals > 0) map.set(text.substring(0, equals), text.substring(equals + 1));
    }
  }
  heap.free(block);
  return map;
}

/** A standard stream: its address is its file descriptor, there is no object behind it. */
@unmanaged
class UpvmStream {
  /** Writes a string in UTF-8, or the bytes of an ArrayBuffer or Uint8Array. */
  write<T>(data: T): void {
    const fd = <i32>changetype<usize>(this);
    if (isString<T>()) upvm_writeText(fd, changetype<string>(data));
    else if (data instanceof ArrayBuffer) upvm_write(fd, changetype<usize>(data), data.byteLength);
    else if (data instanceof Uint8Array) upvm_write(fd, data.dataStart, data.byteLength);
    else ERROR("string, ArrayBuffer or Uint8Array expected");
  }
  /** Reads at most the rest of `buffer` from `offset` on; returns how many bytes came, 0 at the end. */
  read(buffer: ArrayBuffer, offset: i32 = 0): i32 {
    if (<u32>offset > <u32>buffer.byteLength) throw new RangeError("offset is beyond the buffer");
    store<usize>(upvm_out, changetype<usize>(buffer) + offset);
    store<usize>(upvm_out, buffer.byteLength - offset, 4);
    if (upvm_fd_read(<i32>changetype<usize>(this), upvm_out, 1, upvm_out + 8) != 0) return 0;
    return load<i32>(upvm_out, 8);
  }
}

export namespace upvm_process {
  // @ts-ignore: decorator
  @lazy export const arch = "wasm32";
  // @ts-ignore: decorator
  @lazy export const platform = "wasm";
  // @ts-ignore: decorator
  @lazy export const argv = readArgv();
  // @ts-ignore: decorator
  @lazy export const env = readEnvironment();
  // @ts-ignore: decorator
  @lazy export let exitCode = 0;
  // @ts-ignore: decorator
  @lazy export const stdin = changetype<UpvmStream>(0);
  // @ts-ignore: decorator
  @lazy export const stdout = changetype<UpvmStream>(1);
  // @ts-ignore: decorator
  @lazy export const stderr = changetype<UpvmStream>(2);

  /** Ends this ULP; 0 is success. */
  export function exit(code: i32 = exitCode): void {
    upvm_proc_exit(code);
  }
  /** Milliseconds since 1970. */
  export function time(): i64 {
    return <i64>(upvm_clock(upvm_CLOCK_REALTIME) / 1_000_000);
  }
  /** Nanoseconds of a clock that only goes forward. */
  export function hrtime(): u64 {
    return upvm_clock(upvm_CLOCK_MONOTONIC);
  }
}
