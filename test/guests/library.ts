/** Every part of the guest library once, between neighbours; library.c is the same program and prints the same. */
import * as pvm from "upvm/guest";

const tids = pvm.siblings();
const count = tids.length;
const index = tids.indexOf(pvm.mytid());
const next = tids[(index + 1) % count];
const previous = tids[(index + count - 1) % count];

function say(text: string): void {
  if (index == 0) console.log(text);
}

function numbers(): void {
  const doubles: f64[] = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5];
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<u8>(200);
  pvm.pk<i16>(-300);
  pvm.pk<u16>(60000);
  pvm.pk<i32>(-70000);
  pvm.pk<u32>(4000000000);
  pvm.pk<i64>(-5000000000);
  pvm.pk<f32>(1.25);
  pvm.pk<f64>(0.1);
  pvm.pkArray(doubles, 3, 2, 1);
  pvm.pkstr("héllo €");
  pvm.pkstr("");
  pvm.send(next, 7);
  const bufid = pvm.recv(previous, 7);
  const info = pvm.bufinfo(bufid);
  say(`message of ${info.len} bytes, tag ${info.tag}, from ${info.tid == previous ? "the neighbour" : "nobody"}`);
  say(`${pvm.upk<u8>()} ${pvm.upk<i16>()} ${pvm.upk<u16>()} ${pvm.upk<i32>()} ${pvm.upk<u32>()} ${pvm.upk<i64>()}`);
  say(`${pvm.upk<f32>() == 1.25} ${pvm.upk<f64>() == 0.1}`);
  const sparse = new StaticArray<f64>(9);
  pvm.upkArray(sparse, 3, 4);
  say(`${sparse[0]} ${sparse[1]} ${sparse[4]} ${sparse[8]}`);
  say(`${pvm.upkstr()} ${pvm.upkstr().length}`);
  say(`${pvm.upkint(changetype<usize>(sparse), 1, 1)} ${pvm.strerror()}`);
}

function direct(): void {
  const data: StaticArray<i32> = [1, 2, 3, 4];
  pvm.psendArray(next, 8, data, 2, 1);
  const room = new StaticArray<i32>(4);
  const info = new pvm.BufInfo();
  const code = pvm.precvArray(previous, 8, room, -1, 0, info);
  say(`precv ${code}: ${room[0]} ${room[1]} ${room[2]}, ${info.len} bytes, tag ${info.tag}`);
}

function buffers(): void {
  const own = pvm.mkbuf(pvm.PvmDataDefault);
  const before = pvm.setsbuf(own);
  pvm.pk<i32>(index);
  pvm.mcast(tids, 9);
  pvm.setsbuf(before);
  say(`${pvm.getsbuf() == before} ${pvm.freebuf(own)} ${pvm.freebuf(own)}`);
  let sum = 0;
  for (let i = 1; i < count; i++) {
    pvm.recv(-1, 9);
    sum += pvm.upk<i32>();
  }
  say(`the others' indices add up to ${sum}`);
  say(`${pvm.nrecv(-1, 99)} ${pvm.probe(-1, 99)} ${pvm.trecv(-1, 99, 0.01)}`);
}

function others(): void {
  const tasks = pvm.tasks();
  let ours = 0;
  let named = 0;
  for (let i = 0; i < tasks.length; i++) {
    if (tids.includes(tasks[i].tid)) ours++;
    if (tasks[i].name.includes("library.")) named++;
  }
  // Nobody ends before the first has seen all.
  pvm.initsend(pvm.PvmDataDefault);
  if (index == 0) pvm.mcast(tids, 10);
  else pvm.recv(tids[0], 10);
  say(`${count} ULPs, ${pvm.gsize()} in the group, ${ours} tasks, ${named} with their name`);
  say(`${pvm.parent()} ${pvm.send(1, 1)} ${pvm.initsend(77)}`);
  say(pvm.args().join("|"));
}

numbers();
direct();
buffers();
others();
