/**
 * A link: what carries frames (wire/protocol.ts) between two peers that have shown each other the key.
 *
 * Owns: the interface that every kind of link keeps; test/link-contract.ts is its contract. Kinds:
 * memory-links.ts (tests, simulation), node-links.ts (Unix socket, TCP, TLS).
 *
 * Every link keeps order, loses nothing while it is there, bounds what it holds, and says once when it ends. What it
 * had not delivered by then is lost, and nobody is told which frames that were.
 */
import type { Role } from "../wire/protocol.ts";

export type { Role } from "../wire/protocol.ts";

/** Who a peer says it is. It has shown that it has the virtual machine's key: all who have it are trusted alike. */
export interface PeerIdentity {
  readonly role: Role;
  /** The virtual machine's name; "" of one that has yet to join. */
  readonly vm: string;
  readonly host: string;
  /** Of an application process: its job and its number in it. */
  readonly job?: number;
  readonly member?: number;
}

/** The 4-word header. Words are u32. */
export interface FrameHead {
  readonly type: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

export interface Frame extends FrameHead {
  /** Sent one after the other, not joined. Of a received frame it is exactly one, perhaps of length 0. */
  readonly body: readonly Uint8Array[];
}

/** Takes the body of one frame piece by piece, as it comes. */
export interface FrameSink {
  /** A piece, lent: it is good until this returns. It may lie where `room` has said. */
  add(piece: Uint8Array): void;
  /** Where the next bytes, `most` at most, are best read to, by who can read to any place. Good until the end or drop. */
  room?(most: number): Uint8Array | undefined;
  /** That was all. */
  end(): void;
  /** The link ended before the frame did. */
  drop(): void;
}

export type OpenSink = (head: FrameHead, bytes: number | undefined) => FrameSink;

/** Sends the body of one frame piece by piece, the first while the last are not known yet. */
export interface FrameWriter {
  /** As `Link.send` for each piece. Frames that are sent meanwhile arrive before this one's end. */
  add(piece: Uint8Array, written?: () => void): void;
  end(): void;
}

/** Why a link ended. */
export interface LinkEnd {
  /**
   * closed: this side closed it; left: the peer closed it in order; lost: it broke, or the peer died; silent: nothing
   * came for LIMITS.aliveWithinMs; broken: the peer sent what no peer sends; overrun: LIMITS.linkQueueBytesMax.
   */
  readonly why: "closed" | "left" | "lost" | "silent" | "broken" | "overrun";
  /** For a log or an error: a part of a sentence. */
  readonly text: string;
}

export interface Link {
  /** Authenticated. */
  readonly peer: PeerIdentity;
  /**
   * Queues a frame. Never fails: on a link that has ended it is dropped. Small frames of one turn are written
   * together at the end of the turn.
   *
   * @param written  called once, when the bytes of this body and of all before it are not needed any more (copied,
   *   written or dropped), perhaps before send returns; until then they must not change
   */
  send(frame: Frame, written?: () => void): void;
  /** Begins a frame whose body is sent piece by piece. */
  begin(head: FrameHead): FrameWriter;
  /** Bytes sent and not yet taken by the system. */
  readonly queuedBytes: number;
  /** Waits until little enough is queued to go on; at once if it is so already or the link has ended. Never fails. */
  drained(): Promise<void>;
  /** Stops reading: the peer's queue fills, and it is slowed down. A pause is no silence. */
  pause(): void;
  resume(): void;
  /**
   * Who gets the frames; what came before it is set is kept for it. The body is one array and the taker's: nobody else
   * reads or writes it. A taker that finds a frame damaged throws a ProtocolError: the link ends as broken.
   */
  onFrame(take: (frame: Frame) => void): void;
  /**
   * Frames of this type go to a sink of their own each, unjoined: for what is copied somewhere else at once. `bytes` is the
   * length of the body, undefined if its sender did not know it.
   */
  onStream(type: number, open: OpenSink): void;
  /** Told once when the link has ended; at once if it has. Any number may ask. */
  onClose(told: (end: LinkEnd) => void): void;
  /** Undefined as long as the link is there. */
  readonly end: LinkEnd | undefined;
  /** Ends the link; what was sent before still goes out, for LIMITS.linkCloseMs. No frame is delivered any more. */
  close(): void;
}

/** The peer sent what no peer sends. */
export class ProtocolError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "ProtocolError";
  }
}

/** For logs and errors: "process 2 of job 1 on host1". */
export function peerName(peer: PeerIdentity): string {
  const { role, host, job, member } = peer;
  if (role === "process" && job !== undefined) return `process ${member ?? "?"} of job ${job} on ${host}`;
  return `${role} on ${host}`;
}
