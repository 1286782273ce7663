/**
 * Calls of an etcd cluster's v3 JSON gateway: which endpoint is asked, when it is asked again, and what its answers are.
 *
 * Owns: endpoints in turn, the token of a user, what of an error means that nothing was done. Answers are checked. No
 * socket and no clock: `EtcdEdge` is handed in (upvm/node-etcd.ts).
 * Source: etcd's api/v3rpc/rpctypes/error.go; google.rpc.Code.
 */
import * as v from "valibot";
import { LIMITS } from "../wire/limits.ts";
import { StoreError } from "./control-store.ts";
import { parsed } from "./etcd-wire.ts";
import type { After } from "./lease-keeper.ts";

export interface EtcdEdge {
  /** Posts JSON. @throws NotAnswered */
  post(
    url: string,
    token: string | undefined,
    body: string,
    timeoutMs: number,
  ): Promise<{ readonly status: number; readonly text: string }>;
  /**
   * Posts JSON and reads an answer that does not end, line by line. Lines are as they came; one that is longer than
   * LIMITS.etcdLineBytes ends it.
   *
   * @param ended  called once
   * @returns a function that ends it; nothing is called after that
   */
  stream(
    url: string,
    token: string | undefined,
    body: string,
    line: (text: string) => void,
    ended: (why: string) => void,
  ): () => void;
  readonly after: After;
  /** A random whole number from 1 to 2^47: a name that nobody else has. */
  id(): number;
}

/** No answer, or none that can be read. */
export class NotAnswered extends Error {
  /** False: nothing was sent. */
  readonly sent: boolean;
  constructor(sent: boolean, why: string) {
    super(why);
    this.name = "NotAnswered";
    this.sent = sent;
  }
}

/** etcd says no: nothing was done, and asking again will not help. */
export class EtcdRefused extends StoreError {
  /** As google.rpc.Code; 0: none was given. */
  readonly grpc: number;
  readonly status: number;
  constructor(grpc: number, status: number, why: string) {
    super("none", why);
    this.name = "EtcdRefused";
    this.grpc = grpc;
    this.status = status;
  }
}

export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}

export const CODE = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unknown: 2,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const FAILURE = v.object({
  error: v.optional(v.string()),
  message: v.optional(v.string()),
  code: v.optional(v.number()),
});
const TOKEN = v.object({ token: v.string() });

/** One way or another: an answer, or what to do instead. */
type Attempt = { readonly text: string } | { readonly again: string; readonly sent: boolean };

export class EtcdCalls {
  readonly edge: EtcdEdge;
  private readonly endpoints: readonly string[];
  private readonly user: EtcdUser | undefined;
  private at = 0;
  private token: string | undefined;
  private ended = false;

  /** @param endpoints  "http://host:port" each, one at least */
  constructor(endpoints: readonly string[], user: EtcdUser | undefined, edge: EtcdEdge) {
    this.endpoints = endpoints;
    this.user = user;
    this.edge = edge;
  }

  get endpoint(): string {
    return this.endpoints[this.at] as string;
  }

  /** The one after it is asked from now on. */
  skip(endpoint: string): void {
    if (endpoint === this.endpoint) this.at = (this.at + 1) % this.endpoints.length;
  }

  /** Nothing is asked again any more. */
  end(): void {
    this.ended = true;
  }

  /**
   * Asks until there is an answer, for `tryMs` or so. What is asked must do no harm if it is done twice, or late.
   *
   * @throws EtcdRefused  etcd says no
   * @throws StoreError   no answer came
   */
  async call<S extends v.GenericSchema<unknown, unknown>>(
    path: string,
    body: unknown,
    schema: S,
    tryMs: number = LIMITS.etcdTryMs,
  ): Promise<v.InferOutput<S>> {
    const json = JSON.stringify(body);
    let sent = false;
    let why = "this store was closed";
    let late = false;
    const cancel = this.edge.after(tryMs, () => {
      late = true;
    });
    try {
      for (let tries = 1; !late && !this.ended; tries++) {
        const { endpoint } = this;
        const attempt = await this.attempt(endpoint, path, json);
        if ("text" in attempt) return checked(schema, attempt.text);
        why = attempt.again;
        sent ||= attempt.sent;
        this.skip(endpoint);
        await this.sleep(Math.min(LIMITS.etcdPauseMs * tries, LIMITS.etcdPauseMsMax));
      }
    } catch (error) {
      // A lease that is not there was not there before either.
      if (!(error instanceof EtcdRefused) || !sent || error.grpc === CODE.notFound) throw error;
      throw new StoreError("unknown", error.why);
    } finally {
      cancel();
    }
    throw new StoreError(sent ? "unknown" : "none", why);
  }

