// The sieve of Eratosthenes: how many primes there are below n.

#include "kernel.h"

enum { MAX = 1 << 20 };
static u8 composite[MAX];

RUN int run(int n) {
  if (n > MAX) __builtin_trap();
  for (int i = 0; i < n; i++) composite[i] = 0;
  for (int i = 2; i * i < n; i++) {
    if (composite[i]) continue;
    for (int j = i * i; j < n; j += i) composite[j] = 1;
  }
  int primes = 0;
  for (int i = 2; i < n; i++) primes += !composite[i];
  return primes;
}
