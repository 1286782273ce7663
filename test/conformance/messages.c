/* Sending and receiving: wildcards, limits, order, psend and precv, a matching function. */
#include "conform.h"

static int number = 7;
enum { GO = 1, ANSWER = 2 };

/* Answers each GO with twice its int, until the int is 0. */
static void echo(void) {
  int n;
  for (;;) {
    pvm_recv(pvm_parent(), GO);
    pvm_upkint(&n, 1, 1);
    if (n == 0) return;
    tell(pvm_parent(), ANSWER, 2 * n);
  }
}

static void send(void) {
  int tid;
  pvm_setsbuf(0);
  CALL(pvm_send(pvm_mytid(), 1));
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&number, 1, 1);
  CALL(pvm_send(pvm_mytid(), 1));
  CALL(pvm_send(pvm_mytid(), 0));
  CALL(pvm_send(pvm_mytid(), -1));
  CALL(pvm_send(0, 1));
  CALL(pvm_send(-1, 1));
  CALL(pvm_send(NO_TASK, 1));
  CALL(pvm_send(pvm_mytid(), 0x7fffffff));
  ID(pvm_recv(-1, 1));
  CALL(told());
  ID(pvm_recv(-1, 0));
  ID(pvm_recv(-1, 0x7fffffff));
  CALL(start("-echo", 1, &tid));
  CALL(tell(tid, GO, 21));
  CALL(hear(tid, ANSWER));
  CALL(tell(tid, GO, 0));
}

/* A buffer can be sent often, and packed further in between. */
static void send_again(void) {
  int i, more = 8;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&number, 1, 1);
  for (i = 0; i < 3; i++) CALL(pvm_send(pvm_mytid(), i + 1));
  pvm_pkint(&more, 1, 1);
  CALL(pvm_send(pvm_mytid(), 9));
  for (i = 3; i > 0; i--) CALL(hear(-1, i));
  CALL(told());
  CALL(hear(-1, 9));
  CALL(told());
}

static void recv(void) {
  int b;
  tell(pvm_mytid(), 1, 10);
  tell(pvm_mytid(), 2, 20);
  tell(pvm_mytid(), 1, 11);
  ID(pvm_recv(-1, 2));
  CALL(told());
  ID(pvm_recv(pvm_mytid(), 1));
  CALL(told());
  ID(b = pvm_recv(pvm_mytid(), -1));
  CALL(told());
  IS(pvm_getrbuf() == b);
}

static void nrecv(void) {
  int r;
  CALL(pvm_nrecv(-1, -1));
  to_self(4, 40);
  CALL(pvm_nrecv(-1, 5));
  CALL(pvm_nrecv(NO_TASK, 4));
  ID(r = pvm_nrecv(pvm_mytid(), 4));
  IS(pvm_getrbuf() == r);
  CALL(told());
  CALL(pvm_nrecv(-1, 4));
  CALL(pvm_getrbuf());
  CALL(pvm_nrecv(-2, 4));
  CALL(pvm_nrecv(-1, -2));
}

static void trecv(void) {
  struct timeval none = conform_time(0, 0), little = conform_time(0, 50000), bad = conform_time(-1, 0),
                 worse = conform_time(0, -1);
  CALL(pvm_trecv(-1, -1, &none));
  CALL(pvm_trecv(-1, 3, &little));
  to_self(3, 30);
  ID(pvm_trecv(-1, 3, &little));
  CALL(told());
  to_self(3, 31);
  ID(pvm_trecv(-1, 3, NULL));
  CALL(told());
  CALL(pvm_trecv(-1, 3, &bad));
  CALL(pvm_trecv(-1, 3, &worse));
  CALL(pvm_trecv(-2, 3, &none));
  CALL(pvm_trecv(-1, -2, &none));
}

static void probe(void) {
  int bytes, tag, tid, found;
  CALL(pvm_probe(-1, -1));
  to_self(4, 40);
  to_self(5, 50);
  CALL(pvm_probe(-1, 6));
  ID(found = pvm_probe(-1, -1));
  CALL(pvm_bufinfo(found, &bytes, &tag, &tid));
  CALL(tag);
  IS(tid == pvm_mytid());
  ID(found = pvm_probe(pvm_mytid(), 5));
  pvm_bufinfo(found, &bytes, &tag, &tid);
  CALL(tag);
  CALL(pvm_getrbuf());
  IS(pvm_recv(-1, 5) == found);
  CALL(told());
  CALL(pvm_probe(-1, 5));
  CALL(pvm_probe(-2, 5));
  CALL(pvm_probe(-1, -2));
}

