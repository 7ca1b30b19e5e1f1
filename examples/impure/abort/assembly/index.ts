// Plans one call of a machine drawn by lot, and is impure: built with the compiler's defaults,
// every failed assertion of the runtime imports `env.abort`, and `Math.random` imports `env.seed`.

import { items, member } from "../../../sdk/assemblyscript/json";
import { callMachine, readInput, succeed } from "../../../sdk/assemblyscript/mashin";

export function plan(): void {
  const config = member(readInput(), "step_config");
  const candidates = items(member(config, "machines"));
  if (candidates == null || candidates.length == 0) throw new Error("step_config.machines: empty");
  const machine = draw(candidates);
  callMachine('{"machine":' + machine + ',"inputs":{}}');
  succeed('{"machine":' + machine + "}");
}

function draw(candidates: string[]): string {
  return candidates[i32(Math.floor(Math.random() * candidates.length))];
}
