// Subjects measured in turns, so that a drift of the machine hits all of them alike.

/** Answers the time in microseconds, from any beginning. */
export type Clock = () => number;

/** What the clock on the wall says. */
export const wallTime: Clock = () => Number(process.hrtime.bigint()) / 1000;

/**
 * The time that processors spent on this process: for work of some milliseconds on one thread that
 * waits for nothing, since it stands still while another process has the processor.
 */
export const processorTime: Clock = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/**
 * Calls every subject once a round; each round begins with the next one, so that none always runs in
 * the wake of the same other.
 * @returns for each subject the microseconds of its calls, round by round.
 */
export function inTurns(
  subjects: readonly (() => unknown)[],
  rounds: number,
  clock: Clock = wallTime,
): number[][] {
  const times: number[][] = subjects.map(() => []);
  for (const { subject, taken } of turns(subjects, times, rounds)) {
    const start = clock();
    subject();
    taken.push(clock() - start);
  }
  return times;
}

/** How often a subject is called in its turn. */
export interface Block {
  /** Calls that find the caches as the subject before left them, and do not count. */
  readonly warmup: number;
  /** Calls that count. */
  readonly calls: number;
}

/** One call in a turn. */
export const ONCE: Block = { warmup: 0, calls: 1 };

/** Like {@link inTurns}, for subjects that are waited for, each called several times in its turn. */
export async function inBlocks(
  subjects: readonly (() => Promise<unknown>)[],
  rounds: number,
  { warmup, calls }: Block,
): Promise<number[][]> {
  const times: number[][] = subjects.map(() => []);
  for (const { subject, taken } of turns(subjects, times, rounds)) {
    for (let i = 0; i < warmup; i++) await subject();
    for (let i = 0; i < calls; i++) {
      const start = wallTime();
      await subject();
      taken.push(wallTime() - start);
    }
  }
  return times;
}

/** Whose turn it is, and where its time is kept. */
function* turns<Subject>(
  subjects: readonly Subject[],
  times: readonly number[][],
  rounds: number,
): Generator<{ readonly subject: Subject; readonly taken: number[] }> {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const place = (round + turn) % subjects.length;
      const [subject, taken] = [subjects[place], times[place]];
      if (subject !== undefined && taken !== undefined) yield { subject, taken };
    }
  }
}

/** The value below which the given share of the values lies, of at least one value. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}

/** The arithmetic mean of at least one value. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The median over all rounds of a subject's time over its floor's within the round. */
export function medianRatio(subject: readonly number[], floor: readonly number[]): number {
  return quantile(
    subject.map((time, i) => time / (floor[i] ?? Number.NaN)),
    0.5,
  );
}

/**
 * The fastest tenth of the subject's calls over the fastest tenth of the floor's: what is left when
 * nothing else on the machine takes its caches and cycles.
 */
export function undisturbedRatio(subject: readonly number[], floor: readonly number[]): number {
  return quantile(subject, 0.1) / quantile(floor, 0.1);
}
