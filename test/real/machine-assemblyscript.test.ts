/** The machine's routines as AssemblyScript has them: hosts, message box, notify, environment. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "uvu";
import { inFolder, upvm } from "../command.ts";

const PROGRAM = `import * as pvm from "upvm/guest";
export function main(): i32 {
  const hosts = pvm.config();
  console.log(hosts.length.toString() + " " + hosts[0].arch + " " + pvm.mstat(hosts[0].name).toString() + " " + pvm.archcode("WASM").toString() + " " + pvm.version());
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(42);
  console.log(pvm.putinfo("box", pvm.getsbuf(), pvm.PvmMboxMultiInstance).toString());
  console.log(pvm.recvinfo("box") > 0 ? pvm.upk<i32>().toString() : "none");
  const entries = pvm.getmboxinfo("b*x");
  console.log(entries.length.toString() + " " + entries[0].name + " " + (entries[0].owner == pvm.mytid()).toString() + " " + entries[0].flags.toString());
  for (let i = 0; i < 60; i++) pvm.putinfo("a class with a long name, number " + (i % 30 + 10).toString(), pvm.getsbuf(), pvm.PvmMboxMultiInstance);
  const many = pvm.getmboxinfo("a class*");
  console.log(many.length.toString() + " " + many[0].name + " " + many[59].name + " " + many[59].index.toString() + " " + pvm.getmboxinfo("no such").length.toString());
  console.log(pvm.delinfo("box").toString() + " " + pvm.delinfo("box").toString());
  console.log(pvm.insert("old", -1, 7).toString() + " " + pvm.lookup("old").data.toString() + " " + pvm.remove("old", 0).toString() + " " + pvm.lookup("old").index.toString());
  const infos = new StaticArray<i32>(2);
  console.log(pvm.addhosts([hosts[0].name, ""], infos).toString() + " " + infos[0].toString() + " " + infos[1].toString());
  console.log(pvm.delhosts([hosts[0].name], infos).toString() + " " + infos[0].toString());
  const time = pvm.hostsync(0x40000);
  console.log(time.info.toString() + " " + (time.us > 1600000000000000).toString() + " " + (abs(time.deltaUs) < 60000000).toString());
  console.log(pvm.start_pvmd().toString() + " " + pvm.getfds().length.toString());
  console.log(pvm.export_variable("COLOUR", "blue").toString() + pvm.unexport_variable("COLOUR").toString());
  const tids = [0x40099] as StaticArray<i32>;
  console.log(pvm.notify(pvm.PvmTaskExit, 7, tids).toString() + " " + (pvm.recv(-1, 7) > 0).toString() + " " + pvm.pstat(0x40099).toString() + " " + pvm.kill(0x40099).toString() + " " + pvm.tidtohost(0x40002).toString());
  const mask = new pvm.TraceMask().set(pvm.TEV_GETRBUF).set(pvm.TEV_SEND).unset(pvm.TEV_SEND);
  console.log(pvm.settmask(pvm.PvmTaskSelf, mask).toString() + " " + pvm.gettmask(pvm.PvmTaskSelf).check(pvm.TEV_GETRBUF).toString() + " " + pvm.gettmask(pvm.PvmTaskSelf).check(pvm.TEV_SEND).toString());
  pvm.setopt(pvm.PvmSelfTraceTid, pvm.mytid());
  pvm.setopt(pvm.PvmSelfTraceCode, 99);
  pvm.setopt(pvm.PvmSelfTraceOptions, pvm.PvmTraceFull);
  pvm.getrbuf();
  pvm.setopt(pvm.PvmSelfTraceTid, 0);
  pvm.recv(pvm.mytid(), 99);
  const mark = pvm.upk<i32>();
  console.log((mark == pvm.TEV_MARK_EVENT_DESC).toString() + " " + (pvm.upk<i32>() == pvm.TEV_GETRBUF + pvm.TEV_EVENT_ENTRY).toString() + " " + pvm.upkstr());
  return 0;
}
`;

test("an AssemblyScript program uses the machine with strings and lists", async () => {
  const { code, out, err } = await inFolder({ "m.ts": PROGRAM }, (folder) =>
    upvm(["run", join(folder, "m.ts")]),
  );
  assert.equal(code, 0, err);
  assert.deepEqual(out.trimEnd().split("\n"), [
    "1 WASM 0 4229185 3.4.6",
    "0",
    "42",
    "1 box true 2",
    "60 a class with a long name, number 10 a class with a long name, number 39 1 0",
    "0 -32",
    "0 7 0 -32",
    "0 -28 -2",
    "0 -2",
    "0 true true",
    "-28 0",
    "00",
    "0 true -31 0 262144",
    "0 true false",
    "true true getrbuf",
  ]);
});

test.run();
