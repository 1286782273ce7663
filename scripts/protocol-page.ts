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
