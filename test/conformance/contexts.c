/* Contexts, and message handlers. */
#include "conform.h"

static void newcontext(void) {
  int a, b;
  ID(a = pvm_newcontext());
  ID(b = pvm_newcontext());
  IS(a != b);
  CALL(pvm_getcontext());
  CALL(pvm_freecontext(a));
  CALL(pvm_freecontext(b));
}

static void setcontext(void) {
  int a = pvm_newcontext();
  CALL(pvm_setcontext(a));
  IS(pvm_getcontext() == a);
  IS(pvm_setcontext(0) == a);
  CALL(pvm_getcontext());
  CALL(pvm_setcontext(-1));
  pvm_setcontext(0);
  CALL(pvm_setcontext(a + 100));
  pvm_freecontext(a);
}

static void freecontext(void) {
  int a = pvm_newcontext();
  CALL(pvm_freecontext(a));
  CALL(pvm_freecontext(a));
  CALL(pvm_freecontext(-1));
  CALL(pvm_freecontext(987654));
  a = pvm_newcontext();
  pvm_setcontext(a);
  CALL(pvm_freecontext(a));
  IS(pvm_getcontext() == a);
}

/* No wildcard crosses a context. */
static void separate(void) {
  int a = pvm_newcontext();
  struct pvmminfo info;
  to_self(1, 10);
  CALL(pvm_setcontext(a));
  IS(stays_away(-1, -1));
  CALL(pvm_probe(-1, -1));
  to_self(1, 20);
  pvm_setcontext(0);
  ID(pvm_recv(-1, -1));
  CALL(told());
  CALL(pvm_nrecv(-1, -1));
  pvm_setcontext(a);
  ID(pvm_recv(-1, 1));
  CALL(told());
  pvm_getminfo(pvm_getrbuf(), &info);
  IS(info.ctx == a);
  pvm_setcontext(0);
  pvm_freecontext(a);
}

/* A message's context is that of the sender when it sends. */
static void inherited(void) {
  int a = pvm_newcontext(), tid, child;
  pvm_setcontext(a);
  CALL(start("-tells-context", 1, &tid));
  child = hear(tid, 1);
  IS(child == a);
  pvm_setcontext(0);
  CALL(pvm_nrecv(tid, 1));
  IS(stays_away(tid, 1));
  pvm_freecontext(a);
}
static void tells_context(void) { tell(pvm_parent(), 1, pvm_getcontext()); }

static int handled, handled_tag, handled_value, inside_recv;
static int handler(int mid) {
  int tag;
  handled++;
  pvm_bufinfo(mid, NULL, &tag, NULL);
  handled_tag = tag;
  handled_value = told();
  return 0;
}
static int replier(int mid) {
  int bytes, tag, tid;
  pvm_bufinfo(mid, &bytes, &tag, &tid);
  inside_recv = told();
  tell(tid, 99, inside_recv + 1);
  return 0;
}

static void addmhf(void) {
  int mhf, again;
  ID((mhf = pvm_addmhf(-1, 50, -1, handler)) + 1);
  again = pvm_addmhf(-1, 50, -1, handler);
  CALL(again);
  CALL(pvm_addmhf(pvm_mytid(), 50, -1, handler) >= 0);
  tell(pvm_mytid(), 50, 5);
  tell(pvm_mytid(), 51, 6);
  CALL(hear(-1, 51));
  CALL(handled);
  CALL(handled_tag);
  CALL(handled_value);
  CALL(pvm_nrecv(-1, 50));
  CALL(pvm_delmhf(mhf));
}

/* A handler may pack and send; what the task had in hand is as it was. */
static void handler_sends(void) {
  int mhf, sbuf, rbuf, n = 1;
  mhf = pvm_addmhf(-1, 60, -1, replier);
  to_self(10, 111);
  rbuf = pvm_recv(-1, 10);
  sbuf = pvm_initsend(PvmDataRaw);
  pvm_pkint(&n, 1, 1);
  pvm_send(pvm_mytid(), 60);
  CALL(hear(-1, 99));
  CALL(inside_recv);
  IS(pvm_getsbuf() == sbuf);
  IS(rbuf > 0);
  CALL(pvm_delmhf(mhf));
}

