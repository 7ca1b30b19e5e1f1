import { ServiceRefusal } from './service-refusal.ts';

/** Lets so many calls run at once, and so many more wait. */
export interface CallSlots {
  /**
   * Waits for a slot, in the order of those that ask.
   * @param depth how deep the call is nested.
   * @returns what gives the slot back.
   * @throws {ServiceRefusal} `busy` where too many wait already; the reason of `signal`.
   */
  acquire(depth: number, signal: AbortSignal): Promise<() => void>;
}

/** Tells that a call could not begin. */
export function tooBusy(): ServiceRefusal {
  return new ServiceRefusal(503, 'busy', 'too many calls wait here; ask again later', 5);
}

/**
 * Calls of each depth have slots of their own: a call that waits for one that it has made itself waits
 * for none of its own depth, so that organisations that call each other do not wait for each other.
 * @param running calls of one depth that run at once.
 * @param waiting calls of one depth that wait at most.
 */
export function createCallSlots(running: number, waiting: number): CallSlots {
  const depths = new Map<number, { taken: number; readonly queue: (() => void)[] }>();
  return {
    acquire: async (depth, signal) => {
      signal.throwIfAborted();
      const slots = depths.get(depth) ?? { taken: 0, queue: [] };
      depths.set(depth, slots);
      const release = () => {
        const next = slots.queue.shift();
        if (next === undefined) slots.taken--;
        else next();
      };
      if (slots.taken < running) {
        slots.taken++;
        return once(release);
      }
      if (slots.queue.length >= waiting) {
        throw tooBusy();
      }
      await new Promise<void>((resolve, reject) => {
        const onTurn = () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        const onAbort = () => {
          slots.queue.splice(slots.queue.indexOf(onTurn), 1);
          reject(signal.reason);
        };
        slots.queue.push(onTurn);
        signal.addEventListener('abort', onAbort, { once: true });
      });
      return once(release);
    },
  };
}

function once(release: () => void): () => void {
  let isReleased = false;
  return () => {
    if (!isReleased) release();
    isReleased = true;
  };
}
