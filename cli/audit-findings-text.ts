import type { Finding, FindingCode } from '../engine/audit/findings.ts';
import type { AuditReport } from '../engine/audit/report.ts';
import { describePlace, grouped } from './audit-words.ts';
import { color, MARK, wrap } from './terminal.ts';

/** So many findings of one code are told, unless all are asked for. */
const MAX_TOLD = 10;

/** What does not hold: each kind with what to do about it, which is said once. */
export function describeFindings(
  { findings, totals }: AuditReport,
  all: boolean,
): readonly string[] {
  const byCode = new Map<FindingCode, Finding[]>();
  for (const finding of findings) {
    const found = byCode.get(finding.code) ?? [];
    byCode.set(finding.code, found);
    found.push(finding);
  }
  return [...byCode].flatMap(([code, found]) => {
    const told = all ? found : found.slice(0, MAX_TOLD);
    const left = (totals.byCode[code] ?? found.length) - told.length;
    const more = left > 0 ? [color.dim(`    … and ${grouped(left)} more`)] : [];
    return [...told.map(describeFinding), ...more, describeRemedy(found)];
  });
}

function describeFinding({ code, severity, message, where }: Finding): string {
  const mark = severity === 'error' ? MARK.fail : MARK.warning;
  const place = color.dim(`(${describePlace(where)})`);
  return wrap(`${mark} ${color.bold(code)}  ${message} ${place}`, '', '    ');
}

function describeRemedy([first]: readonly Finding[]): string {
  return wrap(`${color.cyan('fix')} ${first?.remedy ?? ''}`, '    ', '        ');
}
