import { createInterface } from 'node:readline/promises';
import { displayText } from '../engine/encoding/display.ts';
import type { Reviewer, ReviewQuestion } from '../engine/governance/hook.ts';
import { color, MARK, message, wrap } from './terminal.ts';

/**
 * Asks the person at the terminal where a hook wants one; `undefined` where there is no terminal, which
 * makes it a denial. Standard output is left to the answer of the command.
 */
export function terminalReviewer(): Reviewer | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return {
    review: async (question, signal) => {
      message(describeQuestion(question));
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        const prompt = 'Let it through? [y/N] ';
        const answer = await (signal === undefined
          ? lines.question(prompt)
          : lines.question(prompt, { signal }));
        return /^\s*y(es)?\s*$/i.test(answer);
      } finally {
        lines.close();
      }
    },
  };
}

function describeQuestion({ stage, directive, executor, hook, reason }: ReviewQuestion): string {
  const { type, ...parameters } = directive;
  const what = stage === 'guardrails' ? 'has performed' : 'asks for';
  const why = reason === '' ? '' : `: ${displayText(reason, 200)}`;
  return [
    `${MARK.info} ${displayText(executor)} ${what} ${color.bold(displayText(type, 60))}`,
    wrap(displayText(JSON.stringify(parameters), 2_000), '    '),
    `  ${displayText(hook, 60)} wants a person to decide${why}`,
  ].join('\n');
}
