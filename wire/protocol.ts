/**
 * The library-to-library protocol: every frame that goes over a link, one row for each.
 *
 * A frame on the wire is a length (u32, bytes that follow it), the paper's 4-word header (type, field 1 to 3) and a
 * body; all words are u32, little-endian. The rows of Table III keep the paper's names and fields; fields that the
 * paper leaves unused and that we use are named in brackets. docs/protocol.md has the same as a page.
 *
 * Codes are on the wire: append only, a retired code keeps its row. A change of a row's meaning is a new
 * PROTOCOL_VERSION; the frames of the handshake (`ends: "link"`, 64 to 68) never change, so that a peer of any other
 * version can be refused by name.
 *
 * Owns: codes, names and meanings. No code with effects.
 */
export const PROTOCOL_VERSION = 3;

/** Bytes before a frame's body: length, type, three fields. */
export const FRAME_HEAD_BYTES = 20;
/** Of these, what the length on the wire counts: the 4-word header. */
export const FRAME_WORDS_BYTES = 16;

/** Who a frame is for: a ULP, the library (process or pvmd), or the link itself, which nobody above it sees. */
export type FrameEnd = "ulp" | "library" | "link";

interface Row {
  readonly code: number;
  /** Names of field 1 to 3; "": unused, sent as 0; in brackets: unused in the paper. */
  readonly fields: readonly [string, string, string];
  /** What the body is; "": there is none. */
  readonly body: string;
  readonly ends: FrameEnd;
  readonly doc: string;
}

