import type { Crypto, Signer } from './crypto/crypto.ts';
import { displayText } from './encoding/display.ts';
import { type JsonValue, parseJson } from './encoding/json.ts';
import { AdmissionError, type AdmittedExecutor, openAdmitted } from './gate/admit.ts';
import type { PurityMethod, Tier } from './gate/types.ts';
import { govern } from './governance/govern.ts';
import type { Decision, GovernanceObserver, Policy } from './governance/types.ts';
import { buildReceipt } from './provenance/build.ts';
import { PHASES, signReceipt } from './provenance/receipt.ts';
import type { ReceiptStore } from './provenance/store.ts';
import type { Receipt } from './provenance/types.ts';
import { inputBytes } from './runtime/input.ts';
import type { Isolation } from './runtime/isolation.ts';
import { checkLimits } from './runtime/limits.ts';
import { runExecutor } from './runtime/run.ts';
import type {
  Directive,
  LogEntry,
  Outcome,
  Phase,
  RunLimits,
  RunProblem,
} from './runtime/types.ts';

/** What governed runs share. */
export interface RunServices {
  readonly crypto: Crypto;
  /** Where the executor runs. */
  readonly isolation: Isolation;
  readonly receipts: ReceiptStore;
  /** The environment's key, which signs receipts. */
  readonly environment: Signer;
}

export interface GovernedRunRequest {
  readonly executor: AdmittedExecutor;
  /** The executor's name, which names its chain of receipts too. */
  readonly name: string;
  readonly version: string;
  /** The input document, as `inputBytes` takes it. */
  readonly input: JsonValue;
  readonly limits: RunLimits;
  /** The exported function to call: `plan` unless another is named. */
  readonly entry?: string;
  readonly signal?: AbortSignal | undefined;
  readonly policy: Policy;
  /** Is told of each stage of governance as it is passed. */
  readonly observer?: GovernanceObserver;
}

/** What `run --format json` prints (DESIGN 10) of a run that passed the gate. */
export interface RunReport {
  readonly status: Receipt['status'];
  /** What the executor answered, also where a directive of it was denied; `null` without an answer. */
  readonly result: JsonValue;
  readonly directives: readonly Directive[];
  /** One for each directive, in order. */
  readonly decisions: readonly Decision[];
  readonly logs: readonly LogEntry[];
  readonly problem?: RunProblem;
  readonly fuel: Outcome['fuel'];
  readonly tier: Tier;
  readonly purityMethod: PurityMethod;
  /** The receipt, as it is in the store. */
  readonly receipt: Receipt;
  /** How far the run came: a prefix of the phases. */
  readonly completed: readonly Phase[];
}

/**
 * Runs an admitted executor, governs the directives it gave if it ended well, and records the run
 * (DESIGN 2, 8). However the run ends, it leaves a receipt, and only a run whose receipt is durable
 * is reported.
 * @throws {AdmissionError} for an executor the gate did not make or no longer admits: nothing ran.
 * @throws {InputError} `invalid-json` for an input that is no input document and `usage` for a name
 * that no chain can have: nothing ran; `unwritable`, `invalid-receipt`, `invalid-key` or `too-large`
 * when the receipt cannot be made or written, and whatever the signer throws.
 * @throws {RangeError} for a limit that is not a whole number: nothing ran.
 */
export async function governedRun(
  services: RunServices,
  given: GovernedRunRequest,
): Promise<RunReport> {
  // Each field is read once, so that what is recorded is what ran.
  const bytes = inputBytes(given.input);
  const request = { ...given, input: parseJson(bytes, 'the input') };
  const { crypto, receipts, environment } = services;
  const { executor, name, version } = request;
  openAdmitted(executor);
  const chain = receipts.open(name);
  const inputHash = crypto.sha256(bytes);
  const run = await execute(services, request);
  const { receipt } = await chain.append((tip) =>
    signReceipt(
      crypto,
      buildReceipt(
        crypto,
        { executor: `${name}@${version}`, admitted: executor, inputHash, ...run },
        tip,
        environment.publicKey.keyId,
      ),
      environment,
    ),
  );
  return toReport(run, receipt);
}

/** What happened, before it is recorded. */
interface Executed {
  readonly outcome: Outcome;
  readonly decisions: readonly Decision[];
  readonly status: Receipt['status'];
  readonly completed: readonly Phase[];
}

async function execute(
  { crypto, isolation }: RunServices,
  { executor, policy, observer, limits, ...rest }: GovernedRunRequest,
): Promise<Executed> {
  const checked = checkLimits(limits);
  let outcome: Outcome;
  try {
    outcome = await runExecutor(executor, { ...rest, limits: checked }, isolation);
  } catch (error) {
    if (error instanceof AdmissionError) throw error;
    return ended(hostFailure(error, checked, ['gate']));
  }
  if (outcome.status !== 'ok') return ended(outcome);
  try {
    const decisions = govern(crypto, outcome.directives, policy, observer);
    const denied = decisions.some(({ decision }) => decision === 'denied');
    return { outcome, decisions, status: denied ? 'denied' : 'ok', completed: PHASES };
  } catch (error) {
    const { output, logs, fuel, completed } = outcome;
    return ended({ ...hostFailure(error, checked, completed), output, logs, fuel });
  }
}

function ended(outcome: Outcome): Executed {
  return { outcome, decisions: [], status: outcome.status, completed: outcome.completed };
}

/** The outcome of a run that the host, not the executor, failed to bring to an end. */
function hostFailure(error: unknown, limits: RunLimits, completed: readonly Phase[]): Outcome {
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return {
    status: 'trap',
    result: null,
    directives: [],
    logs: [],
    problem: { code: 'host-failure', message: `the host failed: ${displayText(message, 300)}` },
    output: undefined,
    fuel: { limit: limits.fuel, used: null },
    completed,
  };
}

function toReport(
  { outcome, decisions, status, completed }: Executed,
  receipt: Receipt,
): RunReport {
  return {
    status,
    result: outcome.result,
    directives: outcome.directives,
    decisions,
    logs: outcome.logs,
    ...(outcome.problem !== undefined && { problem: outcome.problem }),
    fuel: receipt.fuel,
    tier: receipt.tier,
    purityMethod: receipt.purityMethod,
    receipt,
    completed,
  };
}
