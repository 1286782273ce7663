/** Plug-ins in C and AssemblyScript on several engines: tasker, resource manager, tracer, each gone while others wait. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "uvu";
import { inFolder, upvm } from "../command.ts";

const C = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pvm3.h>
#include <pvmsdpro.h>
static void check(int ok, const char *what) { if (!ok) { printf("wrong: %s\\n", what); exit(1); } }
static int start(const char *role, int n, int *tids) {
  char *args[] = {(char *)role, NULL};
  return pvm_spawn("p", args, PvmTaskDefault, "", n, tids);
}
static void signal_parent(int tag) { pvm_initsend(PvmDataDefault); pvm_send(pvm_parent(), tag); }
/* Lets the first task run, says that the second is gone, and leaves with the third still waiting. */
static void tasker(void) {
  check(pvm_reg_tasker() == PvmOk, "tasker");
  signal_parent(1);
  for (int i = 0; i < 2; i++) {
    int tid, flags, source, end[5] = {256, 0, 0, 0, 0};
    char path[64];
    int bufid = pvm_recv(-1, SM_STTASK);
    pvm_bufinfo(bufid, NULL, NULL, &source);
    check(pvm_upkint(&tid, 1, 1) == 0 && pvm_upkint(&flags, 1, 1) == 0 && pvm_upkstr(path) == 0, "SM_STTASK");
    check(strcmp(path, "p") == 0, "path");
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&tid, 1, 1);
    if (i == 1) pvm_pkint(end, 5, 1);
    check(pvm_send(source, i == 0 ? SM_STTASK : SM_TASKX) == 0, "answer");
  }
  pvm_recv(-1, SM_STTASK);
  pvm_exit();
}
/* Answers a config, places a spawn, and ends while another waits. */
static void manager(void) {
  struct pvmhostinfo *host, *hosts;
  check(pvm_reg_rm(&host) == 0 && host->hi_tid == 0x40000 && strcmp(host->hi_arch, "WASM") == 0, "rm");
  check(pvm_config(NULL, NULL, &hosts) == 0 && strcmp(host->hi_name, hosts->hi_name) == 0, "own config");
  signal_parent(2);
  int bufid = pvm_recv(-1, SM_CONFIG), wid = pvm_getmwid(bufid), row[] = {2, 1, 0x40000, 0x80000, 7, 8}, made[2];
  int reply = pvm_initsend(PvmDataDefault);
  pvm_pkint(row, 2, 1);
  for (int i = 0; i < 2; i++) {
    pvm_pkint(row + 2 + i, 1, 1);
    pvm_pkstr(i == 0 ? "first" : "second");
    pvm_pkstr("WASM");
    pvm_pkint(row + 4, 2, 1);
  }
  pvm_setmwid(reply, wid);
  pvm_send(pvm_parent(), SM_CONFIG);
  bufid = pvm_recv(-1, SM_SPAWN);
  wid = pvm_getmwid(bufid);
  int exec[] = {pvm_parent(), PvmTaskDefault, 1, 1, 0, 0, 0, 0, 0, 0, 0};
  pvm_setmwid(pvm_initsend(PvmDataDefault), 77);
  pvm_pkint(exec, 1, 1);
  pvm_pkstr("p");
  pvm_pkint(exec + 1, 3, 1);
  pvm_pkstr("worker");
  pvm_pkint(exec + 4, 7, 1);
  check(pvm_send(pvm_tidtohost(pvm_mytid()), SM_EXEC) == 0, "SM_EXEC");
  check(pvm_getmwid(pvm_recv(-1, SM_EXECACK)) == 77 && pvm_upkint(made, 2, 1) == 0 && made[0] == 1, "SM_EXECACK");
  reply = pvm_initsend(PvmDataDefault);
  pvm_pkint(made, 2, 1);
  pvm_setmwid(reply, wid);
  pvm_send(pvm_parent(), SM_SPAWN);
  int ended;
  check(pvm_recv(-1, SM_TASKX) > 0 && pvm_upkint(&ended, 1, 1) == 0 && ended == made[1], "SM_TASKX");
  pvm_recv(-1, SM_SPAWN);
}
int main(int argc, char **argv) {
  int tid, tids[3], n, source;
  struct pvmhostinfo *hosts;
  pvm_setopt(PvmResvTids, 1);
  if (argc > 1 && strcmp(argv[1], "worker") == 0) { printf("at work\\n"); signal_parent(3); return 0; }
  if (argc > 1 && strcmp(argv[1], "tasker") == 0) { tasker(); return 0; }
  if (argc > 1 && strcmp(argv[1], "manager") == 0) { manager(); return 0; }
  check(start("tasker", 1, &tid) == 1 && pvm_recv(tid, 1) > 0, "start tasker");
  check(start("worker", 3, tids) == 3, "workers");
  check(pvm_notify(PvmTaskExit, 4, 1, tids + 1) == 0 && pvm_recv(-1, 4) > 0, "second is gone");
  check(pvm_recv(tids[0], 3) > 0 && pvm_recv(tids[2], 3) > 0, "first and third");
  check(pvm_nrecv(tids[1], 3) == 0, "second never ran");
  check(start("manager", 1, &tid) == 1 && pvm_recv(tid, 2) > 0, "start manager");
  check(pvm_config(&n, NULL, &hosts) == 0 && n == 2 && strcmp(hosts[1].hi_name, "second") == 0, "config");
  check(hosts[1].hi_tid == 0x80000 && hosts[1].hi_speed == 7, "row");
  check(start("nobody", 1, tids) == 1 && pvm_recv(tids[0], 3) > 0, "placed");
  check(start("worker", 1, tids) == 1 && pvm_recv(tids[0], 3) > 0, "without a manager");
  check(pvm_reg_tracer(0, 5, 0, 6, "", 0, 0) == 0 && start("worker", 1, tids) == 1, "tracer");
  char text[64] = "";
  do {
    check(pvm_recv(-1, 6) > 0 && pvm_upkint(&source, 1, 1) == 0 && pvm_upkint(&n, 1, 1) == 0, "output");
    if (n > 0) pvm_upkbyte(text, n, 1);
  } while (n != 0);
  check(source == tids[0] && strcmp(text, "at work\\n") == 0, "text");
  check(strcmp(pvmgetrsh(), "rsh") == 0 && strcmp(pvmgettmp(), "/tmp") == 0, "settings");
  setenv("PVM_RSH", "ssh", 1);
  setenv("PVM_TMP", "here", 1);
  check(strcmp(pvmgetrsh(), "ssh") == 0 && strcmp(pvmgettmp(), "here") == 0, "own settings");
  printf("done\\n");
  return 0;
}`;

test("C programs take over starting and placing tasks, and give it back", async () => {
  await inFolder({ "p.c": C }, async (folder) => {
    const wasm = join(folder, "p.wasm");
    assert.equal((await upvm(["compile", join(folder, "p.c"), "-o", wasm])).code, 0);
    for (const cores of ["1", "2"]) {
      const { code, out, err } = await upvm(["run", "--cores", cores, wasm]);
      assert.equal(code, 0, out + err);
      assert.deepEqual(out.trimEnd().split("\n").sort(), [...Array<string>(4).fill("at work"), "done"]);
    }
  });
});

const AS = `import * as pvm from "upvm/guest";
export function main(): i32 {
  if (pvm.args().length > 0) { console.log("at work"); return 0; }
  pvm.setopt(pvm.PvmResvTids, 1);
  console.log(pvm.reg_hoster().toString() + " " + pvm.reg_tasker().toString() + " " + pvm.reg_rm().toString());
  console.log(pvm.reg_tracer(0, 1, 0, 2, new pvm.TraceMask()).toString() + " " + pvm.getrsh() + " " + pvm.gettmp());
  const tids = new StaticArray<i32>(1);
  console.log(pvm.spawn("a", ["worker"], pvm.PvmTaskDefault, "", tids).toString());
  pvm.recv(-1, pvm.SM_STTASK);
  console.log((pvm.upk<i32>() == tids[0]).toString());
  pvm.initsend(pvm.PvmDataDefault);
  pvm.pk<i32>(tids[0]);
  console.log(pvm.send(pvm.tidtohost(pvm.mytid()), pvm.SM_STTASK).toString());
  let n = -1;
  let bytes = 0;
  while (n != 0) {
    pvm.recv(-1, 2);
    pvm.upk<i32>();
    n = pvm.upk<i32>();
    if (n > 0) bytes += n;
  }
  console.log(bytes.toString());
  return 0;
}
`;

test("an AssemblyScript program is all plug-ins at once", async () => {
  const { code, out, err } = await inFolder({ "a.ts": AS }, (folder) => upvm(["run", join(folder, "a.ts")]));
  assert.equal(code, 0, out + err);
  assert.deepEqual(out.trimEnd().split("\n"), ["0 0 0", "0 rsh /tmp", "1", "true", "0", "8"]);
});

test("with a process for each ULP there are no plug-ins", async () => {
  const program = `#include <stdio.h>
#include <pvm3.h>
int main(void) {
  pvm_setopt(PvmAutoErr, 0);
  printf("%d %d %d\\n", pvm_reg_tasker(), pvm_reg_hoster(), pvm_reg_rm(NULL));
  return 0;
}`;
  const { out } = await inFolder({ "i.c": program }, (folder) =>
    upvm(["run", "--isolate", join(folder, "i.c")]),
  );
  assert.equal(out, "-24 -24 -24\n");
});

test.run();
