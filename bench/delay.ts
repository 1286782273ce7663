/**
 * A network that is far away, for bench/overlap.ts: loaded before a process's own code (`node --import`), it holds everything
 * that is written to a TCP socket for UPVM_BENCH_DELAY_MS, and keeps its order.
 *
 * Owns: what is held. Unix sockets, which a process and its daemon talk by, are as they were, but that all is written by their
 * streams (net/node-writes.ts).
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";

type Method = (this: Socket, ...args: unknown[]) => unknown;

const delayMs = Number(process.env["UPVM_BENCH_DELAY_MS"] ?? 0);

if (delayMs > 0) {
  const { writeSync, writevSync, fstatSync } = fs;
  const notSocket = (fd: number): number => {
    if (fd > 2 && fstatSync(fd).isSocket()) throw new Error("EAGAIN");
    return fd;
  };
  // Files are written by these too, and output, which may be a socket.
  fs.writeSync = ((fd: number, ...args: [string]) => writeSync(notSocket(fd), ...args)) as typeof writeSync;
  fs.writevSync = (fd, ...args) => writevSync(notSocket(fd), ...args);
  syncBuiltinESMExports();
  const proto = Socket.prototype as unknown as Record<"write" | "end", Method>;
  for (const name of ["write", "end"] as const) {
    const method = proto[name];
    proto[name] = function (this: Socket, ...args) {
      if (this.remoteFamily === undefined) return method.apply(this, args);
      // Who writes is told only when it has left: until then what is lent is not used again.
      setTimeout(() => {
        if (!this.destroyed) method.apply(this, args);
      }, delayMs);
      return true;
    };
  }
}
