/*
 * For test/real/many-hosts.test.ts: what a program does that must not depend on where its ULPs are. Messages of all sizes in
 * order, a spawned task, a group with a barrier, a reduction, a notification. Prints lines that can be sorted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pvm3.h>

#define LONG 300000
#define ROUNDS 50

static unsigned char bytes[LONG];

static int sum(const unsigned char *data, int n) {
  unsigned total = 0;
  for (int i = 0; i < n; i++) total = total * 31 + data[i];
  return (int)(total & 0x7fffffff);
}

/* A child: answers with its argument, and ends. */
static int child(void) {
  int value = 0;
  pvm_recv(pvm_parent(), 8);
  pvm_upkint(&value, 1, 1);
  value = 2 * value + 1;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&value, 1, 1);
  pvm_send(pvm_parent(), 9);
  return 0;
}

int main(int argc, char **argv) {
  if (pvm_parent() >= 0) return child();
  int *tids, n = pvm_siblings(&tids), me = 0;
  while (tids[me] != pvm_mytid()) me++;
  int next = tids[(me + 1) % n], before = tids[(me + n - 1) % n];

  /* To the neighbour, in order, short and long ones mixed. */
  int right = 1;
  for (int i = 0; i < ROUNDS; i++) {
    int size = i % 10 == 3 ? LONG - i : i * 7;
    for (int k = 0; k < size; k++) bytes[k] = (unsigned char)(me + i + k * 13);
    int check = sum(bytes, size);
    pvm_initsend(i % 2 ? PvmDataRaw : PvmDataDefault);
    pvm_pkint(&i, 1, 1);
    pvm_pkint(&size, 1, 1);
    pvm_pkint(&check, 1, 1);
    pvm_pkbyte((char *)bytes, size, 1);
    pvm_send(next, 7);
  }
  for (int i = 0; i < ROUNDS; i++) {
    int serial, size, check;
    pvm_recv(before, 7);
    pvm_upkint(&serial, 1, 1);
    pvm_upkint(&size, 1, 1);
    pvm_upkint(&check, 1, 1);
    pvm_upkbyte((char *)bytes, size, 1);
    if (serial != i || sum(bytes, size) != check) right = 0;
  }
  printf("ULP %d: %d messages, %s\n", me, ROUNDS, right ? "right" : "WRONG");

  /* A group over all hosts. */
  pvm_joingroup("all");
  pvm_barrier("all", n);
  double mine = me + 1, total = mine;
  pvm_reduce(PvmSum, &total, 1, PVM_DOUBLE, 5, "all", pvm_getinst("all", tids[0]));
  if (me == 0) printf("sum %.0f of %d\n", total, pvm_gsize("all"));

  /* ULP 0 spawns, and is told of the end. */
  if (me == 0) {
    int spawned[3], made = pvm_spawn("hosts.c", NULL, PvmTaskDefault, "", 3, spawned), answers = 0, ends = 0;
    pvm_notify(PvmTaskExit, 10, 3, spawned);
    for (int i = 0; i < 3; i++) {
      pvm_initsend(PvmDataDefault);
      pvm_pkint(&i, 1, 1);
      pvm_send(spawned[i], 8);
    }
    for (int i = 0; i < 3; i++) {
      int value;
      pvm_recv(-1, 9);
      pvm_upkint(&value, 1, 1);
      answers += value;
    }
    for (; ends < 3; ends++) pvm_recv(-1, 10);
    printf("spawned %d, answers %d, ends %d\n", made, answers, ends);
  }
  pvm_barrier("all", n);
  pvm_exit();
  return 0;
}
