/* Parses JSON text by recursive descent, number by number: branches, a switch, calls that nest. */
#define KERNEL_NAME "json"
#include "kernel.h"

#define BYTES_MAX (300 * 1024)
#define DEPTH_MAX 64

static char text[BYTES_MAX];

struct parser {
  const char *at;
  uint32_t values, strings, deepest;
  double total;
};

/* Records such as a service writes, about 250 kB. */
static void make_text(void) {
  uint32_t random = 88172645u;
  char *to = text + sprintf(text, "{\"records\": [");
  for (int i = 0; to < text + BYTES_MAX - 50 * 1024; i++) {
    uint32_t r = next_random(&random);
    to += sprintf(to, "%s{\"id\": %d, \"name\": \"task \\u0041%u\", \"load\": %d.%02u, \"ready\": %s, \"tags\": [\"a\\n%u\", ",
                  i ? ",\n  " : "", i, (unsigned)(r % 977), (int)(r >> 8) % 100 - 50, (unsigned)(r % 100),
                  r & 64 ? "true" : "false", (unsigned)(r % 13));
    to += sprintf(to, "[%u, [%ue-3, null]]], \"owner\": {\"host\": \"node%u\", \"tid\": %u}}", (unsigned)(r % 7),
                  (unsigned)(r % 1000), (unsigned)(r % 31), (unsigned)(r & 0x3ffff));
  }
  sprintf(to, "]}");
}

static void skip_space(struct parser *p) {
  while (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r') p->at++;
}

static int parse_string(struct parser *p) {
  uint32_t hash = 2166136261u;
  for (p->at++; *p->at != '"'; p->at++) {
    uint32_t c = (uint8_t)*p->at;
    if (c < 0x20) return 0;
    if (c == '\\') {
      c = (uint8_t)*++p->at;
      if (c == 'u') {
        c = 0;
        for (int i = 0; i < 4; i++) {
          char digit = *++p->at;
          c = c * 16 + (uint32_t)(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
        }
      } else if (c == 'n')
        c = '\n';
    }
    hash = (hash ^ c) * 16777619u;
  }
  p->at++;
  p->strings += hash;
  return 1;
}

static int parse_number(struct parser *p) {
  double value = 0, sign = 1, scale = 1;
  if (*p->at == '-') sign = -1, p->at++;
  while (*p->at >= '0' && *p->at <= '9') value = value * 10 + (*p->at++ - '0');
  if (*p->at == '.')
    for (p->at++; *p->at >= '0' && *p->at <= '9'; p->at++) value += (*p->at - '0') * (scale /= 10);
  if (*p->at == 'e') {
    int negative = p->at[1] == '-', exponent = 0;
    for (p->at += 1 + negative; *p->at >= '0' && *p->at <= '9'; p->at++) exponent = exponent * 10 + (*p->at - '0');
    while (exponent-- > 0) value = negative ? value / 10 : value * 10;
  }
  p->total += sign * value;
  return 1;
}

static int parse_value(struct parser *p, uint32_t depth);

static int parse_members(struct parser *p, uint32_t depth, char end, int named) {
  p->at++;
  skip_space(p);
  if (*p->at == end) return p->at++, 1;
  for (;;) {
    skip_space(p);
    if (named) {
      if (*p->at != '"' || !parse_string(p)) return 0;
      skip_space(p);
      if (*p->at++ != ':') return 0;
    }
    if (!parse_value(p, depth + 1)) return 0;
    skip_space(p);
    if (*p->at == end) return p->at++, 1;
    if (*p->at++ != ',') return 0;
  }
}

static int parse_word(struct parser *p, const char *word) {
  for (; *word; word++)
    if (*p->at++ != *word) return 0;
  return 1;
}

static int parse_value(struct parser *p, uint32_t depth) {
  if (depth > DEPTH_MAX) return 0;
  if (depth > p->deepest) p->deepest = depth;
  p->values++;
  skip_space(p);
  switch (*p->at) {
  case '{': return parse_members(p, depth, '}', 1);
  case '[': return parse_members(p, depth, ']', 0);
  case '"': return parse_string(p);
  case 't': return parse_word(p, "true");
  case 'f': return parse_word(p, "false");
  case 'n': return parse_word(p, "null");
  default: return parse_number(p);
  }
}

static uint32_t kernel(void) {
  if (text[0] == 0) make_text();
  struct parser p = {.at = text};
  if (!parse_value(&p, 0)) return 0;
  return p.values * 31 + p.strings + p.deepest * 7 + (uint32_t)(int64_t)p.total;
}
