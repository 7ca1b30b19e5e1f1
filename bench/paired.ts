/** One subject against its floor, measured in turns so that a drift of the machine hits both. */
export interface PairedResult {
  /** Median time of one call, in microseconds. */
  readonly subject: number;
  readonly floor: number;
  /** Median over all rounds of subject / floor within the round. */
  readonly ratio: number;
  readonly rounds: number;
}

/**
 * Runs `floor` and `subject` in alternating batches and compares batch by batch.
 * @param options `rounds` batches of `batch` calls each: short ones, so that what else the machine does falls into few, after `warmup` calls of both.
 */
export function measurePaired(
  subject: () => void,
  floor: () => void,
  options: { readonly rounds?: number; readonly batch?: number; readonly warmup?: number } = {},
): PairedResult {
  const { rounds = 5000, batch = 1, warmup = 2000 } = options;
  for (let i = 0; i < warmup; i++) {
    floor();
    subject();
  }
  const floors: number[] = [];
  const subjects: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Which one goes first alternates too, so that neither always runs in the other's wake.
    if (round % 2 === 0) floors.push(timeBatch(floor, batch));
    subjects.push(timeBatch(subject, batch));
    if (round % 2 === 1) floors.push(timeBatch(floor, batch));
  }
  return {
    subject: median(subjects),
    floor: median(floors),
    ratio: median(subjects.map((time, i) => time / (floors[i] ?? Number.NaN))),
    rounds,
  };
}

function timeBatch(action: () => void, batch: number): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < batch; i++) action();
  return Number(process.hrtime.bigint() - start) / 1000 / batch;
}

/** The median of at least one number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
