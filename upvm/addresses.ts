/**
 * Addresses as users write them, HOST:PORT, and as links take them, tcp:HOST:PORT. Pure.
 */
import { isLoopback as isLoopbackAddress, parseAddress } from "../net/address.ts";
import { UpvmError } from "../wire/errors.ts";

/** What listens when nobody says where: only this machine reaches it. */
export const LOOPBACK = "tcp:127.0.0.1:0";

/** Where one that joins listens: at the address by which it reaches that host, and with the same kind of link. */
export const AUTO = "auto";

/**
 * "host1:4711" → "tcp:host1:4711"; one that names its kind stays as it is.
 *
 * @throws UpvmError BAD_ADDRESS
 */
export function addressOf(text: string): string {
  const [, kind = "tcp", host = "", port = ""] = /^(?:(tcp|tls):)?(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text) ?? [];
  if (host === "" || Number(port) > 65_535) {
    const why = "it takes HOST:PORT, such as 127.0.0.1:4711 or [::1]:4711";
    throw new UpvmError("BAD_ADDRESS", { address: text, why, hint: "tls: before it has nobody read along" });
  }
  return `${kind}:${host}:${port}`;
}

/** As a user is told it, and may give it to --join. */
export function shownAddress(address: string): string {
  return address.replace(/^tcp:/, "");
}

/** True: only this machine reaches it. */
export function isLoopback(address: string): boolean {
  return isLoopbackAddress(parseAddress(address));
}

/** What others call it: one that listens everywhere is reached by its machine's name. */
export function announced(address: string, hostName: string): string {
  return address.replace(/^(\w+):(0\.0\.0\.0|\[::\]):/, (_all, kind) => `${kind}:${hostName}:`);
}
