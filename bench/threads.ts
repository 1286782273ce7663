/**
 * What two threads of one process need to wake each other, without any of upvm: Atomics.wait and Atomics.notify by
 * turns, or a word that each watches. It is the floor under messages between engines.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type Measured, measured, scaled } from "./figures.ts";

const BATCHES = 9;
const TRIPS = { asleep: 500, awake: 20_000 } as const;
type Way = keyof typeof TRIPS;
/** The other thread is given up after so long, milliseconds. */
const LIMIT_MS = 10_000;

interface Setup {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly way: Way;
}

/** Microseconds from one thread to the other: half of a round trip. */
export async function betweenThreads(way: Way): Promise<Measured> {
  const words = new Int32Array(new SharedArrayBuffer(1024));
  const worker = new Worker(new URL(import.meta.url), { workerData: { words, way } satisfies Setup });
  const ended = new Promise<void>((done, fail) => {
    worker.on("exit", () => done());
    worker.on("error", fail);
  });
  // The word's first change is the worker's: it is there.
  const started = Atomics.waitAsync(words, 0, 0, LIMIT_MS);
  if (started.async && (await started.value) === "timed-out")
    throw new Error("the other thread did not start");
  const values: number[] = [];
  for (let batch = -1; batch < BATCHES; batch++) {
    const start = performance.now();
    pingPong(words, way, 1);
    if (batch >= 0) values.push((performance.now() - start) / TRIPS[way] / 2);
  }
  await ended;
  return scaled(measured(values), 1000);
}

/** One batch of round trips; word 0 is 1 when it is the first thread's turn, and 2 when it is the other's. */
function pingPong(words: Int32Array<SharedArrayBuffer>, way: Way, mine: 1 | 2): void {
  const other = 3 - mine;
  for (let trip = 0; trip < TRIPS[way]; trip++) {
    for (let now = Atomics.load(words, 0); now !== mine; now = Atomics.load(words, 0))
      if (way === "asleep" && Atomics.wait(words, 0, now, LIMIT_MS) === "timed-out")
        throw new Error("no answer");
    Atomics.store(words, 0, other);
    if (way === "asleep") Atomics.notify(words, 0);
  }
}

if (!isMainThread) {
  const { words, way } = workerData as Setup;
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  for (let batch = -1; batch < BATCHES; batch++) pingPong(words, way, 2);
}
