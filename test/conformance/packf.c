/* Packing and unpacking by a format. */
#include "conform.h"

static void send_to_self(int tag) {
  pvm_send(pvm_mytid(), tag);
  pvm_recv(-1, tag);
}

static void packf(void) {
  int ints[4] = {1, 2, 3, 4}, out[4] = {0, 0, 0, 0}, i, n = 0;
  short s = 0, h[2] = {7, 8};
  long l = 0;
  float f = 0, x[2] = {0, 0};
  double d = 0, z[2] = {0, 0};
  char text[32], c = 0, bytes[3] = {'a', 'b', 'c'};
  unsigned u = 0;
  unsigned short us = 0;
  float cin[2] = {1.5f, 2.5f};
  double zin[2] = {3.5, 4.5};
  ID(pvm_packf("%+ %d %hd %ld %f %lf %s", PvmDataDefault, 42, 7, 8L, 1.5, 2.5, "words"));
  send_to_self(1);
  CALL(pvm_unpackf("%d %hd %ld %f %lf %s", &n, &s, &l, &f, &d, text));
  printf("%d %d %ld %g %g %s\n", n, s, l, f, d, text);
  ID(pvm_packf("%+ %d%*d", PvmDataDefault, 4, 4, ints));
  send_to_self(2);
  CALL(pvm_unpackf("%d", &n));
  CALL(pvm_unpackf("%*d", n, out));
  for (i = 0; i < 4; i++) printf(" %d", out[i]);
  printf("\n");
  ID(pvm_packf("%+ %2.2d %3c", PvmDataRaw, ints, bytes));
  send_to_self(3);
  memset(out, 0, sizeof out);
  CALL(pvm_unpackf("%2d", out));
  printf(" %d %d\n", out[0], out[1]);
  memset(text, 0, sizeof text);
  CALL(pvm_unpackf("%3c", text));
  TEXT(text);
  ID(pvm_packf("%+ %*.*d", PvmDataDefault, 2, 3, ints));
  send_to_self(4);
  CALL(pvm_unpackf("%*.*d", 2, 2, out));
  printf(" %d %d %d\n", out[0], out[1], out[2]);
  ID(pvm_packf("%+ %c %ud %uhd %2hd %x %lx", PvmDataDefault, 'x', 4000000000u, 65535, h, cin, zin));
  send_to_self(5);
  CALL(pvm_unpackf("%c %ud %uhd %2hd %x %lx", &c, &u, &us, h, x, z));
  printf(" %c %u %u %d %d %g %g %g %g\n", c, u, us, h[0], h[1], x[0], x[1], z[0], z[1]);
}

static void packf_errors(void) {
  int n = 0;
  CALL(pvm_packf("%d", 1));
  ID(pvm_packf("%+", PvmDataDefault));
  CALL(pvm_packf("%d", 1));
  CALL(pvm_packf("%q", 1));
  CALL(pvm_packf("d"));
  CALL(pvm_packf("%+", 77));
  CALL(pvm_unpackf("%d", &n));
  pvm_initsend(PvmDataDefault);
  pvm_packf("%d", 3);
  send_to_self(1);
  CALL(pvm_unpackf("%q", &n));
  CALL(pvm_unpackf("%d", &n));
  CALL(n);
  CALL(pvm_unpackf("%d", &n));
  CALL(pvm_unpackf(""));
}

static const struct part PARTS[] = {{"pvm_packf", packf}, {"packf-errors", packf_errors}};
CONFORM(PARTS)
