/**
 * From a stream of bytes to a link: the handshake, within its time and its size.
 *
 * Owns: a connection until its peer has shown the key. No socket, no clock: both are handed in.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAME_WORDS_BYTES } from "../wire/protocol.ts";
import { headBytes } from "./base-link.ts";
import type { After, ByteStream } from "./byte-stream.ts";
import { FrameReader } from "./frame-reader.ts";
import { type AliveLimits, FramedLink } from "./framed-link.ts";
import { Handshake, type HandshakeFailure, type HandshakeOptions } from "./handshake.ts";
import { joined } from "./intake.ts";
import { type Frame, type Link, ProtocolError } from "./link.ts";

export interface OpenOptions extends HandshakeOptions {
  readonly after: After;
  readonly alive?: AliveLimits | undefined;
  readonly handshakeMs?: number | undefined;
}
export type Opened = { readonly link: Link } | { readonly failed: HandshakeFailure };

/** Does this side's part of the handshake. @param done  called once; a failed connection is closed by then */
export function openLink(stream: ByteStream, options: OpenOptions, done: (opened: Opened) => void): void {
  const handshake = new Handshake(options);
  const reader = new FrameReader(LIMITS.handshakeBytes);
  let over = false;
  const send = (frames: readonly Frame[]): void => {
    if (frames.length > 0) stream.write(frames.map(frameBytes), () => {});
  };
  const fail = (failed: HandshakeFailure): void => {
    if (over) return;
    over = true;
    cancel();
    stream.taker = { bytes: () => {}, ended: () => {} };
    if (failed.why === "key" || failed.why === "broken") stream.destroy();
    else {
      // The other side is told why, before the end.
      stream.end();
      options.after(LIMITS.linkCloseMs, () => stream.destroy());
    }
    done({ failed });
  };
  const ms = options.handshakeMs ?? LIMITS.handshakeMs;
  const cancel = options.after(ms, () =>
    fail(handshake.broken(`the handshake was not done within ${ms} ms`)),
  );
  const bytes = (chunk: Uint8Array): void => {
    reader.push(chunk);
    while (!over) {
      const frame = reader.next();
      if (frame === undefined) return;
      const {
        send: answer,
        peer,
        failed,
      } = handshake.take(
        frame,
        // They are lent, and it keeps some.
        frame.pieces.map((piece) => piece.slice()),
      );
      send(answer);
      if (failed !== undefined) return fail(failed);
      if (peer === undefined) continue;
      over = true;
      cancel();
      const own = options.identity.member ?? 0;
      done({ link: new FramedLink(peer, own, stream, reader, options.after, options.alive) });
    }
  };
  stream.taker = {
    bytes: (chunk) => {
      try {
        bytes(chunk);
        reader.own();
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        fail(handshake.broken("it does not speak upvm's protocol"));
      }
    },
    ended: (why) => fail(handshake.ended(why)),
  };
  stream.resume();
  send(handshake.start());
}

/** A frame as it is on the wire, in one array. */
export function frameBytes(frame: Frame): Uint8Array {
  const body = joined(frame.body);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, FRAME_WORDS_BYTES + body.length, true);
  return joined([length, headBytes(frame), body]);
}
