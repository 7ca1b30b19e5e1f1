import type {
  DenialReport,
  EffectReport,
  EffectsReport,
  HookReport,
  TagCounts,
} from '../engine/audit/report.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import type { DecisionKind } from '../engine/governance/types.ts';
import { describeMore, describePlace, grouped } from './audit-words.ts';
import { color, labelled, MARK, plural, wrap } from './terminal.ts';

const MARKS: Readonly<Record<DecisionKind, string>> = {
  performed: MARK.ok,
  withheld: MARK.fail,
  attempted: MARK.warning,
  recorded: MARK.info,
  denied: MARK.fail,
  skipped: MARK.skipped,
};

const DECISIONS = Object.keys(MARKS) as readonly DecisionKind[];

/** Directives by tag and by what came of them; each of them, where the report lists them. */
export function describeEffects({ byTag, list = [], more = 0 }: EffectsReport): readonly string[] {
  const rows = Object.entries(byTag).map(
    ([tag, counts]) => [displayText(tag, 60), describeCounts(counts)] as const,
  );
  return [
    ...(rows.length > 0 ? [labelled(rows)] : []),
    ...list.map(describeEffect),
    ...describeMore(more, 'directive'),
  ];
}

function describeCounts(counts: TagCounts): string {
  return DECISIONS.filter((decision) => counts[decision] > 0)
    .map((decision) => {
      const failed =
        decision === 'performed' && counts.failed > 0 ? ` (${grouped(counts.failed)} failed)` : '';
      return `${grouped(counts[decision])} ${decision}${failed}`;
    })
    .join(', ');
}

function describeEffect(effect: EffectReport): string {
  const { type, decision, hash, resultHash, reason } = effect;
  const result = resultHash === undefined ? '' : ` → ${shortHash(resultHash)}…`;
  const why = reason === undefined ? '' : `: ${displayText(reason, 300)}`;
  const where = color.dim(`(${describePlace(effect)})`);
  return wrap(
    `${MARKS[decision]} ${displayText(type, 60)} ${shortHash(hash)}… ${decision}${result}${why} ${where}`,
    '  ',
    '      ',
  );
}

/** So many reasons of one code are told; the report has more. */
const MAX_REASONS = 5;

/** What was denied, by the code of its reason. */
export function describeDenials(denied: readonly DenialReport[]): readonly string[] {
  return denied.map(({ code, count, byTag, reasons, first }) => {
    const tags = Object.entries(byTag).map(
      ([tag, times]) => `${displayText(tag, 60)} ${grouped(times)}`,
    );
    const head = `${MARK.fail} ${color.bold(displayText(code, 60))}  ${plural(count, 'directive')}: ${tags.join(', ')} ${color.dim(`(first: ${describePlace(first)})`)}`;
    const told = reasons
      .slice(0, MAX_REASONS)
      .map(({ reason, count }) =>
        wrap(`${grouped(count)} × ${displayText(reason, 300)}`, '    ', '      '),
      );
    const left = reasons.length - told.length;
    if (left > 0) told.push(color.dim(`    … and ${plural(left, 'more reason')}`));
    return [wrap(head, '', '    '), ...told].join('\n');
  });
}

/** The hooks and guardrails that were asked. */
export function describeHooks(hooks: readonly HookReport[]): readonly string[] {
  return hooks.map(({ artifactHash, certificate, verdicts }) => {
    const who = artifactHash === null ? 'no module' : `${shortHash(artifactHash)}…`;
    const by = certificate === null ? 'no certificate at hand' : displayText(certificate, 300);
    const told = Object.entries(verdicts).map(([verdict, count]) => `${grouped(count)} ${verdict}`);
    const mark = certificate === null ? MARK.info : MARK.ok;
    return wrap(`${mark} ${who} ${color.dim(`(${by})`)}  ${told.join(', ')}`, '', '    ');
  });
}
