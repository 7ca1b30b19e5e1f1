import { displayText, shortHash } from '../engine/encoding/display.ts';
import { canonicalJson } from '../engine/encoding/json.ts';
import type { Decision, DecisionKind } from '../engine/governance/types.ts';
import type { RunReport } from '../engine/governed-run.ts';
import { serializeReceipt } from '../engine/provenance/receipt.ts';
import { color, columns, formatBytes, MARK, plural } from './terminal.ts';

const DECISION_MARKS: Readonly<Record<DecisionKind, string>> = {
  performed: MARK.ok,
  recorded: MARK.info,
  denied: MARK.fail,
  skipped: MARK.skipped,
};

/** A run for people: how it ended, what it asked for and what became of that, and its receipt. */
export function describeRun(report: RunReport): string {
  const lines = [heading(report)];
  for (const { level, message } of report.logs) {
    lines.push(`  ${color.dim(`log ${level}`)}  ${displayText(message, 400)}`);
  }
  if (report.status === 'ok' || report.status === 'denied') {
    lines.push(`  result      ${displayText(canonicalJson(report.result), 400)}`);
    lines.push(`  directives  ${report.decisions.length === 0 ? 'none' : ''}`.trimEnd());
    lines.push(...columns(report.decisions.map(describeDecision), '    '));
  }
  const { fuel, receipt } = report;
  const used = fuel.used === null ? 'not metered' : fuel.used.toLocaleString('en-US');
  lines.push(`  fuel        ${used}, limit ${fuel.limit.toLocaleString('en-US')}`);
  lines.push(
    `  receipt     epoch ${receipt.epoch} of ${displayText(receipt.executor)}, ${formatBytes(serializeReceipt(receipt).length)}, signed by environment ${shortHash(receipt.signer)}…`,
    `              run ${receipt.run}, tier ${receipt.tier} ${receipt.purityMethod}`,
  );
  return lines.join('\n');
}

function heading({ status, receipt, problem, decisions }: RunReport): string {
  const name = color.bold(displayText(receipt.executor));
  if (status === 'ok') return `${MARK.ok} ${name} ended ok`;
  if (status === 'denied') {
    const denied = decisions.filter(({ decision }) => decision === 'denied').length;
    return `${MARK.fail} ${name} ended ${color.red('denied')}: ${plural(denied, 'directive')} refused`;
  }
  const where = problem?.function === undefined ? '' : `, in ${displayText(problem.function)}`;
  const offset = problem?.offset === undefined ? '' : ` at byte ${problem.offset}`;
  const why =
    problem === undefined ? '' : `: ${displayText(problem.message, 400)}${where}${offset}`;
  return `${MARK.fail} ${name} ended ${color.red(status)}${why}`;
}

function describeDecision({ directive, decision, reason }: Decision): string[] {
  const { type, ...parameters } = directive;
  return [
    `${DECISION_MARKS[decision]} ${decision}`,
    color.bold(displayText(type, 60)),
    displayText(canonicalJson(parameters), 120),
    color.dim(reason === undefined ? '' : displayText(reason, 200)),
  ];
}
