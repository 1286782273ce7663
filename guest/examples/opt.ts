/**
 * Opt: a neural network learns to classify vectors, by conjugate gradients (the paper's section 4.4).
 *
 *     upvm run guest/examples/opt.ts --ulps 3 [-- --size 300000] [--iterations 25] [--seed 1] [--no-check]
 *
 * Shows one master and slaves with much data: --size is the bytes of all exemplars together (the paper has 0.3 to
 * 2.9 MB), in equal parts on the slaves. For each net that the master sends out, every slave returns the error on its
 * part and the error's gradient; the master adds them up in the slaves' order and takes the next step. The exemplars
 * come from the seed. At the end the master trains once more alone, adding up the same parts in the same order: the exit
 * code is 0 if both nets are the same to the last bit. One ULP is master without slaves.
 *
 * Nothing but + - * / and comparisons is used (no exp, no tanh), so the C program computes the same bits.
 */
import * as pvm from "upvm/guest";
import { fixed, option } from "./shared/text";

const INPUTS = 32;
const HIDDEN = 12;
const CLASSES = 6;
/** Bytes of one exemplar: INPUTS floats and its class, an int. */
const EXEMPLAR_BYTES = INPUTS * 4 + 4;
/** Weights of a net: for each hidden and each output node one for each of its inputs, and a bias. */
const WEIGHTS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES;
const OUTPUT_AT = (INPUTS + 1) * HIDDEN;

const NET = 1;
const GRADIENT = 2;
const STOP = 3;

// ---- Exemplars -----------------------------------------------------------------------------------------------------

/** Marsaglia's xorshift: 32 bits of state. */
class Random {
  constructor(private state: u32) {
    if (state == 0) this.state = 1;
    for (let i = 0; i < 4; i++) this.next();
  }
  next(): u32 {
    let x = this.state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }
  /** -1 … 1 */
  uniform(): f64 {
    return <f64>(this.next() >> 8) / 8388608.0 - 1.0;
  }
}

/** Exemplars `from` … `to` - 1 of those that belong to the seed. */
class Exemplars {
  readonly count: i32;
  readonly inputs: StaticArray<f32>;
  readonly classes: StaticArray<i32>;

  constructor(seed: u32, from: i32, to: i32) {
    const centers = new StaticArray<f64>(CLASSES * INPUTS);
    const random = new Random(seed * 747796405 + 1);
    for (let i = 0; i < centers.length; i++) centers[i] = random.uniform() * 0.8;
    const inputs = new StaticArray<f32>((to - from) * INPUTS);
    const classes = new StaticArray<i32>(to - from);
    for (let i = from; i < to; i++) {
      const own = new Random((seed + <u32>i * 2654435761) ^ 0x9e3779b9);
      const which = <i32>(own.next() % CLASSES);
      classes[i - from] = which;
      for (let k = 0; k < INPUTS; k++) {
        inputs[(i - from) * INPUTS + k] = <f32>(centers[which * INPUTS + k] + own.uniform() + own.uniform());
      }
    }
    this.count = to - from;
    this.inputs = inputs;
    this.classes = classes;
  }
}

function partOf(count: i32, parts: i32, index: i32, seed: u32): Exemplars {
  const from = <i32>((<i64>count * index) / parts);
  const to = <i32>((<i64>count * (index + 1)) / parts);
  return new Exemplars(seed, from, to);
}

// ---- The net -------------------------------------------------------------------------------------------------------

/** What an evaluation of a net gives. */
class Result {
  /** Half the sum of the squared differences between outputs and targets. */
  error: f64 = 0;
  /** How many exemplars are classified rightly. */
  hits: i32 = 0;
  gradient: StaticArray<f64> = new StaticArray<f64>(WEIGHTS);

  add(part: Result): void {
    this.error += part.error;
    this.hits += part.hits;
    for (let i = 0; i < WEIGHTS; i++) unchecked((this.gradient[i] += part.gradient[i]));
  }
}

const hiddenOut = new StaticArray<f64>(HIDDEN);
const hiddenSlope = new StaticArray<f64>(HIDDEN);
const hiddenDelta = new StaticArray<f64>(HIDDEN);

