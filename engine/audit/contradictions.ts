import type { Crypto } from '../crypto/crypto.ts';
import { isDenial } from '../governance/govern.ts';
import { PHASES } from '../provenance/receipt.ts';
import { runId } from '../provenance/run-id.ts';
import type { Receipt, ReceiptDirective, ReceiptStatus } from '../provenance/types.ts';

/** Is told what cannot be, in one line; `directive` is its place in the receipt, counted from 1. */
export type ReportContradiction = (problem: string, directive?: number) => void;

/** How runs end whose directives were governed, or begun to be. */
const GOVERNED: ReadonlySet<ReceiptStatus> = new Set([
  'ok',
  'denied',
  'timeout',
  'cancelled',
  'interrupted',
]);

/**
 * Looks for what no honest run leaves in its receipt: fields that contradict each other, by what the
 * interpreter does (DESIGN 8). The signature says who wrote it, not that it can be so.
 */
export function reportContradictions(
  crypto: Crypto,
  receipt: Receipt,
  report: ReportContradiction,
): void {
  const { status, completed, directives, fuel, outputHash, state } = receipt;
  const isWhole = status === 'ok' || status === 'denied';
  if (receipt.run !== runId(crypto, receipt)) {
    report('its run id is not that of its module, its input and its place in the chain');
  }
  if (!canComplete(status, completed.length)) {
    report(`it ended ${status} and has completed ${completed.join(', ') || 'nothing'}`);
  }
  if (isWhole && outputHash === null) report(`it ended ${status} and has no output`);
  if ((status === 'timeout' || status === 'cancelled') && fuel.used !== null) {
    report(`it ended ${status}, where nobody can tell the fuel, and tells it`);
  }
  if (state !== undefined && status !== 'ok' && state.after !== null) {
    if (state.after !== state.before) report(`it ended ${status} and has changed its state`);
  }
  if (directives.length > 0 && !GOVERNED.has(status)) {
    report(`it ended ${status}, where no directive is governed, and has ${directives.length}`);
  }
  if (directives.length > 0 && completed.length < PLANNED) {
    report('it has directives and did not complete its plan');
  }
  reportDirectives(receipt, report);
}

/** How many phases a run has completed that has planned. */
const PLANNED = PHASES.indexOf('plan') + 1;

function canComplete(status: ReceiptStatus, phases: number): boolean {
  if (status === 'ok' || status === 'denied') return phases === PHASES.length;
  return status === 'interrupted' ? phases === PLANNED : phases <= PLANNED;
}

function reportDirectives({ status, directives }: Receipt, report: ReportContradiction): void {
  const isWhole = status === 'ok' || status === 'denied';
  let denial: number | undefined;
  for (const [index, directive] of directives.entries()) {
    const place = index + 1;
    const problem = problemOf(directive, status);
    if (problem !== undefined) report(problem, place);
    const isSkipped = directive.decision === 'skipped';
    if (denial !== undefined && !isSkipped) {
      report(`it is ${directive.decision} after the denial of directive ${denial}`, place);
    }
    if (denial === undefined && isSkipped && isWhole) {
      report('it is skipped, and nothing before it was denied', place);
    }
    if (isDenial(directive)) denial ??= place;
  }
  if (status === 'ok' && denial !== undefined) {
    report('the run ended ok, and this was denied', denial);
  }
  if (status === 'denied' && denial === undefined) {
    report('the run ended denied, and no directive of it was');
  }
}

/** What an entry cannot be by itself. */
function problemOf(
  { decision, reason, resultHash, link }: ReceiptDirective,
  status: ReceiptStatus,
): string | undefined {
  const happened = decision === 'performed' || decision === 'withheld';
  if (happened !== (resultHash !== undefined)) {
    return happened ? `it is ${decision} without a result` : `it is ${decision} and has a result`;
  }
  if (link !== undefined && !happened) return `it is ${decision} and links what came of it`;
  if (reason === undefined && decision !== 'performed') return `it is ${decision} without a reason`;
  if (decision === 'attempted' && status !== 'interrupted') {
    return `it is attempted in a run that ended ${status}`;
  }
  return undefined;
}
