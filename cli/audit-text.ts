import type {
  AuditReport,
  ChainReport,
  ExecutorReport,
  RunCounts,
} from '../engine/audit/report.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import { describeCalls } from './audit-calls-text.ts';
import { describeDenials, describeEffects, describeHooks } from './audit-effects-text.ts';
import { describeFindings } from './audit-findings-text.ts';
import { describeEnvironment, describeList, grouped } from './audit-words.ts';
import { color, labelled, MARK, plural, wrap } from './terminal.ts';

/**
 * An audit for people: whose word it goes by first, then what ran, what was done and what was denied,
 * who called whom, and at the end what does not hold.
 * @param all lists everything, however long that is.
 */
export function describeAudit(folder: string, report: AuditReport, all: boolean): string {
  const sections = [
    describeTrust(report),
    section('chains', describeList(report.chains, { all, one: 'chain' }, describeChain)),
    section(
      'what ran',
      describeList(report.executors, { all, one: 'executor' }, (each) =>
        describeExecutor(report, each),
      ),
    ),
    section('what was done', describeEffects(report.effects)),
    section('what was denied', describeDenials(report.denied)),
    section('who was asked', describeHooks(report.hooks)),
    section('who called whom', describeCalls(report.calls, all)),
    section(
      'attestations',
      describeList(report.attestations, { all, one: 'attestation' }, describeAttestation),
    ),
    section('findings', describeFindings(report, all)),
    describeVerdict(folder, report),
  ];
  return sections.filter((text) => text !== '').join('\n\n');
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [color.bold(title), ...lines].join('\n');
}

function describeTrust({ trust, policy, compatibility }: AuditReport): string {
  const demands = [
    policy === null ? 'no policy' : `the policy ${displayText(policy, 300)}`,
    ...(compatibility === null ? [] : [`what ${displayText(compatibility, 300)} demands`]),
  ].join(' and ');
  if (trust.source === null) {
    const text = `nobody is trusted: the folder has no trust store, and none was named; name yours with --trust (with ${demands})`;
    return wrap(`${MARK.warning} ${text}`, '', '  ');
  }
  const source = displayText(trust.source, 500);
  return trust.own
    ? wrap(
        `${MARK.warning} ${color.bold('by its own word')}: the folder itself says whom to trust, in ${source}; name whom you trust with --trust (with ${demands})`,
        '',
        '  ',
      )
    : color.dim(wrap(`decided by the trust store ${source}, with ${demands}`, '', '  '));
}

function describeChain(chain: ChainReport): string {
  const { verdict, detail, environments, runs } = chain;
  const name = color.bold(displayText(chain.file, 300));
  const [mark, shown] =
    verdict === 'valid'
      ? [MARK.ok, color.green(verdict)]
      : verdict === 'empty'
        ? [MARK.info, verdict]
        : [MARK.fail, color.red(verdict)];
  const head = wrap(`${mark} ${name}  ${shown}: ${displayText(detail, 500)}`, '', '    ');
  if (runs.total === 0) return head;
  const signers = environments.map(describeEnvironment).join(', ');
  return `${head}\n${wrap(`${describeRuns(runs)}; signed by ${signers}`, '    ')}`;
}

function describeRuns({ total, byStatus, byTier }: RunCounts): string {
  const statuses = Object.entries(byStatus).map(([status, count]) => `${grouped(count)} ${status}`);
  const tiers = Object.entries(byTier).map(([tier, count]) => `tier ${tier}: ${grouped(count)}`);
  return `${plural(total, 'run')}: ${[...statuses, ...tiers].join(', ')}`;
}

function describeExecutor(
  { certificates, openRuns }: AuditReport,
  executor: ExecutorReport,
): string {
  const { runs, tier, purityMethod, environment, artifactHash, whitelistHash } = executor;
  const certificate = certificates.find(({ hash }) => hash === executor.certificateHash);
  const isCertified =
    tier === 1 && certificate?.holds === true && certificate.artifactHash === artifactHash;
  const mark = tier === 1 ? (isCertified ? MARK.ok : MARK.fail) : MARK.info;
  const name = color.bold(displayText(executor.executor, 200));
  const head = `${mark} ${name}  ${plural(runs, 'run')} in tier ${tier} (${purityMethod}) at ${describeEnvironment(environment)}`;
  const open = openRuns.filter((run) => run.executor === executor.executor).length;
  const certified =
    executor.certificateHash === null
      ? 'none'
      : certificate === undefined
        ? `${shortHash(executor.certificateHash)}…, not at hand`
        : `${shortHash(certificate.hash)}… ${displayText(certificate.file, 300)}: ${described(certificate)}`;
  return [
    wrap(head, '', '    '),
    labelled(
      [
        ['module', `${shortHash(artifactHash)}… ${shownFile(executor.module)}`],
        ['certificate', certified],
        ['whitelist', executor.whitelist ?? `${shortHash(whitelistHash)}…, not known here`],
        ...(open > 0 ? ([['open', plural(open, 'run')]] as const) : []),
      ],
      '    ',
    ),
  ].join('\n');
}

function described({ holds, module, checks }: AuditReport['certificates'][number]): string {
  if (!holds) return `refused: ${checks.find(({ ok }) => !ok)?.code}`;
  return module === null
    ? 'holds, as far as can be told without the module'
    : 'holds, for this module';
}

function shownFile(file: string | null): string {
  return file === null ? '(not at hand)' : displayText(file, 300);
}

function describeAttestation({
  file,
  executor,
  environment,
  holds,
  steps,
  receipts,
}: AuditReport['attestations'][number]): string {
  const failed = steps.find(({ ok }) => !ok);
  const verdict = holds
    ? color.green('holds')
    : color.red(`refused: ${failed?.code ?? 'it does not hold'}`);
  const name = `${color.bold(displayText(executor, 200))} at ${describeEnvironment(environment)}`;
  const found = `${receipts.found} of ${plural(receipts.named, 'receipt')} at hand`;
  return wrap(
    `${holds ? MARK.ok : MARK.fail} ${name}  ${verdict}, ${found} ${color.dim(displayText(file, 300))}`,
    '',
    '    ',
  );
}

function describeVerdict(folder: string, { holds, totals, chains, executor }: AuditReport): string {
  const runs = chains.reduce((sum, each) => sum + each.runs.total, 0);
  const of = executor === null ? '' : ` of ${displayText(executor, 100)}`;
  const what = `${displayText(folder, 300)}: ${plural(runs, 'run')}${of} in ${plural(chains.length, 'chain')}`;
  const counts = `${plural(totals.errors, 'error')}, ${plural(totals.warnings, 'warning')}`;
  const verdict = holds ? color.green('all holds') : color.red('not all holds');
  return wrap(
    `${holds ? MARK.ok : MARK.fail} ${what}, ${counts}: ${color.bold(verdict)}`,
    '',
    '  ',
  );
}