export const FRAMES = {
  // Table III
  ULP_CONFIGQ: { code: 1, fields: ["", "", ""], body: "", ends: "library", doc: "asks for the configuration of the job (the table's ULP_CONFIGO)" },
  ULP_CONFIG: { code: 2, fields: ["number of ULPs", "", ""], body: "JSON", ends: "library", doc: "the configuration: answers ULP_CONFIGQ" },
  ULP_STATUSQ: { code: 3, fields: ["ULP", "", ""], body: "", ends: "library", doc: "asks for the status of a ULP" },
  ULP_STATUS: { code: 4, fields: ["ULP", "(member)", "(state)"], body: "", ends: "library", doc: "where a ULP is and in which state: answers ULP_STATUSQ" },
  ULP_SEND: { code: 5, fields: ["destination ULP", "source ULP", ""], body: "SEND_HEAD, then the buffer", ends: "ulp", doc: "a message from ULP to ULP" },
  ULP_MSGFWD: { code: 6, fields: ["destination ULP", "source ULP", "(times forwarded)"], body: "as ULP_SEND", ends: "ulp", doc: "a message that came for a ULP which has moved, sent on to where it is" },
  ULP_SIGNAL: { code: 7, fields: ["destination ULP", "source ULP", "signal"], body: "", ends: "ulp", doc: "a signal to a ULP" },
  ULP_EXIT: { code: 8, fields: ["ULP", "", ""], body: "", ends: "library", doc: "a ULP has ended; messages for it are dropped" },
  ULP_LIBALIVEQ: { code: 9, fields: ["source member", "", ""], body: "", ends: "link", doc: "asks whether the peer is alive: nothing has come from it for LIMITS.aliveEveryMs" },
  ULP_LIBALIVE: { code: 10, fields: ["source member", "", ""], body: "", ends: "link", doc: "is alive: answers ULP_LIBALIVEQ; unasked every LIMITS.aliveEveryMs while it does not read" },
  // Migration
  ULP_PREPARE: { code: 32, fields: ["ULP", "move", ""], body: "JSON", ends: "library", doc: "source asks destination whether it can take a ULP" },
  ULP_PREPARED: { code: 33, fields: ["ULP", "move", "1: yes, 0: no"], body: "JSON", ends: "library", doc: "answers ULP_PREPARE" },
  ULP_MIGRATING: { code: 34, fields: ["ULP", "move", "destination member"], body: "to the destination JSON", ends: "library", doc: "source tells all: hold what goes to this ULP; and the destination, what memory it needs" },
  ULP_MIGACK: { code: 35, fields: ["ULP", "move", "1: nothing is on its way, ULP_FLUSHED is not waited for"], body: "", ends: "library", doc: "answers ULP_MIGRATING, behind everything sent before" },
  ULP_STATE: { code: 36, fields: ["ULP", "move", "number of the chunk"], body: "a piece of the image", ends: "library", doc: "the ULP's state, source to destination" },
  ULP_STATE_END: { code: 37, fields: ["ULP", "move", "chunks"], body: "", ends: "library", doc: "all of the state has been sent" },
  ULP_MIGRATED: { code: 38, fields: ["ULP", "move", "member"], body: "", ends: "library", doc: "destination tells all: the ULP is here; send what is held" },
  ULP_MIGABORT: { code: 39, fields: ["ULP", "move", "member"], body: "JSON", ends: "library", doc: "the ULP stays at its source: send there what is held" },
  ULP_ANSWER: { code: 40, fields: ["ULP", "", "bytes of JSON"], body: "JSON, then bytes: as the request ulpAnswer", ends: "ulp", doc: "the virtual machine's answer to a ULP that has moved since it asked" },
  ULP_MCAST: { code: 41, fields: ["receivers", "source ULP", ""], body: "tids of the receivers, then as ULP_SEND", ends: "ulp", doc: "a message to several ULPs of the process" },
  ULP_MSGLATE: { code: 42, fields: ["destination ULP", "source ULP", "move"], body: "as ULP_SEND", ends: "ulp", doc: "a message that came to the source of a move after the ULP's state had left: it goes behind those of its state" },
  ULP_FLUSHED: { code: 43, fields: ["ULP", "move", ""], body: "", ends: "library", doc: "source tells destination: all have answered, and what came for the ULP has been sent" },
  // The link itself; 64 to 68 are the handshake
  NONCE: { code: 64, fields: ["", "", ""], body: "32 random bytes", ends: "link", doc: "first frame of each side" },
  PROOF: { code: 65, fields: ["", "", ""], body: "HMAC-SHA-256", ends: "link", doc: "shows that the side has the key: first the caller, then the listener" },
  IDENTITY: { code: 66, fields: ["protocol version", "", ""], body: "HMAC-SHA-256, then JSON", ends: "link", doc: "who the side is; only to a peer that has shown the key" },
  WELCOME: { code: 67, fields: ["", "", ""], body: "", ends: "link", doc: "the listener takes the caller: the link is there" },
  REFUSED: { code: 68, fields: ["", "", ""], body: "text", ends: "link", doc: "the listener does not take the caller, and why" },
  BYE: { code: 69, fields: ["", "", ""], body: "", ends: "link", doc: "last frame of a side that leaves in order" },
  FRAGMENT: { code: 70, fields: ["serial", "1: first, 2: last, 3: both", "bytes before; of the first: bytes of the whole, 0: not known"], body: "a piece; the first begins with the header of the whole", ends: "link", doc: "a piece of a frame with more than LIMITS.fragmentBytes" },
  // Requests (wire/rpc.ts)
  RPC_ASK: { code: 80, fields: ["serial", "", "bytes of JSON"], body: "JSON [kind, body], then bytes", ends: "library", doc: "a request" },
  RPC_ANSWER: { code: 81, fields: ["serial", "", "bytes of JSON"], body: "JSON, then bytes", ends: "library", doc: "the answer to a request" },
  RPC_FAILED: { code: 82, fields: ["serial", "", "bytes of JSON"], body: "JSON { code, facts, text }", ends: "library", doc: "a request could not be done" },
  RPC_TELL: { code: 83, fields: ["0", "", "bytes of JSON"], body: "JSON [kind, body], then bytes", ends: "library", doc: "a request that nobody waits for" },
  // A link through daemons (request route)
  ROUTED: { code: 84, fields: ["", "", ""], body: "bytes", ends: "library", doc: "what a process writes on its link to another, as daemons carry it: they do not look into it" },
} as const satisfies Readonly<Record<string, Row>>;

export type FrameName = keyof typeof FRAMES;
export const FRAME_NAMES = Object.keys(FRAMES) as readonly FrameName[];

/** Name → code. */
export const FRAME = Object.fromEntries(FRAME_NAMES.map((name) => [name, FRAMES[name].code])) as {
  readonly [N in FrameName]: (typeof FRAMES)[N]["code"];
};
/** Code → name, for logs and errors. */
export const FRAME_NAME: ReadonlyMap<number, FrameName> = new Map(FRAME_NAMES.map((name) => [FRAMES[name].code, name]));

/** Head of the body of ULP_SEND, ULP_MSGFWD and ULP_MSGLATE: i32 words. The bytes of the buffer follow. */
export const SEND_HEAD = { context: 0, tag: 1, encoding: 2, wid: 3, words: 4 } as const;

/** Flags of FRAGMENT's field 2. */
export const FRAGMENT_FIRST = 1;
export const FRAGMENT_LAST = 2;

/** What a peer is. */
export const ROLES = ["pvmd", "process", "command"] as const;
export type Role = (typeof ROLES)[number];
