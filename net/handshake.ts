/**
 * How two peers show each other that they have the virtual machine's key, and who they are.
 *
 * ```
 *  caller                                    listener
 *  NONCE  Nc                         ──▶
 *                                    ◀──     NONCE  Nl
 *  PROOF  hmac("caller", Nc, Nl)     ──▶                     wrong: closes without a word
 *                                    ◀──     PROOF  hmac("listener", Nc, Nl)
 *                                    ◀──     IDENTITY version, hmac, JSON
 *  IDENTITY version, hmac, JSON      ──▶
 *                                    ◀──     WELCOME, or REFUSED and why
 * ```
 *
 * Who has no key sees 32 random bytes of a listener, and one more hash of random bytes of a caller: not a name, not a
 * version. The key itself never goes over. Hashes are HMAC-SHA-256 over what the side is, both nonces, and in IDENTITY the
 * version and the text: they fit no other connection and no other direction. Versions are told after that, so that a
 * peer of another one is refused by name; therefore these frames never change.
 *
 * Owns: the states. Pure: random numbers and hashes are handed in, the time limit is the caller's.
 */
import * as v from "valibot";
import { FRAME, PROTOCOL_VERSION, ROLES } from "../wire/protocol.ts";
import { joined } from "./intake.ts";
import type { Frame, FrameHead, PeerIdentity } from "./link.ts";

/** What the handshake needs of cryptography. */
export interface LinkCrypto {
  random(bytes: number): Uint8Array;
  /** HMAC-SHA-256 over the parts, each of a length that the others do not change. */
  hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** Compares in a time that tells nothing. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}

export type Side = "caller" | "listener";

export interface HandshakeOptions {
  readonly side: Side;
  readonly key: Uint8Array;
  readonly identity: PeerIdentity;
  readonly crypto: LinkCrypto;
  /** Says why this peer is not taken, undefined if it is. */
  readonly accept?: ((peer: PeerIdentity) => string | undefined) | undefined;
  readonly version?: number;
}

/** Why there is no link. `key`: the peer has another key, or is no peer at all. `late`: a listener may have said yes. */
export type HandshakeFailure =
  | { readonly why: "key" }
  | { readonly why: "broken"; readonly text: string; readonly late?: boolean }
  | { readonly why: "version"; readonly host: string; readonly theirs: number; readonly ours: number }
  | { readonly why: "refused"; readonly host: string; readonly text: string };

/** What follows from a frame: what to send, and perhaps the end. */
export interface HandshakeStep {
  readonly send: readonly Frame[];
  readonly peer?: PeerIdentity;
  readonly failed?: HandshakeFailure;
}

const NONCE_BYTES = 32;
const MAC_BYTES = 32;
const utf8 = new TextEncoder();
const text = new TextDecoder();

/** A name as it comes: printable, of a length that fits into a line. */
const NAME = v.pipe(
  v.string(),
  v.maxLength(255),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
  v.regex(/^[^\u0000-\u0020\u007f-\u009f]*$/),
);
const NUMBER = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0x7fff_ffff));
const PEER = v.strictObject({
  role: v.picklist(ROLES),
  vm: NAME,
  host: v.pipe(NAME, v.nonEmpty()),
  job: v.optional(NUMBER),
  member: v.optional(NUMBER),
});

