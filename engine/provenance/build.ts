import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import type { Decision } from '../governance/types.ts';
import { FUEL_SCHEDULE } from '../metering/costs.ts';
import type { Outcome } from '../runtime/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import { NO_PREVIOUS } from './receipt-format.ts';
import { runId } from './run-id.ts';
import type { ChainTip, Receipt, ReceiptContent, ReceiptDirective, ReceiptState } from './types.ts';

/** What a receipt says of one run, without its place in a chain. */
export interface RunFacts {
  /** `name@version`. */
  readonly executor: string;
  readonly admitted: Pick<
    AdmittedExecutor,
    'artifactHash' | 'certificateHash' | 'purityMethod' | 'tier' | 'whitelistHash'
  >;
  readonly inputHash: Sha256;
  readonly outcome: Pick<Outcome, 'output' | 'fuel'>;
  readonly decisions: readonly Decision[];
  readonly status: Receipt['status'];
  readonly completed: Receipt['completed'];
  /** Of a stateful run only. */
  readonly state?: ReceiptState;
}

/**
 * What the receipt says of a run's first step, at the place after `previous` in a chain. A function of its
 * arguments alone: the same run at the same place gives the same bytes.
 * @param previous the chain's tip; `undefined` for the first receipt of a chain.
 */
export function buildContent(
  crypto: Crypto,
  facts: RunFacts,
  previous: ChainTip | undefined,
  signer: KeyId,
): ReceiptContent {
  const { admitted, inputHash, outcome, status } = facts;
  const place = {
    artifactHash: admitted.artifactHash,
    inputHash,
    prevHash: previous?.hash ?? NO_PREVIOUS,
    epoch: previous === undefined ? 0 : previous.epoch + 1,
  };
  const { limit, used } = outcome.fuel;
  // Where a clock or a person ended the run, what was used by then differs from time to time.
  const endedFromOutside = status === 'timeout' || status === 'cancelled';
  return {
    run: runId(crypto, place),
    ...place,
    executor: facts.executor,
    certificateHash: admitted.certificateHash,
    purityMethod: admitted.purityMethod,
    tier: admitted.tier,
    whitelistHash: admitted.whitelistHash,
    outputHash: outcome.output === undefined ? null : crypto.sha256(outcome.output),
    directives: facts.decisions.map(toReceiptDirective),
    fuel: { limit, schedule: FUEL_SCHEDULE, used: endedFromOutside ? null : used },
    status,
    completed: [...facts.completed],
    ...(facts.state !== undefined && { state: facts.state }),
    signer,
  };
}

function toReceiptDirective({
  directive: { type },
  hash,
  decision,
  reason,
  resultHash,
}: Decision): ReceiptDirective {
  return {
    // An unknown tag is an executor's own text, of any length; `hash` is what identifies it.
    type: DIRECTIVES.has(type) ? type : displayText(type, 60),
    hash,
    decision,
    ...(reason !== undefined && { reason }),
    ...(resultHash !== undefined && { resultHash }),
  };
}
