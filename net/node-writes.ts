/**
 * Writing to a socket without Node's stream: a system call, and no more. By the stream a small write costs 10 µs more, and much
 * more where a program that computes has taken the caches meanwhile.
 *
 * Owns: nothing. It is an optimisation that may fail at any time: what is not written here the stream writes. It uses the number
 * of a socket's file, which Node has no public way for; where that does not look as it is known to, nothing is written here.
 */
import { writeSync, writevSync } from "node:fs";
import type { Socket } from "node:net";

interface WithHandle {
  _handle?: { readonly fd?: unknown } | null;
  readonly encrypted?: unknown;
}

/**
 * Writes what the system takes at once, if nothing waits in the stream.
 *
 * @returns how many bytes that are; 0 also after an error, of which the stream is to hear when it writes
 */
export function writeNow(socket: Socket, pieces: readonly Uint8Array[]): number {
  // A socket of TLS stands on one whose file it does not tell; the bytes on that are not those written.
  const { _handle, encrypted } = socket as WithHandle;
  const fd = _handle?.fd;
  if (encrypted === true || typeof fd !== "number" || fd < 0 || socket.writableLength > 0) return 0;
  try {
    return pieces.length === 1 ? writeSync(fd, pieces[0]!) : writevSync(fd, pieces);
  } catch {
    return 0;
  }
}
