/**
 * Frames of moves (wire/protocol.ts, ULP_PREPARE to ULP_MIGABORT) as the protocol's words (runtime/migrate/moves.ts), and back.
 *
 * Owns: what their bodies are: JSON of what the source says of a ULP, and of why a move is refused. Pure. What is not such a
 * frame is a ProtocolError: the link ends.
 */
import * as v from "valibot";
import { type Frame, ProtocolError } from "../net/link.ts";
import { isRefusal, type MoveFrame, type MoveFrameKind, type Refused } from "../runtime/migrate/moves.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME, type FrameName } from "../wire/protocol.ts";
import { RPC_JOB } from "../wire/rpc-job.ts";

const int = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** What the source says of a ULP while it is being stopped: what it has grown to comes with MIGRATING, before its state. */
const OFFER = v.strictObject({
  /** SHA-256 of its linked module, hexadecimal. */
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** Of the memory that its program begins with. */
  bytes: int,
  /** Versions of the interface that it was linked for, and of images. */
  abi: int,
  image: int,
});
export type Offer = v.InferOutput<typeof OFFER>;
const PREPARE = v.strictObject({ revision: int, offer: OFFER });
const WEIGHT = v.strictObject({ memoryBytes: int, heapBytes: int, taken: v.optional(int) });
const REFUSED = v.strictObject({
  code: v.string(),
  detail: v.pipe(v.string(), v.maxLength(LIMITS.rpcTextLength)),
});

const NAME: Readonly<Record<MoveFrameKind, FrameName>> = {
  PREPARE: "ULP_PREPARE",
  PREPARED: "ULP_PREPARED",
  MIGRATING: "ULP_MIGRATING",
  MIGACK: "ULP_MIGACK",
  FLUSHED: "ULP_FLUSHED",
  MIGRATED: "ULP_MIGRATED",
  MIGABORT: "ULP_MIGABORT",
};
const KIND: ReadonlyMap<number, MoveFrameKind> = new Map(
  (Object.keys(NAME) as MoveFrameKind[]).map((kind) => [FRAME[NAME[kind]], kind]),
);

export function encodeMove(frame: MoveFrame): Frame {
  const { kind, tid, move, member, revision, offer, weight, taken, isClear, refused } = frame;
  let body: unknown;
  if (kind === "PREPARE") body = { revision, offer };
  else if (kind === "MIGRATING") body = weight && { ...weight, taken };
  else if (refused !== undefined)
    body = { code: refused.code, detail: refused.detail.slice(0, LIMITS.rpcTextLength) };
  const c =
    kind === "PREPARED"
      ? Number(refused === undefined)
      : kind === "MIGACK"
        ? Number(isClear === true)
        : member;
  const bytes = body === undefined ? [] : [new TextEncoder().encode(JSON.stringify(body))];
  return { type: FRAME[NAME[kind]], a: tid >>> 0, b: move, c, body: bytes };
}

/** Undefined: it is no frame of a move. @throws ProtocolError */
export function decodeMove({ type, a, b, c, body }: Frame): MoveFrame | undefined {
  const kind = KIND.get(type);
  if (kind === undefined) return undefined;
  const head = { kind, tid: a | 0, move: b, member: c };
  const bytes = body[0] ?? new Uint8Array(0);
  if (kind === "PREPARE") return { ...head, ...parse(PREPARE, bytes) };
  if (kind === "PREPARED") return { ...head, member: 0, refused: c === 1 ? undefined : refusedOf(bytes) };
  if (kind === "MIGACK") return { ...head, member: 0, isClear: c === 1 };
  if (kind === "MIGRATING" && bytes.length > 0) {
    const { taken, ...weight } = parse(WEIGHT, bytes);
    return { ...head, weight, ...(taken !== undefined && { taken }) };
  }
  return kind === "MIGABORT" && bytes.length > 0 ? { ...head, refused: refusedOf(bytes) } : head;
}

/** JSON of ULP_ANSWER. @throws ProtocolError */
export function decodeForwarded(json: Uint8Array): v.InferOutput<typeof RPC_JOB.ulpAnswer.ask> {
  return parse(RPC_JOB.ulpAnswer.ask, json, LIMITS.rpcJsonBytes);
}

function refusedOf(bytes: Uint8Array): Refused {
  const { code, detail } = parse(REFUSED, bytes);
  // A newer peer may have other reasons.
  return isRefusal(code) ? { code, detail } : { code: "noAnswer", detail: code };
}

function parse<S extends v.GenericSchema>(
  schema: S,
  bytes: Uint8Array,
  most: number = LIMITS.moveBodyBytes,
): v.InferOutput<S> {
  if (bytes.length > most) throw new ProtocolError(`a frame of a move with ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ProtocolError("a frame of a move whose body is no JSON");
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw new ProtocolError("a frame of a move whose body is another");
  return result.output;
}
