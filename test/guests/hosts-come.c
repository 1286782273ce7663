/*
 * For test/real/machine-hosts.test.ts: asks to be told of hosts. When "c" has joined it spawns itself there; when that host
 * leaves, its task has ended, and both are told.
 */
#include <stdio.h>
#include <string.h>
#include <pvm3.h>

int main(void) {
  struct pvmhostinfo *hosts = NULL;
  int n = 0, many = 0, host = 0, child = 0, value = 0;
  if (pvm_parent() > 0) return pvm_recv(-1, 1) < 0;
  pvm_config(&n, NULL, &hosts);
  printf("hosts: %d\n", n);
  pvm_notify(PvmHostAdd, 5, 1, NULL);
  printf("ready\n");
  fflush(stdout);
  pvm_recv(-1, 5);
  pvm_upkint(&many, 1, 1);
  pvm_upkint(&host, 1, 1);
  pvm_config(&n, NULL, &hosts);
  printf("added: %d, %s, now %d\n", many, hosts[n - 1].hi_tid == host ? hosts[n - 1].hi_name : "?", n);
  printf("spawned: %d\n", pvm_spawn("hosts-come", NULL, PvmTaskHost, "c", 1, &child));
  printf("there: %s\n", pvm_tidtohost(child) == host ? "yes" : "no");
  printf("elsewhere: %d\n", pvm_spawn("hosts-come", NULL, PvmTaskHost, "nowhere", 1, &value));
  pvm_notify(PvmTaskExit, 6, 1, &child);
  pvm_notify(PvmHostDelete, 7, 1, &host);
  char *names[] = {"c"};
  printf("deleted: %d\n", pvm_delhosts(names, 1, &value));
  pvm_recv(-1, 6);
  pvm_upkint(&value, 1, 1);
  printf("task ended: %s\n", value == child ? "yes" : "no");
  pvm_recv(-1, 7);
  pvm_upkint(&value, 1, 1);
  printf("host gone: %s\n", value == host ? "yes" : "no");
  printf("mstat: %d\n", pvm_mstat("c") == PvmNoHost);
  return 0;
}
