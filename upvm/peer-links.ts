/**
 * Links of an application process to the others of its job: frames of Table III out and in.
 *
 * Owns: how a message of ULPs becomes a frame (one for all of its receivers there), how many went to each and came from each, and
 * what has come and finds no room in the heap: it waits, in order, and nothing more is read until there is some. What frames mean
 * beyond messages is the taker's.
 */
import type { Frame, FrameHead, FrameSink, Link } from "../net/link.ts";
import type { Library } from "../runtime/scheduler/library.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME, SEND_HEAD } from "../wire/protocol.ts";
import { arrivingIn, type BeginMail, ComingMail } from "./coming-mail.ts";

/** A message between ULPs of different processes. */
export interface Mail {
  readonly to: number;
  readonly src: number;
  readonly tag: number;
  readonly context: number;
  readonly wid: number;
  readonly encoding: number;
  /** Of one that lies in this process's heap: messages of a multicast have one buffer. */
  readonly gbid?: number;
  readonly bytes: number;
  /** Views, good until `release`. */
  readonly pieces: readonly Uint8Array[];
  /** It is not needed any more. Once. */
  readonly release: () => void;
  /** Of one that lies in this process's heap, in place of release: its descriptor, as one of a queue. */
  readonly keep?: () => number;
  /** Of one that has come straight into the heap, in place of release. @returns false: its receiver's inbox is full */
  readonly deliver?: () => boolean;
}

export interface PeerTaker {
  /** In whose heap messages are put as they come; undefined: the process has not begun. */
  readonly library: () => Library | undefined;
  /** A message has come; `times`: it was sent on before. */
  readonly mail: (mail: Mail, times: number) => void;
  /** Any other frame. */
  readonly frame: (from: number, frame: Frame) => void;
  /** A message of ULP_MSGLATE, of this move. */
  readonly late: (from: number, mail: Mail, move: number) => void;
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
  /** Not sent yet: the same message to several ULPs. */
  readonly gathered: Mail[];
}

export class PeerLinks {
  private readonly taker: PeerTaker;
  private readonly peers = new Map<number, Peer>();
  private closing = false;

  constructor(taker: PeerTaker) {
    this.taker = taker;
  }

  /** From now on frames of this link are taken. */
  add(member: number, link: Link): void {
    const peer: Peer = { link, sent: 0, received: 0, gathered: [] };
    this.peers.set(member, peer);
    link.onClose(({ text }) => {
      // One that another has replaced is missed by nobody.
      if (this.peers.get(member) !== peer) return;
      this.peers.delete(member);
      if (!this.closing) this.taker.lost(member, text);
    });
    link.onStream(FRAME.ULP_STATE, (head) => this.taker.state(member, head));
    const begin: BeginMail = (mail, bytes) => arrivingIn(this.taker.library(), mail, bytes);
    const message = (times: (head: FrameHead) => number) => (head: FrameHead, bytes: number | undefined) =>
      new ComingMail(head, bytes, begin, (mail) => {
        peer.received += 1;
        this.taker.mail(mail, times(head));
      });
    link.onStream(
      FRAME.ULP_MSGLATE,
      (head, bytes) => new ComingMail(head, bytes, begin, (mail) => this.taker.late(member, mail, head.c)),
    );
    const first = message(() => 0);
    link.onStream(FRAME.ULP_SEND, first);
    link.onStream(FRAME.ULP_MCAST, first);
    link.onStream(
      FRAME.ULP_MSGFWD,
      message(({ c }) => c),
    );
    link.onFrame((frame) => this.taker.frame(member, frame));
  }

  /** What is sent on it is behind all messages to this member so far. */
  link(member: number): Link | undefined {
    const peer = this.peers.get(member);
    if (peer !== undefined) this.flush(peer);
    return peer?.link;
  }

  /** Sends a message; to one that is gone it is dropped. */
  mail(member: number, mail: Mail, times: number): void {
    const peer = this.peers.get(member);
    if (peer === undefined) {
      mail.release();
      return;
    }
    peer.sent += 1;
    if (times === 0 && mail.gbid !== undefined) this.gather(peer, mail);
    else {
      this.flush(peer);
      sendMail(peer.link, [mail], times === 0 ? FRAME.ULP_SEND : FRAME.ULP_MSGFWD, times);
    }
  }

