import type { Finding, Rule, RuleContext } from './types.ts';
import { weightOf } from './weight.ts';

export const missingMemory = {
  code: 'missing-memory',
  severity: 'error',
  summary: 'The module does not export its memory.',
  check,
} as const satisfies Rule;

function* check(context: RuleContext): Iterable<Finding> {
  const { artifact } = context;
  if (artifact.state !== 'read') return;
  const { exports, memories } = artifact.report;
  const found = exports.find(({ name }) => name === 'memory');
  if (found?.kind === 'memory') return;
  const problem =
    found === undefined ? 'exports no "memory"' : `exports a ${found.kind} as "memory"`;
  const has =
    memories.length === 0 ? 'it has none' : 'it has one under another name, or unexported';
  yield {
    message: `the module ${problem}, by which the host writes the input and reads the output; ${has}`,
    subject: 'memory',
    ...(found && { location: { file: 'artifact', offset: found.offset } }),
    help: 'Export the memory as "memory": C with -Wl,--export-memory, WAT with (memory (export "memory") 1). Rust, AssemblyScript, Zig and TinyGo do so unless told otherwise.',
    ...weightOf(context),
  };
}
