/**
 * The Mandelbrot set as a picture, painted by workers that get rows as they finish others.
 *
 *     upvm run guest/examples/mandelbrot.ts --ulps 8 > mandelbrot.ppm
 *     ... [-- --width 320] [--height 240] [--iterations 500] [--no-picture]
 *
 * Shows work that is dealt out at run time: rows cost very different times, so the master (ULP 0) hands each worker its
 * next row when it brings the last. The picture goes to standard output in PPM form (P6), words to standard error. At
 * the end the master computes all rows alone and compares; the exit code is 0 if they are the same. One ULP paints alone.
 */
import * as pvm from "upvm/guest";
import { option } from "./shared/text";

const ROW = 1;
const PAINTED = 2;
const STOP = 3;

/** Part of the complex plane: the whole set, as wide as the picture's shape asks for. */
const BOTTOM: f64 = -1.2;
const TOP: f64 = 1.2;
const MIDDLE: f64 = -0.65;

class Picture {
  constructor(
    readonly width: i32,
    readonly height: i32,
    readonly iterations: i32,
  ) {}

  /** How many steps each point of a row takes to leave the circle of radius 2; `iterations` if it does not. */
  paint(row: i32, counts: StaticArray<u16>): void {
    const scale = (TOP - BOTTOM) / this.height;
    const ci = TOP - (<f64>row + 0.5) * scale;
    for (let column = 0; column < this.width; column++) {
      const cr = MIDDLE + (<f64>column + 0.5 - <f64>this.width / 2) * scale;
      let zr: f64 = 0;
      let zi: f64 = 0;
      let count = 0;
      while (count < this.iterations) {
        const rr = zr * zr;
        const ii = zi * zi;
        if (rr + ii > 4) break;
        zi = 2 * zr * zi + ci;
        zr = rr - ii + cr;
        count++;
      }
      unchecked((counts[column] = <u16>count));
    }
  }

  /** PPM: a header, then red, green and blue of every point. The set itself is black. */
  ppm(counts: StaticArray<u16>): Uint8Array {
    const header = String.UTF8.encode(`P6\n${this.width} ${this.height}\n255\n`);
    const bytes = new Uint8Array(header.byteLength + counts.length * 3);
    memory.copy(bytes.dataStart, changetype<usize>(header), header.byteLength);
    let at = header.byteLength;
    for (let i = 0; i < counts.length; i++) {
      const count = <f64>counts[i];
      const inside = <i32>counts[i] == this.iterations;
      const shade = inside ? 0 : Math.sqrt(count / this.iterations);
      bytes[at++] = <u8>(255 * Math.min(1, shade * 3));
      bytes[at++] = <u8>(255 * shade);
      bytes[at++] = inside ? 0 : <u8>(64 + 127 * (1 - shade));
    }
    return bytes;
  }
}

/** A worker paints the rows that come until it is told to stop. */
function work(picture: Picture, master: i32): void {
  const counts = new StaticArray<u16>(picture.width);
  while (pvm.bufinfo(pvm.recv(master, -1)).tag == ROW) {
    const row = pvm.upk<i32>();
    picture.paint(row, counts);
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pk<i32>(row);
    pvm.pkArray(counts);
    pvm.send(master, PAINTED);
  }
}

function deal(worker: i32, row: i32): void {
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(row);
  pvm.send(worker, ROW);
}

/** The master deals rows and gathers them. @returns the most and the fewest rows that a worker painted, in words */
function gather(picture: Picture, tids: StaticArray<i32>, counts: StaticArray<u16>): string {
  const painted = new StaticArray<i32>(tids.length);
  let next = 0;
  for (let i = 1; i < tids.length && next < picture.height; i++) deal(tids[i], next++);
  for (let done = 0; done < picture.height; done++) {
    const worker = pvm.bufinfo(pvm.recv(-1, PAINTED)).tid;
    const row = pvm.upk<i32>();
    pvm.upkArray(counts, picture.width, 1, row * picture.width);
    painted[tids.indexOf(worker)]++;
    if (next < picture.height) deal(worker, next++);
  }
  pvm.initsend(pvm.PvmDataDefault);
  pvm.mcast(tids, STOP);
  let most = 0;
  let fewest = i32.MAX_VALUE;
  for (let i = 1; i < tids.length; i++) {
    most = max(most, painted[i]);
    fewest = min(fewest, painted[i]);
  }
  return `${fewest} to ${most} rows by each of ${tids.length - 1} workers`;
}

/** FNV-1a over all counts. */
function checksum(counts: StaticArray<u16>): u32 {
  let hash: u32 = 2166136261;
  for (let i = 0; i < counts.length; i++) hash = (hash ^ <u32>counts[i]) * 16777619;
  return hash;
}

function paintAll(picture: Picture, counts: StaticArray<u16>): void {
  const row = new StaticArray<u16>(picture.width);
  for (let i = 0; i < picture.height; i++) {
    picture.paint(i, row);
    memory.copy(changetype<usize>(counts) + i * picture.width * 2, changetype<usize>(row), picture.width * 2);
  }
}

export function main(): i32 {
  const tids = pvm.siblings();
  const args = pvm.args();
  const width = option(args, "--width", 320);
  const height = option(args, "--height", 240);
  const iterations = option(args, "--iterations", 500);
  const master = tids[0] == pvm.mytid();
  if (width < 1 || height < 1 || iterations < 1 || iterations > 0xffff) {
    if (master) console.error("--width and --height are at least 1, --iterations 1 to 65535");
    return 2;
  }
  const picture = new Picture(width, height, iterations);
  if (!master) {
    work(picture, tids[0]);
    return 0;
  }

  const counts = new StaticArray<u16>(width * height);
  let how = "painted alone";
  if (tids.length > 1) how = gather(picture, tids, counts);
  else paintAll(picture, counts);
  const sequential = new StaticArray<u16>(width * height);
  paintAll(picture, sequential);
  const right = checksum(counts) == checksum(sequential);
  if (!args.includes("--no-picture")) process.stdout.write(picture.ppm(counts));
  console.error(how);
  console.error(`${width} x ${height}, checksum ${checksum(counts).toString(16)}, ${right ? "right" : "WRONG"}`);
  return right ? 0 : 1;
}
