/* Groups: members and instances, barrier, broadcast, gather, scatter, reduce. */
#include "conform.h"

enum { GO = 1, DONE = 2 };
/* Children in a group: each joins, and says its instance. */
static int tids[4];
static int members(const char *role, int count) {
  int i, started = start(role, count, tids);
  for (i = 0; i < started; i++) hear(tids[i], GO);
  return started;
}
static void let_go(int count) {
  int i;
  for (i = 0; i < count; i++) tell(tids[i], GO, 0);
}
static void joins(void) {
  tell(pvm_parent(), GO, pvm_joingroup("conform shared"));
  pvm_recv(pvm_parent(), GO);
  pvm_lvgroup("conform shared");
}

static void joingroup(void) {
  CALL(pvm_joingroup("conform a"));
  CALL(pvm_joingroup("conform a"));
  CALL(pvm_joingroup("conform b"));
  CALL(pvm_joingroup(""));
  CALL(pvm_joingroup(NULL));
  CALL(pvm_lvgroup("conform a"));
  CALL(pvm_joingroup("conform a"));
  CALL(pvm_lvgroup("conform a"));
  CALL(pvm_lvgroup("conform b"));
}

static void lvgroup(void) {
  CALL(pvm_lvgroup("conform none"));
  pvm_joingroup("conform a");
  CALL(pvm_lvgroup("conform a"));
  CALL(pvm_lvgroup("conform a"));
  CALL(pvm_lvgroup(""));
  CALL(pvm_lvgroup(NULL));
}

static void getinst(void) {
  members("-joins", 2);
  CALL(pvm_joingroup("conform shared"));
  CALL(pvm_getinst("conform shared", pvm_mytid()));
  CALL(pvm_getinst("conform shared", tids[0]) + pvm_getinst("conform shared", tids[1]));
  CALL(pvm_getinst("conform shared", NO_TASK));
  CALL(pvm_getinst("conform none", pvm_mytid()));
  CALL(pvm_getinst("", pvm_mytid()));
  CALL(pvm_getinst(NULL, pvm_mytid()));
  CALL(pvm_getinst("conform shared", 0));
  CALL(pvm_lvgroup("conform shared"));
  let_go(2);
}

static void gettid(void) {
  int a, b;
  members("-joins", 2);
  CALL(pvm_joingroup("conform shared"));
  IS(pvm_gettid("conform shared", 2) == pvm_mytid());
  a = pvm_gettid("conform shared", 0), b = pvm_gettid("conform shared", 1);
  IS((a == tids[0] && b == tids[1]) || (a == tids[1] && b == tids[0]));
  CALL(pvm_gettid("conform shared", 3));
  CALL(pvm_gettid("conform shared", -1));
  CALL(pvm_gettid("conform none", 0));
  CALL(pvm_gettid("", 0));
  CALL(pvm_gettid(NULL, 0));
  CALL(pvm_lvgroup("conform shared"));
  let_go(2);
}

static void gsize(void) {
  CALL(pvm_gsize("conform shared"));
  members("-joins", 2);
  CALL(pvm_gsize("conform shared"));
  CALL(pvm_joingroup("conform shared"));
  CALL(pvm_gsize("conform shared"));
  CALL(pvm_lvgroup("conform shared"));
  CALL(pvm_gsize("conform shared"));
  CALL(pvm_gsize(""));
  CALL(pvm_gsize(NULL));
  let_go(2);
}

/* The lowest instance that is free goes to the next who joins. */
static void instances(void) {
  int i;
  for (i = 0; i < 3; i++) {
    start("-joins", 1, &tids[i]);
    CALL(hear(tids[i], GO));
  }
  CALL(pvm_notify(PvmTaskExit, 9, 1, &tids[1]));
  tell(tids[1], GO, 0);
  ID(comes(-1, 9));
  CALL(pvm_joingroup("conform shared"));
  CALL(pvm_gsize("conform shared"));
  CALL(pvm_lvgroup("conform shared"));
  tell(tids[0], GO, 0);
  tell(tids[2], GO, 0);
}

