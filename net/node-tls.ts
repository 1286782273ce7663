/**
 * TLS of links. It has no certificates: both sides have the virtual machine's key, from which the pre-shared key of TLS 1.3
 * is made (with an ephemeral key exchange, so that who learns the key later cannot read what was recorded).
 *
 * Owns: what is asked of TLS. It stands on a socket, or on any other stream.
 */
import { createHmac } from "node:crypto";
import type { Server, Socket } from "node:net";
import { type ConnectionOptions, connect, createServer } from "node:tls";
import { LIMITS } from "../wire/limits.ts";

/** All that TLS 1.3 allows with a key of SHA-256. */
const TLS = {
  minVersion: "TLSv1.3",
  ciphers: "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
} as const;

/** The virtual machine's key is used for the handshake only; TLS has one that is made of it. */
function pskOf(key: Uint8Array): Buffer {
  return createHmac("sha256", key).update("upvm pre-shared key of TLS\0").digest();
}

/** To a listener, or over a stream that leads to one. */
export function tlsTo(to: Pick<ConnectionOptions, "host" | "port" | "socket">, key: Uint8Array): Socket {
  const psk = pskOf(key);
  return connect({
    ...TLS,
    ...to,
    pskCallback: () => ({ psk, identity: "upvm" }),
    // There is no certificate: the key says who the server is.
    checkServerIdentity: () => undefined,
  });
}

/**
 * Takes streams that are emitted as its connections.
 *
 * @param arrived  told of each that is secured
 * @param refuse   told of each that is not; `socket` may have forgotten already whose it was
 */
export function tlsServer(
  key: Uint8Array,
  handshakeTimeout: number = LIMITS.handshakeMs,
  arrived: (socket: Socket) => void,
  refuse: (why: string, socket: Socket) => void,
): Server {
  const psk = pskOf(key);
  const server = createServer({ ...TLS, handshakeTimeout, pskCallback: () => psk }, arrived);
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: Socket) =>
    refuse(tlsWords(error), socket),
  );
  return server;
}

/** Why a caller is not secured. The codes are OpenSSL's and Node's. */
function tlsWords({ code = "", message }: NodeJS.ErrnoException): string {
  if (isKeyDifferent(code)) return "the peer does not have the key";
  if (code === "ECONNRESET") return "the peer went before TLS was made";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "the peer did not make TLS in time";
  if (code.startsWith("ERR_SSL"))
    return `the peer does not speak upvm's TLS (${code}): it may be no pvmd or command of upvm, or use tcp`;
  return `no TLS: ${code || message}`;
}

/** True: TLS ended since the two sides have not the same key. */
export function isKeyDifferent(code: string): boolean {
  return /DECRYPT|BAD_RECORD_MAC|BINDER/.test(code);
}
