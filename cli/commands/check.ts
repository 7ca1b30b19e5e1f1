import { Command, Option } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { discover, type Found } from '../../engine/platform/node/discovery.ts';
import {
  createExaminer,
  examineFound,
  type FoundResult,
} from '../../engine/platform/node/examine.ts';
import type { Examination } from '../../engine/rules/examine.ts';
import { toSarif } from '../../engine/rules/sarif.ts';
import { checkDocument } from '../check-json.ts';
import { describeBriefly, describeExamination, describeSummary } from '../check-text.ts';
import { complain, EXIT_UNUSABLE } from '../failure.ts';
import { startProgress } from '../progress.ts';
import { print, printJson } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { filesHere } from '../workspace.ts';

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
  $ touchstone check                  all below this folder that git knows
  $ touchstone check plan.wasm --whitelist mashin@1
  $ touchstone check --format sarif > purity.sarif

Each finding has a page: docs/rules/CODE.md. Exit 1 if one is an error, 2 if
something could not be read or there was nothing to check.`,
    )
    .action(checkAction);
}

async function checkAction(paths: readonly string[], options: CheckOptions): Promise<void> {
  const found: Found[] = [];
  for await (const each of discover(paths)) found.push(each);
  const results: FoundResult[] = [];
  const progress = startProgress(found.length, 'modules');
  const { whitelist } = options;
  const examiner = createExaminer({ ...filesHere(), ...(whitelist && { whitelist }) });
  for (const each of found) {
    results.push(await examineFound(each, examiner));
    progress.step();
  }
  progress.end();
  answer(results, options);
  // What is wrong with a whitelist or a trust store comes up for each executor, and is said once.
  const problems = new Set(results.flatMap(({ unusable = [] }) => unusable));
  if (found.length === 0) problems.add(nothingFound(paths));
  for (const problem of problems) complain(problem);
  if (problems.size > 0) process.exitCode = EXIT_UNUSABLE;
  else if (results.some(hasError)) process.exitCode = 1;
}

/** Documents hold what could be examined, also of a file that is no module; people read of that once. */
function answer(results: readonly FoundResult[], { format, brief }: CheckOptions): void {
  const examinations = results.flatMap(({ examination = [] }) => examination);
  if (format === 'json') {
    printJson(checkDocument(examinations));
  } else if (format === 'sarif') {
    printJson(toSarif(examinations, { crypto: nodeCrypto, version: VERSION }));
  } else {
    const readable = results.flatMap(({ examination = [], unusable }) =>
      unusable === undefined ? examination : [],
    );
    if (readable.length > 0) print(describeAll(readable, brief));
  }
}

function describeAll(examinations: readonly Examination[], brief: true | undefined): string {
  const texts = examinations.map(brief ? describeBriefly : describeExamination);
  return [...texts, describeSummary(examinations)].join(brief ? '\n' : '\n\n');
}

/** A gate in CI that finds nothing must not look like one that finds nothing wrong. */
function nothingFound(paths: readonly string[]): string {
  const where = paths.map((path) => displayText(path, 500)).join(', ');
  return `${where}: nothing to check: no executor.json, .wasm or .wat there that git does not ignore`;
}

function hasError({ examination }: FoundResult): boolean {
  return examination?.artifact.diagnostics.some(({ severity }) => severity === 'error') ?? false;
}