static void barriers(void) {
  pvm_joingroup("conform shared");
  tell(pvm_parent(), GO, 0);
  tell(pvm_parent(), DONE, pvm_barrier("conform shared", 3));
  pvm_recv(pvm_parent(), GO);
  pvm_lvgroup("conform shared");
}
static void barrier(void) {
  pvm_joingroup("conform shared");
  members("-barriers", 2);
  IS(stays_away(-1, DONE));
  CALL(pvm_barrier("conform shared", 3));
  CALL(hear(-1, DONE));
  CALL(hear(-1, DONE));
  CALL(pvm_barrier("conform shared", 1));
  let_go(2);
  CALL(pvm_lvgroup("conform shared"));
  CALL(pvm_barrier("conform none", 1));
  CALL(pvm_joingroup("conform own"));
  CALL(pvm_barrier("conform own", 0));
  CALL(pvm_barrier("conform own", -1));
  CALL(pvm_barrier("", 1));
  CALL(pvm_barrier(NULL, 1));
  CALL(pvm_lvgroup("conform own"));
}

static void bcast_child(void) {
  pvm_joingroup("conform shared");
  tell(pvm_parent(), GO, 0);
  tell(pvm_parent(), DONE, hear(pvm_parent(), 30));
  pvm_recv(pvm_parent(), GO);
  pvm_lvgroup("conform shared");
}
static void bcast(void) {
  int value = 17;
  pvm_joingroup("conform shared");
  members("-bcast", 2);
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&value, 1, 1);
  CALL(pvm_bcast("conform shared", 30));
  CALL(hear(tids[0], DONE) + hear(tids[1], DONE));
  IS(stays_away(-1, 30));
  CALL(pvm_lvgroup("conform shared"));
  let_go(2);
  CALL(pvm_bcast("conform none", 30));
  CALL(pvm_bcast("", 30));
  CALL(pvm_bcast(NULL, 30));
  CALL(pvm_joingroup("conform own"));
  CALL(pvm_bcast("conform own", -1));
  pvm_initsend(PvmDataDefault);
  CALL(pvm_bcast("conform own", 30));
  pvm_setsbuf(0);
  CALL(pvm_bcast("conform own", 30));
  CALL(pvm_lvgroup("conform own"));
}

/* A user's function: the greater of the two by its last digit. */
static void last_digit(int *type, void *x, void *y, int *count, int *info) {
  int i, *a = x, *b = y;
  (void)type;
  for (i = 0; i < *count; i++)
    if (b[i] % 10 > a[i] % 10) a[i] = b[i];
  *info = PvmOk;
}
/* What all members do together; instance 0 is the one that started the others. */
static void together(int me, int *result) {
  int mine[2], all[8], part[2] = {0, 0}, i;
  double real;
  mine[0] = 10 * (me + 1), mine[1] = 10 * (me + 1) + (9 - me);
  for (i = 0; i < 8; i++) all[i] = me == 0 ? 100 + i : 0;
  result[0] = pvm_gather(all, mine, 2, PVM_INT, 40, "conform all", 0);
  if (me == 0)
    for (i = 0; i < 8; i++) printf(" %d", all[i]);
  if (me == 0) printf("\n");
  for (i = 0; i < 8; i++) all[i] = me == 0 ? 200 + i : 0;
  result[1] = pvm_scatter(part, all, 2, PVM_INT, 41, "conform all", 0);
  result[2] = part[0] * 1000 + part[1];
  result[3] = pvm_reduce(PvmSum, mine, 2, PVM_INT, 42, "conform all", 0);
  if (me == 0) printf("sum %d %d\n", mine[0], mine[1]);
  mine[0] = me + 1, mine[1] = -me;
  result[4] = pvm_reduce(PvmMax, mine, 2, PVM_INT, 43, "conform all", 0);
  if (me == 0) printf("max %d %d\n", mine[0], mine[1]);
  mine[0] = me + 1, mine[1] = -me;
  result[5] = pvm_reduce(PvmMin, mine, 2, PVM_INT, 44, "conform all", 0);
  if (me == 0) printf("min %d %d\n", mine[0], mine[1]);
  real = me + 1;
  result[6] = pvm_reduce(PvmProduct, &real, 1, PVM_DOUBLE, 45, "conform all", 0);
  if (me == 0) printf("product %g\n", real);
  mine[0] = 10 * me + (me * 3) % 4, mine[1] = me;
  result[7] = pvm_reduce(last_digit, mine, 2, PVM_INT, 46, "conform all", 0);
  if (me == 0) printf("last digit %d %d\n", mine[0], mine[1]);
}
static void collective(void) {
  int me = pvm_joingroup("conform all"), result[8];
  pvm_barrier("conform all", 4);
  together(me, result);
  pvm_initsend(PvmDataDefault);
  pvm_pkint(result, 8, 1);
  pvm_send(pvm_parent(), me);
  pvm_recv(pvm_parent(), GO);
  pvm_lvgroup("conform all");
}
static void collectives(void) {
  int result[8], i, j;
  CALL(pvm_joingroup("conform all"));
  CALL(start("-collective", 3, tids));
  CALL(pvm_barrier("conform all", 4));
  together(0, result);
  for (i = 0; i < 4; i++) {
    if (i > 0) {
      comes(-1, i);
      pvm_upkint(result, 8, 1);
    }
    for (j = 0; j < 8; j++) printf(" %d", result[j]);
    printf("\n");
  }
  let_go(3);
  CALL(pvm_lvgroup("conform all"));
}

