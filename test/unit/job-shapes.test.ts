/** Requests of ULPs between processes, output in pieces: what goes in comes out, and what is spoilt is seen. */
import assert from "node:assert/strict";
import { test } from "uvu";
import * as v from "valibot";
import { OutputPipe, splitOutput } from "../../upvm/output-pipe.ts";
import { REQUEST, REQUEST_KINDS, type Request } from "../../wire/requests.ts";
import { RPC } from "../../wire/rpc.ts";
import type { OutputPiece } from "../../wire/rpc-job.ts";
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from "../../wire/ulp-requests.ts";

const SAMPLE = {
  int: -7,
  text: "a text",
  ints: [1, -2],
  texts: ["x", ""],
  bytes: new Uint8Array([1, 2, 3]),
} as const;

test("every kind of request goes to another process and comes out as it was", () => {
  for (const kind of REQUEST_KINDS) {
    const fields = Object.entries(REQUEST[kind].ask) as [string, keyof typeof SAMPLE][];
    const body = Object.fromEntries(fields.map(([name, type]) => [name, SAMPLE[type]]));
    const request = { kind, tid: 0x40001, serial: 3, body } as unknown as Request;
    const { body: asked, bytes } = encodeRequest(request);
    const parsed = v.parse(RPC.ulpAsk.ask, JSON.parse(JSON.stringify(asked)));
    assert.deepEqual(decodeRequest(parsed, bytes), request, kind);
  }
});

test("a request with a field too few, too many, or of another type is none", () => {
  const asked = { kind: "notify", tid: 1, serial: 1 } as const;
  const body = { what: 1, tag: 2, count: 1, tids: [3], context: 0 };
  const none = new Uint8Array(0);
  assert.ok(decodeRequest({ ...asked, body }, none));
  const { context: _, ...few } = body;
  assert.equal(decodeRequest({ ...asked, body: few }, none), undefined);
  assert.equal(decodeRequest({ ...asked, body: { ...body, more: 1 } }, none), undefined);
  assert.equal(decodeRequest({ ...asked, body: { ...body, tids: ["3"] } }, none), undefined);
  assert.equal(decodeRequest({ ...asked, body: few, bytesAt: "context" }, none), undefined);
});

test("an answer goes to another process and comes out as it was", () => {
  const asker = { kind: "recvinfo", tid: 0x40001, serial: 9 } as const;
  for (const answer of [
    { value: -3 },
    { value: 1, ints: [1, 2], texts: ["a"], bytes: new Uint8Array([5]) },
    { value: 0, bytes: new Uint8Array(0) },
  ]) {
    const { body, bytes } = encodeAnswer(asker, answer);
    const parsed = v.parse(RPC.ulpAnswer.ask, JSON.parse(JSON.stringify(body)));
    assert.deepEqual(decodeAnswer(parsed, bytes), { asker, answer });
  }
});

test("output keeps its order; what is printed while some is being taken goes together, and writers wait for it", async () => {
  const sent: string[] = [];
  let take = (): void => {};
  const pipe = new OutputPipe(async (pieces, bytes) => {
    const texts: string[] = [];
    assert.ok(
      splitOutput(pieces, bytes, (fd, text, tid) =>
        texts.push(`${fd}.${tid}:${new TextDecoder().decode(text)}`),
      ),
    );
    sent.push(texts.join(" "));
    await new Promise<void>((go) => {
      take = go;
    });
  });
  const print = (fd: number, text: string, tid: number) =>
    pipe.write(fd, new TextEncoder().encode(text), tid);
  let gone = 0;
  for (const wait of [print(1, "a", 1), print(2, "b", 2)]) void wait.then(() => gone++);
  await new Promise((go) => setImmediate(go));
  void print(1, "c", 1).then(() => gone++);
  void print(1, "d", 2);
  assert.deepEqual([sent, gone], [["1.1:a 2.2:b"], 0]);
  take();
  await new Promise((go) => setImmediate(go));
  assert.deepEqual([sent, gone], [["1.1:a 2.2:b", "1.1:c 1.2:d"], 2]);
  const flushed = pipe.flushed();
  take();
  await flushed;
  assert.equal(gone, 3);
});

test("pieces that are not as long as their bytes are refused", () => {
  const pieces: OutputPiece[] = [[1, 1, 3]];
  assert.equal(
    splitOutput(pieces, new Uint8Array(2), () => assert.fail("nothing is printed")),
    false,
  );
});

test.run();
