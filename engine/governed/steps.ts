import { isJsonObject, type JsonObject, type JsonValue } from '../encoding/json.ts';
import { type PhaseEntry, phaseAt } from '../governance/phase.ts';
import type { Decision } from '../governance/types.ts';
import { type GovernedRunRequest, governedRun, type RunReport, type RunServices } from './run.ts';

export interface SteppedRunRequest extends Omit<GovernedRunRequest, 'state'> {
  /** How many steps are run at most. */
  readonly steps: number;
  /** The phases of the workflow, which decide what may be asked for in each step. */
  readonly phases?: readonly PhaseEntry[] | undefined;
  /** Is told of each step once its receipt is durable. */
  readonly onStep?: ((report: RunReport, step: number) => void) | undefined;
}

/**
 * Lets an executor plan again with what came of its directives, step after step, each with a receipt in
 * the same chain. The run ends with the step that asks for nothing, does not end `ok`, or is the last.
 * @returns the reports of the steps, at least one.
 * @throws as `governedRun`; the steps before have their receipts.
 */
export async function governedSteps(
  services: RunServices,
  { steps, phases = [], onStep, ...request }: SteppedRunRequest,
): Promise<readonly [RunReport, ...RunReport[]]> {
  const runStep = async (input: JsonValue, step: number) => {
    const policy = { ...request.policy, phase: phaseAt(phases, step) };
    const report = await governedRun(services, { ...request, input, policy });
    onStep?.(report, step);
    return report;
  };
  const reports: [RunReport, ...RunReport[]] = [await runStep(request.input, 0)];
  for (let step = 1; step < steps; step++) {
    const last = reports.at(-1);
    if (last === undefined || last.status !== 'ok' || last.decisions.length === 0) break;
    reports.push(await runStep(nextInput(request.input, last, step - 1), step));
  }
  return reports;
}

/**
 * The input of the step after `report`: the first step's, with `context.previous` = `{ "step", "result",
 * "effects": [{ "type", "id"?, "decision", "reason"?, "result"? }] }`.
 */
function nextInput(input: JsonValue, report: RunReport, step: number): JsonValue {
  const document = isJsonObject(input) ? input : {};
  const context = isJsonObject(document.context) ? document.context : {};
  const previous = { step, result: report.result, effects: report.decisions.map(effectDocument) };
  return { ...document, context: { ...context, previous } };
}

function effectDocument({ directive, decision, reason, result }: Decision): JsonObject {
  return {
    type: directive.type,
    ...(directive.id !== undefined && { id: directive.id }),
    decision,
    ...(reason !== undefined && { reason }),
    ...(result !== undefined && { result }),
  };
}
