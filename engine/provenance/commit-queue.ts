import { InputError } from '../encoding/input-error.ts';
import { MAX_BATCH_BYTES } from './batch.ts';
import { type Appended, checkFollows } from './store.ts';
import type { ChainTip } from './types.ts';
import type { WrittenReceipt } from './written.ts';

/** Makes the receipts that follow a tip, each after the one before it. */
export type MakeReceipts = (
  tip: ChainTip | undefined,
) => readonly WrittenReceipt[] | Promise<readonly WrittenReceipt[]>;

/** Asks those who wait for their receipts after `tip`: what it answers is to become durable at once. */
export type Collect = (tip: ChainTip | undefined) => Promise<readonly WrittenReceipt[]>;

/** No more is collected for one commit once it has this many receipts or bytes. */
const ENOUGH_RECEIPTS = 1_024;
const ENOUGH_BYTES = 8_388_608;

/** The most bytes that one commit writes, newlines included. */
export const MAX_COMMIT_BYTES = ENOUGH_BYTES + 2 * MAX_BATCH_BYTES;

interface Waiting {
  readonly make: MakeReceipts;
  readonly resolve: (appended: readonly Appended[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers appends to one chain: those that come while a commit is under way go together in the next,
 * in the order in which they came, and each is answered when its own commit is durable.
 * @param commit collects receipts once, under whatever excludes others, and makes them durable.
 * @returns appends what `make` answers; rejects with what `make` throws, with `too-large` or
 * `invalid-receipt` for receipts that cannot be appended together, or with what `commit` throws.
 */
export function createCommitQueue(
  commit: (collect: Collect) => Promise<void>,
): (make: MakeReceipts) => Promise<readonly Appended[]> {
  const waiting: Waiting[] = [];
  let busy = false;

  const drain = async () => {
    busy = true;
    while (waiting.length > 0) await commitNext();
    busy = false;
  };

  const commitNext = async () => {
    const early = waiting.length;
    const taken: { readonly from: Waiting; readonly written: readonly WrittenReceipt[] }[] = [];
    let asked = false;
    try {
      await commit(async (tip) => {
        asked = true;
        const all: WrittenReceipt[] = [];
        let bytes = 0;
        let last = tip;
        while (all.length < ENOUGH_RECEIPTS && bytes < ENOUGH_BYTES) {
          const from = waiting.shift();
          if (from === undefined) break;
          try {
            const written = await from.make(last);
            bytes += checkTogether(written, last);
            last = written.at(-1)?.tip ?? last;
            taken.push({ from, written });
            for (const each of written) all.push(each);
          } catch (error) {
            from.reject(error);
          }
        }
        return all;
      });
      for (const { from, written } of taken) {
        from.resolve(written.map(({ receipt, tip }) => ({ receipt, tip })));
      }
    } catch (error) {
      for (const { from } of taken) from.reject(error);
      // Nobody was asked yet: whatever stood in the way stands in the way of all of them.
      if (!asked) for (const from of waiting.splice(0, early)) from.reject(error);
    }
  };

  return (make) =>
    new Promise((resolve, reject) => {
      waiting.push({ make, resolve, reject });
      if (!busy) void drain();
    });
}

/** The bytes of receipts that are appended together, newlines included. */
function checkTogether(written: readonly WrittenReceipt[], tip: ChainTip | undefined): number {
  checkFollows(written, tip);
  let bytes = 0;
  for (const line of written) bytes += line.bytes.length + 1;
  if (bytes > MAX_BATCH_BYTES + written.length) {
    throw new InputError(
      'too-large',
      `the receipts to append together have ${bytes} bytes; at most ${MAX_BATCH_BYTES} are written at once`,
    );
  }
  return bytes;
}
