/**
 * Bytes of trace records, as a task unpacks them: ints, longs and strings as pvm_pk* packs them (runtime/heap/pack.ts).
 *
 * Owns: the form (wire/trace-data.ts). Not when there is a record, nor where it goes (trace.ts).
 */
import {
  TRACE_ARRAY,
  TRACE_DATA,
  TRACE_DATUM_ID,
  TRACE_KIND,
  TRACE_MARK,
  type TraceDatum,
} from "../../wire/trace-data.ts";

/** A piece of data. A `long` is an address: one of these programs has 32 bits. */
export type TraceValue =
  | { readonly datum: TraceDatum; readonly kind: "int" | "long"; readonly value: number }
  | { readonly datum: TraceDatum; readonly kind: "text"; readonly value: Uint8Array }
  | { readonly datum: TraceDatum; readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly datum: TraceDatum; readonly kind: "texts"; readonly value: readonly Uint8Array[] };

export function intValue(datum: TraceDatum, value: number): TraceValue {
  return { datum, kind: "int", value };
}
export function intsValue(datum: TraceDatum, value: readonly number[]): TraceValue {
  return { datum, kind: "ints", value };
}
export function textsValue(datum: TraceDatum, texts: readonly string[]): TraceValue {
  return { datum, kind: "texts", value: texts.map((text) => encoder.encode(text)) };
}
export function textValue(datum: TraceDatum, text: string): TraceValue {
  return { datum, kind: "text", value: encoder.encode(text) };
}
const encoder = new TextEncoder();

const KIND = {
  int: TRACE_KIND.int,
  long: TRACE_KIND.long,
  text: TRACE_KIND.string,
  ints: TRACE_KIND.int | TRACE_ARRAY,
  texts: TRACE_KIND.string | TRACE_ARRAY,
} as const;

/** Bytes that grow, and are written over by the next record: memory of its own for each took a third of a traced task's time. */
class Writer {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private used = 0;

  private room(bytes: number): void {
    if (this.used + bytes <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.used + bytes));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** An empty record. What was written before is no more. */
  begin(): this {
    this.used = 0;
    return this;
  }

  int(value: number): this {
    this.room(4);
    this.view.setInt32(this.used, value, true);
    this.used += 4;
    return this;
  }

  /** With its NUL. */
  text(value: Uint8Array): this {
    this.int(value.length + 1).room(value.length + 1);
    this.bytes.set(value, this.used);
    this.bytes[this.used + value.length] = 0;
    this.used += value.length + 1;
    return this;
  }

  value(value: TraceValue): this {
    switch (value.kind) {
      case "int":
        return this.int(value.value);
      case "long":
        return this.int(value.value).int(0);
      case "text":
        return this.text(value.value);
      case "ints":
        this.int(value.value.length);
        for (const item of value.value) this.int(item);
        return this;
      case "texts":
        this.int(value.value.length);
        for (const item of value.value) this.text(item);
        return this;
    }
  }

  done(): Uint8Array {
    return this.bytes.subarray(0, this.used);
  }
}

const writer = new Writer();

/**
 * Bytes of one event; good until the next record.
 *
 * @param described  its task has sent one of its kind before
 */
export function eventBytes(
  event: number,
  name: string,
  values: readonly TraceValue[],
  described: boolean,
): Uint8Array {
  const out = writer.begin();
  if (described) {
    out.int(TRACE_MARK.EVENT_RECORD).int(event);
    for (const value of values) out.value(value);
    return out.int(TRACE_MARK.EVENT_RECORD_END).done();
  }
  out.int(TRACE_MARK.EVENT_DESC).int(event).text(encoder.encode(name));
  for (const value of values) out.int(TRACE_DATUM_ID[value.datum]).int(KIND[value.kind]).value(value);
  return out.int(TRACE_MARK.EVENT_DESC_END).done();
}

/** Bytes of the message that names all data; good until the next record. */
export function dataNames(): Uint8Array {
  const out = writer.begin().int(TRACE_MARK.DATA_ID);
  for (const [id, [name, doc]] of Object.entries(TRACE_DATA).entries())
    out.int(id).text(encoder.encode(name)).text(encoder.encode(doc));
  return out.int(TRACE_MARK.DATA_ID_END).done();
}
