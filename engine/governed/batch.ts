import { InputError } from '../encoding/input-error.ts';
import type { JsonValue } from '../encoding/json.ts';
import { buildContent } from '../provenance/build.ts';
import { type Signing, writeReceipts } from '../provenance/record.ts';
import type { ChainTip } from '../provenance/types.ts';
import { executePrepared, type PreparedRun, prepareRun, type UnrecordedRun } from './execution.ts';
import { type GovernedRunRequest, type RunReport, type RunServices, toReport } from './run.ts';

/** One input of a batch, or why there is none. */
export interface BatchInput {
  /** Names the input in its result: its line. */
  readonly line: number;
  /** The input document, as `inputBytes` takes it; an error stands for one that cannot be read. */
  readonly input: JsonValue | InputError;
  /** How many bytes it takes, for the bound on memory. */
  readonly bytes: number;
}

/** What came of one input. An input that is no input document did not run, and has no receipt. */
export type BatchResult =
  | { readonly line: number; readonly report: RunReport; readonly tip: ChainTip }
  | { readonly line: number; readonly problem: InputError };

/** Where results go. Both are called with the same results, one group after the other. */
export interface BatchSink {
  /**
   * Is given results before their receipts become durable, and makes them durable itself: so that
   * after a crash, no receipt is without its result.
   */
  prepare(results: readonly BatchResult[]): Promise<void>;
  /** Is told that the receipts are durable. */
  acknowledge(results: readonly BatchResult[]): Promise<void>;
}

export interface GovernedBatchRequest
  extends Omit<GovernedRunRequest, 'input' | 'signal' | 'state' | 'means' | 'events'> {
  readonly inputs: AsyncIterable<BatchInput> | Iterable<BatchInput>;
  readonly signing: Signing;
  /** Whether receipts and results come in the order of the inputs, or as they come. */
  readonly ordered: boolean;
  /** How many runs are under way at once: twice the executors there are keep them all busy. */
  readonly runs: number;
  /**
   * Is waited for before a group is recorded, while runs go on, so that more of them go into it: to make
   * a group durable takes as long as many small runs.
   */
  readonly pause?: (() => Promise<void>) | undefined;
  /** Ends the batch: no further run begins, and those under way are recorded. */
  readonly signal?: AbortSignal | undefined;
}

/** So many inputs and results are in memory at most; no more are taken once they have so many bytes. */
export const MAX_HELD = 512;
const MAX_HELD_BYTES = 16_777_216;

/** What a receipt takes at most, without directives and for each of them: an estimate in bytes. */
const RECEIPT_BYTES = 2_000;
const MAX_GROUP_BYTES = 16_777_216;

/** An input that ran, or could not. */
type Done =
  | { readonly line: number; readonly bytes: number; readonly run: UnrecordedRun }
  | { readonly line: number; readonly bytes: number; readonly problem: InputError };

/**
 * Runs an admitted executor on many inputs, as `governedRun` does on one, and records the runs in
 * groups: what ended while one group becomes durable makes up the next. Memory is bounded however
 * many inputs there are. Equal inputs on a fresh chain give equal receipts in equal order where
 * `ordered` is asked for and each is signed by itself.
 * @throws {AdmissionError} for an executor the gate did not make or no longer admits.
 * @throws {InputError} as `governedRun` for what cannot be recorded; and whatever inputs, signer and
 * sink throw. What was acknowledged by then stays recorded.
 * @throws {RangeError} for a limit or a number of runs that is no such number: nothing ran.
 */
