/* Pieces of text, and the memory they lie in. Nothing is freed: a plan runs once in an instance
   of its own. Only the text begun last can be added to. */
#ifndef TEXT_H
#define TEXT_H

struct text {
  char *at;
  int len;
};

struct text text_begin(void);
struct text text_reserve(int len);
void *text_reserve_bytes(int len); /* aligned to 8 */

void text_add(struct text *text, const char *zero_terminated);
void text_add_text(struct text *text, struct text piece);
void text_add_int(struct text *text, int number); /* not negative */
void text_add_inside_string(struct text *text, struct text piece); /* escaped for JSON */

int text_equal(struct text a, struct text b);

#endif
