/*
 * For test/real/migrate.test.ts and checkpoint.test.ts: computes, sleeps and sends numbered messages to all others, and checks those that come: none
 * lost, doubled or overtaken. Waits for nobody, so that it ends whoever is lost. One line at the end.
 *
 *     wander [ROUNDS] [BYTES] [GROUP] [FILE]: so much memory is kept in use; with a group that is not "-", all wait for each other in each round:
 *     then no message is of a later round, and all are in the group, and in a static one, as they were when they joined. With a
 *     file none ends before that is there
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { NUMBER = 5, NOTHING = 6, MOST = 64 };

static int tids[MOST], expected[MOST], ulps;
static char *group, fixed[80];
static int instance, place;

static int take(int round) {
  int wrong = 0;
  for (int mid; (mid = pvm_nrecv(-1, NUMBER)) > 0;) {
    int bytes, tag, from, number;
    pvm_bufinfo(mid, &bytes, &tag, &from);
    pvm_upkint(&number, 1, 1);
    for (int i = 0; i < ulps; i++)
      if (tids[i] == from) wrong += number != expected[i]++;
    wrong += group != NULL && number > round;
  }
  return wrong;
}

static void join(void) {
  snprintf(fixed, sizeof fixed, "%s, static", group);
  instance = pvm_joingroup(group);
  place = pvm_joingroup(fixed);
  if (pvm_freezegroup(fixed, ulps) != ulps) place = -1;
}

static int meet(int round) {
  int wrong = pvm_barrier(group, ulps) != 0;
  if (round % 16 != 0) return wrong;
  wrong += pvm_getinst(fixed, pvm_mytid()) != place || pvm_gettid(fixed, place) != pvm_mytid();
  wrong += pvm_getinst(group, pvm_mytid()) != instance || pvm_gsize(fixed) != ulps;
  return wrong;
}

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 100;
  const size_t bytes = argc > 2 ? (size_t)atoi(argv[2]) : 100000;
  int *siblings, wrong = 0, me = 0;
  uint8_t *held = malloc(bytes);
  ulps = pvm_siblings(&siblings);
  for (int i = 0; i < ulps && i < MOST; i++) {
    tids[i] = siblings[i];
    if (siblings[i] == pvm_mytid()) me = i;
  }
  if (argc > 3 && strcmp(argv[3], "-") != 0) {
    group = argv[3];
    join();
  }
  uint32_t x = (uint32_t)me + 1;
  for (size_t i = 0; i < bytes; i++) held[i] = (uint8_t)(x = x * 1664525u + 1013904223u);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < 200000; i++) x = x * 1664525u + held[x % bytes];
    held[x % bytes] += (uint8_t)round;
    for (int i = 0; i < ulps; i++) {
      if (i == me) continue;
      pvm_initsend(PvmDataDefault);
      pvm_pkint(&round, 1, 1);
      pvm_send(tids[i], NUMBER);
    }
    wrong += take(round);
    if (group != NULL) wrong += meet(round);
    struct timeval wait = {0, 3000};
    pvm_trecv(-1, NOTHING, &wait);
  }
  for (FILE *door = NULL; argc > 4 && (door = fopen(argv[4], "r")) == NULL;) {
    struct timeval wait = {0, 20000};
    pvm_trecv(-1, NOTHING, &wait);
  }
  for (size_t i = 0; i < bytes; i++) x = x * 31 + held[i];
  printf("ULP %d: %08x, %s\n", me, x, wrong == 0 ? "all in order" : "out of order");
  return wrong != 0;
}