  /** Opens a stream at the endpoint that is asked at present. @returns a function that ends it */
  async stream(
    path: string,
    body: unknown,
    line: (text: string) => void,
    ended: (why: string) => void,
  ): Promise<() => void> {
    const token = await this.login(this.endpoint);
    return this.edge.stream(this.endpoint + path, token, JSON.stringify(body), line, ended);
  }

  /** The token is not taken any more. */
  forgetToken(): void {
    this.token = undefined;
  }

  private async attempt(endpoint: string, path: string, json: string): Promise<Attempt> {
    try {
      const token = await this.login(endpoint);
      const { status, text } = await this.edge.post(endpoint + path, token, json, LIMITS.etcdAnswerMs);
      return status === 200 ? { text } : this.failed(status, text);
    } catch (error) {
      if (!(error instanceof NotAnswered)) throw error;
      const of = this.endpoints.length > 1 ? `${endpoint}: ` : "";
      return { again: of + error.message, sent: error.sent };
    }
  }

  /** @throws EtcdRefused  unless it is worth asking again */
  private failed(status: number, text: string): Attempt {
    const { code = 0, message, error } = parsed(FAILURE, text) ?? {};
    const why = message ?? error ?? `HTTP status ${status}`;
    if (isStale(code, why) && this.user !== undefined) {
      this.forgetToken();
      return { again: why, sent: false };
    }
    // No leader, a change of leader, a server that stops: it may have been done all the same.
    const passing =
      code === CODE.unavailable || code === CODE.deadlineExceeded || (code === 0 && status >= 500);
    const crowded = why.includes("too many requests");
    if (passing || crowded) return { again: why, sent: passing };
    throw new EtcdRefused(code, status, why);
  }

  /** A user's token, undefined if there is no user. */
  private async login(endpoint: string): Promise<string | undefined> {
    if (this.user === undefined || this.token !== undefined) return this.token;
    const { name, password } = this.user;
    const url = `${endpoint}/v3/auth/authenticate`;
    const { status, text } = await this.post(url, JSON.stringify({ name, password }));
    if (status === 200) {
      this.token = checked(TOKEN, text).token;
      return this.token;
    }
    const { code = 0, message, error } = parsed(FAILURE, text) ?? {};
    const why = message ?? error ?? `HTTP status ${status}`;
    if (code === CODE.unavailable || code === CODE.deadlineExceeded || (code === 0 && status >= 500))
      throw new NotAnswered(false, why);
    throw new EtcdRefused(
      code === 0 ? CODE.unauthenticated : code,
      status,
      `cannot log in as ${name}: ${why}`,
    );
  }

  /** Logging in changes nothing. */
  private async post(url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
    try {
      return await this.edge.post(url, undefined, body, LIMITS.etcdAnswerMs);
    } catch (error) {
      throw error instanceof NotAnswered ? new NotAnswered(false, error.message) : error;
    }
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((go) => void this.edge.after(ms, go));
  }
}

/** The token has run out, or users have changed since. */
function isStale(code: number, why: string): boolean {
  return (
    (code === CODE.unauthenticated && why.includes("token")) || why.includes("revision of auth store is old")
  );
}

function checked<S extends v.GenericSchema<unknown, unknown>>(schema: S, text: string): v.InferOutput<S> {
  const answer = parsed(schema, text);
  if (answer === undefined) throw new StoreError("unknown", "its answer is not etcd's");
  return answer;
}