type State =
  | { readonly at: "nonce" }
  | { readonly at: "proof"; readonly nonces: readonly Uint8Array[] }
  | { readonly at: "identity"; readonly nonces: readonly Uint8Array[] }
  | { readonly at: "welcome"; readonly peer: PeerIdentity }
  | { readonly at: "over" };

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #version: number;
  readonly #nonce: Uint8Array;
  #state: State = { at: "nonce" };

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#version = options.version ?? PROTOCOL_VERSION;
    this.#nonce = options.crypto.random(NONCE_BYTES);
  }

  /** What is sent first: a listener says nothing unasked. */
  start(): readonly Frame[] {
    return this.#options.side === "caller" ? [frame(FRAME.NONCE, 0, this.#nonce)] : [];
  }

  /** Takes one frame of the peer, of LIMITS.handshakeBytes at most. After an end it must not be called again. */
  take(head: FrameHead, pieces: readonly Uint8Array[]): HandshakeStep {
    const state = this.#state;
    const body = joined(pieces);
    const caller = this.#options.side === "caller";
    // Nothing unused may carry anything: only the version is said in a field.
    if ((head.a !== 0 && head.type !== FRAME.IDENTITY) || head.b !== 0 || head.c !== 0)
      return this.#fail(BROKEN);
    switch (state.at) {
      case "nonce":
        if (head.type !== FRAME.NONCE || body.length !== NONCE_BYTES) return this.#fail(BROKEN);
        return this.#nonceCame(body);
      case "proof":
        if (head.type !== FRAME.PROOF || !this.#equal(body, this.#proof(this.#other, state.nonces)))
          return this.#fail({ why: "key" });
        this.#state = { at: "identity", nonces: state.nonces };
        if (caller) return { send: [] };
        return {
          send: [frame(FRAME.PROOF, 0, this.#proof("listener", state.nonces)), this.#identity(state.nonces)],
        };
      case "identity":
        return this.#identityCame(head, body, state.nonces);
      case "welcome":
        if (head.type === FRAME.WELCOME) return this.#done(state.peer, []);
        if (head.type !== FRAME.REFUSED) return this.#fail(this.broken(BROKEN.text));
        return this.#fail({ why: "refused", host: state.peer.host, text: clean(text.decode(body)) });
      case "over":
        throw new Error("bug: the handshake is over");
    }
  }

  /** What it means that the peer ends the connection now. */
  ended(why: string): HandshakeFailure {
    // A listener that does not like the proof says nothing.
    if (this.#options.side === "caller" && this.#state.at === "proof") return { why: "key" };
    return this.broken(why);
  }

  /** As it stands now, something else than a frame ends it. */
  broken(text: string): HandshakeFailure & { readonly why: "broken" } {
    return { why: "broken", text, ...(this.#state.at === "welcome" && { late: true }) };
  }

  get #other(): Side {
    return this.#options.side === "caller" ? "listener" : "caller";
  }

  #nonceCame(theirs: Uint8Array): HandshakeStep {
    const caller = this.#options.side === "caller";
    const nonces = caller ? [this.#nonce, theirs] : [theirs, this.#nonce];
    this.#state = { at: "proof", nonces };
    if (!caller) return { send: [frame(FRAME.NONCE, 0, this.#nonce)] };
    return { send: [frame(FRAME.PROOF, 0, this.#proof("caller", nonces))] };
  }

  #identityCame(head: FrameHead, body: Uint8Array, nonces: readonly Uint8Array[]): HandshakeStep {
    const { side, accept, identity } = this.#options;
    const caller = side === "caller";
    const json = body.subarray(MAC_BYTES);
    const mac = this.#identityMac(this.#other, nonces, head.a, json);
    if (head.type !== FRAME.IDENTITY || !this.#equal(body.subarray(0, MAC_BYTES), mac))
      return this.#fail({ why: "key" });
    const own = caller ? [this.#identity(nonces)] : [];
    const said = parseJson(json);
    if (head.a !== this.#version) {
      const host = v.is(v.object({ host: NAME }), said) ? said.host : "?";
      return this.#fail({ why: "version", host, theirs: head.a, ours: this.#version }, own);
    }
    if (!v.is(PEER, said)) return this.#fail(BROKEN);
    const peer: PeerIdentity = said as PeerIdentity;
    // "" is one that has yet to join, and does not know the name.
    const elsewhere = peer.vm !== identity.vm && peer.vm !== "" && identity.vm !== "";
    const why = elsewhere
      ? `it belongs to the virtual machine ${caller ? peer.vm : identity.vm}`
      : accept?.(peer);
    if (why !== undefined) {
      const send = caller ? [] : [frame(FRAME.REFUSED, 0, utf8.encode(why))];
      return this.#fail({ why: "refused", host: peer.host, text: why }, send);
    }
    if (!caller) return this.#done(peer, [frame(FRAME.WELCOME, 0)]);
    this.#state = { at: "welcome", peer };
    return { send: own };
  }

  #done(peer: PeerIdentity, send: readonly Frame[]): HandshakeStep {
    this.#state = { at: "over" };
    return { send, peer };
  }

  #fail(failed: HandshakeFailure, send: readonly Frame[] = []): HandshakeStep {
    this.#state = { at: "over" };
    return { send, failed };
  }

  #equal(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && this.#options.crypto.equal(a, b);
  }

  #mac(label: string, parts: readonly Uint8Array[]): Uint8Array {
    return this.#options.crypto.hmac(this.#options.key, [utf8.encode(`upvm ${label}\0`), ...parts]);
  }

  #proof(of: Side, nonces: readonly Uint8Array[]): Uint8Array {
    return this.#mac(`proof of the ${of}`, nonces);
  }

  #identity(nonces: readonly Uint8Array[]): Frame {
    const json = utf8.encode(JSON.stringify(this.#options.identity));
    const mac = this.#identityMac(this.#options.side, nonces, this.#version, json);
    return frame(FRAME.IDENTITY, this.#version, mac, json);
  }

  #identityMac(side: Side, nonces: readonly Uint8Array[], version: number, json: Uint8Array): Uint8Array {
    const word = Uint8Array.of(version, version >>> 8, version >>> 16, version >>> 24);
    return this.#mac(`identity of the ${side}`, [...nonces, word, json]);
  }
}

const BROKEN = { why: "broken", text: "it does not speak upvm's protocol" } as const;

function frame(type: number, a: number, ...body: readonly Uint8Array[]): Frame {
  return { type, a, b: 0, c: 0, body };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(text.decode(bytes));
  } catch {
    return undefined;
  }
}

/** Text of a peer, for a terminal. */
function clean(told: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return told.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
