#include "rates.h"
#include "json.h"

int fetch_url(const char *url, char *out, int capacity);

int rate_in_millionths(struct text currency) {
  struct text body = text_reserve(4096);
  body.len = fetch_url("https://rates.example/latest.json", body.at, body.len);
  struct text rates = json_enter(body), name, rate;
  while (json_next(&rates, &name) && json_next(&rates, &rate)) {
    if (!text_equal(json_inside_string(name), currency)) continue;
    int millionths = 0;
    for (int i = 0; i < rate.len; i++) millionths = millionths * 10 + (rate.at[i] - '0');
    return millionths;
  }
  return 0;
}
