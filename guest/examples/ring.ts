/**
 * A ring: one int goes round all ULPs, and each adds one to it (the paper's section 4.3.1, Table XII).
 *
 *     upvm run guest/examples/ring.ts --ulps 24 [-- ROUNDS]
 *
 * Shows the least that a message needs: initsend, pack, send; recv, unpack. ULP 0 prints what came back, and on
 * standard error the median time of a round. The exit code is 0 if the number is as many as it must be.
 */
import * as pvm from "upvm/guest";
import { fixed, median } from "./shared/text";

const TOKEN = 1;
/** Hops in all, unless told otherwise: under a second, however many ULPs there are. */
const HOPS = 100_000;
const BATCHES = 20;

function pass(token: i32, next: i32): void {
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(token);
  pvm.send(next, TOKEN);
}

function take(previous: i32): i32 {
  pvm.recv(previous, TOKEN);
  return pvm.upk<i32>();
}

export function main(): i32 {
  const tids = pvm.siblings();
  const count = tids.length;
  const index = tids.indexOf(pvm.mytid());
  const next = tids[(index + 1) % count];
  const previous = tids[(index + count - 1) % count];
  const args = pvm.args();
  const wanted = args.length > 0 ? I32.parseInt(args[0]) : HOPS / count;
  // Whole batches, so that a round's time is the median of some means.
  const perBatch = max(1, (wanted + BATCHES - 1) / BATCHES);

  if (index != 0) {
    for (let round = 0; round < perBatch * BATCHES; round++) pass(take(previous) + 1, next);
    return 0;
  }

  let token = 0;
  const times = new Array<f64>();
  for (let batch = 0; batch < BATCHES; batch++) {
    const start = performance.now();
    for (let round = 0; round < perBatch; round++) {
      pass(token + 1, next);
      token = take(previous);
    }
    times.push(((performance.now() - start) * 1000) / perBatch);
  }

  const rounds = perBatch * BATCHES;
  const right = token == rounds * count;
  console.log(`${count} ULPs, ${rounds} rounds: ${token} went round, ${right ? "right" : "WRONG"}`);
  console.error("a round took " + fixed(median(times), 2) + " us (median)");
  return right ? 0 : 1;
}
