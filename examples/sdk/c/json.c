#include "json.h"

static const struct text none = {0, 0};

static void skip(struct text *rest, int bytes) {
  rest->at += bytes;
  rest->len -= bytes;
}

static int is_between(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ':';
}

static void skip_between(struct text *rest) {
  while (rest->len && is_between(*rest->at)) skip(rest, 1);
}

static int string_length(struct text rest) {
  int i = 1;
  while (i < rest.len && rest.at[i] != '"') i += rest.at[i] == '\\' ? 2 : 1;
  return i + 1;
}

static int value_length(struct text rest) {
  int depth = 0, i = 0;
  while (i < rest.len) {
    char c = rest.at[i];
    if (c == '"') {
      i += string_length((struct text){rest.at + i, rest.len - i});
      if (!depth) return i;
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') {
      if (!depth) return i;
      if (!--depth) return i + 1;
    }
    if (!depth && is_between(c)) return i;
    i++;
  }
  return i;
}

struct text json_enter(struct text value) {
  if (value.len < 2 || (value.at[0] != '{' && value.at[0] != '[')) return none;
  return (struct text){value.at + 1, value.len - 2};
}

int json_next(struct text *rest, struct text *item) {
  skip_between(rest);
  if (!rest->len) return 0;
  *item = (struct text){rest->at, value_length(*rest)};
  skip(rest, item->len);
  return 1;
}

int json_count(struct text list) {
  struct text rest = json_enter(list), item;
  int count = 0;
  while (json_next(&rest, &item)) count++;
  return count;
}

struct text json_inside_string(struct text value) {
  if (value.len < 2 || value.at[0] != '"') return none;
  return (struct text){value.at + 1, value.len - 2};
}

static int is_key(struct text key, const char *name) {
  int i = 0;
  while (i < key.len && name[i] && key.at[i] == name[i]) i++;
  return i == key.len && !name[i];
}

struct text json_member(struct text object, const char *key) {
  struct text rest = json_enter(object), name, value;
  while (json_next(&rest, &name) && json_next(&rest, &value))
    if (is_key(json_inside_string(name), key)) return value;
  return none;
}
