/**
 * Links over sockets: who listens, who connects.
 *
 * Owns: sockets until they are links, limits of a listener, and the operating system's errors in words. Listens where it
 * is told and nowhere else. TLS is node-tls.ts.
 */
import assert from "node:assert/strict";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, unlinkSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { type Address, addressText, parseAddress } from "./address.ts";
import type { After } from "./byte-stream.ts";
import type { AliveLimits } from "./framed-link.ts";
import type { HandshakeFailure, LinkCrypto } from "./handshake.ts";
import type { Link, PeerIdentity } from "./link.ts";
import { Reads, withReads } from "./node-reads.ts";
import { NodeStream } from "./node-stream.ts";
import { isKeyDifferent, tlsServer, tlsTo } from "./node-tls.ts";
import { openLink } from "./open-link.ts";

/** Limits that a test wants smaller. */
export interface LinkTimes extends AliveLimits {
  readonly handshakeMs: number;
  /** Links of a listener at once. */
  readonly links?: number;
}

export interface ListenOptions {
  /** unix:PATH, tcp:HOST:PORT, tls:HOST:PORT; port 0: any that is free. */
  readonly address: string;
  /** Who this side is; asked anew for each connection. */
  readonly identity: () => PeerIdentity;
  /** The virtual machine's key: random bytes, 32 at least. */
  readonly key: Uint8Array;
  /** Says why this peer is not taken, undefined if it is. */
  readonly accept?: (peer: PeerIdentity) => string | undefined;
  /** Told of each connection that became no link, for the log: a sentence. */
  readonly refused?: (text: string) => void;
  readonly times?: LinkTimes;
}

export interface Listener {
  /** Where it listens; the port is the real one. */
  readonly address: string;
  /** Stops listening, at once, and ends the connections that are no links yet. Links stay. */
  close(): void;
}

export interface ConnectOptions {
  readonly address: string;
  readonly identity: PeerIdentity;
  readonly key: Uint8Array;
  /** Says why this peer is not the right one, undefined if it is. */
  readonly accept?: (peer: PeerIdentity) => string | undefined;
  readonly times?: LinkTimes;
  /** For the connection alone, before the handshake; as long as for that unless told. */
  readonly connectMs?: number;
}

/** @internal */
export const CRYPTO: LinkCrypto = {
  random: (bytes) => randomBytes(bytes),
  hmac: (key, parts) => {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  },
  equal: timingSafeEqual,
};
const KEY_BYTES_MIN = 32;

/** @internal A timer that keeps no process alive. */
export const after: After = (ms, run) => {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
};

/**
 * Listens. `onLink` is called for each peer that has shown the key; it sets the link's taker.
 *
 * @throws UpvmError BAD_ADDRESS, CANNOT_LISTEN
 */
export async function listen(options: ListenOptions, onLink: (link: Link) => void): Promise<Listener> {
  checkKey(options.key);
  const address = parseAddress(options.address);
  const opening = new Opening();
  let links = 0;
  let own = options.address;
  const refuse = (why: string, from: string): void =>
    options.refused?.(`A connection${from} to ${own} was refused: ${why}`);
  const most = options.times?.links ?? LIMITS.links;
  const full = (): string | undefined => (links >= most ? `it has ${most} links already` : undefined);
  const arrived = (accepted: Socket): void => {
    // TLS reads for itself.
    const { socket, reads } =
      address.kind === "tls" ? { socket: accepted, reads: undefined } : withReads(accepted);
    if (address.kind !== "tls") opening.add(socket);
    // Later it may have forgotten it.
    const from = fromText(socket);
    const open = {
      side: "listener",
      key: options.key,
      identity: options.identity(),
      crypto: CRYPTO,
      accept: (peer: PeerIdentity) => full() ?? options.accept?.(peer),
      after,
      alive: options.times,
      handshakeMs: options.times?.handshakeMs,
    } as const;
    openLink(new NodeStream(socket, reads), open, (opened) => {
      opening.done(socket);
      if ("failed" in opened) return refuse(failureText(opened.failed), from);
      links++;
      opened.link.onClose(() => links--);
      onLink(opened.link);
    });
  };
  const notSecured = (why: string, socket: Socket): void => refuse(why, fromText(socket));
  const secured =
    address.kind === "tls"
      ? tlsServer(options.key, options.times?.handshakeMs, arrived, notSecured)
      : undefined;
  // A TLS connection counts from its first byte on.
  const server = createServer({ pauseOnConnect: secured === undefined }, (socket) => {
    if (secured === undefined) arrived(socket);
    else {
      opening.add(socket);
      secured.emit("connection", socket);
    }
  });
  await listenAt(server, address);
  const where = server.address();
  const port = where !== null && typeof where !== "string" ? where.port : 0;
  own = addressText(address.kind === "unix" ? address : { ...address, port });
  return {
    address: own,
    // The server itself ends with its last connection, which may be that of a link.
    close: () => {
      opening.destroy();
      server.close();
    },
  };
}