export async function governedBatch(
  services: RunServices,
  request: GovernedBatchRequest,
  sink: BatchSink,
): Promise<void> {
  const { inputs, signing, ordered, runs, pause, signal, ...shared } = request;
  if (!Number.isSafeInteger(runs) || runs < 1) {
    throw new RangeError(`"runs" expected a whole number from 1 up, got ${runs}`);
  }
  const chain = services.receipts.open(shared.name);
  const keyId = services.environment.publicKey.keyId;
  /** Runs that ended, waiting for those before them, and those that can be recorded. */
  const waiting = new Map<number, Done>();
  let ready: Done[] = [];
  let next = 0;
  let held = 0;
  let heldBytes = 0;
  let running = 0;
  let hasBegunAll = false;
  let failure: { readonly error: unknown } | undefined;
  let recording: Promise<void> | undefined;
  let wake = () => {};

  const run = async ({ line, input, bytes }: BatchInput): Promise<Done> => {
    let prepared: PreparedRun;
    try {
      if (input instanceof InputError) throw input;
      prepared = prepareRun(services.crypto, { ...shared, input });
    } catch (error) {
      if (error instanceof InputError) return { line, bytes, problem: error };
      throw error;
    }
    const ended = await executePrepared(services, prepared);
    return { line, bytes: bytes + (ended.outcome.output?.length ?? 0), run: ended };
  };

  const start = (input: BatchInput, place: number) => {
    held++;
    running++;
    heldBytes += input.bytes;
    run(input)
      .then((done) => {
        heldBytes += done.bytes - input.bytes;
        waiting.set(ordered ? place : next, done);
        for (let each = waiting.get(next); each !== undefined; each = waiting.get(next)) {
          waiting.delete(next++);
          ready.push(each);
        }
        if (recording === undefined && ready.length > 0 && failure === undefined) {
          recording = recordAll();
        }
      })
      .catch(fail)
      .finally(() => {
        running--;
        wake();
      });
  };

  const fail = (error: unknown) => {
    failure ??= { error };
  };

  const recordAll = async () => {
    try {
      while (ready.length > 0 && failure === undefined) {
        if (!hasBegunAll) await pause?.();
        const group = takeGroup(ready);
        ready = ready.slice(group.length);
        await record(group);
        held -= group.length;
        for (const { bytes } of group) heldBytes -= bytes;
        wake();
      }
    } catch (error) {
      fail(error);
    } finally {
      recording = undefined;
      wake();
    }
  };

  const record = async (group: readonly Done[]) => {
    const ended = group.filter((done) => 'run' in done);
    const makes = ended.map(
      (done) => (tip: ChainTip | undefined) => buildContent(services.crypto, done.run, tip, keyId),
    );
    let results: readonly BatchResult[] = [];
    const make = async (tip: ChainTip | undefined) => {
      const { crypto, environment } = services;
      const written = await writeReceipts(crypto, signing, makes, tip, environment);
      let place = 0;
      results = group.flatMap((done): BatchResult[] => {
        if ('problem' in done) return [done];
        const line = written[place++];
        if (line === undefined) throw new TypeError('a run has no receipt');
        return [{ line: done.line, report: toReport(done.run, line.receipt), tip: line.tip }];
      });
      await sink.prepare(results);
      return written;
    };
    if (ended.length > 0) await chain.append(make);
    else await make(undefined);
    await sink.acknowledge(results);
  };

  const change = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  const until = async (isSo: () => boolean) => {
    while (!isSo() && failure === undefined) await change();
  };

  try {
    let place = 0;
    for await (const input of inputs) {
      await until(() => running < runs && held < MAX_HELD && heldBytes < MAX_HELD_BYTES);
      if (signal?.aborted || failure !== undefined) break;
      start(input, place++);
    }
  } catch (error) {
    fail(error);
  }
  hasBegunAll = true;
  // Also after a failure: what is under way ends before its caller lets go of what it stands on.
  while (running > 0 || recording !== undefined) await change();
  if (failure !== undefined) throw failure.error;
}

/** As many as one batch of receipts holds. */
function takeGroup(ready: readonly Done[]): readonly Done[] {
  let bytes = 0;
  const end = ready.findIndex((done) => {
    bytes += RECEIPT_BYTES * ('run' in done ? 1 + done.run.decisions.length : 1);
    return bytes > MAX_GROUP_BYTES;
  });
  return end === -1 ? ready.slice() : ready.slice(0, Math.max(1, end));
}
