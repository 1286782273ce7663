/*
 * Compression by repeats, in the manner of LZ4's block format, and back: hash table, matches, byte-wise copies.
 * A token's high four bits count literals, its low four the match beyond 4 bytes; 15 is continued in bytes of 255.
 */
#define KERNEL_NAME "compress"
#include "kernel.h"

#define BYTES (256 * 1024)
#define HASH_BITS 14
#define MATCH_MIN 4
/* The last bytes of a block are literals, so that reading four at a time never passes the end. */
#define TAIL 12

static uint8_t plain[BYTES], packed[BYTES + BYTES / 100 + 64], again[BYTES];
static uint32_t table[1 << HASH_BITS];

/* Text of words from a small vocabulary: about what a log file is. */
static void make_text(void) {
  static const char *const words[] = {"engine",  "message", "buffer", "the",  "of",     "ready",
                                      "blocked", "process", "table",  "sent", "0x4000", "received"};
  uint32_t random = 2463534242u;
  for (int at = 0; at < BYTES;) {
    uint32_t r = next_random(&random);
    const char *word = words[r % LENGTH(words)];
    while (*word && at < BYTES) plain[at++] = (uint8_t)*word++;
    if (at < BYTES) plain[at++] = r & 0x10000 ? ' ' : (uint8_t)('0' + (r >> 20) % 10);
    if (at < BYTES && (r >> 24) % 9 == 0) plain[at++] = '\n';
  }
}

static uint32_t four_at(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, 4);
  return v;
}

static uint8_t *put_count(uint8_t *to, uint32_t rest) {
  for (; rest >= 255; rest -= 255) *to++ = 255;
  *to++ = (uint8_t)rest;
  return to;
}

static uint8_t *put_block(uint8_t *to, const uint8_t *literals, uint32_t count, uint32_t offset, uint32_t match) {
  uint8_t *token = to++;
  uint32_t more = offset ? match - MATCH_MIN : 0;
  *token = (uint8_t)((count < 15 ? count : 15) << 4 | (more < 15 ? more : 15));
  if (count >= 15) to = put_count(to, count - 15);
  for (uint32_t i = 0; i < count; i++) *to++ = literals[i];
  if (offset == 0) return to;
  *to++ = (uint8_t)offset;
  *to++ = (uint8_t)(offset >> 8);
  if (more >= 15) to = put_count(to, more - 15);
  return to;
}

static uint32_t pack(const uint8_t *from, uint32_t bytes, uint8_t *to) {
  uint8_t *start = to;
  uint32_t anchor = 0, at = 0;
  memset(table, 0, sizeof table);
  while (at + TAIL < bytes) {
    uint32_t four = four_at(from + at), hash = four * 2654435761u >> (32 - HASH_BITS);
    uint32_t candidate = table[hash];
    table[hash] = at + 1;
    if (candidate == 0 || at - (candidate - 1) > 65535 || four_at(from + candidate - 1) != four) {
      at++;
      continue;
    }
    uint32_t match = MATCH_MIN, other = candidate - 1;
    while (at + match + TAIL < bytes && from[other + match] == from[at + match]) match++;
    to = put_block(to, from + anchor, at - anchor, at - other, match);
    at += match;
    anchor = at;
  }
  to = put_block(to, from + anchor, bytes - anchor, 0, 0);
  return (uint32_t)(to - start);
}

static const uint8_t *take_count(const uint8_t *from, uint32_t *count) {
  if (*count < 15) return from;
  uint8_t byte;
  do *count += byte = *from++;
  while (byte == 255);
  return from;
}

static uint32_t unpack(const uint8_t *from, uint32_t bytes, uint8_t *to) {
  const uint8_t *end = from + bytes;
  uint8_t *start = to;
  while (from < end) {
    uint32_t token = *from++, literals = token >> 4, match = token & 15;
    from = take_count(from, &literals);
    for (uint32_t i = 0; i < literals; i++) *to++ = *from++;
    if (from >= end) break;
    uint32_t offset = from[0] | (uint32_t)from[1] << 8;
    from = take_count(from + 2, &match);
    const uint8_t *copy = to - offset;
    for (uint32_t i = 0; i < match + MATCH_MIN; i++) *to++ = copy[i];
  }
  return (uint32_t)(to - start);
}

static uint32_t kernel(void) {
  if (plain[0] == 0) make_text();
  uint32_t bytes = pack(plain, BYTES, packed);
  if (unpack(packed, bytes, again) != BYTES || memcmp(plain, again, BYTES) != 0) return 0;
  return bytes;
}
