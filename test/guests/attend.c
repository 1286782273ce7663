/*
 * For test/real/many-hosts.test.ts and migrate.test.ts: message handlers run while their ULP waits in a barrier. In each round
 * one ULP asks all others, who wait in the barrier already, and comes to it when their handlers have answered: if these did not
 * run, the program would never end.
 *
 *     attend [ROUNDS]
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUESTION = 5, ANSWER = 6 };

static int handled, wrong, me;

static int on_question(int mid) {
  int bytes, tag, from, round;
  pvm_bufinfo(mid, &bytes, &tag, &from);
  pvm_upkint(&round, 1, 1);
  /* Asks the virtual machine, whose answer to the barrier is still to come. */
  wrong += pvm_gettid("attend", pvm_getinst("attend", from)) != from;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&round, 1, 1);
  pvm_send(from, ANSWER);
  handled++;
  return 0;
}

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 10;
  int *tids, ulps = pvm_siblings(&tids);
  while (tids[me] != pvm_mytid()) me++;
  pvm_addmhf(-1, QUESTION, -1, on_question);
  pvm_joingroup("attend");
  wrong += pvm_freezegroup("attend", ulps) != ulps;
  for (int round = 0; round < rounds; round++) {
    if (round % ulps == me) {
      pvm_initsend(PvmDataDefault);
      pvm_pkint(&round, 1, 1);
      for (int i = 0; i < ulps; i++)
        if (i != me) pvm_send(tids[i], QUESTION);
      for (int i = 0; i < ulps - 1; i++) {
        int answered;
        pvm_recv(-1, ANSWER);
        pvm_upkint(&answered, 1, 1);
        wrong += answered != round;
      }
    }
    wrong += pvm_barrier("attend", ulps) != 0;
  }
  printf("ULP %d: handled %d, wrong %d\n", me, handled, wrong);
  return wrong != 0;
}
