import { displayText } from '../encoding/display.ts';
import type { ModuleReport, NondeterministicInstruction } from '../module/types.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import { weightOf } from './weight.ts';
import { offsetText } from './words.ts';

export const nondeterministicInstruction = {
  code: 'nondeterministic-instruction',
  severity: 'error',
  summary:
    'The module uses relaxed SIMD or shared memory, whose results may differ between machines.',
  check,
} as const satisfies Rule;

const MAX_RELATED = 10;

const REASONS = {
  'relaxed-simd': {
    subject: 'relaxed SIMD',
    help: 'Build without relaxed SIMD (Rust and C: without +relaxed-simd); plain SIMD is fine.',
  },
  'shared-memory': {
    subject: 'shared memory',
    help: 'Build without threads (Rust and C: without +atomics, and without --shared-memory).',
  },
} as const;

function* check(context: RuleContext): Iterable<Finding> {
  const { artifact } = context;
  if (artifact.state !== 'read') return;
  const { report } = artifact;
  for (const reason of ['relaxed-simd', 'shared-memory'] as const) {
    const found = report.nondeterministic.filter((instruction) => instruction.reason === reason);
    const [first, ...others] = found;
    if (first !== undefined) {
      yield { ...finding(report, first, others), ...weightOf(context) };
    } else if (reason === 'shared-memory' && report.memories.some(({ shared }) => shared)) {
      yield {
        message: 'the memory is shared, so another thread may change it during a run',
        ...REASONS[reason],
        ...weightOf(context),
      };
    }
  }
}

function finding(
  report: ModuleReport,
  first: NondeterministicInstruction,
  others: readonly NondeterministicInstruction[],
): Finding {
  const { subject, help } = REASONS[first.reason];
  const more = others.length === 0 ? '' : `, and ${others.length.toLocaleString('en')} more`;
  return {
    message: `${describe(report, first)} may give another result on another machine (${subject})${more}`,
    subject,
    location: { file: 'artifact', offset: first.offset },
    related: others.slice(0, MAX_RELATED).map((instruction) => ({
      message: describe(report, instruction),
      location: { file: 'artifact', offset: instruction.offset },
    })),
    help,
  };
}

function describe({ callGraph }: ModuleReport, found: NondeterministicInstruction): string {
  const name = displayText(callGraph.nameOf(found.functionIndex));
  return `${displayText(found.instruction)} in ${name} at ${offsetText(found.offset)}`;
}
