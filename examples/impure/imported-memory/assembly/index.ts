// Plans one call of a machine, and is impure: it was built with `--importMemory`, as for a page
// that shares one memory among several modules. Whoever holds that memory can read and write
// everything the executor does.

import { member } from "../../../sdk/assemblyscript/json";
import { callMachine, fail, readInput, succeed } from "../../../sdk/assemblyscript/mashin";

export function plan(): void {
  const config = member(readInput(), "step_config");
  const machine = member(config, "machine");
  if (machine == null) return fail('"step_config.machine: missing"');
  callMachine('{"machine":' + machine + ',"inputs":{}}');
  succeed('{"machine":' + machine + "}");
}
