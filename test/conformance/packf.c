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

/* Every type with every modifier, as a value and from an address, with count and stride as digits and as `*`. */
static void conversions(void) {
  char bytes[4] = {'p', 'v', 'm', '3'}, c[4] = {0, 0, 0, 0}, text[16] = "", other[16] = "";
  short shorts[4] = {-1, 2, -3, 4}, h[4] = {0, 0, 0, 0};
  unsigned short ushorts[2] = {65535, 1}, uh[2] = {0, 0};
  unsigned uints[2] = {4294967295u, 1}, u[2] = {0, 0};
  long longs[3] = {2147483646L, 5, 2147483647L}, l[3] = {0, 0, 0};
  unsigned long ulongs[2] = {7, 2147483647UL}, ul[2] = {0, 0};
  float floats[3] = {0.5f, 1.5f, -2.5f}, f[3] = {0, 0, 0}, x[4] = {1, 2, 3, 4}, cx[4] = {0, 0, 0, 0};
  double doubles[3] = {1e-300, 2, -1e300}, d[3] = {0, 0, 0}, z[4] = {5, 6, 7, 8}, dx[4] = {0, 0, 0, 0};
  CALL(pvm_packf("%+ %4c %.2hd %4hd %*uhd", PvmDataDefault, bytes, shorts + 1, shorts, 2, ushorts));
  CALL(pvm_packf("%2ud %*ld %2.*ld %*.*uld %2lud", uints, 1, longs, 2, longs, 2, 1, ulongs, ulongs));
  CALL(pvm_packf("%2.2f %3lf %2x %1.2x %2lx %lx", floats, doubles, x, x + 2, z, z + 2));
  CALL(pvm_packf("%s, then %s", "text", ""));
  send_to_self(1);
  CALL(pvm_unpackf("%4c %1hd %2.2hd %2hd %*uhd", c, h, h, h + 1, 2, uh));
  printf("%.4s %d %d %d %d %u %u\n", c, h[0], h[1], h[2], h[3], uh[0], uh[1]);
  CALL(pvm_unpackf("%2ud", u));
  printf("%u %u\n", u[0], u[1]);
  CALL(pvm_unpackf("%ld %2ld %*.*uld", l, l + 1, 2, 1, ul));
  printf("%ld %ld %ld %lu %lu\n", l[0], l[1], l[2], ul[0], ul[1]);
  CALL(pvm_unpackf("%2uld", ul));
  printf("%lu %lu\n", ul[0], ul[1]);
}

/* Without a count that is `*` a stride alone is one item at an address. */
static void numbers(void) {
  int n = 0, out[3] = {9, 9, 9}, in[3] = {1, 2, 3};
  char c = 0;
  short h = 0;
  unsigned short uh = 0;
  long l = 0;
  unsigned long ul = 0;
  float f[3] = {0, 0, 0}, fin[3] = {0.5f, 1.5f, -2.5f};
  double d = 0, din[2] = {3, 4};
  CALL(pvm_packf("%+%c%hd%uhd%ld%uld%f%lf", PvmDataRaw, 'z', -7, 60000, -9L, 9UL, 0.25, 0.125));
  CALL(pvm_packf("%.1d%.*d%3f%2.1lf%0d", in + 1, 2, in + 2, fin, din, in));
  CALL(pvm_packf("no item, %d, and text", 77));
  send_to_self(1);
  CALL(pvm_unpackf("%c%hd%uhd%ld%uld", &c, &h, &uh, &l, &ul));
  printf("%c %d %u %ld %lu\n", c, h, uh, l, ul);
  CALL(pvm_unpackf("%f%lf", f, &d));
  printf("%g %g\n", f[0], d);
  CALL(pvm_unpackf("between: %d, %d", out, out + 1));
  printf("%d %d %d\n", out[0], out[1], out[2]);
  CALL(pvm_unpackf("%3f%lf%lf", f, &d, &d));
  printf("%g %g %g %g\n", f[0], f[1], f[2], d);
  CALL(pvm_unpackf("%0d%d", out, &n));
  CALL(n);
  CALL(pvm_unpackf("%d", &n));
}

/* What is packed before the item that fails stays packed. */
static void more_errors(void) {
  int n = 0, in[2] = {1, 2};
  CALL(pvm_packf("%+%d%*d", PvmDataDefault, 5, -1, in));
  CALL(pvm_packf("%*.*d", 2, 1, in));
  CALL(pvm_packf("%d%+", 6, PvmDataDefault));
  CALL(pvm_packf("%-1d", in));
  CALL(pvm_packf("%d %i", 7, 8));
  CALL(pvm_packf("%%"));
  CALL(pvm_packf("%+%d", -1, 4));
  send_to_self(1);
  CALL(pvm_unpackf("%d%2d", &n, in));
  CALL(n);
  CALL(pvm_unpackf("%*d", -1, in));
  CALL(pvm_unpackf("%d%d", &n, in));
  printf("%d %d\n", n, in[0]);
  CALL(pvm_unpackf("%+", &n));
  CALL(pvm_unpackf("%*d", 2, in));
  CALL(pvm_unpackf("%s", (char *)in));
}

static const struct part PARTS[] = {{"pvm_packf", packf}, {"packf-errors", packf_errors},
                                    {"conversions", conversions}, {"numbers", numbers}, {"more-errors", more_errors}};
CONFORM(PARTS)