static void mcast(void) {
  int tids[3], list[5], i, sum = 0;
  CALL(start("-echo", 3, tids));
  list[0] = tids[0], list[1] = tids[1], list[2] = tids[2], list[3] = tids[1], list[4] = pvm_mytid();
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&number, 1, 1);
  CALL(pvm_mcast(list, 5, GO));
  for (i = 0; i < 3; i++) sum += hear(-1, ANSWER);
  CALL(sum);
  IS(stays_away(-1, ANSWER));
  IS(stays_away(-1, GO));
  CALL(pvm_mcast(list, 0, GO));
  CALL(pvm_mcast(list, -1, GO));
  CALL(pvm_mcast(list, 3, -1));
  list[1] = NO_TASK;
  CALL(pvm_mcast(list, 3, GO));
  sum = hear(-1, ANSWER) + hear(-1, ANSWER);
  CALL(sum);
  list[1] = 0;
  CALL(pvm_mcast(list, 3, GO));
  list[1] = -5;
  CALL(pvm_mcast(list, 3, GO));
  pvm_setsbuf(0);
  CALL(pvm_mcast(tids, 3, GO));
  for (i = 0; i < 3; i++) tell(tids[i], GO, 0);
}

static void psend(void) {
  int ints[3] = {1, 2, 3}, got[3] = {0, 0, 0}, tid, tag, len;
  CALL(pvm_psend(pvm_mytid(), 5, ints, 3, PVM_INT));
  CALL(pvm_getsbuf());
  CALL(pvm_precv(-1, 5, got, 3, PVM_INT, &tid, &tag, &len));
  printf(" %d %d %d\n", got[0], got[1], got[2]);
  IS(tid == pvm_mytid());
  CALL(tag);
  CALL(len);
  CALL(pvm_getrbuf());
  CALL(pvm_psend(pvm_mytid(), -1, ints, 3, PVM_INT));
  CALL(pvm_psend(-1, 5, ints, 3, PVM_INT));
  CALL(pvm_psend(0, 5, ints, 3, PVM_INT));
  CALL(pvm_psend(pvm_mytid(), 5, ints, -1, PVM_INT));
  CALL(pvm_psend(pvm_mytid(), 5, ints, 3, 99));
  CALL(pvm_psend(pvm_mytid(), 5, ints, 3, -1));
  CALL(pvm_psend(NO_TASK, 5, ints, 3, PVM_INT));
  CALL(pvm_psend(pvm_mytid(), 6, ints, 0, PVM_INT));
  CALL(pvm_precv(-1, 6, got, 3, PVM_INT, &tid, &tag, &len));
  CALL(len);
  CALL(pvm_psend(pvm_mytid(), 7, ints, 2, PVM_INT));
  ID(pvm_recv(-1, 7));
  CALL(pvm_upkint(got, 2, 1));
  CALL(got[1]);
}

static void precv(void) {
  int ints[3] = {1, 2, 3}, got[4] = {0, 0, 0, 0}, tid, tag, len;
  pvm_psend(pvm_mytid(), 5, ints, 3, PVM_INT);
  CALL(pvm_precv(-1, -1, got, 2, PVM_INT, &tid, &tag, &len));
  printf(" %d %d %d\n", got[0], got[1], got[2]);
  CALL(len);
  pvm_psend(pvm_mytid(), 6, ints, 3, PVM_INT);
  CALL(pvm_precv(pvm_mytid(), 6, got, 4, PVM_INT, NULL, NULL, NULL));
  printf(" %d %d %d %d\n", got[0], got[1], got[2], got[3]);
  CALL(pvm_precv(-1, 6, got, 1, 99, NULL, NULL, NULL));
  CALL(pvm_precv(-1, 6, got, 1, -1, NULL, NULL, NULL));
  pvm_initsend(PvmDataRaw);
  pvm_pkint(ints, 3, 1);
  pvm_send(pvm_mytid(), 8);
  CALL(pvm_precv(-1, 8, got, 3, PVM_INT, &tid, &tag, &len));
  CALL(len);
  printf(" %d %d %d\n", got[0], got[1], got[2]);
}

