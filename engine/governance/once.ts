import type { Sha256 } from '../crypto/crypto.ts';
import { canonicalBytes, type JsonValue } from '../encoding/json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import type { Directive } from '../runtime/types.ts';
import type { EffectHandler } from './effect.ts';
import type { Effect, Execution } from './execute.ts';
import type { EffectLedger, LedgerEntry, LedgerOutcome } from './ledger.ts';
import { deny } from './stages.ts';

/** An effect that is about to be performed, as the ledger knows it. */
export interface Known {
  finish(result: JsonValue): Promise<void>;
  /** Nothing was done. */
  abandon(): Promise<void>;
}

/** A directive without an id is performed whenever it is asked for. */
const UNKNOWN: Known = Object.freeze({ finish: async () => {}, abandon: async () => {} });

/**
 * Looks up the effect of a directive that has an `id`: one that was performed before is answered with
 * what came of it, and one that was cut off is performed again only where that does no more than once.
 * @returns what there is to decide about it, or how to remember what comes of it now.
 */
export async function rememberEffect(
  directive: Directive,
  handler: EffectHandler,
  { crypto, means: { ledger }, caller }: Execution,
): Promise<Known | Effect> {
  const { id } = directive;
  if (typeof id !== 'string' || ledger === undefined) return UNKNOWN;
  const [name] = caller.executor.split('@', 1);
  const key = crypto.sha256(encodeUtf8(`${name}\0${id}`));
  const hash = crypto.sha256(canonicalBytes(directive));
  const entry = await entryOf(ledger, key, hash);
  switch (entry?.state) {
    case 'new':
      return knownTo(ledger, key);
    case 'unfinished':
      return handler.isRepeatable?.(directive)
        ? knownTo(ledger, key)
        : denied('OutcomeUnknown', 'an earlier attempt was cut off');
    case 'running':
      return denied('EffectRunning', 'it is under way');
    case 'other':
      return denied('EffectIdReused', 'the id names another directive');
    case 'done':
      return {
        decision: 'recorded',
        reason: 'AlreadyPerformed(id)',
        result: seenOf(entry.outcome),
      };
    default:
      return denied('LedgerFailed', 'whether it was performed before cannot be told');
  }
}

function denied(code: string, words: string): Effect {
  return { decision: 'denied', reason: deny(code, words) };
}

/** What the ledger knows; `undefined` where it cannot be read, which fails closed. */
async function entryOf(
  ledger: EffectLedger,
  key: string,
  hash: Sha256,
): Promise<LedgerEntry | undefined> {
  try {
    return await ledger.begin(key, hash);
  } catch {
    return undefined;
  }
}

/** What the executor saw of an effect. */
function seenOf(outcome: LedgerOutcome): JsonValue {
  return 'result' in outcome ? outcome.result : { error: { ...outcome } };
}

/** What cannot be noted leaves the effect unfinished: asked for again, its outcome is unknown. */
function knownTo(ledger: EffectLedger, key: string): Known {
  return {
    finish: (result) => ledger.finish(key, { result }).catch(() => {}),
    abandon: () => ledger.abandon(key).catch(() => {}),
  };
}
