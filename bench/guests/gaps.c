/*
 * How long ULPs do not run while another one, of their process, comes or goes.
 *
 *     gaps BYTES SECONDS      four ULPs on two hosts, in a block: 0 and 1 on the first, 2 and 3 on the second
 *
 * 0 has so many bytes of state and waits: it is moved from outside. 1 and 2 compute and look at the clock all the time, and print
 * what gaps they saw at the end (gaps.h).
 */
#include <pvm3.h>
#include <stdlib.h>

#include "gaps.h"

#define TAG_END 1

int main(int argc, char **argv) {
  size_t bytes = argc > 1 ? (size_t)atol(argv[1]) : 0;
  double seconds = argc > 2 ? atof(argv[2]) : 1;
  int *tids, rank = 0, count = pvm_siblings(&tids);
  if (count != 4) return 1;
  while (tids[rank] != pvm_mytid()) rank++;
  if (rank == 1 || rank == 2) {
    watch(seconds);
    tell(rank);
    pvm_initsend(PvmDataDefault);
    pvm_send(tids[0], TAG_END);
    pvm_initsend(PvmDataDefault);
    pvm_send(tids[3], TAG_END);
    return 0;
  }
  if (rank == 0) {
    uint32_t *state = malloc(bytes), x = 1;
    if (state == NULL) return 1;
    for (size_t i = 0; i < bytes / sizeof *state; i++) state[i] = x = x * 1664525u + 1013904223u;
    printf("ready\n");
    fflush(stdout);
  }
  pvm_recv(-1, TAG_END);
  pvm_recv(-1, TAG_END);
  return 0;
}
