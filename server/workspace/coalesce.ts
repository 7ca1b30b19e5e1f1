/** Work on things by name, of which each is done once at a time, and once more if it was asked for meanwhile. */
export interface Coalescer {
  /** Asks for work on a thing. Resolves when a round that began after the asking is done. */
  ask(key: string): Promise<void>;
  /** Resolves when nothing of a thing, or of anything, is under way. */
  settled(key?: string): Promise<void>;
}

/** @param work never rejects. */
export function createCoalescer(work: (key: string) => Promise<void>): Coalescer {
  const running = new Map<string, { again: boolean; done: Promise<void> }>();
  const start = (key: string): Promise<void> => {
    const round = { again: false, done: Promise.resolve() };
    round.done = work(key).then(() => {
      running.delete(key);
      return round.again ? start(key) : undefined;
    });
    running.set(key, round);
    return round.done;
  };
  return {
    ask(key) {
      const round = running.get(key);
      if (round === undefined) return start(key);
      round.again = true;
      return round.done;
    },
    async settled(key) {
      if (key !== undefined) {
        await running.get(key)?.done;
        return;
      }
      while (running.size > 0) await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
