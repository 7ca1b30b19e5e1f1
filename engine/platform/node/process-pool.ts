import type { HostEnd, HostJob, HostJobOptions, ProcessHost } from './process-host.ts';

export interface PoolJobOptions extends HostJobOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Hosts that take jobs in turn. */
export interface HostPool<Answer> {
  /**
   * Executes a job on the first host that can take it. Jobs begin in the order in which they came.
   * Throws what the job's own `program()` throws.
   */
  execute(job: HostJob<Answer>, options: PoolJobOptions): Promise<HostEnd<Answer>>;
  /** Ends what waits and runs, as cancelled, and all hosts; resolves when they are gone. */
  close(): Promise<void>;
}

/** How often a job is given to another host when the first was gone before it had it. */
const MAX_REFUSALS = 3;

/** After a host that did not come up, the time until the next is tried, in milliseconds. */
const FIRST_DELAY = 250;
const LAST_DELAY = 30_000;

interface Turn<Answer> {
  readonly job: HostJob<Answer>;
  readonly options: PoolJobOptions;
  readonly onEnd: (end: HostEnd<Answer>) => void;
  readonly onError: (error: unknown) => void;
  readonly onAbort: () => void;
  refusals: number;
  /** Whether its end was told. */
  isOver: boolean;
}

/**
 * Keeps up to `size` hosts, started ahead. One that is lost in a job is replaced at once; one that
 * is lost without having had any when the next job comes. When hosts do not come up at all, jobs
 * end with the reason, and the next attempt waits, twice as long each time.
 * @param ahead how many jobs a host is sent beside the one that it executes, so that it need not wait
 *   for its parent. One that is sent waits for those before it even where another host becomes free.
 */
export function createHostPool<Answer>(
  start: () => ProcessHost<Answer>,
  size: number,
  ahead = 0,
): HostPool<Answer> {
  const waiting: Turn<Answer>[] = [];
  const hosts = new Set<ProcessHost<Answer>>();
  /** Hosts that came up, with what they have been given: the first is being executed. */
  const ready = new Map<ProcessHost<Answer>, readonly Turn<Answer>[]>();
  const leaving = new Set<Promise<void>>();
  let failure:
    | { readonly reason: string; readonly until: number; readonly delay: number }
    | undefined;
  let isClosed = false;

  const add = () => {
    const host = start();
    hosts.add(host);
    host.hold(waiting.length > 0);
    void host.started.then(() => {
      if (!host.isReady) {
        remove(host);
        return;
      }
      failure = undefined;
      host.hold(false);
      ready.set(host, []);
      serve();
    });
  };

  /** Lets go of a host that is lost. Answers whether it was there still. */
  const remove = (host: ProcessHost<Answer>): boolean => {
    if (!hosts.delete(host)) return false;
    ready.delete(host);
    const end = host.end().finally(() => leaving.delete(end));
    leaving.add(end);
    if (host.wasReady) return true;
    // The first may have been killed as it started; the second in turn says that none comes up.
    const delay =
      failure === undefined ? 0 : Math.min(2 * failure.delay || FIRST_DELAY, LAST_DELAY);
    failure = { reason: host.lost ?? '', until: performance.now() + delay, delay };
    if (hosts.size === 0 && delay > 0) refuseAll(failure.reason);
    else serve();
    return true;
  };

  const refuseAll = (reason: string) => {
    for (const turn of waiting.splice(0)) conclude(turn, { kind: 'lost', reason, progress: 0 });
  };

  /** Gives hosts what waits, and starts hosts for the rest. */
  const serve = () => {
    if (isClosed) return;
    for (const [host, turns] of [...ready]) {
      if (host.lost !== undefined && turns.length === 0) remove(host);
    }
    for (let turn = waiting[0]; turn !== undefined; turn = waiting[0]) {
      const host = leastBusy();
      if (host === undefined) break;
      waiting.shift();
      begin(host, turn);
    }
    if (waiting.length === 0) return;
    if (failure === undefined || performance.now() >= failure.until) {
      const busy = [...ready.values()].filter(({ length }) => length > 0).length;
      while (hosts.size < size && hosts.size < busy + waiting.length) add();
    } else if (hosts.size === 0) {
      refuseAll(failure.reason);
    }
    for (const host of hosts) if (!ready.get(host)?.length) host.hold(true);
  };

  /** The host with the fewest jobs, of those that can be given one more. */
  const leastBusy = () => {
    let found: ProcessHost<Answer> | undefined;
    let fewest = ahead + 1;
    for (const [host, { length }] of ready) {
      if (length >= fewest || host.lost !== undefined) continue;
      found = host;
      fewest = length;
    }
    return found;
  };

  const begin = (host: ProcessHost<Answer>, turn: Turn<Answer>) => {
    ready.set(host, [...(ready.get(host) ?? []), turn]);
    try {
      host.execute(turn.job, turn.options, (end) => finish(host, turn, end));
    } catch (error) {
      takeFrom(host, turn);
      turn.isOver = true;
      turn.options.signal?.removeEventListener('abort', turn.onAbort);
      turn.onError(error);
    }
  };

  const takeFrom = (host: ProcessHost<Answer>, turn: Turn<Answer>) => {
    const turns = ready.get(host);
    if (turns !== undefined)
      ready.set(
        host,
        turns.filter((each) => each !== turn),
      );
  };

  const finish = (host: ProcessHost<Answer>, turn: Turn<Answer>, end: HostEnd<Answer>) => {
    takeFrom(host, turn);
    if (end.kind !== 'answer' && end.kind !== 'behind' && remove(host) && !isClosed) add();
    if (!turn.isOver && isToBeTriedAgain(turn, end)) waiting.unshift(turn);
    else conclude(turn, isClosed && end.kind === 'behind' ? CANCELLED : end);
    serve();
  };

  const isToBeTriedAgain = (turn: Turn<Answer>, { kind }: HostEnd<Answer>) =>
    !isClosed && (kind === 'behind' || (kind === 'refused' && turn.refusals++ < MAX_REFUSALS));

  const conclude = (turn: Turn<Answer>, end: HostEnd<Answer>) => {
    if (turn.isOver) return;
    turn.isOver = true;
    turn.options.signal?.removeEventListener('abort', turn.onAbort);
    turn.onEnd(end);
  };

  const abort = (turn: Turn<Answer>) => {
    for (const [host, [first]] of ready) {
      if (first === turn) return void host.end();
    }
    // It waits, here or in a host, whose answer to it then reaches nobody.
    const place = waiting.indexOf(turn);
    if (place >= 0) waiting.splice(place, 1);
    conclude(turn, CANCELLED);
  };

  for (let i = 0; i < size; i++) add();

  return {
    execute: (job, options) =>
      new Promise((onEnd, onError) => {
        if (isClosed || options.signal?.aborted) return onEnd(CANCELLED);
        const turn: Turn<Answer> = {
          job,
          options,
          onEnd,
          onError,
          onAbort: () => abort(turn),
          refusals: 0,
          isOver: false,
        };
        options.signal?.addEventListener('abort', turn.onAbort, { once: true });
        waiting.push(turn);
        serve();
      }),
    close: async () => {
      isClosed = true;
      for (const turn of waiting.splice(0)) conclude(turn, CANCELLED);
      for (const host of [...hosts]) remove(host);
      await Promise.all(leaving);
    },
  };
}

const CANCELLED: HostEnd<never> = Object.freeze({ kind: 'cancelled', progress: 0 });
