/**
 * The way to etcd in Node: posts by fetch, streams of lines, timers, random names.
 *
 * Owns: sockets, timers and what is read of an answer (LIMITS.etcdAnswerLength at most). Whom to ask, and what for, is
 * pvmd/etcd-calls.ts.
 */
import { randomInt } from "node:crypto";
import { type EtcdEdge, NotAnswered } from "../pvmd/etcd-calls.ts";
import { LIMITS } from "../wire/limits.ts";

/** Errors of a connection that was never made: nothing was sent. */
const NOT_SENT: readonly unknown[] = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
];

export const ETCD_EDGE: EtcdEdge = {
  async post(url, token, body, timeoutMs) {
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: headers(token),
        body,
        signal: AbortSignal.timeout(timeoutMs),
        redirect: "error",
      });
      let text = "";
      await eachPiece(answer, (piece) => {
        text += piece;
        if (text.length > LIMITS.etcdAnswerLength) throw new NotAnswered(true, "its answer is too long");
      });
      return { status: answer.status, text };
    } catch (error) {
      throw notAnswered(error, timeoutMs);
    }
  },

  stream(url, token, body, line, ended) {
    const abort = new AbortController();
    let over = false;
    const end = (why: string): void => {
      if (!over) ended(why);
      over = true;
    };
    const follow = async (): Promise<void> => {
      const answer = await fetch(url, {
        method: "POST",
        headers: headers(token),
        body,
        signal: abort.signal,
        redirect: "error",
      });
      let text = "";
      await eachPiece(answer, (piece) => {
        const lines = (text + piece).split("\n");
        text = lines.pop() as string;
        if (text.length > LIMITS.etcdAnswerLength) throw new Error("a message is too long");
        for (const each of lines) if (!over && each !== "") line(each);
      });
    };
    follow().then(
      () => end("it ended"),
      (error: unknown) => end(notAnswered(error, 0).message),
    );
    return () => {
      over = true;
      abort.abort();
    };
  },

  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },

  id: () => randomInt(1, 2 ** 47),
};

function headers(token: string | undefined): Record<string, string> {
  return { "content-type": "application/json", ...(token !== undefined && { authorization: token }) };
}

async function eachPiece(answer: Response, take: (piece: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of answer.body ?? []) take(decoder.decode(bytes as Uint8Array, { stream: true }));
}

function notAnswered(error: unknown, timeoutMs: number): NotAnswered {
  if (error instanceof NotAnswered) return error;
  if (error instanceof Error && error.name === "TimeoutError")
    return new NotAnswered(true, `no answer within ${timeoutMs} ms`);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  const why = cause instanceof Error ? cause.message || String(code) : String(cause);
  return new NotAnswered(!NOT_SENT.includes(code), why);
}
