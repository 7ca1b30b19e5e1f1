import type { CallNode, CallsReport, RunNode } from '../engine/audit/report.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import {
  describeEnvironment,
  describeList,
  describeMore,
  describePlace,
  grouped,
} from './audit-words.ts';
import { color, MARK, plural, wrap } from './terminal.ts';

/** Who called whom: a tree for each kind of run that called, what was called below it. */
export function describeCalls(
  { links, followed, trees, more = 0 }: CallsReport,
  all: boolean,
): readonly string[] {
  if (links === 0) return [];
  const told = describeList(trees, { all, one: 'run', more }, ({ runs, root }) =>
    describeNode(root, '', runs === 1 ? '' : ` (${grouped(runs)} such runs)`).join('\n'),
  );
  const mark = followed === links ? MARK.ok : MARK.fail;
  return [`${mark} ${plural(links, 'call')}, ${grouped(followed)} followed`, ...told];
}

/** A run, and below it what it called, each deeper by two columns. */
function describeNode(node: RunNode, indent: string, suffix = ''): readonly string[] {
  const { executor, environment, status, where, calls, more = 0 } = node;
  const place = where === null ? 'as attested; its receipt is not at hand' : describePlace(where);
  const head = `${color.bold(displayText(executor, 200))} at ${describeEnvironment(environment)} ended ${displayText(status, 60)}, ${describeGround(node)}${suffix} ${color.dim(`(${place})`)}`;
  return [
    wrap(head, `${indent}  `, `${indent}      `),
    ...calls.flatMap((call) => describeCall(call, `${indent}  `)),
    ...describeMore(more, 'call').map((line) => `${indent}  ${line}`),
  ];
}

function describeGround({ tier, certificateHash, certified }: RunNode): string {
  if (certificateHash === null) return `in tier ${tier}, without a certificate`;
  const holds =
    certified === null
      ? 'not at hand'
      : certified
        ? 'which holds'
        : color.red('which does not hold');
  return `under certificate ${shortHash(certificateHash)}…, ${holds}`;
}

function describeCall(
  { directive, type, decision, reason, attestation, problem, callees, more = 0 }: CallNode,
  indent: string,
): readonly string[] {
  const why = reason === undefined ? '' : `: ${displayText(reason, 200)}`;
  const verdict = problem === undefined ? '' : ` ${color.red(problem)}`;
  const attested =
    attestation === undefined
      ? ''
      : `, ${attestation.holds ? 'attested' : color.red('attestation refused')}`;
  const mark = problem === undefined ? MARK.ok : MARK.fail;
  const head = `└ ${mark} directive ${directive}, ${displayText(type, 60)}, ${decision}${why}${attested}${verdict}`;
  return [
    wrap(head, `${indent}  `, `${indent}      `),
    ...callees.flatMap((callee) => describeNode(callee, `${indent}  `)),
    ...describeMore(more, 'run').map((line) => `${indent}  ${line}`),
  ];
}