/**
 * Connects, and does the handshake.
 *
 * @throws UpvmError BAD_ADDRESS, CANNOT_CONNECT, WRONG_KEY, VERSION_DIFFERS, LINK_REFUSED
 */
export function connect(options: ConnectOptions): Promise<Link> {
  checkKey(options.key);
  const address = parseAddress(options.address);
  const handshakeMs = options.times?.handshakeMs ?? LIMITS.handshakeMs;
  const connectMs = options.connectMs ?? handshakeMs;
  return new Promise((done, fail) => {
    let connected = false;
    const reads = address.kind === "tls" ? undefined : new Reads();
    const socket = socketTo(address, options.key, reads);
    const cannot = (why: string, hint: string, cause = ""): void =>
      fail(new UpvmError("CANNOT_CONNECT", { address: options.address, why, hint, cause }));
    const late = after(connectMs, () => {
      cannot(
        `no answer within ${connectMs} ms`,
        "see whether the host is up and its firewall lets this port through",
      );
      socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      late();
      if (connected) return;
      if (isKeyDifferent(error.code ?? "")) fail(new UpvmError("WRONG_KEY", { address: options.address }));
      else cannot(...connectWords(error, address), error.code);
    });
    socket.once(address.kind === "tls" ? "secureConnect" : "connect", () => {
      connected = true;
      late();
      const open = {
        side: "caller",
        key: options.key,
        identity: options.identity,
        crypto: CRYPTO,
        accept: options.accept,
        after,
        alive: options.times,
        handshakeMs,
      } as const;
      openLink(new NodeStream(socket, reads), open, (opened) => {
        if ("link" in opened) done(opened.link);
        else fail(connectError(options.address, opened.failed));
      });
    });
  });
}

/** Connections whose peer has not shown the key yet. */
class Opening {
  /** In order of their arrival. */
  readonly #sockets = new Map<string | Socket, Socket>();

  /** A TLS socket is another object than the one it stands on: their peer's port is the same. */
  #key(socket: Socket): string | Socket {
    return socket.remotePort === undefined ? socket : `${socket.remoteAddress} ${socket.remotePort}`;
  }

  /** The oldest goes if there are too many: who has the key is through in a moment, who has not cannot keep it out. */
  add(socket: Socket): void {
    if (this.#sockets.size >= LIMITS.halfOpenLinks) {
      for (const [key, oldest] of this.#sockets) {
        this.#sockets.delete(key);
        oldest.destroy();
        break;
      }
    }
    const key = this.#key(socket);
    this.#sockets.set(key, socket);
    socket.once("close", () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
    });
  }

  done(socket: Socket): void {
    this.#sockets.delete(this.#key(socket));
  }

  destroy(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

function checkKey(key: Uint8Array): void {
  assert.ok(key.length >= KEY_BYTES_MIN, `a key of ${key.length} bytes`);
}

function socketTo(address: Address, key: Uint8Array, reads: Reads | undefined): Socket {
  const { onread } = reads ?? {};
  if (address.kind === "unix") return createConnection({ path: address.path, ...(onread && { onread }) });
  const { host, port } = address;
  if (address.kind === "tcp") return createConnection({ host, port, ...(onread && { onread }) });
  return tlsTo({ host, port }, key);
}

/** Starts to listen. A Unix socket that a dead daemon left is taken away; one where somebody listens is not. */
async function listenAt(server: Server, address: Address): Promise<void> {
  try {
    await listening(server, address);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE" || address.kind !== "unix" || (await answers(address.path)))
      throw listenError(address, error as NodeJS.ErrnoException);
    try {
      unlinkSync(address.path);
      await listening(server, address);
    } catch (again) {
      throw listenError(address, again as NodeJS.ErrnoException);
    }
  }
  // Its folder is the user's alone already.
  if (address.kind === "unix") chmodSync(address.path, 0o600);
}

function listening(server: Server, address: Address): Promise<void> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(
      address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port },
      () => {
        server.off("error", fail);
        done();
      },
    );
  });
}

