/** As journey.c, in AssemblyScript: objects that point at each other, maps, strings, functions in tables, globals. */
import * as pvm from "upvm/guest";

class Node {
  next: Node | null = null;
  name: string;
  constructor(public value: u32) {
    this.name = "n" + value.toString();
  }
}

type Step = (value: u32) => u32;
const steps: Step[] = [(v) => v * 3 + 1, (v) => v ^ 0x5bd1e995, (v) => (v << 7) | (v >> 25)];

let state: u64 = 88172645463325252;
let total: f64 = 0.1;

function random(): u32 {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return u32(state >> 16);
}

/** A loop without calls over a large array. */
function relax(grid: Float64Array, times: i32): f64 {
  const n = grid.length;
  for (let t = 0; t < times; t++)
    for (let i = 1; i < n - 1; i++) unchecked((grid[i] = 0.5 * grid[i] + 0.25 * (grid[i - 1] + grid[i + 1])));
  let sum = 0.0;
  for (let i = 0; i < n; i++) sum += unchecked(grid[i]);
  return sum;
}

const tids = pvm.siblings();
const index = tids.indexOf(pvm.mytid());
const next = tids[(index + 1) % tids.length];
const previous = tids[(index + tids.length - 1) % tids.length];
state += u64(index) * 977;

const known = new Map<string, u32>();
const grid = new Float64Array(1000);
for (let i = 0; i < grid.length; i++) grid[i] = f64(random() % 1000);
let list: Node | null = null;

for (let round = 0; round < 6; round++) {
  for (let i = 0; i < 100; i++) {
    const node = new Node(random());
    node.next = list;
    list = node;
    known.set(node.name.substr(0, 4), steps[i % steps.length](node.value));
    const second = node.next;
    if (random() % 3 == 0 && second !== null) list = second;
  }
  total += relax(grid, 20);
  let sum: u32 = 0;
  let node: Node | null = list;
  while (node !== null) {
    sum = sum * 31 + node.value;
    node = node.next;
  }
  const values = known.values();
  for (let i = 0; i < values.length; i++) sum ^= values[i];
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<u32>(sum);
  pvm.pk<f64>(total);
  pvm.pkstr(list!.name);
  pvm.send(next, 3);
  pvm.recv(previous, 3);
  const theirs = pvm.upk<u32>();
  state ^= u64(theirs);
  total += pvm.upk<f64>() * 1e-3;
  console.log(`${index} ${round}: ${sum} ${theirs} ${reinterpret<u64>(total)} ${pvm.upkstr()} ${known.size}`);
}
