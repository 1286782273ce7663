/**
 * A network that is far away, for bench/overlap.ts: loaded before a process's own code (`node --import`), it holds everything
 * that is written to a TCP socket for UPVM_BENCH_DELAY_MS, and keeps its order.
 *
 * Owns: what is held. Unix sockets, which a process and its daemon talk by, are as they were, but that all is written by their
 * streams (net/node-writes.ts).
 */
import { Socket } from "node:net";

type Method = (this: Socket, ...args: unknown[]) => unknown;

const delayMs = Number(process.env["UPVM_BENCH_DELAY_MS"] ?? 0);

if (delayMs > 0) {
  // As sockets of TLS: nothing is written to them but by their streams.
  Object.defineProperty(Socket.prototype, "encrypted", { value: true, writable: true });
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
