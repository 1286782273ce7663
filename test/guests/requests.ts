/** As requests.c: posted sends and receives, between three; prints the same. */
import * as pvm from "upvm/guest";

const GO: i32 = 90;
const MANY: i32 = 60;
const tids = pvm.siblings();
const rank = tids.indexOf(pvm.mytid());

function work(rounds: i32): f64 {
  let sum: f64 = 0;
  for (let i = 1; i < rounds; i++) sum += 1.0 / f64(i);
  return sum;
}

/** Tells another that it may send. */
function go(to: i32): void {
  pvm.psendArray(tids[to], GO, one(to));
}
function awaitGo(): void {
  pvm.precvArray(tids[0], GO, one(0));
}
function one(value: i32): StaticArray<i32> {
  const array = new StaticArray<i32>(1);
  array[0] = value;
  return array;
}
function send(tag: i32, value: i32): void {
  pvm.psendArray(tids[0], tag, one(value));
}

/** Others send when they are told; 0 posts before, and waits in another order. */
function first(): void {
  const fromAny = one(0), fromOne = one(0), fromWide = one(0), fromOther = one(0);
  const any = pvm.irecv(-1, 5, fromAny);
  const single = pvm.irecv(tids[1], 5, fromOne);
  console.log(`posted: ${any.test()} ${single.test()}`);
  go(1);
  work(20000);
  // What fits both is for the one that was posted first.
  let code = single.wait();
  const right = i32(any.tid == tids[1] && single.tid == tids[1]);
  console.log(
    `waited: ${code}, ${fromAny[0]} then ${fromOne[0]}, tag ${single.tag}, ${single.bytes} bytes, right sender ${right}`,
  );
  console.log(`both done: ${any.test()} ${single.test()}`);
  // Neither pattern has all of the other.
  pvm.irecv(tids[2], -1, fromWide);
  const other = pvm.irecv(-1, 7, fromOther);
  go(2);
  code = other.wait();
  console.log(`crossed: ${code}, ${fromWide[0]} is of the first, ${fromOther[0]} of the other`);
}

function cutAndCancelled(): void {
  const room = one(0), later = one(0);
  const short = pvm.irecv(tids[1], 8, room);
  const gone = pvm.irecv(tids[1], 8, later);
  const cancelled = i32(gone.cancel());
  console.log(`cancelled: ${cancelled}, again ${i32(gone.cancel())}`);
  go(1);
  short.wait();
  pvm.recv(tids[1], 8);
  const number = pvm.upk<i32>();
  console.log(`cut: ${room[0]} of ${short.bytes} bytes; not posted any more: ${number}`);
  const bad = pvm.isend(tids[1], 8, room, 2);
  console.log(`refused: ${i32(bad.state == pvm.PvmBadParam)} ${i32(bad.wait() == pvm.PvmBadParam)}`);
}

/** A request keeps the context that it was posted in. */
function contexts(): void {
  const value = one(0), theirs = one(0);
  const before = pvm.setcontext(77);
  const mine = pvm.irecv(tids[2], 9, value);
  pvm.setcontext(before);
  go(2);
  pvm.precvArray(tids[2], 9, theirs);
  mine.wait();
  console.log(`contexts: ${theirs[0]} and ${value[0]}`);
}

/** Everyone to everyone, computing meanwhile. */
function many(): void {
  const got: StaticArray<i32>[] = [];
  const ins: pvm.Request[] = [];
  const outs: pvm.Request[] = [];
  let sum = 0, failed = 0;
  let computed: f64 = 0;
  for (let i = 0; i < MANY * 3; i++) {
    got.push(one(0));
    ins.push(pvm.irecv(tids[i % 3], 10, got[i]));
  }
  for (let i = 0; i < MANY * 3; i++) {
    // Nobody but the request knows the array.
    outs.push(pvm.isend(tids[i % 3], 10, one(rank * 1000 + i / 3)));
    computed += work(100);
  }
  for (let i = MANY * 3 - 1; i >= 0; i--) failed += i32(ins[i].wait() < 0 || outs[i].wait() < 0);
  for (let i = 0; i < MANY * 3; i++) {
    failed += i32(got[i][0] != (i % 3) * 1000 + i / 3);
    sum += got[i][0];
  }
  const rounded = Math.round(computed * 1000) / 1000;
  if (rank == 0) console.log(`many: ${sum}, ${failed} wrong, ${rounded}`);
}

export function main(): void {
  if (rank == 0) {
    first();
    cutAndCancelled();
    contexts();
  } else {
    awaitGo();
    if (rank == 1) {
      send(5, 51);
      send(5, 52);
      awaitGo();
      const two = new StaticArray<i32>(2);
      two[0] = 81;
      two[1] = 82;
      pvm.psendArray(tids[0], 8, two);
      send(8, 83);
    } else {
      send(7, 71);
      send(7, 72);
      awaitGo();
      send(9, 91);
      pvm.setcontext(77);
      send(9, 92);
      pvm.setcontext(0);
    }
  }
  many();
}