/** Error, hits and gradient on one part: every exemplar forwards and backwards through the net. */
function evaluatePart(net: StaticArray<f64>, part: Exemplars): Result {
  const result = new Result();
  const gradient = result.gradient;
  for (let e = 0; e < part.count; e++) {
    const x = e * INPUTS;
    for (let h = 0; h < HIDDEN; h++) {
      const w = h * (INPUTS + 1);
      let sum = unchecked(net[w + INPUTS]);
      for (let k = 0; k < INPUTS; k++) sum += unchecked(net[w + k] * <f64>part.inputs[x + k]);
      const spread = 1.0 + Math.abs(sum);
      unchecked((hiddenOut[h] = sum / spread));
      unchecked((hiddenSlope[h] = 1.0 / (spread * spread)));
      unchecked((hiddenDelta[h] = 0));
    }
    let best = 0;
    let bestSum: f64 = 0;
    for (let o = 0; o < CLASSES; o++) {
      const w = OUTPUT_AT + o * (HIDDEN + 1);
      let sum = unchecked(net[w + HIDDEN]);
      for (let h = 0; h < HIDDEN; h++) sum += unchecked(net[w + h] * hiddenOut[h]);
      if (o == 0 || sum > bestSum) {
        best = o;
        bestSum = sum;
      }
      const spread = 1.0 + Math.abs(sum);
      const difference = sum / spread - (o == unchecked(part.classes[e]) ? 0.8 : -0.8);
      result.error += 0.5 * difference * difference;
      const delta = difference / (spread * spread);
      for (let h = 0; h < HIDDEN; h++) {
        unchecked((gradient[w + h] += delta * hiddenOut[h]));
        unchecked((hiddenDelta[h] += delta * net[w + h]));
      }
      unchecked((gradient[w + HIDDEN] += delta));
    }
    if (best == unchecked(part.classes[e])) result.hits++;
    for (let h = 0; h < HIDDEN; h++) {
      const w = h * (INPUTS + 1);
      const delta = unchecked(hiddenDelta[h] * hiddenSlope[h]);
      for (let k = 0; k < INPUTS; k++) unchecked((gradient[w + k] += delta * <f64>part.inputs[x + k]));
      unchecked((gradient[w + INPUTS] += delta));
    }
  }
  return result;
}

// ---- Where a net is evaluated --------------------------------------------------------------------------------------

abstract class Evaluator {
  abstract evaluate(net: StaticArray<f64>): Result;
}

/** All parts here, one after another. */
class Alone extends Evaluator {
  constructor(private parts: Array<Exemplars>) {
    super();
  }
  evaluate(net: StaticArray<f64>): Result {
    const sum = new Result();
    for (let i = 0; i < this.parts.length; i++) sum.add(evaluatePart(net, this.parts[i]));
    return sum;
  }
}

/** Each part by a slave: tids[1], tids[2], … */
class Slaves extends Evaluator {
  constructor(private tids: StaticArray<i32>) {
    super();
  }
  evaluate(net: StaticArray<f64>): Result {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pkArray(net);
    pvm.mcast(this.tids, NET);
    const sum = new Result();
    const part = new Result();
    for (let i = 1; i < this.tids.length; i++) {
      pvm.recv(this.tids[i], GRADIENT);
      part.error = pvm.upk<f64>();
      part.hits = pvm.upk<i32>();
      pvm.upkArray(part.gradient);
      sum.add(part);
    }
    return sum;
  }
}

/** A slave evaluates the nets that come until it is told to stop. */
function serve(master: i32, part: Exemplars): void {
  const net = new StaticArray<f64>(WEIGHTS);
  while (true) {
    const message = pvm.bufinfo(pvm.recv(master, -1));
    if (message.tag == STOP) return;
    pvm.upkArray(net);
    const result = evaluatePart(net, part);
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pk<f64>(result.error);
    pvm.pk<i32>(result.hits);
    pvm.pkArray(result.gradient);
    pvm.send(master, GRADIENT);
  }
}

// ---- Training ------------------------------------------------------------------------------------------------------

function dot(a: StaticArray<f64>, b: StaticArray<f64>): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < a.length; i++) sum += unchecked(a[i] * b[i]);
  return sum;
}

class Training {
  net: StaticArray<f64> = new StaticArray<f64>(WEIGHTS);
  evaluations: i32 = 0;
  iterations: i32 = 0;
  firstError: f64 = 0;
  last: Result = new Result();
}

