/* Plans a count: how often each value occurs in a list of the context.

     { "of": "votes" }

   The list holds strings, numbers and booleans; two are the same when their JSON is. When the
   context has a `run_id`, the tally is recorded as a step of that run. */

#include "json.h"
#include "mashin.h"
#include "text.h"

struct entry {
  struct text value;
  int count;
};

struct tally {
  struct entry *entries;
  int distinct;
  int total;
};

static void fail(const char *message, struct text detail) {
  struct text document = text_begin();
  text_add(&document, "{\"error\":{\"message\":\"step_config.of: ");
  text_add(&document, message);
  text_add_inside_string(&document, detail);
  text_add(&document, "\"}}");
  set_output(document.at, document.len);
}

static struct text read_input(void) {
  struct text input = text_reserve(get_input_len());
  get_input(input.at);
  return input;
}

static struct text read_context(struct text key) {
  int len = context_len(key.at, key.len);
  if (len < 0) return (struct text){0, 0};
  struct text value = text_reserve(len);
  context_read(key.at, key.len, value.at);
  return value;
}

static void count(struct tally *tally, struct text value) {
  tally->total++;
  for (int i = 0; i < tally->distinct; i++) {
    if (text_equal(tally->entries[i].value, value)) {
      tally->entries[i].count++;
      return;
    }
  }
  tally->entries[tally->distinct++] = (struct entry){value, 1};
}

/* Returns the first item that cannot be counted, or an empty text. */
static struct text count_all(struct tally *tally, struct text list) {
  struct text rest = json_enter(list), item;
  while (json_next(&rest, &item)) {
    if (item.at[0] == '{' || item.at[0] == '[') return item;
    count(tally, item);
  }
  return (struct text){0, 0};
}

static void add_result(struct text *out, const struct tally *tally) {
  text_add(out, "{\"total\":");
  text_add_int(out, tally->total);
  text_add(out, ",\"tally\":[");
  for (int i = 0; i < tally->distinct; i++) {
    text_add(out, i ? ",{\"value\":" : "{\"value\":");
    text_add_text(out, tally->entries[i].value);
    text_add(out, ",\"count\":");
    text_add_int(out, tally->entries[i].count);
    text_add(out, "}");
  }
  text_add(out, "]}");
}

static void record(struct text run_id, const struct tally *tally) {
  struct text step = text_begin();
  text_add(&step, "{\"run_id\":");
  text_add_text(&step, run_id);
  text_add(&step, ",\"name\":\"tally\",\"output\":");
  add_result(&step, tally);
  text_add(&step, "}");
  record_step(step.at, step.len);
}

__attribute__((export_name("plan"))) void plan(void) {
  struct text config = json_member(read_input(), "step_config");
  struct text of = json_inside_string(json_member(config, "of"));
  if (!of.len) return fail("expected the name of a list in the context", of);

  struct text list = read_context(of);
  if (!list.at) return fail("the context has no ", of);
  if (list.at[0] != '[') return fail("not a list: ", of);

  struct tally tally = {text_reserve_bytes(json_count(list) * sizeof(struct entry)), 0, 0};
  struct text odd = count_all(&tally, list);
  if (odd.at) return fail("expected strings, numbers and booleans, got ", odd);

  struct text run_id = read_context((struct text){"run_id", 6});
  if (run_id.at) record(run_id, &tally);

  struct text document = text_begin();
  text_add(&document, "{\"result\":");
  add_result(&document, &tally);
  text_add(&document, "}");
  set_output(document.at, document.len);
}
