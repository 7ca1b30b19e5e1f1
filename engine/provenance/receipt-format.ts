import type { Sha256 } from '../crypto/crypto.ts';
import type { HookVerdict } from '../governance/hook.ts';
import type { DecisionKind } from '../governance/types.ts';
import { type Phase, RUN_STATUSES } from '../runtime/types.ts';

/** The format of a receipt with a signature of its own. */
export const RECEIPT_FORMAT = 'receipt/1';

/** The format of a receipt that is signed with its batch. */
export const BATCHED_FORMAT = 'receipt/2';

/** What names a table of fuel costs. */
export const FUEL_SCHEDULE_NAME = /^fuel\/[1-9][0-9]{0,3}$/;

/** A receipt larger than this, in bytes, is neither written nor read. */
export const MAX_RECEIPT_BYTES = 16_777_216;

/** `prevHash` of epoch 0: nothing comes before it. */
export const NO_PREVIOUS = '0'.repeat(64) as Sha256;

/** The phases of a run that passed the gate, in order: `completed` is a prefix of them. */
export const PHASES: readonly Phase[] = Object.freeze([
  'gate',
  'instantiate',
  'plan',
  'govern',
  'record',
] as const);

/** How a recorded run can have ended. */
export const RECEIPT_STATUSES = Object.freeze([...RUN_STATUSES, 'denied', 'interrupted'] as const);

/** What a hook can have said. */
export const HOOK_VERDICTS = Object.freeze([
  'allow',
  'deny',
  'review',
  'failed',
] as const satisfies readonly HookVerdict[]);

/** What can have become of a directive. */
export const DECISION_KINDS = Object.freeze([
  'performed',
  'withheld',
  'attempted',
  'recorded',
  'denied',
  'skipped',
] as const satisfies readonly DecisionKind[]);
