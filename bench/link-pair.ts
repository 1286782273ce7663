/**
 * Messages between two Node processes: half of the mean round trip of a batch, microseconds, by links or by Node's sockets alone.
 *
 *     node bench/link-pair.ts unix|tcp|tls|raw BATCHES BYTES...
 *
 * Prints figures as guests/bench.h does. It starts the other process itself, with "echo" before its arguments. What comes
 * over either is only counted.
 */
import { spawn } from "node:child_process";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FrameSink, Link, PeerIdentity } from "../net/link.ts";
import { connect, listen } from "../net/node-links.ts";
import { FRAME } from "../wire/protocol.ts";
import { measured } from "./figures.ts";

/** One message there: resolves when as much came back. */
type Trip = (bytes: number) => Promise<void>;

const [, , mode = "", ...rest] = process.argv;
const KEY = new Uint8Array(32).fill(7);
/** The first are what V8 compiles in. */
const WARM_UPS = 8;
const BATCH_SECONDS = 0.03;
const ULP_A = 0x40001;
const data = new Uint8Array(new SharedArrayBuffer(1 << 20));
const identity = (host: string): PeerIdentity => ({ role: "process", vm: "bench", host, job: 1, member: 0 });

if (mode === "echo") await echo(rest[0] ?? "");
else await measure(mode, Number(rest[0]), rest.slice(1).map(Number));

/** Takes messages of a link, and calls `whole` with the number of their bytes. */
function taking(link: Link, whole: (bytes: number) => void): void {
  link.onStream(FRAME.ULP_SEND, (): FrameSink => {
    let came = 0;
    return {
      add: (piece) => {
        came += piece.length;
      },
      end: () => whole(came),
      drop: () => {},
    };
  });
  link.onFrame(() => {});
}
function send(link: Link, bytes: number): void {
  link.send({ type: FRAME.ULP_SEND, a: ULP_A, b: ULP_A, c: 0, body: [data.subarray(0, bytes)] });
}

async function echo(kind: string): Promise<void> {
  if (kind !== "raw") {
    const address =
      kind === "unix" ? `unix:${join(tmpdir(), `upvm-bench-${process.pid}`)}` : `${kind}:127.0.0.1:0`;
    const listener = await listen({ address, identity: () => identity("b"), key: KEY }, (link) => {
      taking(link, (bytes) => send(link, bytes));
      link.onClose(() => void listener.close());
    });
    process.stdout.write(`${listener.address}\n`);
    return;
  }
  const server = createServer((socket) => {
    let wanted = 0;
    let came = 0;
    // The caller says by its first four bytes how long its messages are from now on.
    socket.setNoDelay(true).on("data", (chunk: Buffer) => {
      if (wanted === 0) {
        wanted = chunk.readUInt32LE();
        came -= 4;
      }
      came += chunk.length;
      if (came < wanted) return;
      came = 0;
      socket.write(data.subarray(0, wanted));
    });
    socket.once("end", () => server.close());
  });
  server.listen(0, "127.0.0.1", () => {
    const where = server.address();
    if (where !== null && typeof where !== "string") process.stdout.write(`${where.port}\n`);
  });
}

async function measure(kind: string, batches: number, sizes: readonly number[]): Promise<void> {
  for (const bytes of sizes) {
    const child = spawn(process.execPath, [import.meta.filename, "echo", kind], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((done) => child.once("close", done));
    const where = await new Promise<string>((done) =>
      child.stdout.setEncoding("utf8").once("data", (text: string) => done(text.trim())),
    );
    const { trip, close } = kind === "raw" ? await rawTrip(Number(where), bytes) : await linkTrip(where);
    const values: number[] = [];
    let trips = 8;
    for (let batch = -WARM_UPS; batch < batches; batch++) {
      const beganMs = performance.now();
      for (let i = 0; i < trips; i++) await trip(bytes);
      const meanMs = (performance.now() - beganMs) / trips;
      if (batch >= 0) values.push((meanMs * 1000) / 2);
      else trips = Math.max(8, Math.ceil((BATCH_SECONDS * 1000) / meanMs));
    }
    close();
    await ended;
    const { median, min, max } = measured(values);
    process.stdout.write(`= ${bytes} ${median} ${min} ${max} ${values.length}\n`);
  }
}

async function linkTrip(address: string): Promise<{ trip: Trip; close: () => void }> {
  const link = await connect({ address, identity: identity("a"), key: KEY });
  let done = (): void => {};
  taking(link, () => done());
  const trip: Trip = (bytes) =>
    new Promise((go) => {
      done = go;
      send(link, bytes);
    });
  return { trip, close: () => link.close() };
}

async function rawTrip(port: number, wanted: number): Promise<{ trip: Trip; close: () => void }> {
  const socket: Socket = createConnection(port, "127.0.0.1").setNoDelay(true);
  await new Promise((go) => socket.once("connect", go));
  let done = (): void => {};
  let came = 0;
  socket.on("data", (chunk) => {
    came += chunk.length;
    if (came < wanted) return;
    came = 0;
    done();
  });
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, wanted, true);
  socket.write(head);
  const trip: Trip = (bytes) =>
    new Promise((go) => {
      done = go;
      socket.write(data.subarray(0, bytes));
    });
  return { trip, close: () => socket.end() };
}
