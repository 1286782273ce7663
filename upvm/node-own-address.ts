/**
 * By which of its addresses this machine is reached from another host.
 *
 * Owns: the answer of the system's routing table. Nothing is sent.
 */
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { addressText, parseAddress } from "../net/address.ts";
import { LOOPBACK } from "./addresses.ts";

/**
 * Where to listen, at any port that is free, so that whoever reaches a host is reached from there: the address that
 * this machine has on the way to it, with the same kind of link.
 *
 * @param to  the other host's address; if there is no way to it, the answer is this machine's loopback
 */
export async function ownAddressTowards(to: string): Promise<string> {
  const address = parseAddress(to);
  if (address.kind === "unix") return LOOPBACK;
  try {
    const found = await lookup(address.host);
    const host = await localEnd(found.address, found.family, address.port);
    return addressText({ kind: address.kind, host, port: 0 });
  } catch {
    // Who tries to connect finds out too, and says it in words.
    return LOOPBACK;
  }
}

/** To connect a socket of UDP is to ask for a route. @throws what the system says, if there is none */
function localEnd(host: string, family: number, port: number): Promise<string> {
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  return new Promise<string>((done, fail) => {
    socket.once("error", fail);
    // Not as connect's own callback: that is called without a route too, and the address is then that of all networks.
    socket.once("connect", () => done(socket.address().address));
    socket.connect(port, host);
  }).finally(() => socket.close());
}