/** Whether somebody listens on a Unix socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

function listenError(address: Address, error: NodeJS.ErrnoException): UpvmError {
  const words: Readonly<Record<string, readonly [string, string]>> = {
    EADDRINUSE: ["somebody listens there already", "take another port, or 0 for any that is free"],
    EADDRNOTAVAIL: ["this machine does not have that address", "take one of its own addresses"],
    EACCES: ["it is not allowed", "take a port above 1023, or a folder that is yours"],
    ENOTFOUND: ["there is no host of that name", "take one of this machine's addresses"],
    EAI_AGAIN: ["the host's name cannot be found now", "take one of this machine's addresses"],
    ENOENT: ["its folder is not there", "make the folder first"],
  };
  const [why, hint] = words[error.code ?? ""] ?? [error.message, "take another address"];
  return new UpvmError("CANNOT_LISTEN", { address: addressText(address), why, hint });
}

function connectWords(error: NodeJS.ErrnoException, address: Address): [why: string, hint: string] {
  const words: Readonly<Record<string, readonly [string, string]>> = {
    ECONNREFUSED: ["nobody listens there", "see whether the daemon is up: upvm status on that host"],
    ENOENT: ["nobody listens there", "start a daemon: upvm start"],
    ENOTFOUND: ["there is no host of that name", "see whether the name is spelt right"],
    EAI_AGAIN: ["the host's name cannot be found now", "see whether name service works"],
    EHOSTUNREACH: ["the host cannot be reached", "see whether it is up and on the network"],
    ENETUNREACH: ["its network cannot be reached", "see whether this machine is on the network"],
    ETIMEDOUT: ["no answer", "see whether the host is up and its firewall lets this port through"],
    EACCES: ["it is not allowed", "the socket belongs to another user"],
  };
  const code = error.code ?? "";
  const known = words[code];
  if (known !== undefined) return [...known];
  if (address.kind === "tls" && /^ERR_SSL|ECONNRESET|EPROTO/.test(code))
    return [`no TLS there (${code})`, "see whether that host listens with tls: and has the same key"];
  return [error.message, "see the log of the daemon there"];
}

/** False: the peer may have taken the link for made, and wait on it. Of what `connect` throws. */
export function isUnlinked({ facts }: UpvmError): boolean {
  return facts["linked"] !== "perhaps";
}

/** @internal */
export function connectError(address: string, failed: HandshakeFailure): UpvmError {
  switch (failed.why) {
    case "key":
      return new UpvmError("WRONG_KEY", { address });
    case "version":
      return new UpvmError("VERSION_DIFFERS", { address, ...failed });
    case "refused":
      return new UpvmError("LINK_REFUSED", { address, host: failed.host, why: failed.text });
    case "broken":
      return new UpvmError("CANNOT_CONNECT", {
        address,
        why: failed.text,
        // At a socket of a home there is nothing else, and no other kind of link.
        hint: address.startsWith("unix:")
          ? "the daemon there may be stopped or very busy; its log is in the same folder"
          : "see whether it is a daemon of upvm, and with the same kind of link (tcp or tls)",
        ...(failed.late && { linked: "perhaps" }),
      });
  }
}

/** Whose connection it is, where that is known: a Unix socket has no address. */
function fromText({ remoteAddress: host, remotePort: port }: Socket): string {
  if (host === undefined || port === undefined) return "";
  return ` from ${addressText({ kind: "tcp", host, port }).slice("tcp:".length)}`;
}

/** @internal For the listener's log. */
export function failureText(failed: HandshakeFailure): string {
  switch (failed.why) {
    case "key":
      return "the peer does not have the key";
    case "version":
      return `host ${failed.host} speaks version ${failed.theirs} of the protocol, this is ${failed.ours}`;
    case "refused":
      return `${failed.host}: ${failed.text}`;
    case "broken":
      return failed.text;
  }
}
