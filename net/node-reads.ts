/**
 * Where a socket's bytes are read to. Node reads into a new block of 64 KiB each time, 10 µs for each, unless the socket was
 * made with `onread`; then into any place that is named before.
 *
 * Owns: that place, for one socket. A server of Node makes its sockets without `onread`: `withReads` makes another one of
 * what such a socket stands on, which Node has no public way for. Where that does not look as it is known to, the
 * socket stays as it is, and is only slower.
 */
import { Socket, type SocketConstructorOpts } from "node:net";
import { LIMITS } from "../wire/limits.ts";

/** One for all sockets of this thread: what is read is lent for the time of a call. */
const COMMON = new Uint8Array(LIMITS.linkReadBytes + 8);
/** Behind the heads of a message that is read from its beginning on its bytes are aligned: they are copied faster. */
const STAGING = COMMON.subarray(4, 4 + LIMITS.linkReadBytes);

/** What Node's sockets stand on, as far as it is used here. */
interface Handle {
  readonly readStart: () => unknown;
  useUserBuffer(buffer: Uint8Array): void;
}
interface WithHandle {
  _handle?: Handle | null;
}

export class Reads {
  /** Gets what was read. */
  take: (chunk: Uint8Array) => void = () => {};
  /** Where the next bytes belong; undefined: nowhere yet. */
  room: () => Uint8Array | undefined = () => undefined;
  /** For a new socket. */
  readonly onread = {
    buffer: (): Uint8Array => this.room() ?? STAGING,
    callback: (bytes: number, buffer: Uint8Array): boolean => {
      this.take(buffer.subarray(0, bytes));
      return true;
    },
  };

  /** Nothing more is read to the place that was named last: what lies there may be freed. */
  forget(socket: Socket): void {
    this.take = () => {};
    this.room = () => undefined;
    (socket as WithHandle)._handle?.useUserBuffer?.(STAGING);
  }
}

/** A socket that a server has made, which has not read yet. @returns the one to use */
export function withReads(socket: Socket): { readonly socket: Socket; readonly reads: Reads | undefined } {
  const old = socket as WithHandle;
  const handle = old._handle;
  if (typeof handle?.readStart !== "function" || typeof handle.useUserBuffer !== "function")
    return { socket, reads: undefined };
  const reads = new Reads();
  old._handle = null;
  // It has nothing any more; its server shall not wait for it.
  socket.destroy();
  const options: unknown = { handle, onread: reads.onread, readable: true, writable: true };
  const made = new Socket(options as SocketConstructorOpts);
  return { socket: made, reads };
}
