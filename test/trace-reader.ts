/**
 * Reads trace messages as a tracer does: by the names and descriptions that come before the events.
 *
 * Owns: one reader for each tracer. It believes nothing: a mark that is missing, or bytes too many, are an error.
 */
import assert from "node:assert/strict";
import { TRACE_EVENTS } from "../wire/trace.ts";
import {
  TRACE_ARRAY,
  TRACE_DATA,
  TRACE_ENTRY,
  TRACE_EXIT,
  TRACE_KIND,
  TRACE_MARK,
} from "../wire/trace-data.ts";

export type Told = number | string | readonly (number | string)[];
export interface Seen {
  readonly phase: "entry" | "exit" | "once";
  readonly name: string;
  /** Without its time. */
  readonly data: Readonly<Record<string, Told>>;
}

export class TraceReader {
  private readonly names: string[] = [];
  private readonly described = new Map<number, readonly (readonly [datum: string, kind: number])[]>();

  /** Events of a message; the names of data are none. */
  read(bytes: Uint8Array): Seen[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const int = (): number => {
      at += 4;
      return view.getInt32(at - 4, true);
    };
    const text = (): string => {
      const length = int();
      at += length;
      assert.equal(bytes[at - 1], 0, "a text ends with its NUL");
      return new TextDecoder().decode(bytes.subarray(at - length, at - 1));
    };
    const one = (kind: number): number | string => {
      if (kind === TRACE_KIND.string) return text();
      const value = int();
      if (kind === TRACE_KIND.long) assert.equal(int(), 0, "an address has 32 bits");
      else assert.equal(kind, TRACE_KIND.int);
      return value;
    };
    const value = (kind: number): Told => {
      if ((kind & TRACE_ARRAY) === 0) return one(kind);
      return Array.from({ length: int() }, () => one(kind & ~TRACE_ARRAY));
    };
    const event = (mark: number): Seen => {
      const code = int();
      const id = code & ~(TRACE_ENTRY | TRACE_EXIT);
      const name = TRACE_EVENTS[id]?.name ?? "?";
      const data: Record<string, Told> = {};
      if (mark === TRACE_MARK.EVENT_DESC) {
        assert.equal(text(), name);
        const fields: [string, number][] = [];
        for (let datum = int(); datum !== TRACE_MARK.EVENT_DESC_END; datum = int()) {
          const kind = int();
          const named = this.names[datum] ?? `datum ${datum}`;
          fields.push([named, kind]);
          data[named] = value(kind);
        }
        this.described.set(code, fields);
      } else {
        const fields = this.described.get(code);
        assert.ok(fields !== undefined, `${name} was not described`);
        for (const [datum, kind] of fields) data[datum] = value(kind);
        assert.equal(int(), TRACE_MARK.EVENT_RECORD_END);
      }
      delete data["TS"];
      delete data["TU"];
      return { phase: code & TRACE_ENTRY ? "entry" : code & TRACE_EXIT ? "exit" : "once", name, data };
    };
    const seen: Seen[] = [];
    const first = int();
    if (first === TRACE_MARK.DATA_ID) {
      for (let datum = int(); datum !== TRACE_MARK.DATA_ID_END; datum = int()) {
        this.names[datum] = text();
        assert.equal(text(), TRACE_DATA[this.names[datum] as keyof typeof TRACE_DATA]);
      }
    } else if (first === TRACE_MARK.EVENT_BUFFER)
      for (let mark = int(); mark !== TRACE_MARK.EVENT_BUFFER_END; mark = int()) seen.push(event(mark));
    else seen.push(event(first));
    assert.equal(at, bytes.length, "nothing is left");
    return seen;
  }
}
