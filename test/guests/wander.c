/*
 * For test/real/migrate.test.ts: computes, sleeps and sends numbered messages to all others, and checks those that come: none
 * lost, doubled or overtaken. Waits for nobody, so that it ends whoever is lost. One line at the end.
 *
 *     wander [ROUNDS] [BYTES]: so much memory is kept in use
 */
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { NUMBER = 5, NOTHING = 6, MOST = 64 };

static int tids[MOST], expected[MOST], ulps;

static int take(void) {
  int wrong = 0;
  for (int mid; (mid = pvm_nrecv(-1, NUMBER)) > 0;) {
    int bytes, tag, from, number;
    pvm_bufinfo(mid, &bytes, &tag, &from);
    pvm_upkint(&number, 1, 1);
    for (int i = 0; i < ulps; i++)
      if (tids[i] == from) wrong += number != expected[i]++;
  }
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
    wrong += take();
    struct timeval wait = {0, 3000};
    pvm_trecv(-1, NOTHING, &wait);
  }
  for (size_t i = 0; i < bytes; i++) x = x * 31 + held[i];
  printf("ULP %d: %08x, %s\n", me, x, wrong == 0 ? "all in order" : "out of order");
  return wrong != 0;
}
