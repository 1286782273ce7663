/*
 * Starts the same message-passing program on upvm and on PVM 3.4: `N` tasks that know each other.
 *
 *     PROGRAM N ROUTE ...      ROUTE: "direct" or "daemon" for PVM; upvm passes it over
 *
 * On upvm all N exist when main begins. On PVM the first spawns the others with its own arguments.
 */
#ifndef SPMD_H
#define SPMD_H
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct spmd {
  int count;
  int rank;
  int *tids;
};

#ifdef __wasm__
static inline struct spmd spmd_start(int argc, char **argv) {
  struct spmd s = {0, 0, NULL};
  int me = pvm_mytid();
  (void)argc, (void)argv;
  s.count = pvm_siblings(&s.tids);
  while (s.tids[s.rank] != me) s.rank++;
  return s;
}
#else
#define SPMD_TAG 4711
static inline struct spmd spmd_start(int argc, char **argv) {
  struct spmd s = {argc > 1 ? atoi(argv[1]) : 1, 0, NULL};
  int me = pvm_mytid(), parent = pvm_parent();
  pvm_setopt(PvmRoute, argc > 2 && strcmp(argv[2], "direct") == 0 ? PvmRouteDirect : PvmDontRoute);
  s.tids = malloc(sizeof *s.tids * (size_t)s.count);
  if (parent < 0) {
    const char *slash = strrchr(argv[0], '/');
    s.tids[0] = me;
    if (s.count == 1) return s;
    int got = pvm_spawn((char *)(slash ? slash + 1 : argv[0]), argv + 1, PvmTaskDefault, "", s.count - 1,
                        s.tids + 1);
    if (got != s.count - 1) {
      fprintf(stderr, "pvm_spawn started %d of %d tasks\n", got, s.count - 1);
      pvm_exit();
      exit(1);
    }
    pvm_initsend(PvmDataDefault);
    pvm_pkint(s.tids, s.count, 1);
    pvm_mcast(s.tids + 1, s.count - 1, SPMD_TAG);
  } else {
    pvm_recv(parent, SPMD_TAG);
    pvm_upkint(s.tids, s.count, 1);
    while (s.tids[s.rank] != me) s.rank++;
  }
  return s;
}
#endif
#endif
