/**
 * Bytes from one Node process to another over TCP on loopback, microseconds: from before the first is written until the last
 * has come, by the clock that both have. What comes is only counted.
 *
 *     node bench/one-way.ts BATCHES BYTES...
 *
 * Prints figures as guests/bench.h does. It starts the other process itself, with "take" as its argument.
 */
import { spawn } from "node:child_process";
import { createConnection, createServer, type Socket } from "node:net";
import { measured } from "./figures.ts";

/** The first are what V8 compiles in. */
const WARM_UPS = 5;
const NS_PER_US = 1000;
const HEAD_BYTES = 4;
const STAMP_BYTES = 8;

const [, , first = "", ...sizes] = process.argv;
if (first === "take") take();
else await measure(Number(first), sizes.map(Number));

/** Answers each head with a byte, and what follows it with the time at which its last byte came. */
function take(): void {
  const server = createServer((socket) => {
    let wanted = 0;
    let came = 0;
    socket.setNoDelay(true).on("data", (chunk: Buffer) => {
      if (wanted === 0) {
        wanted = chunk.readUInt32LE();
        came = 0;
        socket.write("r");
        return;
      }
      came += chunk.length;
      if (came < wanted) return;
      const stamp = Buffer.alloc(STAMP_BYTES);
      stamp.writeBigInt64LE(process.hrtime.bigint());
      wanted = 0;
      socket.write(stamp);
    });
    socket.once("end", () => server.close());
  });
  server.listen(0, "127.0.0.1", () => {
    const where = server.address();
    if (where !== null && typeof where !== "string") process.stdout.write(`${where.port}\n`);
  });
}

async function measure(batches: number, wanted: readonly number[]): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, "take"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((done) => child.once("close", done));
  const port = await new Promise<string>((done) =>
    child.stdout.setEncoding("utf8").once("data", (text: string) => done(text.trim())),
  );
  const socket: Socket = createConnection(Number(port), "127.0.0.1").setNoDelay(true);
  await new Promise((go) => socket.once("connect", go));
  const data = new Uint8Array(new SharedArrayBuffer(Math.max(...wanted))).fill(1);
  const answer = (): Promise<Buffer> => new Promise((go) => socket.once("data", go));
  for (const bytes of wanted) {
    const values: number[] = [];
    for (let batch = -WARM_UPS; batch < batches; batch++) {
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(bytes);
      const ready = answer();
      socket.write(head);
      await ready;
      const stamp = answer();
      const began = process.hrtime.bigint();
      socket.write(data.subarray(0, bytes));
      const tookNs = (await stamp).readBigInt64LE() - began;
      if (batch >= 0) values.push(Number(tookNs) / NS_PER_US);
    }
    const { median, min, max } = measured(values);
    process.stdout.write(`= ${bytes} ${median} ${min} ${max} ${values.length}\n`);
  }
  socket.end();
  await ended;
}
