/**
 * What etcd's v3 JSON gateway takes and gives: keys and values in base64, 64-bit numbers as text, zeros left out.
 *
 * Owns: the shapes. Pure. Source: etcd's rpc.proto and kv.proto, the mapping of proto3 to JSON.
 */
import * as v from "valibot";
import type { Entry } from "./control-store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Bytes that are turned into text at once: arguments of one call. */
const PIECE = 8192;

/** Revisions and ids of ours fit into a number. */
const int64 = v.pipe(
  v.optional(v.union([v.string(), v.number()]), "0"),
  v.transform(Number),
  v.safeInteger(),
);
const base64 = v.pipe(
  v.optional(v.string(), ""),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return Uint8Array.from(atob(dataset.value), (each) => each.charCodeAt(0));
    } catch {
      addIssue({ message: "no base64" });
      return NEVER;
    }
  }),
);
const header = v.optional(v.object({ revision: int64 }), { revision: "0" });
const kv = v.object({ key: base64, value: base64, create_revision: int64, mod_revision: int64 });
export type KeyValue = v.InferOutput<typeof kv>;

export const RANGE = v.object({
  header,
  kvs: v.optional(v.array(kv), []),
  more: v.optional(v.boolean(), false),
});
export const TXN = v.object({
  header,
  succeeded: v.optional(v.boolean(), false),
  responses: v.optional(
    v.array(v.object({ response_range: v.optional(v.object({ kvs: v.optional(v.array(kv), []) })) })),
    [],
  ),
});
export const DONE = v.object({ header });
export const STATUS = v.object({
  version: v.string(),
  leader: int64OrText(),
  errors: v.optional(v.array(v.string()), []),
});
export const KEPT = v.object({ result: v.object({ TTL: int64 }) });
const event = v.object({ type: v.optional(v.string(), "PUT"), kv });
export const WATCHED = v.object({
  result: v.optional(
    v.object({
      header,
      created: v.optional(v.boolean(), false),
      canceled: v.optional(v.boolean(), false),
      cancel_reason: v.optional(v.string(), ""),
      compact_revision: int64,
      events: v.optional(v.array(event), []),
    }),
  ),
  error: v.optional(v.object({ message: v.optional(v.string(), "") })),
});

/** Ids of members are of 64 bits. */
function int64OrText() {
  return v.optional(v.union([v.string(), v.number()]), "0");
}

export function keyText(key: string): string {
  return valueText(encoder.encode(key));
}

export function valueText(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE)
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(binary);
}

/** The first key behind all that begin with `prefix`, which is not empty. No byte of UTF-8 is 0xff. */
export function endOf(prefix: string): string {
  const bytes = encoder.encode(prefix);
  bytes[bytes.length - 1]! += 1;
  return valueText(bytes);
}

export function textOf(key: Uint8Array): string {
  return decoder.decode(key);
}

export function entryOf({ value, create_revision, mod_revision }: KeyValue): Entry {
  return { value, revision: mod_revision, created: create_revision };
}

/** What a text says, if it is JSON of this shape. */
export function parsed<S extends v.GenericSchema<unknown, unknown>>(
  schema: S,
  text: string,
): v.InferOutput<S> | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = v.safeParse(schema, json);
  return result.success ? result.output : undefined;
}

export function parsedWatch(line: string): v.InferOutput<typeof WATCHED> | undefined {
  return parsed(WATCHED, line);
}