/* Every type that the built-in operators know, alone in a group. */
static void reduce_types(void) {
  char c = 1; short s = 2; int i = 3; long l = 4; float f[2] = {5, 6}; double d[2] = {7, 8}; unsigned u = 9;
  unsigned short us = 10; unsigned long ul = 11;
  CALL(pvm_joingroup("conform own"));
#define EACH(op)                                                          \
  CALL(pvm_reduce(op, &c, 1, PVM_BYTE, 50, "conform own", 0));            \
  CALL(pvm_reduce(op, &s, 1, PVM_SHORT, 51, "conform own", 0));           \
  CALL(pvm_reduce(op, &i, 1, PVM_INT, 52, "conform own", 0));             \
  CALL(pvm_reduce(op, &l, 1, PVM_LONG, 53, "conform own", 0));            \
  CALL(pvm_reduce(op, f, 1, PVM_FLOAT, 54, "conform own", 0));            \
  CALL(pvm_reduce(op, f, 1, PVM_CPLX, 55, "conform own", 0));             \
  CALL(pvm_reduce(op, d, 1, PVM_DOUBLE, 56, "conform own", 0));           \
  CALL(pvm_reduce(op, d, 1, PVM_DCPLX, 57, "conform own", 0));            \
  CALL(pvm_reduce(op, &u, 1, PVM_UINT, 58, "conform own", 0));            \
  CALL(pvm_reduce(op, &us, 1, PVM_USHORT, 59, "conform own", 0));         \
  CALL(pvm_reduce(op, &ul, 1, PVM_ULONG, 60, "conform own", 0))
  EACH(PvmSum);
  EACH(PvmMax);
  printf("%d %d %d %ld %g %g %u %u %lu\n", c, s, i, l, f[0], d[0], u, us, ul);
  CALL(pvm_lvgroup("conform own"));
}

/* The operators themselves, which a program may also call. */
static void operators(void) {
  int types[] = {PVM_SHORT, PVM_INT, PVM_FLOAT, PVM_DOUBLE}, info, count = 2, type, i;
  short sx[2], sy[2]; int ix[2], iy[2]; float fx[4], fy[4]; double dx[4], dy[4];
  void (*ops[4])(int *, void *, void *, int *, int *) = {PvmMax, PvmMin, PvmSum, PvmProduct};
  for (i = 0; i < 4; i++) {
    sx[0] = 2, sx[1] = -5, sy[0] = -3, sy[1] = 4;
    ix[0] = 2, ix[1] = -5, iy[0] = -3, iy[1] = 4;
    fx[0] = 2, fx[1] = -5, fy[0] = -3, fy[1] = 4;
    dx[0] = 2, dx[1] = -5, dy[0] = -3, dy[1] = 4;
    info = -1, type = types[0], ops[i](&type, sx, sy, &count, &info);
    printf("%d: %d %d", info, sx[0], sx[1]);
    info = -1, type = types[1], ops[i](&type, ix, iy, &count, &info);
    printf(", %d: %d %d", info, ix[0], ix[1]);
    info = -1, type = types[2], ops[i](&type, fx, fy, &count, &info);
    printf(", %d: %g %g", info, fx[0], fx[1]);
    info = -1, type = types[3], ops[i](&type, dx, dy, &count, &info);
    printf(", %d: %g %g\n", info, dx[0], dx[1]);
  }
  count = 1;
  fx[0] = 1, fx[1] = 2, fy[0] = 3, fy[1] = 4;
  info = -1, type = PVM_CPLX, PvmSum(&type, fx, fy, &count, &info);
  printf("sum %d: %g %g\n", info, fx[0], fx[1]);
  fx[0] = 1, fx[1] = 2;
  info = -1, PvmProduct(&type, fx, fy, &count, &info);
  printf("product %d: %g %g\n", info, fx[0], fx[1]);
  fx[0] = 1, fx[1] = 2;
  info = -1, PvmMax(&type, fx, fy, &count, &info);
  printf("max %d: %g %g\n", info, fx[0], fx[1]);
  info = -1, type = 99, PvmMax(&type, ix, iy, &count, &info);
  show("max of no type", info);
  info = -1, type = PVM_STR, PvmSum(&type, ix, iy, &count, &info);
  show("sum of strings", info);
}

