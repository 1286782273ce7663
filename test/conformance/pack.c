/* Packing and unpacking: every type, strides, the ends of buffers. */
#include "conform.h"

static void send_to_self(int tag) {
  pvm_send(pvm_mytid(), tag);
  pvm_recv(-1, tag);
}

/* What holds for every type: whole arrays, every second item, nothing, and the mistakes. */
#define TYPE_CASE(name, ctype, format)                                                     \
  static void type_##name(void) {                                                          \
    ctype in[6], out[6];                                                                   \
    int i;                                                                                 \
    for (i = 0; i < 6; i++) in[i] = (ctype)(i + 1), out[i] = 0;                            \
    CALL(pvm_pk##name(in, 1, 1));                                                          \
    CALL(pvm_upk##name(out, 1, 1));                                                        \
    pvm_initsend(PvmDataDefault);                                                          \
    CALL(pvm_pk##name(in, 3, 1));                                                          \
    CALL(pvm_pk##name(in, 3, 2));                                                          \
    CALL(pvm_pk##name(in, 0, 1));                                                          \
    CALL(pvm_pk##name(in, -1, 1));                                                         \
    send_to_self(1);                                                                       \
    CALL(pvm_upk##name(out, 3, 2));                                                        \
    for (i = 0; i < 6; i++) printf(" " format, out[i]);                                    \
    printf("\n");                                                                          \
    CALL(pvm_upk##name(out, 3, 1));                                                        \
    for (i = 0; i < 6; i++) printf(" " format, out[i]);                                    \
    printf("\n");                                                                          \
    CALL(pvm_upk##name(out, 1, 1));                                                        \
    CALL(pvm_upk##name(out, 0, 1));                                                        \
    CALL(pvm_upk##name(out, -1, 1));                                                       \
    pvm_initsend(PvmDataRaw);                                                              \
    CALL(pvm_pk##name(in, 2, 1));                                                          \
    send_to_self(2);                                                                       \
    CALL(pvm_upk##name(out, 2, 1));                                                        \
    for (i = 0; i < 2; i++) printf(" " format, out[i]);                                    \
    printf("\n");                                                                          \
    CALL(pvm_upk##name(out, 3, 1));                                                        \
  }
TYPE_CASE(byte, char, "%d")
TYPE_CASE(short, short, "%d")
TYPE_CASE(int, int, "%d")
TYPE_CASE(long, long, "%ld")
TYPE_CASE(ushort, unsigned short, "%u")
TYPE_CASE(uint, unsigned, "%u")
TYPE_CASE(ulong, unsigned long, "%lu")
TYPE_CASE(float, float, "%g")
TYPE_CASE(double, double, "%g")

#define COMPLEX_CASE(name, ctype)                                                          \
  static void type_##name(void) {                                                          \
    ctype in[8], out[8];                                                                   \
    int i;                                                                                 \
    for (i = 0; i < 8; i++) in[i] = (ctype)(i + 0.5), out[i] = 0;                          \
    CALL(pvm_pk##name(in, 1, 1));                                                          \
    CALL(pvm_upk##name(out, 1, 1));                                                        \
    pvm_initsend(PvmDataDefault);                                                          \
    CALL(pvm_pk##name(in, 2, 2));                                                          \
    CALL(pvm_pk##name(in, -1, 1));                                                         \
    send_to_self(1);                                                                       \
    CALL(pvm_upk##name(out, 2, 1));                                                        \
    for (i = 0; i < 8; i++) printf(" %g", out[i]);                                         \
    printf("\n");                                                                          \
    CALL(pvm_upk##name(out, 1, 1));                                                        \
    CALL(pvm_upk##name(out, -1, 1));                                                       \
  }
COMPLEX_CASE(cplx, float)
COMPLEX_CASE(dcplx, double)

static void strings(void) {
  char got[64];
  CALL(pvm_pkstr("nowhere"));
  CALL(pvm_upkstr(got));
  pvm_initsend(PvmDataDefault);
  CALL(pvm_pkstr("one"));
  CALL(pvm_pkstr(""));
  CALL(pvm_pkstr("a longer one, with spaces"));
  send_to_self(1);
  CALL(pvm_upkstr(got));
  TEXT(got);
  CALL(pvm_upkstr(got));
  TEXT(got);
  CALL(pvm_upkstr(got));
  TEXT(got);
  CALL(pvm_upkstr(got));
  pvm_initsend(PvmDataRaw);
  CALL(pvm_pkstr("raw"));
  send_to_self(2);
  CALL(pvm_upkstr(got));
  TEXT(got);
}

static void stride(void) {
  int in[4] = {1, 2, 3, 4}, out[4] = {0, 0, 0, 0}, i;
  pvm_initsend(PvmDataDefault);
  CALL(pvm_pkint(in, 2, 0));
  CALL(pvm_pkint(in + 3, 2, -2));
  CALL(pvm_pkint(in, 2, 3));
  send_to_self(1);
  CALL(pvm_upkint(out, 4, 1));
  for (i = 0; i < 4; i++) printf(" %d", out[i]);
  printf("\n");
  CALL(pvm_upkint(out, 2, 1));
  for (i = 0; i < 2; i++) printf(" %d", out[i]);
  printf("\n");
}

/* What is left after an unpack that fails. */
static void no_data(void) {
  int in[2] = {5, 6}, out[4] = {0, 0, 0, 0};
  double real;
  pvm_initsend(PvmDataDefault);
  pvm_pkint(in, 2, 1);
  send_to_self(1);
  CALL(pvm_upkint(out, 1, 1));
  CALL(pvm_upkdouble(&real, 1, 1));
  CALL(pvm_upkint(out, 1, 1));
  CALL(out[0]);
  pvm_initsend(PvmDataDefault);
  send_to_self(2);
  CALL(pvm_upkint(out, 1, 1));
}

/* The ends of the types' ranges arrive as they were, whatever the encoding. */
static void ranges(void) {
  int encoding;
  for (encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
    char bytes[2] = {(char)0x80, 0x7f};
    short shorts[2] = {-32768, 32767};
    int ints[2] = {-2147483647 - 1, 2147483647};
    unsigned uints[2] = {0, 4294967295u};
    unsigned short ushorts[2] = {0, 65535};
    long longs[2] = {-2147483647L, 2147483647L};
    float floats[2] = {1e-38f, -3e38f};
    double doubles[2] = {1e-300, -1e300};
    pvm_initsend(encoding);
    pvm_pkbyte(bytes, 2, 1), pvm_pkshort(shorts, 2, 1), pvm_pkint(ints, 2, 1), pvm_pkuint(uints, 2, 1);
    pvm_pkushort(ushorts, 2, 1), pvm_pklong(longs, 2, 1), pvm_pkfloat(floats, 2, 1), pvm_pkdouble(doubles, 2, 1);
    send_to_self(1);
    memset(bytes, 1, sizeof bytes), memset(shorts, 1, sizeof shorts), memset(ints, 1, sizeof ints);
    memset(uints, 1, sizeof uints), memset(ushorts, 1, sizeof ushorts), memset(longs, 1, sizeof longs);
    memset(floats, 1, sizeof floats), memset(doubles, 1, sizeof doubles);
    CALL(pvm_upkbyte(bytes, 2, 1));
    CALL(pvm_upkshort(shorts, 2, 1));
    CALL(pvm_upkint(ints, 2, 1));
    CALL(pvm_upkuint(uints, 2, 1));
    CALL(pvm_upkushort(ushorts, 2, 1));
    CALL(pvm_upklong(longs, 2, 1));
    CALL(pvm_upkfloat(floats, 2, 1));
    CALL(pvm_upkdouble(doubles, 2, 1));
    printf("%d %d %d %d %d %d %u %u\n", (signed char)bytes[0], bytes[1], shorts[0], shorts[1], ints[0], ints[1],
           uints[0], uints[1]);
    printf("%u %u %ld %ld %g %g %g %g\n", ushorts[0], ushorts[1], longs[0], longs[1], floats[0], floats[1],
           doubles[0], doubles[1]);
  }
}

/* A hundred thousand ints: several fragments. */
static void large(void) {
  enum { COUNT = 100000 };
  int *in = malloc(sizeof *in * COUNT), *out = malloc(sizeof *out * COUNT), i, wrong = 0, bytes = 0;
  for (i = 0; i < COUNT; i++) in[i] = i * 7, out[i] = 0;
  pvm_initsend(PvmDataDefault);
  CALL(pvm_pkint(in, COUNT, 1));
  send_to_self(1);
  pvm_bufinfo(pvm_getrbuf(), &bytes, NULL, NULL);
  CALL(bytes);
  CALL(pvm_upkint(out, COUNT / 2, 1));
  CALL(pvm_upkint(out + COUNT / 2, COUNT / 2, 1));
  for (i = 0; i < COUNT; i++) wrong += out[i] != in[i];
  CALL(wrong);
  CALL(pvm_upkint(out, 1, 1));
  free(in), free(out);
}

/* Bytes of a message by type, with the default encoding. */
static void sizes(void) {
  char c = 1; short s = 1; int i = 1; long l = 1; float f[2] = {1, 1}; double d[2] = {1, 1};
  unsigned short us = 1; unsigned u = 1; unsigned long ul = 1;
  int bytes;
#define SIZE(name, at) \
  pvm_initsend(PvmDataDefault), pvm_pk##name(at, 1, 1), pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL), show(#name, bytes)
  SIZE(byte, &c); SIZE(short, &s); SIZE(int, &i); SIZE(long, &l); SIZE(float, f); SIZE(double, d);
  SIZE(ushort, &us); SIZE(uint, &u); SIZE(ulong, &ul); SIZE(cplx, f); SIZE(dcplx, d);
  pvm_initsend(PvmDataDefault), pvm_pkstr("abcde"), pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL);
  show("str", bytes);
}

static const struct part PARTS[] = {
    {"pvm_pkbyte", type_byte},     {"pvm_pkshort", type_short}, {"pvm_pkint", type_int},
    {"pvm_pklong", type_long},     {"pvm_pkushort", type_ushort}, {"pvm_pkuint", type_uint},
    {"pvm_pkulong", type_ulong},   {"pvm_pkfloat", type_float}, {"pvm_pkdouble", type_double},
    {"pvm_pkcplx", type_cplx},     {"pvm_pkdcplx", type_dcplx}, {"pvm_pkstr", strings},
    {"stride", stride},            {"no-data", no_data},        {"ranges", ranges},
    {"large", large},              {"sizes", sizes},
};
CONFORM(PARTS)
