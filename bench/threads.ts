/**
 * What two threads of one process need to reach each other, without any of upvm: a word that each watches by turns, or
 * Atomics.wait and Atomics.notify after a pause as long as that of guests/wake.c. It is the floor under messages between
 * engines.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { type Measured, measured, scaled } from "./figures.ts";

const BATCHES = 9;
/** Round trips of a batch, awake; messages of a batch, asleep. */
const TRIPS = { awake: 20_000, asleep: 25 } as const;
type Way = keyof typeof TRIPS;
/** guests/wake.c, PAUSE_SECONDS. */
const PAUSE_MS = 2;
/** The other thread is given up after so long, milliseconds. */
const LIMIT_MS = 10_000;

interface Setup {
  /** Word 0: whose turn it is, or how many messages were sent. */
  readonly words: Int32Array<SharedArrayBuffer>;
  /** When the last message was sent, and how long each took, milliseconds. */
  readonly times: Float64Array<SharedArrayBuffer>;
  readonly way: Way;
}

const now = (): number => performance.timeOrigin + performance.now();

/** Microseconds from one thread to the other. */
export async function betweenThreads(way: Way): Promise<Measured> {
  const words = new Int32Array(new SharedArrayBuffer(1024));
  const times = new Float64Array(new SharedArrayBuffer(8 * (1 + BATCHES * TRIPS.asleep)));
  const worker = new Worker(new URL(import.meta.url), { workerData: { words, times, way } satisfies Setup });
  const ended = new Promise<void>((done, fail) => {
    worker.on("exit", () => done());
    worker.on("error", fail);
  });
  // The word's first change is the worker's: it is there.
  const started = Atomics.waitAsync(words, 0, 0, LIMIT_MS);
  if (started.async && (await started.value) === "timed-out")
    throw new Error("the other thread did not start");
  const values = way === "awake" ? watchByTurns(words) : await wakeAgainAndAgain(words, times, ended);
  await ended;
  return scaled(measured(values), 1000);
}

/** Milliseconds of half a round trip, by batch. */
function watchByTurns(words: Int32Array<SharedArrayBuffer>): number[] {
  const values: number[] = [];
  for (let batch = -1; batch < BATCHES; batch++) {
    const start = performance.now();
    pingPong(words, 1);
    if (batch >= 0) values.push((performance.now() - start) / TRIPS.awake / 2);
  }
  return values;
}

/** One batch of round trips; word 0 is 1 when it is the first thread's turn, and 2 when it is the other's. */
function pingPong(words: Int32Array<SharedArrayBuffer>, mine: 1 | 2): void {
  for (let trip = 0; trip < TRIPS.awake; trip++) {
    while (Atomics.load(words, 0) !== mine);
    Atomics.store(words, 0, 3 - mine);
  }
}

/** Milliseconds from before a notify to after the wait, the median of each batch. */
async function wakeAgainAndAgain(
  words: Int32Array<SharedArrayBuffer>,
  times: Float64Array<SharedArrayBuffer>,
  ended: Promise<void>,
): Promise<number[]> {
  for (let sent = 2; sent <= 1 + BATCHES * TRIPS.asleep; sent++) {
    for (const until = now() + PAUSE_MS; now() < until; );
    times[0] = now();
    Atomics.store(words, 0, sent);
    Atomics.notify(words, 0);
  }
  await ended;
  return Array.from({ length: BATCHES }, (_, batch) => {
    const took = times.slice(1 + batch * TRIPS.asleep, 1 + (batch + 1) * TRIPS.asleep).sort();
    return took[TRIPS.asleep >> 1] as number;
  });
}

function sleepAgainAndAgain({ words, times }: Setup): void {
  for (let seen = 1; seen <= BATCHES * TRIPS.asleep; seen++) {
    if (Atomics.wait(words, 0, seen, LIMIT_MS) === "timed-out") throw new Error("no message");
    times[seen] = now() - (times[0] as number);
  }
}

if (!isMainThread) {
  const setup = workerData as Setup;
  Atomics.store(setup.words, 0, 1);
  Atomics.notify(setup.words, 0);
  if (setup.way === "asleep") sleepAgainAndAgain(setup);
  else for (let batch = -1; batch < BATCHES; batch++) pingPong(setup.words, 2);
}
