/*
 * pvm_packf and pvm_unpackf: packing by a format, as printf does.
 *
 * Owns: the format. `%[count][.stride][h|l|u…]c`; without count and stride a number itself is packed, else what an
 * address has; `*` takes a number from the arguments. c: bytes, d: ints, f: floats, x: complex floats (always an
 * address), s: a string (always an address); h: short, l: long or double, u: unsigned. `%+`, first: pvm_initsend with
 * a number from the arguments. All else between them is passed over. Source: pvm_pack(3PVM), and what PVM 3.4.6 packs.
 */
#include <pvm3.h>
#include <pvmtev.h>
#include <stdarg.h>
#include <stdlib.h>

struct item {
  int count;
  int stride;
  /* A value is packed, not what is at an address. */
  int value;
  int is_short;
  int is_long;
  int is_unsigned;
  char type;
};

static const char *read_number(const char *at, int *number) {
  long value = strtol(at, (char **)&at, 10);
  *number = value > 0x7fffffff ? 0x7fffffff : (int)value;
  return at;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* What stands behind a `%`; numbers for `*` come from `args`. The character behind it, NULL: it is none. */
static const char *read_item(const char *at, struct item *item, va_list *args) {
  *item = (struct item){1, 1, 1, 0, 0, 0, 0};
  if (is_digit(*at) || *at == '*') {
    item->value = 0;
    if (*at == '*') {
      item->count = va_arg(*args, int);
      at++;
    } else at = read_number(at, &item->count);
  }
  if (*at == '.') {
    item->value = 0;
    at++;
    if (*at == '*') {
      item->stride = va_arg(*args, int);
      at++;
    } else if (is_digit(*at)) at = read_number(at, &item->stride);
  }
  for (; *at == 'h' || *at == 'l' || *at == 'u'; at++) {
    if (*at == 'h') item->is_short = 1;
    else if (*at == 'l') item->is_long = 1;
    else item->is_unsigned = 1;
  }
  item->type = *at;
  return item->type == 'c' || item->type == 'd' || item->type == 'f' || item->type == 'x' || item->type == 's'
      ? at + 1 : NULL;
}

static int pack_ints(const struct item *i, const void *at) {
  if (i->is_short) return i->is_unsigned ? pvm_pkushort(at, i->count, i->stride) : pvm_pkshort(at, i->count, i->stride);
  if (i->is_long) return i->is_unsigned ? pvm_pkulong(at, i->count, i->stride) : pvm_pklong(at, i->count, i->stride);
  return i->is_unsigned ? pvm_pkuint(at, i->count, i->stride) : pvm_pkint(at, i->count, i->stride);
}

static int pack_at(const struct item *i, const void *at) {
  switch (i->type) {
    case 'c': return pvm_pkbyte(at, i->count, i->stride);
    case 'd': return pack_ints(i, at);
    case 'f': return i->is_long ? pvm_pkdouble(at, i->count, i->stride) : pvm_pkfloat(at, i->count, i->stride);
    case 'x': return i->is_long ? pvm_pkdcplx(at, i->count, i->stride) : pvm_pkcplx(at, i->count, i->stride);
    default: return pvm_pkstr(at);
  }
}

/* A number among the arguments, as C's promotions have left it. */
static int pack_value(const struct item *i, va_list *args) {
  if (i->type == 'f') {
    double number = va_arg(*args, double);
    float single = (float)number;
    return i->is_long ? pack_at(i, &number) : pack_at(i, &single);
  }
  /* int and long have the same size. The low bytes come first, so a short or a char is at the same address. */
  long number = va_arg(*args, long);
  return pack_at(i, &number);
}

static int unpack_ints(const struct item *i, void *at) {
  if (i->is_short) return i->is_unsigned ? pvm_upkushort(at, i->count, i->stride) : pvm_upkshort(at, i->count, i->stride);
  if (i->is_long) return i->is_unsigned ? pvm_upkulong(at, i->count, i->stride) : pvm_upklong(at, i->count, i->stride);
  return i->is_unsigned ? pvm_upkuint(at, i->count, i->stride) : pvm_upkint(at, i->count, i->stride);
}

static int unpack_at(const struct item *i, void *at) {
  switch (i->type) {
    case 'c': return pvm_upkbyte(at, i->count, i->stride);
    case 'd': return unpack_ints(i, at);
    case 'f': return i->is_long ? pvm_upkdouble(at, i->count, i->stride) : pvm_upkfloat(at, i->count, i->stride);
    case 'x': return i->is_long ? pvm_upkdcplx(at, i->count, i->stride) : pvm_upkcplx(at, i->count, i->stride);
    default: return pvm_upkstr(at);
  }
}

/* All items of a format; the first that fails ends it. */
static int each_item(const char *format, va_list *args, int packs) {
  for (const char *at = format; *at != '\0';) {
    if (*at++ != '%') continue;
    struct item item;
    at = read_item(at, &item, args);
    if (at == NULL) return PvmBadParam;
    int by_value = packs && item.value && item.type != 's' && item.type != 'x';
    int code = by_value ? pack_value(&item, args)
        : packs ? pack_at(&item, va_arg(*args, const void *)) : unpack_at(&item, va_arg(*args, void *));
    if (code < 0) return code;
  }
  return PvmOk;
}

/* The routines below the format say nothing of their errors: the format's routine does. */
static int quietly(const char *routine, const char *format, va_list *args, int packs) {
  int auto_err = pvm_setopt(PvmAutoErr, 0);
  int code = each_item(format, args, packs);
  pvm_setopt(PvmAutoErr, auto_err);
  return pvm_fail(routine, code);
}

int pvm_packf(const char *fmt, ...) {
  if (fmt == NULL) return pvm_fail("pvm_packf", PvmBadParam);
  pvm_trace_begin(TEV_PACKF, fmt, 0);
  va_list args;
  va_start(args, fmt);
  int code = PvmOk;
  if (fmt[0] == '%' && fmt[1] == '+') {
    code = pvm_fail("pvm_packf", pvm_initsend(va_arg(args, int)));
    fmt += 2;
  }
  if (code >= 0) code = quietly("pvm_packf", fmt, &args, 1);
  va_end(args);
  return pvm_trace_end(TEV_PACKF, code, 0, 0);
}

int pvm_unpackf(const char *fmt, ...) {
  if (fmt == NULL) return pvm_fail("pvm_unpackf", PvmBadParam);
  pvm_trace_begin(TEV_UNPACKF, fmt, 0);
  va_list args;
  va_start(args, fmt);
  int code = quietly("pvm_unpackf", fmt, &args, 0);
  va_end(args);
  return pvm_trace_end(TEV_UNPACKF, code, 0, 0);
}
