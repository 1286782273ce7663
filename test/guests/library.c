/* Every part of the guest library once, between neighbours; library.ts is the same program and prints the same. */
#include <pvm3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int *tids, count, place, next, previous;

static void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  if (place == 0) vprintf(format, list);
  va_end(list);
}

static const char *truth(int value) {
  return value ? "true" : "false";
}

static void numbers(void) {
  unsigned char byte = 200;
  short s = -300;
  unsigned short us = 60000;
  int i = -70000;
  unsigned int ui = 4000000000u;
  long long l = -5000000000;
  float f = 1.25;
  double d = 0.1, doubles[] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5};
  pvm_initsend(PvmDataDefault);
  pvm_pkbyte((char *)&byte, 1, 1);
  pvm_pkshort(&s, 1, 1);
  pvm_pkushort(&us, 1, 1);
  pvm_pkint(&i, 1, 1);
  pvm_pkuint(&ui, 1, 1);
  pvm_pkint64(&l, 1, 1);
  pvm_pkfloat(&f, 1, 1);
  pvm_pkdouble(&d, 1, 1);
  pvm_pkdouble(doubles + 1, 3, 2);
  pvm_pkstr("héllo €");
  pvm_pkstr("");
  pvm_send(next, 7);
  int length, tag, tid, bufid = pvm_recv(previous, 7);
  pvm_bufinfo(bufid, &length, &tag, &tid);
  say("message of %d bytes, tag %d, from %s\n", length, tag, tid == previous ? "the neighbour" : "nobody");
  byte = s = us = i = ui = l = f = d = 0;
  pvm_upkbyte((char *)&byte, 1, 1);
  pvm_upkshort(&s, 1, 1);
  pvm_upkushort(&us, 1, 1);
  pvm_upkint(&i, 1, 1);
  pvm_upkuint(&ui, 1, 1);
  pvm_upkint64(&l, 1, 1);
  pvm_upkfloat(&f, 1, 1);
  pvm_upkdouble(&d, 1, 1);
  say("%d %d %d %d %u %lld\n%s %s\n", byte, s, us, i, ui, l, truth(f == 1.25), truth(d == 0.1));
  double sparse[9] = {0};
  pvm_upkdouble(sparse, 3, 4);
  say("%.1f %.1f %.1f %.1f\n", sparse[0], sparse[1], sparse[4], sparse[8]);
  char text[32], empty[32] = "x";
  pvm_upkstr(text);
  pvm_upkstr(empty);
  say("%s %d\n", text, (int)strlen(empty));
  int code = pvm_upkint(&i, 1, 1);
  say("%d %s\n", code, pvm_strerror());
}

static void direct(void) {
  int data[] = {1, 2, 3, 4}, room[4] = {0}, tid, tag, length;
  pvm_psend(next, 8, data + 1, 2, PVM_INT);
  int code = pvm_precv(previous, 8, room, 4, PVM_INT, &tid, &tag, &length);
  say("precv %d: %d %d %d, %d bytes, tag %d\n", code, room[0], room[1], room[2], length, tag);
}

static void buffers(void) {
  int own = pvm_mkbuf(PvmDataDefault);
  int before = pvm_setsbuf(own);
  pvm_pkint(&place, 1, 1);
  pvm_mcast(tids, count, 9);
  pvm_setsbuf(before);
  const char *same = truth(pvm_getsbuf() == before);
  int first = pvm_freebuf(own), second = pvm_freebuf(own);
  say("%s %d %d\n", same, first, second);
  int sum = 0;
  for (int i = 1; i < count; i++) {
    int other;
    pvm_recv(-1, 9);
    pvm_upkint(&other, 1, 1);
    sum += other;
  }
  say("the others' indices add up to %d\n", sum);
  struct timeval soon = {0, 10000};
  int none = pvm_nrecv(-1, 99), probed = pvm_probe(-1, 99), late = pvm_trecv(-1, 99, &soon);
  say("%d %d %d\n", none, probed, late);
}

static void others(int argc, char **argv) {
  struct pvmtaskinfo *tasks;
  int number, ours = 0, named = 0;
  pvm_tasks(0, &number, &tasks);
  for (int i = 0; i < number; i++) {
    for (int k = 0; k < count; k++) ours += tasks[i].ti_tid == tids[k];
    named += strstr(tasks[i].ti_a_out, "library.") != NULL;
  }
  /* Nobody ends before the first has seen all. */
  pvm_initsend(PvmDataDefault);
  if (place == 0) pvm_mcast(tids, count, 10);
  else pvm_recv(tids[0], 10);
  say("%d ULPs, %d in the group, %d tasks, %d with their name\n", count, pvm_gsize(NULL), ours, named);
  int parent = pvm_parent(), nobody = pvm_send(1, 1), bad = pvm_initsend(77);
  say("%d %d %d\n", parent, nobody, bad);
  for (int i = 1; i < argc; i++) say("%s%s", i > 1 ? "|" : "", argv[i]);
  say("\n");
}

int main(int argc, char **argv) {
  count = pvm_siblings(&tids);
  while (tids[place] != pvm_mytid()) place++;
  next = tids[(place + 1) % count];
  previous = tids[(place + count - 1) % count];
  numbers();
  direct();
  buffers();
  others(argc, argv);
  return 0;
}
