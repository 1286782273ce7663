/**
 * Writes docs/protocol.md from wire/protocol.ts and wire/rpc.ts.
 *
 * Owns: the page's form and its words about links. Every code, field and limit comes from the tables.
 */
import { LIMITS } from "../wire/limits.ts";
import { FRAME_NAMES, FRAMES, PROTOCOL_VERSION } from "../wire/protocol.ts";
import { RPC } from "../wire/rpc.ts";

const NOTICE = "Written by scripts/generate.ts from the tables in wire/: change those, not this.";

export function protocolPage(): string {
  const out = [
    "# What goes over a link",
    "",
    `<!-- ${NOTICE} -->`,
    "",
    `Version ${PROTOCOL_VERSION}. Two peers of a virtual machine (daemons, application processes, commands) speak in *frames*. All`,
    "words are 32 bits, unsigned, little-endian:",
    "",
    "```",
    " 0        4        8        12       16       20",
    " | length | type   | field1 | field2 | field3 | body ...",
    "          |<------- length counts from here on -->",
    "```",
    "",
    "The four words are the paper's protocol descriptor (3.2.1). Fields in brackets are unused in its Table III. A frame is",
    "for a *ulp*, for the *library* (process or daemon), or for the *link* itself: then nobody above the link sees it.",
    "",
    "| code | frame | field 1 | field 2 | field 3 | body | for | meaning |",
    "|---|---|---|---|---|---|---|---|",
    ...FRAME_NAMES.map((name) => {
      const { code, fields, body, ends, doc } = FRAMES[name];
      const cells = [...fields, body].map((cell) => cell || "–");
      return `| ${code} | \`${name}\` | ${cells.join(" | ")} | ${ends} | ${doc} |`;
    }),
    "",
    "## The handshake, and what is protected",
    "",
    "Every link, of whatever kind, begins with it. Both sides have the virtual machine's key: random bytes, 32 at least.",
    "",
    "```",
    " caller                                    listener",
    " NONCE  Nc                         -->",
    "                                   <--     NONCE  Nl",
    " PROOF  of the caller, Nc, Nl      -->                     wrong: the listener closes, without a word",
    "                                   <--     PROOF  of the listener, Nc, Nl",
    "                                   <--     IDENTITY  version, hash, who it is",
    " IDENTITY  version, hash, who      -->",
    "                                   <--     WELCOME, or REFUSED and why",
    "```",
    "",
    "Hashes are HMAC-SHA-256 with the key, over `upvm proof of the caller` (or `listener`) and a zero byte, Nc, Nl; in",
    "IDENTITY over `upvm identity of the caller` (or `listener`) and a zero byte, Nc, Nl, the version, and the JSON behind the",
    "hash: `{ role, vm, host, job, member }`.",
    "",
    "- Who does not have the key gets 32 random bytes of a listener, and of a caller a hash of random bytes: no name, no",
    "  version. It cannot replay what it has seen, nor send it back.",
    "- A peer of another version is refused by name, on both sides; one of another virtual machine too.",
    "- *Unix sockets* are reachable for the user alone (their folder is 0700, they are 0600).",
    "- *TCP* is authenticated in the handshake and no further: it is neither encrypted nor safe from somebody who can change",
    "  packets on the way. It is for loopback and for networks that are trusted; who listens says which.",
    "- *TLS* is version 1.3 with a pre-shared key, HMAC-SHA-256 of `upvm pre-shared key of TLS` and a zero byte with the",
    "  virtual machine's key, and an ephemeral key exchange: encrypted, authenticated both ways, and what was recorded cannot",
    "  be read with the key later. There are no certificates. The handshake above follows inside.",
    "- All that have the key are trusted alike: a host that is in may say it is any host.",
    "",
    "## Limits",
    "",
    "| limit | value |",
    "|---|---|",
    ...LIMIT_NAMES.map((name) => `| \`${name}\` | ${LIMITS[name].toLocaleString("en")} |`),
    "",
    "A frame that is longer than it may be, that has an unknown place in a sequence of fragments, or that cannot be read",
    "ends the link, and nothing else.",
    "",
    "## Requests",
    "",
    "| kind | asked by | what |",
    "|---|---|---|",
    ...Object.entries(RPC).map(([kind, { from, doc }]) => `| \`${kind}\` | ${from.join(", ")} | ${doc} |`),
    "",
    "Their fields are the schemas in `wire/rpc*.ts`.",
  ];
  return `${out.join("\n")}\n`;
}

const LIMIT_NAMES = [
  "frameBytes",
  "fragmentBytes",
  "wholeBytes",
  "openWholes",
  "handshakeBytes",
  "handshakeMs",
  "halfOpenLinks",
  "links",
  "linkQueueBytes",
  "linkQueueBytesMax",
  "aliveEveryMs",
  "aliveWithinMs",
  "linkCloseMs",
  "rpcWaiting",
  "rpcMs",
  "rpcJsonBytes",
] as const satisfies readonly (keyof typeof LIMITS)[];
