// Compression into the LZ4 block format and back: greedy, one hash table of four-byte sequences.

#include "kernel.h"

static const u8 TEXT[] = {
#embed "text.txt"
};

enum {
  LENGTH = sizeof TEXT,
  HASH_BITS = 12,
  MIN_MATCH = 4,
  LAST_LITERALS = 5,  // the format: the last five bytes are literals,
  MATCH_LIMIT = 12,   // and the last match starts twelve bytes before the end at the latest
  MAX_OFFSET = 65535,
};

static u8 packed[LENGTH + LENGTH / 255 + 16];
static u8 unpacked[LENGTH];
static int table[1 << HASH_BITS];

static u32 read32(const u8 *p) {
  return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u32 hash(u32 sequence) {
  return sequence * 2654435761u >> (32 - HASH_BITS);
}

static u8 *put_length(u8 *out, int rest) {
  for (; rest >= 255; rest -= 255) *out++ = 255;
  *out++ = (u8)rest;
  return out;
}

/// Literals, then a match of `match` bytes at `offset` before; none where `match` is 0.
static u8 *put_sequence(u8 *out, const u8 *literals, int count, int match, int offset) {
  u8 *token = out++;
  *token = (u8)((count < 15 ? count : 15) << 4);
  if (count >= 15) out = put_length(out, count - 15);
  for (int i = 0; i < count; i++) *out++ = literals[i];
  if (match == 0) return out;
  *out++ = (u8)offset;
  *out++ = (u8)(offset >> 8);
  int rest = match - MIN_MATCH;
  *token |= (u8)(rest < 15 ? rest : 15);
  return rest < 15 ? out : put_length(out, rest - 15);
}

static int compress(const u8 *text, int length) {
  for (int i = 0; i < 1 << HASH_BITS; i++) table[i] = -1;
  u8 *out = packed;
  int anchor = 0, position = 0;
  while (position < length - MATCH_LIMIT) {
    u32 sequence = read32(text + position);
    int *slot = &table[hash(sequence)], candidate = *slot;
    *slot = position;
    if (candidate < 0 || position - candidate > MAX_OFFSET || read32(text + candidate) != sequence) {
      position++;
      continue;
    }
    int match = MIN_MATCH;
    while (position + match < length - LAST_LITERALS &&
           text[candidate + match] == text[position + match])
      match++;
    out = put_sequence(out, text + anchor, position - anchor, match, position - candidate);
    anchor = position += match;
  }
  return (int)(put_sequence(out, text + anchor, length - anchor, 0, 0) - packed);
}

static int get_length(const u8 **in, int nibble) {
  int length = nibble;
  if (nibble < 15) return length;
  for (;;) {
    u8 byte = *(*in)++;
    length += byte;
    if (byte != 255) return length;
  }
}

static int decompress(const u8 *in, int length) {
  const u8 *end = in + length;
  u8 *out = unpacked;
  for (;;) {
    u8 token = *in++;
    int literals = get_length(&in, token >> 4);
    if (literals > unpacked + LENGTH - out) __builtin_trap();
    for (int i = 0; i < literals; i++) *out++ = *in++;
    if (in >= end) return (int)(out - unpacked);
    int offset = in[0] | in[1] << 8;
    in += 2;
    int match = get_length(&in, token & 15) + MIN_MATCH;
    if (offset > out - unpacked || match > unpacked + LENGTH - out) __builtin_trap();
    for (const u8 *from = out - offset; match > 0; match--) *out++ = *from++;
  }
}

/// Adler-32 (RFC 1950 section 8.2) of what came back from the last of n round trips; traps where
/// that is not the text, or where nothing was gained.
RUN int run(int n) {
  u32 a = 1, b = 0;
  for (int round = 0; round < n; round++) {
    int size = compress(TEXT, LENGTH);
    if (size > LENGTH * 3 / 4) __builtin_trap();
    for (int i = 0; i < LENGTH; i++) unpacked[i] = 0;
    if (decompress(packed, size) != LENGTH) __builtin_trap();
    a = 1, b = 0;
    for (int i = 0; i < LENGTH; i++) {
      if (unpacked[i] != TEXT[i]) __builtin_trap();
      a = (a + unpacked[i]) % 65521;
      b = (b + a) % 65521;
    }
  }
  return (int)(b << 16 | a);
}
