/**
 * Addresses of links: unix:PATH, tcp:HOST:PORT, tls:HOST:PORT; an IPv6 address stands in brackets.
 *
 * Owns: their text. Pure: whether anybody listens there is another question.
 */
import { UpvmError } from "../wire/errors.ts";

export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp" | "tls"; readonly host: string; readonly port: number };

/** Longest path of a Unix socket in bytes, without its NUL: macOS has 104 with it, Linux 108. */
const UNIX_PATH_BYTES = 103;

/** @throws UpvmError BAD_ADDRESS */
export function parseAddress(text: string): Address {
  const bad = (why: string): UpvmError => new UpvmError("BAD_ADDRESS", { address: text, why });
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    if (path === "") throw bad("it has no path");
    const bytes = new TextEncoder().encode(path).length;
    if (bytes > UNIX_PATH_BYTES)
      throw bad(`its path has ${bytes} bytes, a Unix socket's has ${UNIX_PATH_BYTES} at most`);
    return { kind: "unix", path };
  }
  const match = /^(tcp|tls):(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) throw bad("it has another form");
  const [, kind, inBrackets, plain, digits] = match;
  const port = Number(digits);
  if (port > 65_535) throw bad(`${port} is no port`);
  return { kind: kind as "tcp" | "tls", host: (inBrackets ?? plain) as string, port };
}

export function addressText(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.kind}:${host}:${address.port}`;
}

/** Whether only programs of this machine can connect there. */
export function isLoopback(address: Address): boolean {
  return address.kind === "unix" || /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(address.host);
}
