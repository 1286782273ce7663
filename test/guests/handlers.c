/* Message handlers and matching functions: when they run, what they may do, what is left afterwards. */
#include <pvm3.h>
#include <stdio.h>

static int me, depth, own_id;

static void say(int tag, int value) {
  int before = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
  pvm_pkint(&value, 1, 1);
  pvm_send(me, tag);
  pvm_freebuf(pvm_setsbuf(before));
}
static int told(void) {
  int value = -1;
  pvm_upkint(&value, 1, 1);
  return value;
}
static int tag_of(int bufid) {
  int tag = -1;
  pvm_bufinfo(bufid, NULL, &tag, NULL);
  return tag;
}

static int tells(int mid) {
  printf("  handler: tag %d, current %d, send buffer %d, context %d", tag_of(mid), pvm_getrbuf() == mid,
         pvm_getsbuf(), pvm_getcontext());
  printf(", value %d\n", told());
  return 7;
}
static int receives(int mid) {
  printf("  in: depth %d, value %d\n", ++depth, told());
  printf("  received %d\n", pvm_recv(-1, 9) > 0 ? told() : -1);
  depth--;
  return 0;
}
static int ends(int mid) {
  printf("  removes itself: %d\n", pvm_delmhf(own_id));
  return pvm_freebuf(mid);
}
static int best(int bufid, int tid, int tag) {
  int found = tag_of(bufid);
  printf("  match %d %d: %d\n", tid, tag, found);
  return found == 203 ? 1 : found > 200 ? found : found == 66 ? PvmBadMsg : 0;
}

static void handlers(void) {
  struct timeval soon = {0, 2000};
  int bufid;
  printf("%d %d", pvm_addmhf(-1, 5, 0, tells), pvm_addmhf(me, 5, 0, tells));
  printf(" %d %d", pvm_addmhf(-1, -1, -1, tells), pvm_addmhf(-1, 51, 3, NULL));
  printf(" %d %d\n", pvm_delmhf(-1), pvm_delmhf(99));
  say(5, 2);
  say(6, 3);
  bufid = pvm_recv(-1, 6);
  printf("recv: %d, current %d\n", told(), pvm_getrbuf() == bufid);
  say(5, 4);
  printf("trecv: %d, buffer %d\n", pvm_trecv(-1, 5, &soon), pvm_getrbuf());
  pvm_setcontext(3);
  say(5, 5);
  pvm_setcontext(0);
  say(5, 6);
  pvm_setcontext(3);
  printf("nrecv: %d, context %d\n", pvm_nrecv(-1, 5) > 0 ? told() : -1, pvm_getcontext());
  pvm_setcontext(0);
  say(20, 7);
  printf("probe: %d\n", pvm_probe(-1, 20) > 0);
  pvm_addmhf(-1, 20, 0, tells);
  printf("probed before: %d\n", pvm_nrecv(-1, 20) > 0 ? told() : -1);
  for (int i = 0; i < 3; i++) say(9, 90 + i);
  pvm_addmhf(-1, 40, -1, receives);
  say(40, 1);
  say(40, 2);
  printf("left: %d %d\n", pvm_nrecv(-1, 41), pvm_nrecv(-1, 9) > 0 ? told() : -1);
  own_id = pvm_addmhf(-1, 45, 0, ends);
  say(45, 1);
  say(45, 2);
  printf("after it: %d %d\n", pvm_nrecv(-1, 46), pvm_nrecv(-1, 45) > 0 ? told() : -1);
}

static void matching(void) {
  struct timeval soon = {0, 2000};
  int tag, value = 0;
  int (*before)(int, int, int) = pvm_recvf(best);
  printf("%d %d\n", before == NULL, pvm_recvf(best) == best);
  say(201, 1);
  say(202, 2);
  pvm_setcontext(8);
  say(204, 3);
  pvm_setcontext(0);
  printf("recv: %d\n", tag_of(pvm_recv(7, 8)));
  say(203, 4);
  say(205, 5);
  printf("nrecv: %d\n", tag_of(pvm_nrecv(1, 2)));
  printf("precv: %d", pvm_precv(1, 2, &value, 1, PVM_INT, NULL, &tag, NULL));
  printf(" %d %d\n", tag, value);
  say(66, 6);
  printf("error: %d\n", pvm_trecv(-1, 66, &soon));
  pvm_recvf(NULL);
  printf("usual: %d %d\n", tag_of(pvm_recv(-1, 66)), tag_of(pvm_recv(me, -1)));
}

/* A handler that waits for an answer of whoever sent to it. */
static int asks(int mid) {
  int tid, value = told();
  pvm_bufinfo(mid, NULL, NULL, &tid);
  pvm_initsend(PvmDataRaw);
  pvm_pkint(&value, 1, 1);
  pvm_send(tid, 71);
  pvm_recv(tid, 72);
  depth += told();
  return 0;
}

int main(void) {
  int *tids, count = pvm_siblings(&tids), rounds = 40, n;
  me = pvm_mytid();
  if (count == 1) {
    handlers();
    matching();
    return 0;
  }
  pvm_addmhf(-1, 70, 0, asks);
  if (me != tids[0]) {
    /* Waits in one receive, while handlers run and block in theirs. */
    pvm_recv(tids[0], 73);
    pvm_initsend(PvmDataRaw);
    pvm_pkint(&depth, 1, 1);
    pvm_send(tids[0], 74);
    return 0;
  }
  for (int i = 0; i < rounds; i++)
    for (int k = 1; k < count; k++) {
      pvm_initsend(PvmDataRaw);
      pvm_pkint(&i, 1, 1);
      pvm_send(tids[k], 70);
      pvm_recv(tids[k], 71);
      n = told() + 1;
      pvm_initsend(PvmDataRaw);
      pvm_pkint(&n, 1, 1);
      pvm_send(tids[k], 72);
    }
  for (int k = 1; k < count; k++) {
    pvm_initsend(PvmDataRaw);
    pvm_send(tids[k], 73);
    pvm_recv(tids[k], 74);
    printf("%d\n", told());
  }
  return 0;
}
