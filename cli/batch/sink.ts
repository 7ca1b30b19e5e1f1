import type { BatchResult, BatchSink } from '../../engine/governed/batch.ts';
import { startProgress } from '../progress.ts';
import { INVALID_INPUT, resultLine } from './result.ts';
import type { ResultsFile } from './results-file.ts';
import type { Tally } from './tally.ts';

/** Writes results, counts them and shows how far the batch is. */
export function sinkOf(
  file: ResultsFile | undefined,
  tally: Tally,
  total: number,
): BatchSink & { end(): void } {
  const progress = startProgress(total, 'inputs', tally.total);
  const textOf = (results: readonly BatchResult[]) =>
    results.map((result) => `${resultLine(result)}\n`).join('');
  return {
    prepare: async (results) => {
      await file?.append(textOf(results));
    },
    acknowledge: async (results) => {
      for (const result of results) {
        if ('problem' in result) tally.add(INVALID_INPUT, undefined);
        else tally.add(result.report.status, result.report.fuel.used);
        progress.step();
      }
      if (file === undefined) await writeOut(textOf(results));
    },
    end: () => progress.end(),
  };
}

/** Writes to stdout, and waits while its reader does not keep up. */
async function writeOut(text: string): Promise<void> {
  if (process.stdout.write(text)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}
