/*
 * A program that does one thing wrong, named by its argument: for test/real/bad-input-*.test.ts.
 *
 * What a mistake returns is printed as "what: code", so that a test can compare it with PVM's codes.
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 5, BLOCK = 1 << 20 };

static volatile int zero = 0;
static int *tids, count, me;

static void say(const char *what, int code) {
  printf("%s: %d\n", what, code);
}

/* PVM itself crashes by a format that is NULL. */
static void formats(void) {
  long long large = 1LL << 40;
  int number = 7;
  long narrow = 0;
  say("pack by no format", pvm_packf(NULL, 1));
  say("pack no text", pvm_packf("%+%s", PvmDataDefault, NULL));
  say("pack", pvm_packf("%+ %d", PvmDataDefault, number) < 0);
  pvm_pkint64(&large, 1, 1);
  pvm_send(tids[me], TAG);
  pvm_recv(tids[me], TAG);
  say("unpack by no format", pvm_unpackf(NULL, &number));
  say("unpack", pvm_unpackf("%d", &number));
  say("number", number);
  say("a long that is too large", pvm_unpackf("%ld", &narrow));
}

/* A message of two ints to itself, received. */
static void two_ints(void) {
  int both[2] = {11, 22};
  pvm_initsend(PvmDataDefault);
  pvm_pkint(both, 2, 1);
  pvm_send(tids[me], TAG);
  pvm_recv(tids[me], TAG);
}

static void unpack_too_much(void) {
  int got[3] = {0, 0, 0};
  two_ints();
  say("two ints", pvm_upkint(got, 2, 1));
  say("a third", pvm_upkint(&got[2], 1, 1));
  say("sum", got[0] + got[1] + got[2]);
}

static void unpack_wrongly(void) {
  double real;
  char text[64];
  two_ints();
  say("a double of two ints", pvm_upkdouble(&real, 1, 1));
  say("a second", pvm_upkdouble(&real, 1, 1));
  two_ints();
  say("a string of two ints", pvm_upkstr(text));
}

static void without_buffers(void) {
  int number = 1;
  say("pack without a buffer", pvm_pkint(&number, 1, 1));
  say("unpack without a buffer", pvm_upkint(&number, 1, 1));
  say("send without a buffer", pvm_send(tids[me], TAG));
  say("free nothing", pvm_freebuf(4711));
  say("receive into nothing", pvm_setrbuf(4711));
  say("info of nothing", pvm_bufinfo(4711, NULL, NULL, NULL));
  say("wait id of nothing", pvm_getmwid(4711));
  say("wait id of no buffer", pvm_getmwid(0));
  say("set the wait id of nothing", pvm_setmwid(4711, 1));
  say("set the wait id of no buffer", pvm_setmwid(-1, 1));
  int buffer = pvm_mkbuf(PvmDataDefault);
  say("set a wait id", pvm_setmwid(buffer, 55));
  say("wait id", pvm_getmwid(buffer));
  say("free", pvm_freebuf(buffer));
  say("free twice", pvm_freebuf(buffer));
  say("negative count", (pvm_initsend(PvmDataDefault), pvm_pkint(&number, -1, 1)));
}

static void to_nobody(void) {
  int number = 1;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(&number, 1, 1);
  say("to no task", pvm_send(0, TAG));
  say("to a negative task", pvm_send(-7, TAG));
  say("to a task that never was", pvm_send(tids[me] + 5000, TAG));
  say("with a negative tag", pvm_send(tids[me], -2));
}

static void fill_heap(void) {
  char *block = malloc(BLOCK);
  int code = 0, blocks = 0;
  memset(block, 7, BLOCK);
  pvm_initsend(PvmDataDefault);
  while (code >= 0 && blocks < 100000) {
    code = pvm_pkbyte(block, BLOCK, 1);
    if (code >= 0) blocks++;
  }
  say("pack into a full heap", code);
  say("some blocks", blocks > 0);
  pvm_freebuf(pvm_getsbuf());
  say("initsend after that", pvm_initsend(PvmDataDefault) > 0);
  say("pack after that", pvm_pkbyte(block, BLOCK, 1));
}

static void fill_memory(void) {
  long blocks = 0;
  for (char *block = malloc(BLOCK); block != NULL; block = malloc(BLOCK)) {
    block[0] = 1;
    blocks++;
  }
  say("malloc gave up", blocks > 0);
}

__attribute__((noinline)) static int divide(int by) {
  return 7 / by; /* The trap test finds this line by its text. */
}

__attribute__((noinline)) static int deeper(int depth) {
  volatile char frame[256];
  frame[depth & 255] = (char)depth;
  return depth == zero - 1 ? frame[0] : deeper(depth + 1) + frame[depth & 255];
}

/* Saves a frame for each of many calls: the last one waits for a message. */
__attribute__((noinline)) static int wait_deep(int depth) {
  if (depth == 0) return pvm_recv(tids[me], TAG + 1);
  return wait_deep(depth - 1) + zero;
}

/* Writes over all of its own memory, and goes on. */
__attribute__((noinline)) static void wild(void) {
  for (volatile unsigned char *at = (volatile unsigned char *)16;; at++) *at = 0xff;
}

__attribute__((noinline)) static void spin(void) {
  while (zero == 0) {
  }
}

/* Passes numbers to and from the next one, and counts primes between: something that must come out right. */
static int compute(int first) {
  int primes = 0, next = me + 1 < count ? me + 1 : first, before = me > first ? me - 1 : count - 1;
  for (int n = 2; n < 20000; n++) {
    int prime = 1;
    for (int d = 2; d * d <= n && prime; d++) prime = n % d != 0;
    primes += prime;
    if (n % 2000 == 0) {
      int theirs;
      pvm_initsend(PvmDataDefault);
      pvm_pkint(&primes, 1, 1);
      pvm_send(tids[next], TAG);
      pvm_recv(tids[before], TAG);
      pvm_upkint(&theirs, 1, 1);
      if (theirs != primes) return -1;
    }
  }
  return primes;
}

/* ULP 0 writes wildly, ULP 1 never lets go, the others compute. */
static void attack(void) {
  if (me == 0) wild();
  if (me == 1) spin();
  say("primes", compute(2));
  fflush(stdout);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  count = pvm_siblings(&tids);
  while (tids[me] != pvm_mytid()) me++;
  if (strcmp(what, "unpack-too-much") == 0) unpack_too_much();
  else if (strcmp(what, "unpack-wrongly") == 0) unpack_wrongly();
  else if (strcmp(what, "without-buffers") == 0) without_buffers();
  else if (strcmp(what, "formats") == 0) formats();
  else if (strcmp(what, "to-nobody") == 0) to_nobody();
  else if (strcmp(what, "fill-heap") == 0) fill_heap();
  else if (strcmp(what, "fill-memory") == 0) fill_memory();
  else if (strcmp(what, "divide") == 0) return me == 1 ? divide(zero) : 0;
  else if (strcmp(what, "deeper") == 0) return deeper(1);
  else if (strcmp(what, "wait-deep") == 0) return wait_deep(atoi(argv[2]));
  else if (strcmp(what, "wild") == 0) wild();
  else if (strcmp(what, "exit") == 0) return me == 1 ? 3 : 0;
  else if (strcmp(what, "leave") == 0) return me == 0 ? 0 : pvm_recv(tids[0], TAG);
  else if (strcmp(what, "spin") == 0) spin();
  else if (strcmp(what, "wait") == 0) me == 0 ? spin() : (void)pvm_recv(-1, -1);
  else if (strcmp(what, "attack") == 0) attack();
  else printf("unknown: %s\n", what);
  return 0;
}
