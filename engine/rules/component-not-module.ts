import type { Finding, Rule, RuleContext } from './types.ts';

export const componentNotModule = {
  code: 'component-not-module',
  severity: 'error',
  summary: 'The file is a component of the Component Model, not a core module.',
  check,
} as const satisfies Rule;

function* check({ artifact }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'refused' || artifact.error.code !== 'component-not-module') return;
  const { message, offset } = artifact.error;
  yield {
    message,
    subject: 'component',
    location: { file: 'artifact', ...(offset !== undefined && { offset }) },
    help: 'Build a core module: Rust for wasm32-unknown-unknown instead of wasm32-wasip2, and leave out wasm-tools component new and cargo component.',
  };
}
