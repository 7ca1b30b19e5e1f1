// What every kernel in C shares. Freestanding: no library, no import.
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define RUN __attribute__((export_name("run")))

/// Marsaglia's xorshift32 (Journal of Statistical Software 8(14), 2003): the same numbers everywhere.
static inline u32 xorshift(u32 *state) {
  u32 x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

#endif
