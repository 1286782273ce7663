/**
 * Requests and answers over a link (wire/rpc.ts has the kinds).
 *
 * Owns: which requests wait for their answer, and how bodies become bytes. Both sides may ask. Handlers are called in
 * the order in which requests come; answers come back as they are ready. What arrives is checked against the kind's
 * row. Errors: an UpvmError of a handler arrives as that error; anything else is a bug there, and is told as such.
 * No clock of its own: `after` is handed in.
 */
import * as v from "valibot";
import { ERRORS, type ErrorCode, UpvmError } from "../wire/errors.ts";
import { LIMITS } from "../wire/limits.ts";
import { FRAME } from "../wire/protocol.ts";
import { RPC, type RpcAsk, type RpcReply, type RpcTable } from "../wire/rpc.ts";
import { type Frame, type Link, type LinkEnd, type PeerIdentity, ProtocolError, peerName } from "./link.ts";

/** What a handler gives back: the reply's body alone, or with bytes. */
export interface Reply<B> {
  readonly body: B;
  readonly bytes?: Uint8Array;
}
export type Handler<T extends RpcTable, K extends keyof T> = (
  body: RpcAsk<T[K]>,
  bytes: Uint8Array,
  peer: PeerIdentity,
) => Reply<RpcReply<T[K]>> | Promise<Reply<RpcReply<T[K]>>>;
/** Kind → what is done. A kind without a handler is refused by name. */
export type Handlers<T extends RpcTable = typeof RPC> = { readonly [K in keyof T]?: Handler<T, K> };

export interface RpcOptions<T extends RpcTable> {
  readonly table?: T;
  /** Calls `run` after so many milliseconds; @returns a function that prevents it. */
  readonly after?: (ms: number, run: () => void) => () => void;
  /** A handler failed with what is no UpvmError: a bug. By default it ends the process, loudly. */
  readonly onBug?: (error: unknown) => void;
}

interface Waiting {
  readonly kind: string;
  readonly schema: v.GenericSchema<unknown, unknown>;
  readonly take: (reply: { body: unknown; bytes: Uint8Array }) => void;
  readonly fail: (error: UpvmError) => void;
  readonly cancelTimer: () => void;
}

const NO_BYTES = new Uint8Array(0);
const utf8 = new TextEncoder();
const text = new TextDecoder("utf-8", { fatal: true });

export class Rpc<T extends RpcTable = typeof RPC> {
  readonly link: Link;
  /** When and why the link ended. Never rejects. */
  readonly closed: Promise<LinkEnd>;
  readonly #handlers: Handlers<T>;
  readonly #table: RpcTable;
  readonly #after: (ms: number, run: () => void) => () => void;
  readonly #onBug: (error: unknown) => void;
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  /** Requests of the peer that are being done. */
  #doing = 0;