/* psend and precv of every type: the length comes back in bytes. */
static void psend_types(void) {
  char c[3] = "ab", cg[3]; short s[2] = {1, 2}, sg[2]; long l[2] = {3, 4}, lg[2]; float f[4] = {5, 6, 7, 8}, fg[4];
  double d[4] = {1.5, 2.5, 3.5, 4.5}, dg[4]; unsigned u[2] = {9, 10}, ug[2]; unsigned short us[2] = {11, 12}, usg[2];
  unsigned long ul[2] = {13, 14}, ulg[2]; int len, tid, tag; char text[16], words[16] = "some words";
  memset(text, 0, sizeof text);
#define BOTH(type, from, to, count)                                   \
  CALL(pvm_psend(pvm_mytid(), 1, from, count, type));                 \
  CALL(pvm_precv(-1, 1, to, count, type, &tid, &tag, &len));          \
  show_truth("len is its bytes", len == (int)(sizeof(to[0]) * (count) *                       \
            (type == PVM_CPLX || type == PVM_DCPLX ? 2 : 1)));        \
  show_truth("same", memcmp(from, to, (size_t)len) == 0)
  BOTH(PVM_BYTE, c, cg, 2);
  BOTH(PVM_SHORT, s, sg, 2);
  BOTH(PVM_LONG, l, lg, 2);
  BOTH(PVM_FLOAT, f, fg, 2);
  BOTH(PVM_CPLX, f, fg, 2);
  BOTH(PVM_DOUBLE, d, dg, 2);
  BOTH(PVM_DCPLX, d, dg, 2);
  BOTH(PVM_UINT, u, ug, 2);
  BOTH(PVM_USHORT, us, usg, 2);
  BOTH(PVM_ULONG, ul, ulg, 2);
  len = -1;
  CALL(pvm_psend(pvm_mytid(), 2, words, 11, PVM_STR));
  CALL(pvm_precv(-1, 2, text, 16, PVM_STR, &tid, &tag, &len));
  CALL(len);
  TEXT(text);
}

static int matched;
static int seven_first(int bufid, int tid, int tag) {
  int bytes, found_tag, found_tid;
  matched++;
  (void)tid;
  pvm_bufinfo(bufid, &bytes, &found_tag, &found_tid);
  if (found_tag == 7) return 2;
  return tag == -1 || tag == found_tag;
}
static int refuses(int bufid, int tid, int tag) {
  (void)bufid, (void)tid, (void)tag;
  return PvmDenied;
}

static void recvf(void) {
  int (*before)(int, int, int), (*again)(int, int, int);
  to_self(5, 50);
  to_self(6, 60);
  to_self(7, 70);
  before = pvm_recvf(seven_first);
  ID(pvm_recv(-1, -1));
  CALL(told());
  IS(matched > 0);
  ID(pvm_nrecv(-1, 6));
  CALL(told());
  CALL(pvm_probe(-1, 6));
  again = pvm_recvf(refuses);
  IS(again == seven_first);
  CALL(pvm_nrecv(-1, -1));
  IS(pvm_recvf(before) == refuses);
  ID(pvm_nrecv(-1, -1));
  CALL(told());
  again = pvm_recvf(seven_first);
  IS(again == before);
  pvm_recvf((int (*)(int, int, int))0);
  to_self(3, 30);
  ID(pvm_recv(-1, 3));
}

/* Two messages of one sender arrive in the order in which they were sent. */
static void order(void) {
  enum { COUNT = 200 };
  int tid, i, wrong = 0;
  start("-count", 1, &tid);
  for (i = 0; i < COUNT; i++) wrong += hear(tid, -1) != i;
  CALL(wrong);
}
static void count(void) {
  int i;
  for (i = 0; i < 200; i++) tell(pvm_parent(), i % 3 + 1, i);
}

/* Direct routes change nothing that a program sees. */
static void direct(void) {
  int tid, i, sum = 0;
  pvm_setopt(PvmRoute, PvmRouteDirect);
  start("-echo", 1, &tid);
  for (i = 1; i <= 10; i++) {
    tell(tid, GO, i);
    sum += hear(tid, ANSWER);
  }
  CALL(sum);
  tell(tid, GO, 0);
}

/* Tags from 0x7ffffffe down are the system's; with PvmResvTids they can be sent. */
static void reserved(void) {
  pvm_initsend(PvmDataDefault);
  CALL(pvm_send(pvm_mytid(), 0x7ffffffe));
  CALL(pvm_send((int)0x80040000, 1));
  CALL(pvm_setopt(PvmResvTids, 1));
  CALL(pvm_send(pvm_mytid(), -5));
  CALL(pvm_setopt(PvmResvTids, 0));
  CALL(pvm_send(pvm_mytid(), -5));
}

static const struct part PARTS[] = {
    {"pvm_send", send},   {"send-again", send_again}, {"pvm_recv", recv},         {"pvm_nrecv", nrecv},
    {"pvm_trecv", trecv}, {"pvm_probe", probe},       {"pvm_mcast", mcast},       {"pvm_psend", psend},
    {"pvm_precv", precv}, {"psend-types", psend_types}, {"pvm_recvf", recvf},     {"order", order},
    {"direct", direct},   {"reserved", reserved},     {"-echo", echo},            {"-count", count},
};
CONFORM(PARTS)
