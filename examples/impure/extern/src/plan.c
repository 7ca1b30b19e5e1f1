/* Plans a payment in another currency, and is impure: the rates are fetched while planning, by a
   function that no one defines. `--allow-undefined` makes the linker turn it into an import from
   `env` without a word. */

#include "convert.h"
#include "json.h"
#include "mashin.h"
#include "text.h"

__attribute__((export_name("plan"))) void plan(void) {
  struct text input = text_reserve(get_input_len());
  get_input(input.at);
  struct text config = json_member(input, "step_config");
  struct text currency = json_inside_string(json_member(config, "currency"));

  struct text call = text_begin();
  text_add(&call, "{\"machine\":\"payments/transfer\",\"inputs\":{\"cents\":");
  text_add_int(&call, convert(10000, currency));
  text_add(&call, "}}");
  call_machine(call.at, call.len);
  set_output("{\"result\":null}", 15);
}
