/**
 * Links of an application process to the others of its job: frames of Table III out and in.
 *
 * Owns: how a message of ULPs becomes a frame, how many went to each and came from each, and what has come and finds no room
 * in the heap: it waits, in order, and nothing more is read until there is some. What frames mean beyond messages is the
 * taker's.
 */
import type { Frame, FrameHead, FrameSink, Link } from "../net/link.ts";
import { ProtocolError } from "../net/link.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME, SEND_HEAD } from "../wire/protocol.ts";

/** A message between ULPs of different processes. */
export interface Mail {
  readonly to: number;
  readonly src: number;
  readonly tag: number;
  readonly context: number;
  readonly wid: number;
  readonly encoding: number;
  readonly bytes: number;
  /** Views, good until `release`. */
  readonly pieces: readonly Uint8Array[];
  /** It is not needed any more. Once. */
  readonly release: () => void;
  /** Of one that lies in this process's heap, in place of release: its descriptor, as one of a queue. */
  readonly keep?: () => number;
}

export interface PeerTaker {
  /** A message has come; `times`: it was sent on before. */
  readonly mail: (mail: Mail, times: number) => void;
  /** Any other frame. */
  readonly frame: (from: number, frame: Frame) => void;
  /** A piece of a ULP's state comes. */
  readonly state: (from: number, head: FrameHead) => FrameSink;
  /** A link has ended that nobody here has closed. */
  readonly lost: (member: number, why: string) => void;
}

interface Peer {
  readonly link: Link;
  /** Messages. */
  sent: number;
  received: number;
}

const HEAD_BYTES = SEND_HEAD.words * 4;
const NOTHING = (): void => {};

export class PeerLinks {
  private readonly taker: PeerTaker;
  private readonly peers = new Map<number, Peer>();
  private closing = false;

  constructor(taker: PeerTaker) {
    this.taker = taker;
  }

  /** From now on frames of this link are taken. */
  add(member: number, link: Link): void {
    const peer: Peer = { link, sent: 0, received: 0 };
    this.peers.set(member, peer);
    link.onClose(({ text }) => {
      this.peers.delete(member);
      if (!this.closing) this.taker.lost(member, text);
    });
    link.onStream(FRAME.ULP_STATE, (head) => this.taker.state(member, head));
    link.onFrame((frame) => {
      if (frame.type !== FRAME.ULP_SEND && frame.type !== FRAME.ULP_MSGFWD) {
        this.taker.frame(member, frame);
        return;
      }
      peer.received += 1;
      this.taker.mail(mailOf(frame), frame.type === FRAME.ULP_SEND ? 0 : frame.c);
    });
  }

  has(member: number): boolean {
    return this.peers.has(member);
  }

  link(member: number): Link | undefined {
    return this.peers.get(member)?.link;
  }

  /** Sends a message; to one that is gone it is dropped. */
  mail(member: number, mail: Mail, times: number): void {
    const peer = this.peers.get(member);
    if (peer === undefined) {
      mail.release();
      return;
    }
    peer.sent += 1;
    const head = new Int32Array(SEND_HEAD.words);
    head[SEND_HEAD.context] = mail.context;
    head[SEND_HEAD.tag] = mail.tag;
    head[SEND_HEAD.encoding] = mail.encoding;
    head[SEND_HEAD.wid] = mail.wid;
    const type = times === 0 ? FRAME.ULP_SEND : FRAME.ULP_MSGFWD;
    const body = [new Uint8Array(head.buffer), ...mail.pieces];
    peer.link.send({ type, a: mail.to, b: mail.src, c: times, body }, mail.release);
  }

  send(member: number, frame: Frame): void {
    this.peers.get(member)?.link.send(frame);
  }

  /** To all others. */
  tell(frame: Frame): void {
    for (const { link } of this.peers.values()) link.send(frame);
  }

  pause(): void {
    for (const { link } of this.peers.values()) link.pause();
  }
  resume(): void {
    for (const { link } of this.peers.values()) link.resume();
  }

  /** Messages that went to each member that is there, and came from each, by number. */
  counts(): { readonly sent: number[]; readonly received: number[] } {
    const members = Math.max(-1, ...this.peers.keys()) + 1;
    const of = (what: "sent" | "received") =>
      Array.from({ length: members }, (_, member) => this.peers.get(member)?.[what] ?? 0);
    return { sent: of("sent"), received: of("received") };
  }

  close(): void {
    this.closing = true;
    for (const { link } of [...this.peers.values()]) link.close();
  }
}

/** @throws ProtocolError: the frame is too short */
function mailOf({ a, b, body }: Frame): Mail {
  const all = body[0] ?? new Uint8Array(0);
  if (all.length < HEAD_BYTES)
    throw new ProtocolError(`a message of ${all.length} bytes, its head has ${HEAD_BYTES}`);
  const view = new DataView(all.buffer, all.byteOffset, all.length);
  const word = (at: number): number => view.getInt32(at * 4, true);
  const data = all.subarray(HEAD_BYTES);
  return {
    to: a | 0,
    src: b | 0,
    tag: word(SEND_HEAD.tag),
    context: word(SEND_HEAD.context),
    wid: word(SEND_HEAD.wid),
    encoding: word(SEND_HEAD.encoding),
    bytes: data.length,
    pieces: data.length > 0 ? [data] : [],
    release: NOTHING,
  };
}

/** Messages for ULPs of this process, into the heap: what finds no room waits in order, and the links with it. */
export class Arrivals {
  private readonly take: (mail: Mail) => boolean;
  private readonly links: PeerLinks;
  private readonly after: (ms: number, run: () => void) => void;
  private waiting: Mail[] = [];

  /** @param take  puts a message into its receiver's inbox; false: there is no room */
  constructor(take: (mail: Mail) => boolean, links: PeerLinks, after: (ms: number, run: () => void) => void) {
    this.take = take;
    this.links = links;
    this.after = after;
  }

  deliver(mail: Mail): void {
    if (this.waiting.length > 0) this.waiting.push(mail);
    else if (this.take(mail)) mail.release();
    else {
      this.waiting.push(mail);
      this.links.pause();
      this.after(LIMITS.arrivalAgainMs, () => this.again());
    }
  }

  get idle(): boolean {
    return this.waiting.length === 0;
  }

  private again(): void {
    let done = 0;
    while (done < this.waiting.length && this.take(this.waiting[done]!)) this.waiting[done++]!.release();
    this.waiting = this.waiting.slice(done);
    if (this.waiting.length > 0) this.after(LIMITS.arrivalAgainMs, () => this.again());
    else this.links.resume();
  }
}

/** All of a message's bytes in one piece. */
export function joined({ bytes, pieces }: Mail): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const data = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    data.set(piece, at);
    at += piece.length;
  }
  return data;
}
