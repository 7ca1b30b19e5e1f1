import { PURITY_METHODS, type Tier } from '../gate/types.ts';
import type { Decision } from '../governance/types.ts';
import type { Receipt } from '../provenance/types.ts';
import type { RunProblem } from '../runtime/types.ts';
import type { RunReport } from './run.ts';

/** A run as documents tell it: the fields of `run --format json` (DESIGN 10), in its order. */
export interface RunDocument
  extends Pick<
    RunReport,
    | 'result'
    | 'directives'
    | 'logs'
    | 'fuel'
    | 'tier'
    | 'purityMethod'
    | 'overBudget'
    | 'stateProblem'
    | 'events'
  > {
  readonly status: RunReport['status'] | 'not-admitted';
  /** One for each directive, in order. */
  readonly decisions: readonly DecisionDocument[];
  /** Null where nothing ran. */
  readonly receipt: Receipt | null;
  /** Why there is no result; of `not-admitted`, the check that failed. */
  readonly problem?: RunProblem;
}

/** A decision as documents tell it: the directive itself stands beside it. */
export type DecisionDocument = { readonly type: string } & Omit<Decision, 'directive'>;

/** The decisions of a run, as documents tell them. */
export function decisionDocuments({ decisions }: RunReport): readonly DecisionDocument[] {
  return decisions.map(({ directive, ...decision }) => ({ type: directive.type, ...decision }));
}

/** A run that was recorded, as documents tell it. */
export function runDocument(report: RunReport): RunDocument {
  const { status, result, directives, logs, fuel, tier, purityMethod, receipt } = report;
  const { problem, overBudget, stateProblem, events } = report;
  return {
    status,
    result,
    directives,
    decisions: decisionDocuments(report),
    logs,
    fuel,
    tier,
    purityMethod,
    receipt,
    ...(problem !== undefined && { problem }),
    ...(overBudget !== undefined && { overBudget }),
    ...(stateProblem !== undefined && { stateProblem }),
    ...(events !== undefined && { events }),
  };
}

/** A run of several steps: the last one's document, with those of all of them. */
export interface SteppedRunDocument extends RunDocument {
  readonly steps: readonly RunDocument[];
}

/** The document of a run of steps. */
export function steppedRunDocument(
  reports: readonly [RunReport, ...RunReport[]],
): SteppedRunDocument {
  const steps = reports.map(runDocument);
  const last = steps.at(-1) ?? runDocument(reports[0]);
  return { ...last, steps };
}

/** The document of a run that was asked for and not let through. */
export function notAdmittedDocument(tier: Tier, fuel: number, problem: RunProblem): RunDocument {
  return {
    status: 'not-admitted',
    result: null,
    directives: [],
    decisions: [],
    logs: [],
    fuel: { limit: fuel, used: null },
    tier,
    purityMethod: PURITY_METHODS[tier],
    receipt: null,
    problem,
  };
}
