/** One subject against its floor, measured in turns so that a drift of the machine hits both. */
export interface PairedResult {
  /** Median time of one call, in microseconds. */
  readonly subject: number;
  readonly floor: number;
  /** Median over all rounds of subject / floor within the round. */
  readonly ratio: number;
  /**
   * The fastest tenth of the subject's calls over the fastest tenth of the floor's: what is left
   * when nothing else on the machine takes its caches and cycles.
   */
  readonly undisturbed: number;
}

/**
 * Calls `floor` and `subject` in turns and compares them round by round.
 * @param options how many rounds are measured, after `warmup` calls of both.
 */
export function measurePaired(
  subject: () => void,
  floor: () => void,
  options: { readonly rounds?: number; readonly warmup?: number } = {},
): PairedResult {
  const { rounds = 5000, warmup = 2000 } = options;
  for (let i = 0; i < warmup; i++) {
    floor();
    subject();
  }
  const floors: number[] = [];
  const subjects: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Which one goes first alternates, so that neither always runs in the other's wake.
    if (round % 2 === 0) floors.push(microseconds(floor));
    subjects.push(microseconds(subject));
    if (round % 2 === 1) floors.push(microseconds(floor));
  }
  return {
    subject: quantile(subjects, 0.5),
    floor: quantile(floors, 0.5),
    ratio: quantile(
      subjects.map((time, i) => time / (floors[i] ?? Number.NaN)),
      0.5,
    ),
    undisturbed: quantile(subjects, 0.1) / quantile(floors, 0.1),
  };
}

function microseconds(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1000;
}

/** The value below which the given share of the values lies, of at least one value. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
}
