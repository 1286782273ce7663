/**
 * laplace.c in AssemblyScript: the paper's grid solver on N tasks, Mflops, and the sum of the grid.
 *
 *     laplace N ROUTE ENCODING RUNS      as in C; the first two are for PVM and passed over
 */
import * as pvm from "upvm/guest";
import { fixed, report } from "./bench";

const GRID = 128;
const SWEEPS = 5000;
const SWEEPS_PER_EXCHANGE = 10;
const FLOP: f64 = 4.0 * (GRID - 2) * (GRID - 2) * SWEEPS;

const TAG_READY = 10;
const TAG_GO = 11;
const TAG_LEFTWARD = 20;
const TAG_RIGHTWARD = 21;
const TAG_SUM = 30;

const tids = pvm.siblings();
const count = tids.length;
const rank = tids.indexOf(pvm.mytid());
const left = rank > 0 ? tids[rank - 1] : 0;
const right = rank < count - 1 ? tids[rank + 1] : 0;
const more = GRID % count;
/** This task's first column, and how many. */
const first = rank * (GRID / count) + min(rank, more);
const columns = GRID / count + (rank < more ? 1 : 0);

/** A block with halos as columns 0 and columns + 1. Left edge 100, right 0, top 50, bottom 25. */
function initBlock(u: StaticArray<f64>): void {
  u.fill(0);
  for (let c = 0; c < columns + 2; c++) {
    const column = first + c - 1;
    for (let i = 0; i < GRID; i++) {
      const p = c * GRID + i;
      if (column == 0) u[p] = 100;
      else if (column == GRID - 1) u[p] = 0;
      else if (i == 0) u[p] = 50;
      else if (i == GRID - 1) u[p] = 25;
    }
  }
}

function sweepColumn(to: StaticArray<f64>, from: StaticArray<f64>, start: i32): void {
  for (let p = start + 1; p < start + GRID - 1; p++) {
    unchecked((to[p] = 0.25 * (from[p - GRID] + from[p + GRID] + from[p - 1] + from[p + 1])));
  }
}

function sweep(to: StaticArray<f64>, from: StaticArray<f64>): void {
  for (let c = 1; c <= columns; c++) {
    const column = first + c - 1;
    if (column != 0 && column != GRID - 1) sweepColumn(to, from, c * GRID);
  }
}

function sendColumn(to: i32, tag: i32, u: StaticArray<f64>, column: i32): void {
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pkArray(u, GRID, 1, column * GRID);
  pvm.send(to, tag);
}

function receiveColumn(from: i32, tag: i32, u: StaticArray<f64>, column: i32): void {
  pvm.recv(from, tag);
  pvm.upkArray(u, GRID, 1, column * GRID);
}

function exchange(u: StaticArray<f64>, other: StaticArray<f64>): void {
  if (left) sendColumn(left, TAG_LEFTWARD, u, 1);
  if (right) sendColumn(right, TAG_RIGHTWARD, u, columns);
  if (left) receiveColumn(left, TAG_RIGHTWARD, u, 0);
  if (right) receiveColumn(right, TAG_LEFTWARD, u, columns + 1);
  const halo = (columns + 1) * GRID;
  for (let i = 0; i < GRID; i++) {
    unchecked((other[i] = u[i]));
    unchecked((other[halo + i] = u[halo + i]));
  }
}

/** Nobody begins before all are there. */
function meet(): void {
  if (count == 1) return;
  if (rank > 0) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.send(tids[0], TAG_READY);
    pvm.recv(tids[0], TAG_GO);
    return;
  }
  for (let i = 1; i < count; i++) pvm.recv(tids[i], TAG_READY);
  pvm.initsend(pvm.PvmDataDefault);
  for (let i = 1; i < count; i++) pvm.send(tids[i], TAG_GO);
}

function addUp(sum: f64): f64 {
  if (rank > 0) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pk<f64>(sum);
    pvm.send(tids[0], TAG_SUM);
    return sum;
  }
  for (let i = 1; i < count; i++) {
    pvm.recv(tids[i], TAG_SUM);
    sum += pvm.upk<f64>();
  }
  return sum;
}

const u = new StaticArray<f64>(GRID * (columns + 2));
const v = new StaticArray<f64>(GRID * (columns + 2));
let seconds: f64 = 0;

function solve(): f64 {
  let from = u;
  let to = v;
  initBlock(u);
  initBlock(v);
  meet();
  const start = performance.now();
  for (let i = 0; i < SWEEPS; i++) {
    if (i % SWEEPS_PER_EXCHANGE == 0) exchange(from, to);
    sweep(to, from);
    const swap = from;
    from = to;
    to = swap;
  }
  let sum = 0.0;
  for (let p = GRID; p < GRID * (columns + 1); p++) sum += unchecked(from[p]);
  sum = addUp(sum);
  seconds = (performance.now() - start) / 1000;
  return sum;
}

export function main(): i32 {
  const args = pvm.args();
  const runs = args.length > 3 ? I32.parseInt(args[3]) : 9;
  const values = new Array<f64>();
  let sum = 0.0;
  for (let run = -1; run < runs; run++) {
    sum = solve();
    if (run >= 0) values.push(FLOP / seconds / 1e6);
  }
  if (rank == 0) {
    console.log(`sum ${count} ${fixed(sum, 6)}`);
    report(count.toString(), values);
  }
  return 0;
}