  /** Sends one behind the state of its receiver, by this move. */
  late(member: number, mail: Mail, move: number): void {
    const link = this.link(member);
    if (link === undefined) mail.release();
    else sendMail(link, [mail], FRAME.ULP_MSGLATE, move);
  }

  /** Messages to a member, and from it, ever. */
  sentTo(member: number): number {
    return this.peers.get(member)?.sent ?? 0;
  }
  takenFrom(member: number): number {
    return this.peers.get(member)?.received ?? 0;
  }

  /**
   * Messages of a multicast go to a member in one frame: as long as nothing else goes there in between, so that all
   * keep their order.
   */
  private gather(peer: Peer, mail: Mail): void {
    const [first] = peer.gathered;
    if (first !== undefined && (!isSame(first, mail) || peer.gathered.length >= LIMITS.mcastReceivers))
      this.flush(peer);
    peer.gathered.push(mail);
    if (peer.gathered.length === 1) queueMicrotask(() => this.flush(peer));
  }

  private flush(peer: Peer): void {
    if (peer.gathered.length > 0) sendMail(peer.link, peer.gathered.splice(0), FRAME.ULP_SEND, 0);
  }

  send(member: number, frame: Frame): void {
    this.link(member)?.send(frame);
  }

  /** To all others. */
  tell(frame: Frame): void {
    for (const member of this.peers.keys()) this.send(member, frame);
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
    for (const peer of [...this.peers.values()]) {
      this.flush(peer);
      peer.link.close();
    }
  }
}

function isSame(a: Mail, b: Mail): boolean {
  return (
    a.gbid === b.gbid &&
    a.src === b.src &&
    a.tag === b.tag &&
    a.context === b.context &&
    a.wid === b.wid &&
    a.bytes === b.bytes
  );
}

/** One message to one ULP or several, in one frame. @param c  what the frame's type has there */
function sendMail(link: Link, mails: readonly Mail[], type: number, c: number): void {
  const { to, src, pieces } = mails[0]!;
  const tids = mails.length === 1 ? [] : mails.map((mail) => mail.to);
  const body = [sendHead(tids, mails[0]!), ...pieces];
  const release = (): void => {
    for (const mail of mails) mail.release();
  };
  if (mails.length > 1) link.send({ type: FRAME.ULP_MCAST, a: mails.length, b: src, c: 0, body }, release);
  else link.send({ type, a: to, b: src, c, body }, release);
}

/**
 * Tids, if there are several, and SEND_HEAD. Byte by byte, little-endian: the buffer of a short array is made only when it
 * is asked for, in half a microsecond.
 */
function sendHead(tids: readonly number[], { context, tag, encoding, wid }: Mail): Uint8Array {
  const head = new Uint8Array(4 * (tids.length + SEND_HEAD.words));
  for (const [index, tid] of tids.entries()) setWord(head, index, tid);
  setWord(head, tids.length + SEND_HEAD.context, context);
  setWord(head, tids.length + SEND_HEAD.tag, tag);
  setWord(head, tids.length + SEND_HEAD.encoding, encoding);
  setWord(head, tids.length + SEND_HEAD.wid, wid);
  return head;
}

function setWord(bytes: Uint8Array, index: number, word: number): void {
  const at = 4 * index;
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}

/** Messages for ULPs of this process: what finds no room waits in order, and the links with it. */
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
    else if (!this.goesIn(mail)) {
      this.waiting.push(mail);
      this.links.pause();
      this.after(LIMITS.arrivalAgainMs, () => this.again());
    }
  }

  get idle(): boolean {
    return this.waiting.length === 0;
  }

  /** The process ends: nobody receives what waits. */
  drop(): void {
    for (const mail of this.waiting.splice(0)) mail.release();
  }

  private goesIn(mail: Mail): boolean {
    if (mail.deliver !== undefined) return mail.deliver();
    if (!this.take(mail)) return false;
    mail.release();
    return true;
  }

  private again(): void {
    let done = 0;
    while (done < this.waiting.length && this.goesIn(this.waiting[done]!)) done++;
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
