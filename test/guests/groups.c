/* Groups and what they do together; groups.ts is the same program and prints the same, whichever runs in each ULP. */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *GROUP = "all of us";
static int me, count;

#define SAY(...) (me == 0 ? printf(__VA_ARGS__) : 0)

/* All are in the group, and stay. Instance 0 alone prints. */
static void join(int ulps) {
  me = pvm_joingroup((char *)GROUP);
  pvm_barrier(GROUP, ulps);
  count = pvm_gsize(GROUP);
  int right = pvm_gettid(GROUP, me) == pvm_mytid() && pvm_getinst(GROUP, pvm_mytid()) == me;
  SAY("%d members, own instance %s\n", count, right ? "right" : "wrong");
  SAY("again %d, size of none %d, of another %d\n", pvm_joingroup(GROUP), pvm_gsize("none"),
      pvm_gsize("other"));
}

/* The root is the last: it gets 10 * instance + 0, 1, 2. */
static void gather(void) {
  int mine[3], all[3 * 64], sum = 0, root = count - 1;
  memset(all, 0, sizeof all);
  for (int i = 0; i < 3; i++) mine[i] = 10 * me + i;
  int code = pvm_gather(all, mine, 3, PVM_INT, 5, GROUP, root);
  int right = 1;
  for (int i = 0; i < 3 * count; i++) right &= all[i] == (me == root ? 10 * (i / 3) + i % 3 : 0);
  right &= code == PvmOk;
  pvm_reduce(PvmMin, &right, 1, PVM_INT, 5, GROUP, 0);
  for (int i = 0; i < 3 * count; i++) sum += all[i];
  pvm_gather(all, &sum, 1, PVM_INT, 6, GROUP, 0);
  SAY("gathered: %s, %s\n", right ? "right" : "wrong", all[count - 1] == 15 * count * count - 12 * count ? "all of it" : "not all");
}

static void scatter(void) {
  double part[2] = {0, 0}, all[2 * 64], sum[2];
  for (int i = 0; i < 2 * 64; i++) all[i] = me == 0 ? i + 0.5 : -1;
  pvm_scatter(part, all, 2, PVM_DOUBLE, 7, GROUP, 0);
  int right = part[0] == 2 * me + 0.5 && part[1] == 2 * me + 1.5;
  memcpy(sum, part, sizeof sum);
  pvm_reduce(PvmSum, sum, 2, PVM_DOUBLE, 8, GROUP, 0);
  pvm_reduce(PvmMin, &right, 1, PVM_INT, 8, GROUP, 0);
  int wanted = count * (count - 1);
  SAY("scattered: %s, %s\n", right ? "right" : "wrong",
      sum[0] == wanted + 0.5 * count && sum[1] == wanted + 1.5 * count ? "right" : "wrong");
}

/* One number of a type by four operators, in each member its instance and 2. */
#define OPERATORS(T, type, name)                                                \
  {                                                                             \
    T a = (T)(me + 2), b = a, c = a, d = a;                                     \
    pvm_reduce(PvmMax, &a, 1, type, 9, GROUP, 0);                               \
    pvm_reduce(PvmMin, &b, 1, type, 9, GROUP, 0);                               \
    pvm_reduce(PvmSum, &c, 1, type, 9, GROUP, 0);                               \
    pvm_reduce(PvmProduct, &d, 1, type, 9, GROUP, 0);                           \
    SAY("%s: %d %d %d %d\n", name, (int)a, (int)b, (int)c, (int)d);             \
  }
static void operators(void) {
  OPERATORS(short, PVM_SHORT, "i16")
  OPERATORS(int, PVM_INT, "i32")
  OPERATORS(long long, PVM_INT64, "i64")
  OPERATORS(float, PVM_FLOAT, "f32")
  OPERATORS(double, PVM_DOUBLE, "f64")
}

/* Neither commutative nor associative: shows the order. */
static void digits(int *type, void *x, void *y, int *num, int *info) {
  for (int i = 0; i < *num; i++) ((int *)x)[i] = ((int *)x)[i] * 10 + ((int *)y)[i];
  *info = *type == PVM_INT ? PvmOk : PvmBadParam;
}
static void own_operator(void) {
  int digit[2] = {me, me + 1};
  pvm_reduce(digits, digit, 2, PVM_INT, 10, GROUP, count - 1);
  if (me == count - 1) pvm_psend(pvm_gettid(GROUP, 0), 11, digit, 2, PVM_INT);
  if (me == 0) pvm_precv(-1, 11, digit, 2, PVM_INT, NULL, NULL, NULL);
  SAY("in order of instances: %d %d\n", digit[0], digit[1]);
}

/* A message of the program with the same tag is not taken for one of a collective, and the other way round. */
static void undisturbed(void) {
  int value = 1, next = pvm_gettid(GROUP, (me + 1) % count);
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&me, 1, 1);
  pvm_send(next, 12);
  int sbuf = pvm_getsbuf(), rbuf = pvm_getrbuf();
  pvm_reduce(PvmSum, &value, 1, PVM_INT, 12, GROUP, 0);
  SAY("sum %d, buffers %s\n", value, sbuf == pvm_getsbuf() && rbuf == pvm_getrbuf() ? "kept" : "changed");
  pvm_recv(-1, 12);
  pvm_upkint(&value, 1, 1);
  SAY("from %d of %d, then %d\n", value == count - 1, 1, pvm_nrecv(-1, 12));
  if (me == 0) {
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&count, 1, 1);
    pvm_bcast(GROUP, 13);
  } else {
    pvm_recv(pvm_gettid(GROUP, 0), 13);
    pvm_upkint(&value, 1, 1);
  }
  value = me == 0 || value == count;
  pvm_reduce(PvmProduct, &value, 1, PVM_INT, 14, GROUP, 0);
  SAY("broadcast: %s\n", value ? "right" : "wrong");
}

/* Arguments: how many there will be, if not only those started together; and a program for the others. */
int main(int argc, char **argv) {
  int *tids, together = pvm_siblings(&tids), ulps = argc > 1 ? atoi(argv[1]) : together;
  char *only_number[] = {argv[1], NULL};
  if (argc > 2 && tids[0] == pvm_mytid()) pvm_spawn(argv[2], only_number, PvmTaskDefault, NULL, ulps - together, NULL);
  join(ulps);
  gather();
  scatter();
  operators();
  own_operator();
  undisturbed();
  pvm_barrier(GROUP, -1);
  int code = pvm_lvgroup(GROUP);
  SAY("left %d\n", code);
  return 0;
}
