/**
 * Laplace's equation on a 128 x 128 grid by Gauss-Jacobi sweeps (the paper's section 4.3.2, Tables XIV and XV).
 *
 *     upvm run guest/examples/laplace.ts --ulps 4 [-- --sweeps 5000] [--no-check]
 *
 * Shows neighbours that exchange arrays: each ULP has a block of columns and gets its neighbours' edge columns every
 * 10 sweeps, so there are (N-1) * 2 * 500 messages. In between the edges are old, so the result depends on N, but not
 * on anything else. ULP 0 repeats the work alone, with the same blocks, and for up to 11 ULPs also knows what PVM,
 * Open MPI and MPICH computed; the exit code is 0 if all sums are the same to the last bit and digit. The speed goes to
 * standard error.
 */
import * as pvm from "upvm/guest";
import { fixed, option } from "./shared/text";

const GRID = 128;
const COLUMN_BYTES = GRID * 8;
const SWEEPS = 5000;
const EXCHANGE = 10;
const FLOPS_PER_SWEEP: f64 = 4.0 * (GRID - 2) * (GRID - 2);

const READY = 10;
const GO = 11;
const TO_LEFT = 20;
const TO_RIGHT = 21;
const SUM = 30;

/** Sums of the grid after 5000 sweeps, by number of ULPs, from C programs on PVM, Open MPI and MPICH. */
const ORACLE: StaticArray<f64> = [
  0, 616400.162849, 610848.567073, 606316.678372, 602328.110153, 598787.570833, 595126.473302, 591587.612490,
  588061.094028, 584680.409443, 581771.270291, 578736.589641,
];

/** Zero, and on the grid's edges 100 on the left, 0 on the right, 50 at the top, 25 at the bottom. */
function initial(first: i32, width: i32): StaticArray<f64> {
  const values = new StaticArray<f64>((width + 2) * GRID);
  for (let c = 0; c < width + 2; c++) {
    const column = first + c - 1;
    if (column == GRID - 1) continue;
    if (column == 0) {
      for (let row = 0; row < GRID; row++) values[c * GRID + row] = 100;
    } else {
      values[c * GRID] = 50;
      values[c * GRID + GRID - 1] = 25;
    }
  }
  return values;
}

/** The columns first … first + width - 1 of the grid, and one column more on each side. */
class Block {
  first: i32;
  width: i32;
  now: StaticArray<f64>;
  next: StaticArray<f64>;

  constructor(count: i32, index: i32) {
    const base = GRID / count;
    const larger = GRID % count;
    const first = index * base + min(index, larger);
    const width = base + (index < larger ? 1 : 0);
    this.first = first;
    this.width = width;
    this.now = initial(first, width);
    this.next = initial(first, width);
  }

  /** Address of column `c` (0: the neighbour's) in `now`. */
  column(c: i32): usize {
    return changetype<usize>(this.now) + <usize>c * COLUMN_BYTES;
  }

  /** What has come from the neighbours holds for the sweeps that follow, whichever of the two arrays is read. */
  keepEdges(): void {
    const to = changetype<usize>(this.next);
    const far = <usize>(this.width + 1) * COLUMN_BYTES;
    memory.copy(to, changetype<usize>(this.now), COLUMN_BYTES);
    memory.copy(to + far, changetype<usize>(this.now) + far, COLUMN_BYTES);
  }

  /** One sweep: every inner point becomes the mean of its four neighbours, two points at a time. */
  sweep(): void {
    const from = changetype<usize>(this.now);
    const to = changetype<usize>(this.next);
    const quarter = f64x2.splat(0.25);
    for (let c = 1; c <= this.width; c++) {
      const column = this.first + c - 1;
      if (column == 0 || column == GRID - 1) continue;
      const at = <usize>c * COLUMN_BYTES + 8;
      for (let p = at, end = at + (GRID - 2) * 8; p < end; p += 16) {
        const sides = f64x2.add(v128.load(from + p - COLUMN_BYTES), v128.load(from + p, COLUMN_BYTES));
        const sum = f64x2.add(f64x2.add(sides, v128.load(from + p - 8)), v128.load(from + p, 8));
        v128.store(to + p, f64x2.mul(quarter, sum));
      }
    }
    const swept = this.next;
    this.next = this.now;
    this.now = swept;
  }