static void delmhf(void) {
  int mhf = pvm_addmhf(-1, 50, -1, handler);
  CALL(pvm_delmhf(mhf));
  CALL(pvm_delmhf(mhf));
  CALL(pvm_delmhf(-1));
  CALL(pvm_delmhf(4711));
  tell(pvm_mytid(), 50, 7);
  CALL(hear(-1, 50));
  CALL(handled);
  IS(pvm_addmhf(-1, 50, -1, handler) == mhf);
}

/* A handler of one source or one context takes only what matches. */
static void handler_matches(void) {
  int other = pvm_newcontext(), a, b;
  a = pvm_addmhf(NO_TASK, 70, -1, handler);
  b = pvm_addmhf(-1, 71, other, handler);
  IS(a != b);
  tell(pvm_mytid(), 70, 1);
  CALL(hear(-1, 70));
  tell(pvm_mytid(), 71, 2);
  CALL(hear(-1, 71));
  CALL(handled);
  pvm_setcontext(other);
  tell(pvm_mytid(), 71, 3);
  pvm_setcontext(0);
  tell(pvm_mytid(), 72, 4);
  CALL(hear(-1, 72));
  CALL(handled);
  CALL(handled_value);
  CALL(pvm_delmhf(a));
  CALL(pvm_delmhf(b));
  pvm_freecontext(other);
}

/* What is no source, no tag, no context; and how much two handlers may have in common. */
static void handler_errors(void) {
  int mhf = pvm_addmhf(pvm_mytid(), 80, 3, handler);
  CALL(pvm_addmhf(pvm_mytid(), 80, 3, replier));
  CALL(pvm_addmhf(-1, 80, 3, handler));
  CALL(pvm_addmhf(pvm_mytid(), 80, -1, handler));
  CALL(pvm_addmhf(pvm_mytid(), -1, 3, handler));
  IS(pvm_addmhf(NO_TASK, 80, 3, handler) > mhf);
  IS(pvm_addmhf(pvm_mytid(), 81, 3, handler) > mhf);
  IS(pvm_addmhf(pvm_mytid(), 80, 4, handler) > mhf);
  IS(pvm_addmhf(-2, 82, 3, handler) > mhf);
  IS(pvm_addmhf(0, 83, 3, handler) > mhf);
  IS(pvm_addmhf(-1, -2, 3, handler) > mhf);
  IS(pvm_addmhf(-1, 84, -2, handler) > mhf);
  IS(pvm_addmhf(-1, 85, 3, NULL) > mhf);
  CALL(pvm_delmhf(-2));
  CALL(pvm_delmhf(mhf));
  CALL(pvm_delmhf(mhf));
}

/* A handler that takes every tag. */
static void handler_wildcard(void) {
  int mhf;
  CALL(pvm_addmhf(-1, -1, -1, handler));
  CALL((mhf = pvm_addmhf(-1, -1, 0, handler)) >= 0);
  tell(pvm_mytid(), 5, 1);
  tell(pvm_mytid(), 6, 2);
  IS(stays_away(-1, -1));
  CALL(handled);
  CALL(handled_tag);
  CALL(pvm_delmhf(mhf));
}

static const struct part PARTS[] = {
    {"pvm_newcontext", newcontext},   {"pvm_setcontext", setcontext},   {"pvm_freecontext", freecontext},
    {"separate", separate},           {"inherited", inherited},         {"-tells-context", tells_context},
    {"pvm_addmhf", addmhf},           {"handler-sends", handler_sends}, {"pvm_delmhf", delmhf},
    {"handler-matches", handler_matches}, {"handler-wildcard", handler_wildcard},
    {"handler-errors", handler_errors},
};
CONFORM(PARTS)
