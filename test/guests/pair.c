/*
 * For test/real/machine-hosts.test.ts: one of two programs that run side by side and find each other by the message box.
 * "first" puts its tid there and answers what it is asked; "second" looks for it, asks, and has its end told.
 */
#include <stdio.h>
#include <string.h>
#include <pvm3.h>

static int first(void) {
  int me = pvm_mytid(), value = 0, from = 0;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&me, 1, 1);
  pvm_putinfo("pair", pvm_getsbuf(), PvmMboxDefault);
  for (int i = 0; i < 3; i++) {
    pvm_bufinfo(pvm_recv(-1, 5), NULL, NULL, &from);
    pvm_upkint(&value, 1, 1);
    value *= 10;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pvm_send(from, 6);
  }
  /* The group is the virtual machine's: the other is in it already. */
  printf("first: instance %d\n", pvm_joingroup("pair"));
  return 0;
}

static int second(void) {
  int other = 0, value = 0;
  pvm_recvinfo("pair", 0, PvmMboxWaitForInfo);
  pvm_upkint(&other, 1, 1);
  printf("second: instance %d\n", pvm_joingroup("pair"));
  pvm_notify(PvmTaskExit, 7, 1, &other);
  for (int i = 1; i <= 3; i++) {
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&i, 1, 1);
    pvm_send(other, 5);
    pvm_recv(other, 6);
    pvm_upkint(&value, 1, 1);
    printf("second: %d\n", value);
  }
  pvm_recv(-1, 7);
  pvm_upkint(&value, 1, 1);
  printf("second: the other has ended: %s\n", value == other ? "yes" : "no");
  printf("second: its entry: %d\n", pvm_recvinfo("pair", 0, PvmMboxDefault) == PvmNotFound);
  return 0;
}

int main(int argc, char **argv) { return argc > 1 && strcmp(argv[1], "first") == 0 ? first() : second(); }
