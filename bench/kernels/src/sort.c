// Quicksort (Hoare's partition, median of three, insertion sort for short runs) of n numbers.

#include "kernel.h"

enum { MAX = 1 << 18, SHORT = 16 };
static int values[MAX];

static void swap(int *a, int *b) {
  int old = *a;
  *a = *b;
  *b = old;
}

static void insertion_sort(int *first, int *last) {
  for (int *next = first + 1; next <= last; next++) {
    int value = *next;
    int *hole = next;
    for (; hole > first && hole[-1] > value; hole--) *hole = hole[-1];
    *hole = value;
  }
}

static int median_of_three(int *first, int *last) {
  int *middle = first + (last - first) / 2;
  if (*middle < *first) swap(middle, first);
  if (*last < *first) swap(last, first);
  if (*last < *middle) swap(last, middle);
  return *middle;
}

static void quicksort(int *first, int *last) {
  while (last - first >= SHORT) {
    int pivot = median_of_three(first, last);
    int *left = first - 1, *right = last + 1;
    for (;;) {
      do left++;
      while (*left < pivot);
      do right--;
      while (*right > pivot);
      if (left >= right) break;
      swap(left, right);
    }
    quicksort(first, right);
    first = right + 1;
  }
  insertion_sort(first, last);
}

/// Every value times its place, from 1; traps on a list that is out of order.
RUN int run(int n) {
  if (n < 1 || n > MAX) __builtin_trap();
  u32 state = 2463534242u, sum = 0;
  for (int i = 0; i < n; i++) values[i] = (int)xorshift(&state);
  quicksort(values, values + n - 1);
  for (int i = 0; i < n; i++) {
    if (i > 0 && values[i - 1] > values[i]) __builtin_trap();
    sum += (u32)values[i] * (u32)(i + 1);
  }
  return (int)sum;
}
