import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import type { Decision } from '../governance/types.ts';
import { FUEL_SCHEDULE } from '../metering/costs.ts';
import type { Outcome } from '../runtime/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import { NO_PREVIOUS } from './receipt-format.ts';
import { runId } from './run-id.ts';
import type {
  ChainTip,
  Receipt,
  ReceiptContent,
  ReceiptDirective,
  ReceiptState,
  UnplacedContent,
} from './types.ts';

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
  return placeContent(crypto, contentOf(crypto, facts), previous, signer);
}

/** What the receipt says of a run wherever it stands. */
export function contentOf(crypto: Crypto, facts: RunFacts): UnplacedContent {
  const { admitted, inputHash, outcome, status } = facts;
  const { limit, used } = outcome.fuel;
  // Where a clock or a person ended the run, what was used by then differs from time to time.
  const endedFromOutside = status === 'timeout' || status === 'cancelled';
  return {
    artifactHash: admitted.artifactHash,
    inputHash,
    executor: facts.executor,
    certificateHash: admitted.certificateHash,
    purityMethod: admitted.purityMethod,
    tier: admitted.tier,
    whitelistHash: admitted.whitelistHash,
    outputHash: outcome.output === undefined ? null : crypto.sha256(outcome.output),
    directives: facts.decisions.map(receiptDirective),
    fuel: { limit, schedule: FUEL_SCHEDULE, used: endedFromOutside ? null : used },
    status,
    completed: [...facts.completed],
    ...(facts.state !== undefined && { state: facts.state }),
  };
}

/** Gives what a receipt says its place after `previous`. */
export function placeContent(
  crypto: Crypto,
  content: UnplacedContent,
  previous: ChainTip | undefined,
  signer: KeyId,
): ReceiptContent {
  const { artifactHash, inputHash } = content;
  const prevHash = previous?.hash ?? NO_PREVIOUS;
  const epoch = previous === undefined ? 0 : previous.epoch + 1;
  const run = runId(crypto, { artifactHash, inputHash, prevHash, epoch });
  return { ...content, run, prevHash, epoch, signer };
}

/** The entry of a directive in the receipt: what its result was is told by a hash alone. */
export function receiptDirective({
  directive: { type },
  hash,
  decision,
  reason,
  resultHash,
  hooks,
  link,
}: Decision): ReceiptDirective {
  return {
    // An unknown tag is an executor's own text, of any length; `hash` is what identifies it.
    type: directiveName(type),
    hash,
    decision,
    ...(reason !== undefined && { reason }),
    ...(resultHash !== undefined && { resultHash }),
    ...(hooks !== undefined && { hooks }),
    ...(link !== undefined && { link }),
  };
}

/** How receipts name a directive: a tag that the table does not hold is made safe to show and short. */
export function directiveName(type: string): string {
  return DIRECTIVES.has(type) ? type : displayText(type, 60);
}
