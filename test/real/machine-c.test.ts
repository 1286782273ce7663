/** C programs that use the machine: message box, notify, kill, export, catchout, a search path. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "uvu";
import { inFolder, upvm } from "../command.ts";

const MASTER = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pvm3.h>
static void check(int ok, const char *what) { if (!ok) { printf("wrong: %s\\n", what); exit(1); } }
int main(void) {
  int tid, tids[3], n, x;
  struct pvmhostinfo *hosts;
  check(pvm_config(&n, &x, &hosts) == 0 && n == 1 && x == 1 && hosts->hi_tid == 0x40000, "config");
  check(strcmp(hosts->hi_arch, "WASM") == 0 && pvm_mstat(hosts->hi_name) == 0, "mstat");
  check(pvm_archcode(hosts->hi_arch) == hosts->hi_dsig, "archcode");
  check(strcmp(pvm_version(), "3.4.6") == 0, "version");
  pvm_initsend(PvmDataDefault);
  x = 42;
  pvm_pkint(&x, 1, 1);
  check(pvm_putinfo("box", pvm_getsbuf(), PvmMboxMultiInstance | PvmMboxDirectIndex(4)) == 4, "putinfo");
  struct pvmmboxinfo *boxes;
  check(pvm_getmboxinfo("bo", &n, &boxes) == 0 && n == 1 && strcmp(boxes->mi_name, "box") == 0, "mboxinfo");
  check(boxes->mi_nentries == 1 && boxes->mi_indices[0] == 4 && boxes->mi_owners[0] == pvm_mytid(), "entries");
  check(PvmMboxDirectIndexOf(boxes->mi_flags[0]) == 4, "flags");
  setenv("COLOUR", "blue", 1);
  pvm_export("COLOUR");
  pvm_export("NONE");
  check(strcmp(getenv("PVM_EXPORT"), "COLOUR:NONE") == 0, "export");
  pvm_unexport("NONE");
  check(strcmp(getenv("PVM_EXPORT"), "COLOUR") == 0, "unexport");
  pvm_catchout(stdout);
  char *args[] = {"once", NULL};
  check(pvm_spawn("child", args, 0, "", 1, &tid) == 1, "spawn");
  check(pvm_notify(PvmTaskExit, 7, 1, &tid) == 0 && pvm_recv(-1, 7) > 0, "notify");
  check(pvm_upkint(&x, 1, 1) == 0 && x == tid, "who ended");
  check(pvm_spawn("far", NULL, 0, "", 1, tids) == 1 && pvm_recv(tids[0], 3) > 0, "search path");
  args[0] = "for ever";
  check(pvm_spawn("child", args, 0, "", 2, tids) == 2, "spawn two");
  for (int i = 0; i < 2; i++) check(pvm_recv(tids[i], 3) > 0 && pvm_kill(tids[i]) == 0, "kill");
  args[0] = "late";
  check(pvm_spawn("child", args, 0, "", 1, &tid) == 1, "spawn one that is still there at the end");
  pvm_exit();
  printf("done\\n");
  return 0;
}`;
const CHILD = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pvm3.h>
int main(int argc, char **argv) {
  if (strcmp(argv[1], "late") == 0) sleep(1);
  printf("%s %s\\nand no newline", argv[1], getenv("COLOUR"));
  if (strcmp(argv[1], "for ever") != 0) return 0;
  pvm_initsend(PvmDataDefault);
  pvm_send(pvm_parent(), 3);
  for (volatile int i = 0;; i++) ;
}`;
const FAR = `#include <pvm3.h>
int main(void) { pvm_initsend(0); pvm_send(pvm_parent(), 3); return 0; }`;

test("a C program finds its children, hears of their ends, catches their output and ends them", async () => {
  const { code, out, err } = await inFolder({ "master.c": MASTER, "child.c": CHILD }, (folder) =>
    inFolder({ "far.c": FAR }, (lib) =>
      upvm(["run", "--slice", "5", "--path", lib, join(folder, "master.c")]),
    ),
  );
  assert.equal(code, 0, out + err);
  assert.match(err, /libpvm \[t40001\]: child task\(s\) still running\. {2}waiting\.\.\./);
  const lines = out.trimEnd().split("\n");
  const of = (tid: string) =>
    lines.filter((line) => line.startsWith(`[${tid}] `)).map((line) => line.slice(9));
  assert.deepEqual(of("t40002"), ["BEGIN", "once blue", "and no newline", "EOF"]);
  assert.deepEqual(of("t40003"), ["BEGIN", "EOF"]);
  for (const tid of ["t40004", "t40005"])
    assert.deepEqual(of(tid), ["BEGIN", "for ever blue", "EOF"], "what its C library held is lost");
  assert.deepEqual(of("t40006"), ["BEGIN", "late blue", "and no newline", "EOF"]);
  assert.equal(lines.at(-1), "done");
});

test.run();
