import { displayText, shortHash } from '../engine/encoding/display.ts';
import type { JsonValue } from '../engine/encoding/json.ts';
import type { Decision, DecisionKind } from '../engine/governance/types.ts';
import type { RunReport } from '../engine/governed/run.ts';
import { serializeReceipt } from '../engine/provenance/receipt.ts';
import { color, columns, formatBytes, labelled, MARK, plural, wrap } from './terminal.ts';

const DECISION_MARKS: Readonly<Record<DecisionKind, string>> = {
  performed: MARK.ok,
  withheld: MARK.fail,
  attempted: MARK.fail,
  recorded: MARK.info,
  denied: MARK.fail,
  skipped: MARK.skipped,
};

/** A run for people: how it ended, what it asked for and what became of that, and its receipt. */
export function describeRun(report: RunReport): string {
  const lines = [wrap(heading(report), '', '  ')];
  if (report.logs.length > 0) {
    lines.push(
      labelled(
        report.logs.map(({ level, message }) => [
          color.dim(`log ${level}`.padEnd(10)),
          displayText(message, 400),
        ]),
      ),
    );
  }
  if (hasAnswer(report)) {
    const { decisions } = report;
    lines.push(
      labelled([
        ['result    ', jsonText(report.result)],
        ['directives', decisions.length === 0 ? 'none' : String(decisions.length)],
      ]),
      ...describeDecisions(decisions),
    );
  }
  if (report.overBudget !== undefined) {
    lines.push(
      labelled([['late      ', `over their share of time: ${report.overBudget.join(', ')}`]]),
    );
  }
  return [...lines, describeReceipt(report)].join('\n');
}

/** Whether the executor answered: also where the time ran out while its directives were governed. */
function hasAnswer({ status, completed }: RunReport): boolean {
  if (status === 'timeout') return completed.includes('plan');
  return status === 'ok' || status === 'denied';
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

/** What became of each directive, and below it what it asks for and what came of that. */
function describeDecisions(decisions: readonly Decision[]): string[] {
  const heads = columns(
    decisions.map(({ directive, decision, reason }) => [
      `${DECISION_MARKS[decision]} ${decision}`,
      color.bold(displayText(directive.type, 60)),
      color.dim(reason === undefined ? '' : displayText(reason, 200)),
    ]),
    '    ',
  );
  return decisions.flatMap(({ directive: { type: _, ...parameters }, result }, i) => [
    heads[i] ?? '',
    color.dim(wrap(jsonText(parameters), '        ')),
    ...(result === undefined ? [] : [wrap(`→ ${jsonText(result)}`, '        ', '  ')]),
  ]);
}

function describeReceipt({ fuel, receipt }: RunReport): string {
  const used = fuel.used === null ? 'not known' : fuel.used.toLocaleString('en-US');
  const size = formatBytes(serializeReceipt(receipt).length);
  const { state } = receipt;
  const stateName = (hash: string | null) => (hash === null ? 'none' : `${shortHash(hash)}…`);
  return labelled([
    ['fuel      ', `${used}, limit ${fuel.limit.toLocaleString('en-US')}`],
    ...(state === undefined
      ? []
      : [['state     ', `${stateName(state.before)} → ${stateName(state.after)}`] as const]),
    ['receipt   ', `epoch ${receipt.epoch} of ${displayText(receipt.executor)}, ${size}`],
    ['', `run ${receipt.run}, tier ${receipt.tier} ${receipt.purityMethod}`],
    ['', `signed by environment ${shortHash(receipt.signer)}…`],
  ]);
}

/** JSON in one line with blanks in it, so that it can be broken; its middle is cut where it is long. */
function jsonText(value: JsonValue): string {
  // JSON escapes line breaks in strings, so those that are there are its own.
  return displayText(JSON.stringify(value, undefined, 1).replace(/\n */g, ' '), 600);
}
