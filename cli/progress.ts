import { SingleBar } from 'cli-progress';

export interface Progress {
  step(): void;
  end(): void;
}

const NO_PROGRESS: Progress = { step: () => {}, end: () => {} };

/** Fewer than this are done before a bar could be read. */
const WORTH_SHOWING = 20;

/**
 * A bar on stderr where that is a terminal and there is much to do; else nothing.
 * @param done how much was done before.
 */
export function startProgress(total: number, what: string, done = 0): Progress {
  if (!process.stderr.isTTY || total < WORTH_SHOWING) return NO_PROGRESS;
  const bar = new SingleBar({
    format: `{bar} {value}/{total} ${what}`,
    barCompleteChar: '━',
    barIncompleteChar: ' ',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(total, done);
  return { step: () => bar.increment(), end: () => bar.stop() };
}