static void collective_errors(void) {
  int in[2] = {1, 2}, out[2] = {0, 0};
  CALL(pvm_gather(out, in, 1, PVM_INT, 40, "conform none", 0));
  CALL(pvm_joingroup("conform own"));
  CALL(pvm_gather(out, in, 1, PVM_INT, 40, "conform own", 0));
  CALL(out[0]);
  CALL(pvm_gather(out, in, -1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_gather(out, in, 1, 99, 40, "conform own", 0));
  CALL(pvm_gather(out, in, 1, PVM_INT, 40, "conform own", 7));
  CALL(pvm_gather(out, in, 1, PVM_INT, 40, "conform own", -1));
  CALL(pvm_gather(NULL, in, 1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_scatter(out, in, 1, PVM_INT, 40, "conform none", 0));
  CALL(pvm_scatter(out, in, 1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_scatter(out, in, -1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_scatter(out, in, 1, 99, 40, "conform own", 0));
  CALL(pvm_scatter(out, in, 1, PVM_INT, 40, "conform own", 7));
  CALL(pvm_scatter(out, NULL, 1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_reduce(PvmSum, in, 1, PVM_INT, 40, "conform none", 0));
  CALL(pvm_reduce(PvmSum, in, -1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_reduce(PvmSum, in, 1, 99, 40, "conform own", 0));
  CALL(pvm_reduce(PvmSum, in, 1, PVM_INT, 40, "conform own", 7));
  CALL(pvm_reduce(NULL, in, 1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_reduce(PvmSum, NULL, 1, PVM_INT, 40, "conform own", 0));
  CALL(pvm_lvgroup("conform own"));
}

/* A frozen group is known to its members: nobody joins it any more. */
static void freezes(void) {
  pvm_joingroup("conform frozen");
  tell(pvm_parent(), GO, 0);
  tell(pvm_parent(), DONE, pvm_freezegroup("conform frozen", 3));
  pvm_recv(pvm_parent(), GO);
}
static void freezegroup(void) {
  CALL(pvm_joingroup("conform frozen"));
  members("-freezes", 2);
  CALL(pvm_freezegroup("conform frozen", 3));
  CALL(hear(tids[0], DONE));
  CALL(hear(tids[1], DONE));
  CALL(pvm_gsize("conform frozen"));
  IS(pvm_gettid("conform frozen", 0) == pvm_mytid());
  CALL(pvm_getinst("conform frozen", pvm_mytid()));
  CALL(pvm_joingroup("conform frozen"));
  CALL(pvm_freezegroup("conform frozen", 3));
  CALL(pvm_lvgroup("conform frozen"));
  let_go(2);
  CALL(pvm_freezegroup("conform none", 1));
  CALL(pvm_freezegroup("", 1));
  CALL(pvm_freezegroup(NULL, 1));
}

/* What is no member's to do, and of what size a group can be frozen. */
static void member_errors(void) {
  CALL(members("-joins", 1));
  CALL(pvm_lvgroup("conform shared"));
  CALL(pvm_freezegroup("conform shared", 1));
  CALL(pvm_barrier("conform shared", 2));
  CALL(pvm_gsize("conform shared"));
  CALL(pvm_joingroup("conform own"));
  CALL(pvm_freezegroup("conform own", 0));
  CALL(pvm_freezegroup("conform own", -2));
  CALL(pvm_freezegroup("conform own", 1));
  CALL(pvm_freezegroup("conform own", 1));
  CALL(pvm_lvgroup("conform own"));
  CALL(pvm_joingroup("conform now"));
  CALL(pvm_freezegroup("conform now", -1));
  CALL(pvm_lvgroup("conform now"));
  let_go(1);
}

static const struct part PARTS[] = {
    {"pvm_joingroup", joingroup}, {"pvm_lvgroup", lvgroup}, {"pvm_getinst", getinst},   {"pvm_gettid", gettid},
    {"pvm_gsize", gsize},         {"instances", instances}, {"pvm_barrier", barrier},   {"-barriers", barriers},
    {"pvm_bcast", bcast},         {"-bcast", bcast_child},  {"collectives", collectives}, {"-collective", collective},
    {"reduce-types", reduce_types}, {"operators", operators}, {"collective-errors", collective_errors},
    {"pvm_freezegroup", freezegroup}, {"-freezes", freezes}, {"member-errors", member_errors}, {"-joins", joins},
};
CONFORM(PARTS)
