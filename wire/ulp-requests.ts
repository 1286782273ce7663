/**
 * Requests of ULPs and their answers (wire/requests.ts) as requests between processes (wire/rpc-job.ts).
 *
 * Owns: the field of bytes that goes behind the JSON, and the check of what comes: a request has the fields of its kind and
 * no others. Pure.
 */
import { type Answer, REQUEST, type Request, type RequestKind } from "./requests.ts";
import type { RpcAsk } from "./rpc.ts";
import type { RPC_JOB } from "./rpc-job.ts";

type Asked = RpcAsk<typeof RPC_JOB.ulpAsk>;
type Answered = RpcAsk<typeof RPC_JOB.ulpAnswer>;
/** What an answer must know of its request. */
export type Asker = Pick<Request, "kind" | "tid" | "serial">;

const NO_BYTES = new Uint8Array(0);

export function encodeRequest({ kind, tid, serial, body }: Request): { body: Asked; bytes: Uint8Array } {
  const plain: Record<string, number | string | number[] | string[]> = {};
  let bytes: Uint8Array = NO_BYTES;
  let bytesAt: string | undefined;
  for (const [field, value] of Object.entries(body) as [string, string | number | readonly number[] | readonly string[] | Uint8Array][]) {
    if (value instanceof Uint8Array) {
      bytes = value;
      bytesAt = field;
    } else plain[field] = typeof value === "object" ? ([...value] as number[] | string[]) : value;
  }
  return { body: { kind, tid, serial, body: plain, ...(bytesAt !== undefined && { bytesAt }) }, bytes };
}

/** @returns undefined: it is no request of its kind */
export function decodeRequest(asked: Asked, bytes: Uint8Array): Request | undefined {
  const { kind, tid, serial, bytesAt } = asked;
  const body: Record<string, unknown> = { ...asked.body };
  if (bytesAt !== undefined) body[bytesAt] = bytes;
  const fields: Readonly<Record<string, keyof typeof IS>> = REQUEST[kind].ask;
  const names = Object.keys(fields);
  if (Object.keys(body).length !== names.length) return undefined;
  if (!names.every((name) => Object.hasOwn(body, name) && IS[fields[name]!](body[name]))) return undefined;
  // The table has said what the fields are; TypeScript cannot follow a kind that comes from the wire.
  return { kind, tid, serial, body } as Request;
}

const isList = (type: string) => (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === type);
const IS = {
  int: (value: unknown) => typeof value === "number",
  text: (value: unknown) => typeof value === "string",
  ints: isList("number"),
  texts: isList("string"),
  bytes: (value: unknown) => value instanceof Uint8Array,
} as const;

export function encodeAnswer({ kind, tid, serial }: Asker, answer: Answer): { body: Answered; bytes: Uint8Array } {
  const { value, ints, texts, bytes } = answer;
  const body: Answered = {
    kind,
    tid,
    serial,
    value,
    ...(ints !== undefined && { ints: [...ints] }),
    ...(texts !== undefined && { texts: [...texts] }),
    bytes: bytes !== undefined,
  };
  return { body, bytes: bytes ?? NO_BYTES };
}

export function decodeAnswer(answered: Answered, all: Uint8Array): { asker: Asker; answer: Answer } {
  const { kind, tid, serial, value, ints, texts, bytes } = answered;
  const answer: Answer = {
    value,
    ...(ints !== undefined && { ints }),
    ...(texts !== undefined && { texts }),
    ...(bytes && { bytes: all }),
  };
  const asker: { kind: RequestKind; tid: number; serial: number } = { kind, tid, serial };
  return { asker, answer };
}