  sum(): f64 {
    let sum: f64 = 0;
    for (let i = GRID; i < (this.width + 1) * GRID; i++) sum += unchecked(this.now[i]);
    return sum;
  }
}

/** Sends both edges and receives both neighbours'. @returns how many messages were sent */
function exchange(block: Block, tids: StaticArray<i32>, index: i32): i32 {
  const left = index > 0;
  const right = index < tids.length - 1;
  let sent = 0;
  if (left) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pkdouble(block.column(1), GRID, 1);
    pvm.send(tids[index - 1], TO_LEFT);
    sent++;
  }
  if (right) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pkdouble(block.column(block.width), GRID, 1);
    pvm.send(tids[index + 1], TO_RIGHT);
    sent++;
  }
  if (left) {
    pvm.recv(tids[index - 1], TO_RIGHT);
    pvm.upkdouble(block.column(0), GRID, 1);
  }
  if (right) {
    pvm.recv(tids[index + 1], TO_LEFT);
    pvm.upkdouble(block.column(block.width + 1), GRID, 1);
  }
  block.keepEdges();
  return sent;
}

/** The same without messages: all blocks in one memory. */
function sequential(count: i32, sweeps: i32): f64 {
  const blocks = new Array<Block>();
  for (let i = 0; i < count; i++) blocks.push(new Block(count, i));
  for (let done = 0; done < sweeps; done++) {
    if (done % EXCHANGE == 0) {
      for (let i = 0; i + 1 < count; i++) {
        const a = blocks[i];
        const b = blocks[i + 1];
        memory.copy(b.column(0), a.column(a.width), COLUMN_BYTES);
        memory.copy(a.column(a.width + 1), b.column(1), COLUMN_BYTES);
      }
      for (let i = 0; i < count; i++) blocks[i].keepEdges();
    }
    for (let i = 0; i < count; i++) blocks[i].sweep();
  }
  let sum = blocks[0].sum();
  for (let i = 1; i < count; i++) sum += blocks[i].sum();
  return sum;
}

/** Everybody starts together, so that the time is the work's. */
function startTogether(tids: StaticArray<i32>, index: i32): void {
  pvm.initsend(pvm.PvmDataDefault);
  if (index == 0) {
    for (let i = 1; i < tids.length; i++) pvm.recv(tids[i], READY);
    pvm.mcast(tids, GO);
  } else {
    pvm.send(tids[0], READY);
    pvm.recv(tids[0], GO);
  }
}

export function main(): i32 {
  const tids = pvm.siblings();
  const count = tids.length;
  const index = tids.indexOf(pvm.mytid());
  const args = pvm.args();
  const sweeps = option(args, "--sweeps", SWEEPS);
  if (count > GRID) {
    if (index == 0) console.error(`there are ${GRID} columns: not enough for ${count} ULPs`);
    return 2;
  }

  const block = new Block(count, index);
  startTogether(tids, index);
  const start = performance.now();
  let sent = 0;
  for (let done = 0; done < sweeps; done++) {
    if (done % EXCHANGE == 0) sent += exchange(block, tids, index);
    block.sweep();
  }
  let sum = block.sum();
  if (index != 0) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pk<f64>(sum);
    pvm.pk<i32>(sent);
    pvm.send(tids[0], SUM);
    return 0;
  }
  for (let i = 1; i < count; i++) {
    pvm.recv(tids[i], SUM);
    sum += pvm.upk<f64>();
    sent += pvm.upk<i32>();
  }
  const seconds = (performance.now() - start) / 1000;
  console.error(fixed((FLOPS_PER_SWEEP * sweeps) / seconds / 1e6, 1) + " Mflops");
  return report(count, sweeps, sent, sum, args.includes("--no-check"));
}

/** Prints what was computed. @returns the exit code */
function report(count: i32, sweeps: i32, sent: i32, sum: f64, unchecked: bool): i32 {
  let right = sent == (count - 1) * 2 * ((sweeps + EXCHANGE - 1) / EXCHANGE);
  if (!unchecked && sequential(count, sweeps) != sum) right = false;
  if (sweeps == SWEEPS && count < ORACLE.length && Math.abs(sum - ORACLE[count]) > 1e-6) right = false;
  console.log(`${GRID} x ${GRID} grid, ${sweeps} sweeps, ${count} ULPs, ${sent} messages`);
  console.log(`sum ${fixed(sum, 6)}, ${right ? "right" : "WRONG"}`);
  return right ? 0 : 1;
}
