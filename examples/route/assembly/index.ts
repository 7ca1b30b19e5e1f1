// Plans one call of the machine that a value of the context selects.
//
//   { "on": "category", "routes": { "billing": "billing/intake" }, "otherwise": "inbox/triage" }
//
// `on` names a top-level value of the context. Strings select by their text, numbers and
// booleans by their JSON. Everything else of the context stays unread.

import { member, quote, text } from "../../sdk/assemblyscript/json";
import { callMachine, contextValue, fail, readInput, succeed } from "../../sdk/assemblyscript/mashin";

export function plan(): void {
  const config = member(readInput(), "step_config");
  const on = text(member(config, "on"));
  if (on == null) return fail('"step_config.on: expected the name of a context value"');

  const value = contextValue(on);
  if (value == null) return fail(quote("step_config.on: the context has no `" + on + "`"));

  const machine = machineFor(config, value);
  if (machine == null) {
    return fail(quote("step_config.routes: none for " + value + ", and no `otherwise`"));
  }
  if (text(machine) == null) {
    return fail(quote("step_config.routes: " + machine + " is not the name of a machine"));
  }
  callMachine('{"machine":' + machine + ',"inputs":{' + quote(on) + ":" + value + "}}");
  succeed('{"machine":' + machine + "}");
}

/** The JSON text of the machine's name, or null when nothing matches. */
function machineFor(config: string | null, value: string): string | null {
  const word = text(value);
  const chosen = member(member(config, "routes"), word == null ? value : word);
  return chosen == null ? member(config, "otherwise") : chosen;
}