  constructor(link: Link, handlers: Handlers<T>, options: RpcOptions<T> = {}) {
    this.link = link;
    this.#handlers = handlers;
    this.#table = options.table ?? RPC;
    this.#after = options.after ?? timer;
    this.#onBug = options.onBug ?? loudly;
    this.closed = new Promise((done) => link.onClose(done));
    link.onClose((end) => this.#failAll(end));
    link.onFrame((frame) => this.take(frame));
  }

  get peer(): PeerIdentity {
    return this.link.peer;
  }

  /**
   * Asks and waits for the answer.
   *
   * @param bytes      what is big; the answer comes with bytes too, perhaps none. They must not change until it is there
   * @param timeoutMs  0: waits as long as the link is there
   * @throws UpvmError what the other side says; LINK_LOST, NO_ANSWER, TOO_MANY_REQUESTS
   */
  request<K extends keyof T & string>(
    kind: K,
    body: RpcAsk<T[K]>,
    bytes: Uint8Array = NO_BYTES,
    timeoutMs: number = LIMITS.rpcMs,
  ): Promise<{ body: RpcReply<T[K]>; bytes: Uint8Array }> {
    const host = peerName(this.peer);
    return new Promise((done, fail) => {
      if (this.link.end !== undefined)
        return fail(new UpvmError("LINK_LOST", { host, kind, why: this.link.end.text }));
      if (this.#waiting.size >= LIMITS.rpcWaiting)
        return fail(new UpvmError("TOO_MANY_REQUESTS", { host, kind, limit: LIMITS.rpcWaiting }));
      const json = encoded([kind, body]);
      const serial = this.#nextSerial();
      const late = (): void => {
        this.#waiting.delete(serial);
        fail(new UpvmError("NO_ANSWER", { host, kind, ms: timeoutMs }));
      };
      const cancelTimer = timeoutMs > 0 ? this.#after(timeoutMs, late) : () => {};
      const take = done as (reply: { body: unknown; bytes: Uint8Array }) => void;
      this.#waiting.set(serial, { kind, schema: this.#row(kind).reply, take, fail, cancelTimer });
      this.#send(FRAME.RPC_ASK, serial, json, bytes);
    });
  }

  /** Says something that nobody answers; lost if the link is gone. */
  tell<K extends keyof T & string>(kind: K, body: RpcAsk<T[K]>, bytes: Uint8Array = NO_BYTES): void {
    this.#send(FRAME.RPC_TELL, 0, encoded([kind, body]), bytes);
  }

  /** Takes a frame of the link; frames that are no requests and no answers are no peer's. */
  take(frame: Frame): void {
    const [body, bytes] = parsed(frame);
    switch (frame.type) {
      case FRAME.RPC_ASK:
      case FRAME.RPC_TELL:
        void this.#serve(frame.type === FRAME.RPC_ASK ? frame.a : undefined, body, bytes);
        break;
      case FRAME.RPC_ANSWER:
        this.#answered(frame.a, body, bytes);
        break;
      case FRAME.RPC_FAILED:
        this.#taken(frame.a, (waiting) => waiting.fail(this.#theirError(waiting.kind, body)));
        break;
      default:
        throw new ProtocolError(`frame of type ${frame.type} where requests are`);
    }
  }

  #row(kind: string): RpcTable[string] {
    const row = Object.hasOwn(this.#table, kind) ? this.#table[kind] : undefined;
    if (row === undefined) throw new Error(`bug: no row for ${kind}`);
    return row;
  }

  #nextSerial(): number {
    do this.#serial = (this.#serial + 1) >>> 0 || 1;
    while (this.#waiting.has(this.#serial));
    return this.#serial;
  }

  #send(type: number, serial: number, json: Uint8Array, bytes: Uint8Array): void {
    this.link.send({
      type,
      a: serial,
      b: 0,
      c: json.length,
      body: bytes.length > 0 ? [json, bytes] : [json],
    });
  }

  /** Removes a request from those that wait. One that is not there came too late, and nobody waits any more. */
  #taken(serial: number, use: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(serial);
    if (waiting === undefined) return;
    this.#waiting.delete(serial);
    waiting.cancelTimer();
    use(waiting);
  }

