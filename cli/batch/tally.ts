import { plural } from '../terminal.ts';

/** Counts results by their status. */
export interface Tally {
  add(status: string, fuel: number | null | undefined): void;
  readonly total: number;
  /** Whether every result is `ok`. */
  readonly isWell: boolean;
  /** `9 ok, 1 trap` and what fuel they used. */
  describe(): string;
}

export function createTally(): Tally {
  const counts = new Map<string, number>();
  let total = 0;
  let fuel = 0;
  let metered = 0;
  return {
    add: (status, used) => {
      counts.set(status, (counts.get(status) ?? 0) + 1);
      total++;
      if (typeof used !== 'number') return;
      fuel += used;
      metered++;
    },
    get total() {
      return total;
    },
    get isWell() {
      return (counts.get('ok') ?? 0) === total;
    },
    describe: () => {
      const isOk = (status: string) => (status === 'ok' ? 0 : 1);
      const parts = [...counts]
        .sort(([a, m], [b, n]) => isOk(a) - isOk(b) || n - m || (a < b ? -1 : 1))
        .map(([status, count]) => `${count.toLocaleString('en-US')} ${status}`);
      const used =
        metered === 0
          ? ''
          : `; fuel ${fuel.toLocaleString('en-US')} in ${plural(metered, 'metered run')}`;
      return `${parts.length === 0 ? 'no inputs' : parts.join(', ')}${used}`;
    },
  };
}
