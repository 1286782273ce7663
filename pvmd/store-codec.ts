/**
 * Entries and changes of the control store as bytes, one after the other.
 *
 *     u32 bytes of the key | u32 bytes of the value, 0xffffffff none | f64 revision | f64 created | key | value
 *
 * Little-endian. A change is the same; without a value the key was deleted. Owns: the layout. Nothing that is read is
 * trusted: it allocates nothing beyond the bytes that are there.
 */
import { UpvmError } from "../wire/errors.ts";
import type { Changed, Entry } from "./control-store.ts";

const HEAD_BYTES = 24;
const NO_VALUE = 0xffffffff;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** @param values  false: keys and revisions are enough, values are left empty */
export function packEntries(entries: readonly (readonly [string, Entry])[], values = true): Uint8Array {
  const changes = entries.map(([key, entry]) => ({
    key,
    entry: values ? entry : { ...entry, value: NOTHING },
    revision: entry.revision,
  }));
  return packChanges(changes);
}
const NOTHING = new Uint8Array();

export function packChanges(changes: readonly Changed[]): Uint8Array {
  const keys = changes.map(({ key }) => encoder.encode(key));
  const bytes = changes.reduce(
    (sum, { entry }, i) => sum + HEAD_BYTES + keys[i]!.length + (entry?.value.length ?? 0),
    0,
  );
  const all = new Uint8Array(bytes);
  const view = new DataView(all.buffer);
  let at = 0;
  changes.forEach(({ entry, revision }, i) => {
    const key = keys[i]!;
    view.setUint32(at, key.length, true);
    view.setUint32(at + 4, entry?.value.length ?? NO_VALUE, true);
    view.setFloat64(at + 8, revision, true);
    view.setFloat64(at + 16, entry?.created ?? 0, true);
    all.set(key, at + HEAD_BYTES);
    at += HEAD_BYTES + key.length;
    all.set(entry?.value ?? NOTHING, at);
    at += entry?.value.length ?? 0;
  });
  return all;
}

/**
 * Exactly `count` changes. Values are copies.
 *
 * @throws UpvmError PEER_FAILED if the bytes are not that
 */
export function unpackChanges(bytes: Uint8Array, count: number, kind: string): Changed[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const changes: Changed[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (bytes.length - at < HEAD_BYTES) throw damaged(kind, at);
    const keyBytes = view.getUint32(at, true);
    const valueBytes = view.getUint32(at + 4, true);
    const revision = view.getFloat64(at + 8, true);
    const created = view.getFloat64(at + 16, true);
    const value = at + HEAD_BYTES + keyBytes;
    const end = value + (valueBytes === NO_VALUE ? 0 : valueBytes);
    if (end > bytes.length || !isRevision(revision) || !isRevision(created)) throw damaged(kind, at);
    const key = textOf(bytes.subarray(at + HEAD_BYTES, value));
    if (key === undefined) throw damaged(kind, at);
    const entry = valueBytes === NO_VALUE ? undefined : { value: bytes.slice(value, end), revision, created };
    changes.push({ key, entry, revision });
    at = end;
  }
  if (at !== bytes.length) throw damaged(kind, at);
  return changes;
}

/** As unpackChanges; a key without a value is no entry. */
export function unpackEntries(bytes: Uint8Array, count: number, kind: string): [string, Entry][] {
  return unpackChanges(bytes, count, kind).map(({ key, entry }) => {
    if (entry === undefined) throw damaged(kind, 0);
    return [key, entry];
  });
}

function isRevision(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function damaged(kind: string, at: number): UpvmError {
  return new UpvmError("PEER_FAILED", { host: "the control store", kind, text: `damaged at byte ${at}` });
}
