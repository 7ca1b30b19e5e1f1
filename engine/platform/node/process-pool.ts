import type { HostEnd, HostJob, HostJobOptions, ProcessHost } from './process-host.ts';

export interface PoolJobOptions extends HostJobOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Hosts that take jobs in turn. */
export interface HostPool<Answer> {
  /**
   * Executes a job on the first host that is free. Jobs begin in the order in which they came.
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
}

/**
 * Keeps up to `size` hosts, started ahead. One that is lost in a job is replaced at once; one that
 * is lost without having had any when the next job comes. When hosts do not come up at all, jobs
 * end with the reason, and the next attempt waits, twice as long each time.
 */
export function createHostPool<Answer>(
  start: () => ProcessHost<Answer>,
  size: number,
): HostPool<Answer> {
  const waiting: Turn<Answer>[] = [];
  const hosts = new Set<ProcessHost<Answer>>();
  const idle: ProcessHost<Answer>[] = [];
  const busy = new Map<ProcessHost<Answer>, Turn<Answer>>();
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
      if (!host.isReady) return remove(host);
      failure = undefined;
      host.hold(false);
      idle.push(host);
      serve();
    });
  };

  /** Lets go of a host that is lost. */
  const remove = (host: ProcessHost<Answer>) => {
    if (!hosts.delete(host)) return;
    const place = idle.indexOf(host);
    if (place >= 0) idle.splice(place, 1);
    const end = host.end().finally(() => leaving.delete(end));
    leaving.add(end);
    if (host.wasReady) return;
    // The first may have been killed as it started; the second in turn says that none comes up.
    const delay =
      failure === undefined ? 0 : Math.min(2 * failure.delay || FIRST_DELAY, LAST_DELAY);
    failure = { reason: host.lost ?? '', until: performance.now() + delay, delay };
    if (hosts.size === 0 && delay > 0) refuseAll(failure.reason);
    else serve();
  };

  const refuseAll = (reason: string) => {
    for (const turn of waiting.splice(0)) conclude(turn, { kind: 'lost', reason, progress: 0 });
  };

  /** Gives free hosts what waits, and starts hosts for the rest. */
  const serve = () => {
    if (isClosed) return;
    for (const host of [...idle]) if (host.lost !== undefined) remove(host);
    for (let turn = waiting[0]; turn !== undefined; turn = waiting[0]) {
      const host = idle.shift();
      if (host === undefined) break;
      waiting.shift();
      begin(host, turn);
    }
    if (waiting.length === 0) return;
    if (failure === undefined || performance.now() >= failure.until) {
      while (hosts.size < size && hosts.size < busy.size + waiting.length) add();
    } else if (hosts.size === 0) {
      refuseAll(failure.reason);
    }
    for (const host of hosts) if (!busy.has(host)) host.hold(true);
  };

  const begin = (host: ProcessHost<Answer>, turn: Turn<Answer>) => {
    busy.set(host, turn);
    try {
      host.execute(turn.job, turn.options, (end) => finish(host, turn, end));
    } catch (error) {
      busy.delete(host);
      idle.push(host);
      turn.options.signal?.removeEventListener('abort', turn.onAbort);
      turn.onError(error);
    }
  };

  const finish = (host: ProcessHost<Answer>, turn: Turn<Answer>, end: HostEnd<Answer>) => {
    busy.delete(host);
    if (end.kind === 'answer') {
      idle.push(host);
    } else {
      remove(host);
      if (!isClosed) add();
    }
    if (end.kind === 'refused' && turn.refusals++ < MAX_REFUSALS) waiting.unshift(turn);
    else conclude(turn, end);
    serve();
  };

  const conclude = (turn: Turn<Answer>, end: HostEnd<Answer>) => {
    turn.options.signal?.removeEventListener('abort', turn.onAbort);
    turn.onEnd(end);
  };

  const abort = (turn: Turn<Answer>) => {
    const place = waiting.indexOf(turn);
    if (place >= 0) {
      waiting.splice(place, 1);
      conclude(turn, CANCELLED);
    }
    for (const [host, current] of busy) if (current === turn) void host.end();
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
