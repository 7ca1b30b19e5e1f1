#include "text.h"

#define PAGE 65536

extern char __heap_base; /* the linker's: the first free byte */
static char *top = &__heap_base;

static char *take(int len) {
  char *start = top;
  unsigned long end = (unsigned long)start + (unsigned long)len;
  unsigned long have = __builtin_wasm_memory_size(0) * PAGE;
  if (len < 0 || end < (unsigned long)start) __builtin_trap();
  if (end > have &&
      __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == (unsigned long)-1)
    __builtin_trap();
  top = (char *)end;
  return start;
}

struct text text_begin(void) { return (struct text){top, 0}; }

struct text text_reserve(int len) { return (struct text){take(len), len}; }

void *text_reserve_bytes(int len) {
  take(-(unsigned long)top & 7);
  return take(len);
}

static void add(struct text *text, char c) {
  *take(1) = c;
  text->len++;
}

void text_add(struct text *text, const char *zero_terminated) {
  while (*zero_terminated) add(text, *zero_terminated++);
}

void text_add_text(struct text *text, struct text piece) {
  for (int i = 0; i < piece.len; i++) add(text, piece.at[i]);
}

void text_add_int(struct text *text, int number) {
  if (number > 9) text_add_int(text, number / 10);
  add(text, (char)('0' + number % 10));
}

void text_add_inside_string(struct text *text, struct text piece) {
  for (int i = 0; i < piece.len; i++) {
    if (piece.at[i] == '"' || piece.at[i] == '\\') add(text, '\\');
    add(text, (unsigned char)piece.at[i] < ' ' ? ' ' : piece.at[i]);
  }
}

int text_equal(struct text a, struct text b) {
  if (a.len != b.len) return 0;
  for (int i = 0; i < a.len; i++)
    if (a.at[i] != b.at[i]) return 0;
  return 1;
}
