import { Command, Option } from 'commander';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { discover, type Found } from '../../engine/platform/node/discovery.ts';
import type { Examination } from '../../engine/rules/examine.ts';
import { toSarif } from '../../engine/rules/sarif.ts';
import { describeBriefly, describeExamination, describeSummary } from '../check-text.ts';
import { examineFound } from '../examine-found.ts';
import { EXIT_UNUSABLE } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { message, print, printJson } from '../terminal.ts';
import { VERSION } from '../version.ts';

interface CheckOptions {
  readonly whitelist?: string;
  readonly brief?: true;
  readonly format: 'text' | 'json' | 'sarif';
}

/** `touchstone check [PATH…]`. */
export function checkCommand(): Command {
  return new Command('check')
    .description('examine executors and modules: what they import, whether that is pure, and why')
    .argument('[path...]', '.wasm, .wat, executor.json, or folders to search', ['.'])
    .option('--whitelist <reference>', "NAME@VERSION or a file (default: the project's)")
    .addOption(
      new Option('--format <format>', 'how to answer')
        .choices(['text', 'json', 'sarif'])
        .default('text'),
    )
    .option('--brief', 'only the imports of each module by class')
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone check                                 everything below this folder that git knows
  $ touchstone check plan.wasm --whitelist mashin@1
  $ touchstone check --format sarif > purity.sarif   for code scanning

Each finding has a page: docs/rules/CODE.md. Exit 1 if one is an error.`,
    )
    .action(checkAction);
}

async function checkAction(paths: readonly string[], options: CheckOptions): Promise<void> {
  const found: Found[] = [];
  for await (const each of discover(paths)) found.push(each);
  const examinations: Examination[] = [];
  const unusable: string[] = [];
  const progress = startProgress(found.length, 'modules');
  for (const each of found) {
    const result = await examineFound(each, options.whitelist);
    if (result.unusable !== undefined) unusable.push(result.unusable);
    if (result.examination !== undefined) examinations.push(result.examination);
    progress.step();
  }
  progress.end();
  answer(examinations, options);
  for (const problem of unusable) message(`touchstone: ${problem}`);
  if (found.length === 0) message('touchstone: no executor.json, .wasm or .wat was found there');
  if (unusable.length > 0) process.exitCode = EXIT_UNUSABLE;
  else if (examinations.some(hasError)) process.exitCode = 1;
}

function answer(examinations: readonly Examination[], { format, brief }: CheckOptions): void {
  if (format === 'json') {
    printJson({ artifacts: examinations.map(({ artifact }) => artifact) });
  } else if (format === 'sarif') {
    printJson(toSarif(examinations, { crypto: nodeCrypto, version: VERSION }));
  } else {
    const describe = brief
      ? describeBriefly
      : (each: Examination) => `${describeExamination(each)}\n`;
    for (const examination of examinations) print(describe(examination));
    if (examinations.length > 0) print(describeSummary(examinations));
  }
}

function hasError({ artifact }: Examination): boolean {
  return artifact.diagnostics.some(({ severity }) => severity === 'error');
}