  #answered(serial: number, body: unknown, bytes: Uint8Array): void {
    this.#taken(serial, (waiting) => {
      const reply = v.safeParse(waiting.schema, body ?? undefined);
      if (reply.success) waiting.take({ body: reply.output, bytes });
      else {
        const why = `its answer is not what an answer is: ${issueText(reply.issues)}`;
        const host = peerName(this.peer);
        waiting.fail(new UpvmError("PEER_FAILED", { host, kind: waiting.kind, text: why }));
      }
    });
  }

  #failAll(end: LinkEnd): void {
    const host = peerName(this.peer);
    for (const serial of [...this.#waiting.keys()]) {
      this.#taken(serial, ({ kind, fail }) =>
        fail(new UpvmError("LINK_LOST", { host, kind, why: end.text })),
      );
    }
  }

  async #serve(serial: number | undefined, ask: unknown, bytes: Uint8Array): Promise<void> {
    this.#doing++;
    try {
      const reply = await this.#done(ask, bytes);
      if (serial !== undefined)
        this.#send(FRAME.RPC_ANSWER, serial, encoded(reply.body), reply.bytes ?? NO_BYTES);
    } catch (error) {
      if (serial !== undefined) this.#send(FRAME.RPC_FAILED, serial, encoded(failure(error)), NO_BYTES);
      if (!(error instanceof UpvmError)) this.#onBug(error);
    } finally {
      this.#doing--;
    }
    // A peer that asks and does not read the answers is not read itself, until it has.
    if (this.link.queuedBytes > LIMITS.linkQueueBytes && this.link.end === undefined) {
      this.link.pause();
      await this.link.drained();
      this.link.resume();
    }
  }

  async #done(ask: unknown, bytes: Uint8Array): Promise<Reply<unknown>> {
    const [kind, body] = Array.isArray(ask) ? (ask as unknown[]) : [];
    if (typeof kind !== "string" || !Object.hasOwn(this.#table, kind))
      throw new UpvmError("NOT_SERVED", { kind: shown(String(kind)), why: "there is no such request" });
    if (this.#doing > LIMITS.rpcWaiting)
      throw new UpvmError("NOT_SERVED", {
        kind,
        why: `${LIMITS.rpcWaiting} requests are being done already`,
      });
    const row = this.#row(kind);
    if (!row.from.includes(this.peer.role))
      throw new UpvmError("NOT_SERVED", { kind, why: `a ${this.peer.role} may not ask for it` });
    const given = v.safeParse(row.ask, body ?? undefined);
    if (!given.success)
      throw new UpvmError("NOT_SERVED", { kind, why: `its fields are wrong: ${issueText(given.issues)}` });
    if (kind === "ping") return { body: {} };
    // The table decides the types of both; TypeScript cannot follow a kind that comes from the wire.
    const handler = (Object.hasOwn(this.#handlers, kind) ? this.#handlers[kind] : undefined) as
      | Handler<RpcTable, string>
      | undefined;
    if (handler === undefined)
      throw new UpvmError("NOT_SERVED", { kind, why: "this is not where it is done" });
    return handler(given.output, bytes, this.peer);
  }

  /** The other side's error: its text is untrusted, and so are its facts. */
  #theirError(kind: string, body: unknown): UpvmError {
    const host = peerName(this.peer);
    const { code, facts, text } = v.parse(FAILURE, v.is(FAILURE, body) ? body : {});
    if (code === undefined || !Object.hasOwn(ERRORS, code))
      return new UpvmError("PEER_FAILED", { host, kind, text: shown(text ?? "it does not say why") });
    const clean = Object.entries(facts ?? {}).map(
      ([key, value]) => [key, typeof value === "string" ? shown(value) : value] as const,
    );
    return new UpvmError(code as ErrorCode, Object.fromEntries(clean));
  }
}

const FAILURE = v.object({
  code: v.optional(v.string()),
  facts: v.optional(v.record(v.string(), v.union([v.string(), v.number()]))),
  text: v.optional(v.string()),
});

function failure(error: unknown): v.InferOutput<typeof FAILURE> {
  if (error instanceof UpvmError) return { code: error.code, facts: { ...error.facts }, text: error.message };
  return { text: `a bug of upvm: ${error instanceof Error ? error.message : String(error)}` };
}

/** Text of a peer, for a terminal: no control characters, and not endless. Lines stay lines. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.slice(0, LIMITS.rpcTextLength).replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "?");
}

function encoded(body: unknown): Uint8Array {
  const json = utf8.encode(JSON.stringify(body ?? null));
  if (json.length > LIMITS.rpcJsonBytes) throw new Error(`bug: ${json.length} bytes of JSON in a request`);
  return json;
}

/** Body and bytes of a frame. @throws ProtocolError if it is damaged */
function parsed({ c: jsonBytes, body }: Frame): [unknown, Uint8Array] {
  const all = body[0] ?? NO_BYTES;
  if (jsonBytes > all.length || jsonBytes > LIMITS.rpcJsonBytes)
    throw new ProtocolError(`a request says ${jsonBytes} bytes of JSON, and has ${all.length}`);
  try {
    return [JSON.parse(text.decode(all.subarray(0, jsonBytes))), all.subarray(jsonBytes)];
  } catch {
    throw new ProtocolError("a request whose JSON cannot be read");
  }
}

function issueText(issues: readonly v.BaseIssue<unknown>[]): string {
  const issue = issues[0] as v.BaseIssue<unknown>;
  const path = v.getDotPath(issue as Parameters<typeof v.getDotPath>[0]);
  return shown(path === null ? issue.message : `${path}: ${issue.message}`);
}

function timer(ms: number, run: () => void): () => void {
  const handle = setTimeout(run, ms);
  return () => clearTimeout(handle);
}

function loudly(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