/** Conjugate gradients after Polak and Ribière; each step is halved until the error falls enough (Armijo). */
function train(evaluator: Evaluator, count: i32, seed: u32, iterations: i32): Training {
  const training = new Training();
  const random = new Random(seed * 2891336453 + 7);
  for (let i = 0; i < WEIGHTS; i++) training.net[i] = random.uniform() * 0.3;
  let now = evaluator.evaluate(training.net);
  training.evaluations = 1;
  training.firstError = now.error;
  const direction = new StaticArray<f64>(WEIGHTS);
  for (let i = 0; i < WEIGHTS; i++) direction[i] = -now.gradient[i];
  let step = 4.0 / <f64>count;
  while (training.iterations < iterations) {
    let slope = dot(direction, now.gradient);
    if (slope >= 0) {
      for (let i = 0; i < WEIGHTS; i++) direction[i] = -now.gradient[i];
      slope = -dot(now.gradient, now.gradient);
    }
    const tried = new StaticArray<f64>(WEIGHTS);
    let result = now;
    let halvings = 0;
    for (; halvings < 20; halvings++) {
      for (let i = 0; i < WEIGHTS; i++) tried[i] = training.net[i] + step * direction[i];
      result = evaluator.evaluate(tried);
      training.evaluations++;
      if (result.error <= now.error + 0.0001 * step * slope) break;
      step = step * 0.5;
    }
    if (halvings == 20) break;
    let change: f64 = 0;
    for (let i = 0; i < WEIGHTS; i++) change += result.gradient[i] * (result.gradient[i] - now.gradient[i]);
    const beta = Math.max(0, change / dot(now.gradient, now.gradient));
    for (let i = 0; i < WEIGHTS; i++) direction[i] = beta * direction[i] - result.gradient[i];
    if (halvings == 0) step = step * 2.0;
    training.net = tried;
    training.iterations++;
    now = result;
  }
  training.last = now;
  return training;
}

/** FNV-1a over the bits of a net: two nets print the same only if they are the same. */
function fingerprint(net: StaticArray<f64>): u32 {
  let hash: u32 = 2166136261;
  const at = changetype<usize>(net);
  for (let i = 0; i < WEIGHTS * 8; i++) hash = (hash ^ load<u8>(at + i)) * 16777619;
  return hash;
}

export function main(): i32 {
  const tids = pvm.siblings();
  const index = tids.indexOf(pvm.mytid());
  const slaves = tids.length - 1;
  const args = pvm.args();
  const size = option(args, "--size", 300_000);
  const seed = <u32>option(args, "--seed", 1);
  const iterations = option(args, "--iterations", 25);
  const count = size / EXEMPLAR_BYTES;
  const parts = max(slaves, 1);
  if (count < 1) {
    if (index == 0) console.error(`--size is at least ${EXEMPLAR_BYTES} bytes, one exemplar`);
    return 2;
  }
  if (index > 0) {
    serve(tids[0], partOf(count, parts, index - 1, seed));
    return 0;
  }

  const start = performance.now();
  const own: Array<Exemplars> = slaves == 0 ? [partOf(count, 1, 0, seed)] : [];
  const training = train(slaves == 0 ? new Alone(own) : new Slaves(tids), count, seed, iterations);
  console.error(fixed(performance.now() - start, 1) + " ms");
  pvm.initsend(pvm.PvmDataDefault);
  pvm.mcast(tids, STOP);

  const net = training.net;
  const meanBefore = fixed(training.firstError / count, 6);
  const meanAfter = fixed(training.last.error / count, 6);
  console.log(`${count} exemplars in ${size} bytes, ${slaves} slaves`);
  console.log(`${training.iterations} iterations, ${training.evaluations} evaluations: error ${meanBefore} -> ${meanAfter}`);
  console.log(`${fixed((100.0 * training.last.hits) / count, 1)} % classified rightly, net ${fingerprint(net).toString(16)}`);
  if (args.includes("--no-check")) return 0;

  const all = new Array<Exemplars>();
  for (let i = 0; i < parts; i++) all.push(partOf(count, parts, i, seed));
  const again = train(new Alone(all), count, seed, iterations);
  const right = fingerprint(again.net) == fingerprint(net) && again.last.error == training.last.error;
  console.log(right ? "the same as training alone, right" : "not the same as training alone, WRONG");
  return right ? 0 : 1;
}
