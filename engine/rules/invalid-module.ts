import type { Finding, Rule, RuleContext } from './types.ts';

export const invalidModule = {
  code: 'invalid-module',
  severity: 'error',
  summary: 'The file is not a WebAssembly module that can be read.',
  check,
} as const satisfies Rule;

/** Codes of errors that have a rule of their own. */
const OTHERS: ReadonlySet<string> = new Set(['component-not-module', 'reader-disagreement']);

function* check({ artifact }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'refused' || OTHERS.has(artifact.error.code)) return;
  const { code, message, offset } = artifact.error;
  yield {
    message,
    subject: 'module',
    location: { file: 'artifact', ...(offset !== undefined && { offset }) },
    help:
      code === 'invalid-wat'
        ? 'Correct the text at the place that is named.'
        : 'Build it again. If it was copied or downloaded, compare its SHA-256 with the original.',
  };
}
