import type { Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { isDenial } from '../governance/govern.ts';
import type { HookVerdict } from '../governance/hook.ts';
import type { Receipt, ReceiptDirective } from '../provenance/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import type { Place } from './findings.ts';
import type { DenialReport, EffectReport, EffectsReport, TagCounts } from './report.ts';

/** So many directives are listed, where all are asked for. */
const MAX_LISTED = 250_000;

/** So many tags that the table does not hold, codes of reasons, and modules of hooks are told apart. */
const MAX_KINDS = 1_000;

/** So many reasons of one code are told apart. */
const MAX_REASONS = 100;

/** The longest reason that is told, in UTF-16 units. */
const MAX_REASON = 300;

/** What was done, asked and denied, over receipts that are taken one after the other. */
export interface Survey {
  /** @param where the receipt's place. */
  take(receipt: Receipt, where: Place): void;
  effects(): EffectsReport;
  denied(): readonly DenialReport[];
  /** Verdicts of hooks by the module that answered. */
  hooks(): ReadonlyMap<Sha256 | null, ReadonlyMap<HookVerdict, number>>;
  /** Whether there were more hooks than are told apart. */
  isFull(): boolean;
}

/** Begins a survey. Memory is bounded however many receipts are taken, and by a number with `all`. */
export function createSurvey({ all }: { readonly all: boolean }): Survey {
  const byTag = new Map<string, Mutable<TagCounts>>();
  const denials = new Map<string, Denials>();
  const hooks = new Map<Sha256 | null, Map<HookVerdict, number>>();
  const list: EffectReport[] = [];
  let directives = 0;
  let isFull = false;

  const takeDirective = (entry: ReceiptDirective, receipt: Receipt, where: Place) => {
    const tag = tagOf(entry);
    const counts = at(byTag, tag, OTHERS, noCounts);
    counts[entry.decision]++;
    if (entry.decision === 'performed' && entry.reason !== undefined) counts.failed++;
    if (isDenial(entry)) addDenial(denials, entry, tag, where);
    for (const { artifactHash, verdict } of entry.hooks ?? []) {
      const verdicts = hooks.get(artifactHash) ?? new Map<HookVerdict, number>();
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      if (hooks.size < MAX_KINDS) hooks.set(artifactHash, verdicts);
      else isFull ||= !hooks.has(artifactHash);
    }
    directives++;
    if (all && list.length < MAX_LISTED) list.push(effectOf(entry, receipt, where));
  };

  return {
    take: (receipt, where) => {
      for (const [index, entry] of receipt.directives.entries()) {
        takeDirective(entry, receipt, { ...where, directive: index + 1 });
      }
    },
    effects: () => ({
      byTag: Object.fromEntries([...byTag].sort(byName)),
      ...(all && { list }),
      ...(all && list.length < directives && { more: directives - list.length }),
    }),
    denied: () => [...denials].map(denialReport).sort((a, b) => b.count - a.count),
    hooks: () => hooks,
    isFull: () => isFull,
  };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

interface Denials {
  count: number;
  readonly byTag: Map<string, number>;
  readonly reasons: Map<string, number>;
  readonly first: Place;
}

/** Stands for what is not told apart any more. */
const OTHERS = '(others)';

function addDenial(
  denials: Map<string, Denials>,
  { reason = '' }: ReceiptDirective,
  tag: string,
  where: Place,
): void {
  const code = /^[A-Za-z]{1,60}(?=\()/.exec(reason)?.[0] ?? '(no code)';
  const found = at(denials, code, OTHERS, () => ({
    ...{ count: 0, first: where },
    byTag: new Map<string, number>(),
    reasons: new Map<string, number>(),
  }));
  found.count++;
  count(found.byTag, tag, MAX_KINDS);
  count(found.reasons, displayText(reason, MAX_REASON), MAX_REASONS);
}

function denialReport([code, { count, byTag, reasons, first }]: readonly [
  string,
  Denials,
]): DenialReport {
  return {
    ...{ code, count, first },
    byTag: Object.fromEntries([...byTag].sort(byName)),
    reasons: [...reasons]
      .map(([reason, count]) => ({ reason, count }))
      .sort((a, b) => b.count - a.count),
  };
}

function count(counts: Map<string, number>, key: string, most: number): void {
  const told = counts.has(key) || counts.size < most ? key : OTHERS;
  counts.set(told, (counts.get(told) ?? 0) + 1);
}

/** What stands under a key; beyond {@link MAX_KINDS} of them, what stands under `rest`. */
function at<Value>(map: Map<string, Value>, key: string, rest: string, make: () => Value): Value {
  const told = map.has(key) || map.size < MAX_KINDS ? key : rest;
  const value = map.get(told) ?? make();
  map.set(told, value);
  return value;
}

function noCounts(): Mutable<TagCounts> {
  const decisions = { performed: 0, withheld: 0, attempted: 0, recorded: 0, denied: 0, skipped: 0 };
  return { ...decisions, failed: 0 };
}

/** The name of a directive: receipts made elsewhere need not have made an unknown one safe. */
function tagOf({ type }: ReceiptDirective): string {
  return DIRECTIVES.has(type) ? type : displayText(type, 60);
}

function effectOf(entry: ReceiptDirective, receipt: Receipt, where: Place): EffectReport {
  const { decision, hash, resultHash, reason, hooks, link } = entry;
  return {
    ...{ file: where.file, epoch: receipt.epoch, directive: where.directive ?? 0 },
    executor: displayText(receipt.executor, 200),
    type: tagOf(entry),
    ...{ decision, hash },
    ...(resultHash !== undefined && { resultHash }),
    ...(reason !== undefined && { reason: displayText(reason, MAX_REASON) }),
    ...(hooks !== undefined && { hooks }),
    ...(link !== undefined && { link }),
  };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
