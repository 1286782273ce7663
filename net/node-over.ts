/**
 * Links over a way that daemons have made (link-stream.ts), in place of a socket: the same handshake, and the same TLS, end to
 * end.
 *
 * Owns: TLS over such a way. Who asks for the way, and who is asked, is elsewhere.
 */
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { ByteStream } from "./byte-stream.ts";
import type { Link, PeerIdentity } from "./link.ts";
import type { LinkStream } from "./link-stream.ts";
import {
  after,
  type ConnectOptions,
  CRYPTO,
  connectError,
  failureText,
  type ListenOptions,
} from "./node-links.ts";
import { NodeStream } from "./node-stream.ts";
import { tlsServer, tlsTo } from "./node-tls.ts";
import { openLink } from "./open-link.ts";

/**
 * Does the caller's part of the handshake. `options.address` is for errors only.
 *
 * @param secured  whether by TLS
 * @throws UpvmError as `connect` of node-links.ts
 */
export function connectOver(way: LinkStream, options: ConnectOptions, secured: boolean): Promise<Link> {
  const { key, identity, accept, times } = options;
  const stream = secured ? new NodeStream(tlsTo({ socket: new StreamDuplex(way) }, key)) : way;
  const open = { key, identity, accept, after, crypto: CRYPTO, alive: times, side: "caller" } as const;
  return new Promise((done, fail) => {
    openLink(stream, { ...open, handshakeMs: times?.handshakeMs }, (opened) => {
      if ("link" in opened) done(opened.link);
      else fail(connectError(options.address, opened.failed));
    });
  });
}

/** Who takes ways that have come, as a listener takes connections. `onLink` is called for each peer that has shown the key. */
export function acceptOver(
  options: Omit<ListenOptions, "address">,
  secured: boolean,
  onLink: (link: Link) => void,
): (way: LinkStream) => void {
  const { key, times } = options;
  const refuse = (why: string): void => options.refused?.(`A link through the daemons was refused: ${why}`);
  const opening = (stream: ByteStream): void => {
    const open = {
      ...{ key, after, crypto: CRYPTO, alive: times, handshakeMs: times?.handshakeMs },
      side: "listener",
      identity: options.identity(),
      accept: (peer: PeerIdentity) => options.accept?.(peer),
    } as const;
    openLink(stream, open, (opened) => {
      if ("failed" in opened) refuse(failureText(opened.failed));
      else onLink(opened.link);
    });
  };
  if (!secured) return opening;
  const server = tlsServer(
    key,
    times?.handshakeMs,
    (socket: Socket) => opening(new NodeStream(socket)),
    refuse,
  );
  return (way) => void server.emit("connection", new StreamDuplex(way));
}

/** A stream of bytes as Node's TLS takes one. */
class StreamDuplex extends Duplex {
  readonly #stream: ByteStream;

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: false });
    this.#stream = stream;
    stream.taker = {
      // Lent.
      bytes: (chunk) => {
        if (!this.push(Buffer.from(chunk))) stream.pause();
      },
      ended: () => this.push(null),
    };
    // Whoever stands on it is told by its end.
    this.on("error", () => {});
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#stream.write([chunk], () => done());
  }

  override _final(done: () => void): void {
    this.#stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}
