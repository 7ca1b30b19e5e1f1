import { inTurns, medianRatio, quantile, undisturbedRatio } from './turns.ts';

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
  const [floors = [], subjects = []] = inTurns([floor, subject], rounds);
  return {
    subject: quantile(subjects, 0.5),
    floor: quantile(floors, 0.5),
    ratio: medianRatio(subjects, floors),
    undisturbed: undisturbedRatio(subjects, floors),
  };
}
