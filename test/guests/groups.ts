/** Groups and what they do together; groups.c is the same program and prints the same, whichever runs in each ULP. */
import * as pvm from "upvm/guest";

const GROUP = "all of us";
let me = 0;
let count = 0;

function say(text: string): void {
  if (me == 0) console.log(text);
}
function word(right: bool): string {
  return right ? "right" : "wrong";
}

/** All are in the group, and stay. Instance 0 alone prints. */
function join(ulps: i32): void {
  me = pvm.joingroup(GROUP);
  pvm.barrier(GROUP, ulps);
  count = pvm.gsize(GROUP);
  say(`${count} members, own instance ${word(pvm.gettid(GROUP, me) == pvm.mytid() && pvm.getinst(GROUP) == me)}`);
  if (me != 0) return;
  say(`again ${pvm.joingroup(GROUP)}, size of none ${pvm.gsize("none")}, of another ${pvm.gsize("other")}`);
}

function least(right: bool, tag: i32): bool {
  const value: StaticArray<i32> = [right ? 1 : 0];
  pvm.reduce(pvm.PvmMin, value, tag, GROUP, 0);
  return value[0] == 1;
}

/** The root is the last: it gets 10 * instance + 0, 1, 2. */
function gather(): void {
  const root = count - 1;
  const mine: StaticArray<i32> = [10 * me, 10 * me + 1, 10 * me + 2];
  const all = new StaticArray<i32>(3 * count);
  let right = pvm.gather(all, mine, 5, GROUP, root) == pvm.PvmOk;
  for (let i = 0; i < 3 * count; i++) right = right && all[i] == (me == root ? 10 * (i / 3) + (i % 3) : 0);
  right = least(right, 5);
  const sum: StaticArray<i32> = [0];
  for (let i = 0; i < 3 * count; i++) sum[0] += all[i];
  pvm.gather(all, sum, 6, GROUP, 0);
  say(`gathered: ${word(right)}, ${all[count - 1] == 15 * count * count - 12 * count ? "all of it" : "not all"}`);
}

function scatter(): void {
  const part: StaticArray<f64> = [0, 0];
  const all = new Array<f64>(2 * count);
  for (let i = 0; i < 2 * count; i++) all[i] = me == 0 ? <f64>i + 0.5 : -1;
  const sum = new Array<f64>(2);
  pvm.scatter(sum, all, 7, GROUP, 0);
  for (let i = 0; i < 2; i++) part[i] = sum[i];
  const right = part[0] == <f64>(2 * me) + 0.5 && part[1] == <f64>(2 * me) + 1.5;
  pvm.reduce(pvm.PvmSum, sum, 8, GROUP, 0);
  const all_right = least(right, 8);
  const wanted = <f64>(count * (count - 1));
  const half = <f64>count / 2;
  say(`scattered: ${word(all_right)}, ${word(sum[0] == wanted + half && sum[1] == wanted + 3 * half)}`);
}

/** One number of a type by four operators, in each member its instance and 2. */
function operator<T>(name: string): void {
  const a: StaticArray<T> = [<T>(me + 2)];
  const b: StaticArray<T> = [<T>(me + 2)];
  const c: StaticArray<T> = [<T>(me + 2)];
  const d: StaticArray<T> = [<T>(me + 2)];
  pvm.reduce(pvm.PvmMax, a, 9, GROUP, 0);
  pvm.reduce(pvm.PvmMin, b, 9, GROUP, 0);
  pvm.reduce(pvm.PvmSum, c, 9, GROUP, 0);
  pvm.reduce(pvm.PvmProduct, d, 9, GROUP, 0);
  say(`${name}: ${<i32>a[0]} ${<i32>b[0]} ${<i32>c[0]} ${<i32>d[0]}`);
}

/** Neither commutative nor associative: shows the order. */
function ownOperator(): void {
  const digit: StaticArray<i32> = [me, me + 1];
  pvm.reduceWith((x: i32, y: i32) => x * 10 + y, digit, 10, GROUP, count - 1);
  if (me == count - 1) pvm.psendArray(pvm.gettid(GROUP, 0), 11, digit);
  if (me == 0) pvm.precvArray(-1, 11, digit);
  say(`in order of instances: ${digit[0]} ${digit[1]}`);
}

/** A message of the program with the same tag is not taken for one of a collective, and the other way round. */
function undisturbed(): void {
  const value: StaticArray<i32> = [1];
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(me);
  pvm.send(pvm.gettid(GROUP, (me + 1) % count), 12);
  const sbuf = pvm.getsbuf();
  const rbuf = pvm.getrbuf();
  pvm.reduce(pvm.PvmSum, value, 12, GROUP, 0);
  say(`sum ${value[0]}, buffers ${sbuf == pvm.getsbuf() && rbuf == pvm.getrbuf() ? "kept" : "changed"}`);
  pvm.recv(-1, 12);
  const from = pvm.upk<i32>();
  say(`from ${from == count - 1 ? 1 : 0} of 1, then ${pvm.nrecv(-1, 12)}`);
  let right = true;
  if (me == 0) {
    pvm.initsend(pvm.PvmDataDefault);
    pvm.pk<i32>(count);
    pvm.bcast(GROUP, 13);
  } else {
    pvm.recv(pvm.gettid(GROUP, 0), 13);
    right = pvm.upk<i32>() == count;
  }
  say(`broadcast: ${word(least(right, 14))}`);
}

const list = pvm.args();
join(list.length > 0 ? I32.parseInt(list[0]) : pvm.gsize());
gather();
scatter();
operator<i16>("i16");
operator<i32>("i32");
operator<i64>("i64");
operator<f32>("f32");
operator<f64>("f64");
ownOperator();
undisturbed();
pvm.barrier(GROUP);
say(`left ${pvm.lvgroup(GROUP)}`);
