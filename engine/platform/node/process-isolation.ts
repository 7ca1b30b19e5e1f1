import { availableParallelism } from 'node:os';
import { InputError } from '../../encoding/input-error.ts';
import type { Ended } from '../../runtime/ended.ts';
import type { ExecuteOptions, Isolation } from '../../runtime/isolation.ts';
import { type Job, type JobContents, openJob } from '../../runtime/job.ts';
import { cancelled, hostCrashed, settle, timedOut } from '../../runtime/settle.ts';
import type { Outcome } from '../../runtime/types.ts';
import { GUEST_PHASES, receiveEnded } from '../../runtime/wire.ts';
import { prepareBundle } from './process-bundle.ts';
import { answerBound, decodeEnded, encodeJob, encodeProgram } from './process-codec.ts';
import { type HostEnd, startHost } from './process-host.ts';
import { barsFiles, type ProcessLayers } from './process-layers.ts';
import { createHostPool, type HostPool } from './process-pool.ts';

export interface ProcessIsolationOptions {
  /** The bundled `executor-host.js`, whose source is `process-main.ts`. */
  readonly script: URL;
  /** How many processes there are, for as many runs at once: one unless given. */
  readonly size?: number;
  /**
   * How many runs each process is sent beside the one that it executes: none unless given. Many small
   * runs are done sooner so; one that is sent waits for those before it, whatever they take.
   */
  readonly ahead?: number;
  /** The Node that runs the processes: this one unless given. */
  readonly node?: string;
  /** Layers to do without, for tests of the others. */
  readonly without?: readonly (keyof ProcessLayers)[];
  /** Runs also where nothing keeps a process from files. For executors that are trusted anyway. */
  readonly acceptFileAccess?: boolean;
}

export interface ProcessIsolation extends Isolation {
  readonly mode: 'process';
  /**
   * What holds the processes back on this machine.
   * @throws {InputError} as `execute`.
   */
  layers(): Promise<ProcessLayers>;
}

/** What it takes to start processes. */
interface Prepared {
  readonly layers: ProcessLayers;
  readonly pool: HostPool<Ended>;
}

/**
 * Runs guests in processes of their own, with as few rights as the machine can leave them
 * (`ProcessLayers`). The processes are started ahead and used again; nothing of a run stays for the
 * next but the compiled program. A process that was ended or lost, or that answered nonsense, is
 * replaced, and costs the run that it had. Runs begin in the order in which they are asked for.
 *
 * Its `execute` throws an {@link InputError}: `usage` where nothing would keep the process from files,
 * unless that was accepted; `unreadable` for a script that cannot be read.
 * @throws {RangeError} for a size that is not a whole number from 1 up, or an `ahead` that is none.
 */
export function createProcessIsolation(options: ProcessIsolationOptions): ProcessIsolation {
  const { size = 1, ahead = 0 } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`"size" expected a whole number from 1 up, got ${size}`);
  }
  if (!Number.isSafeInteger(ahead) || ahead < 0) {
    throw new RangeError(`"ahead" expected a whole number from 0 up, got ${ahead}`);
  }
  let isClosed = false;
  let prepared: Promise<Prepared> | undefined;
  const prepare = () => {
    prepared ??= prepareHosts(options, size).catch((error: unknown) => {
      prepared = undefined; // a later run tries again
      throw error;
    });
    return prepared;
  };
  prepare().catch(() => {}); // ahead; a run that needs it tells why

  return Object.freeze({
    mode: 'process',
    layers: async () => (await prepare()).layers,
    execute: async (job: Job, { timeoutMs, signal }: ExecuteOptions) => {
      const contents = openJob(job);
      if (isClosed) throw new Error('this isolation is closed');
      const { limits } = contents;
      if (signal?.aborted) return cancelled(limits);
      const { pool } = await prepare();
      const { program } = contents;
      const end = await pool.execute(
        {
          programId: program.id,
          program: () => encodeProgram(program),
          job: encodeJob(contents),
          answerBytes: answerBound(limits, contents.state !== undefined),
          read: (answer) => receiveEnded(decodeEnded(answer), limits),
        },
        { timeoutMs, signal },
      );
      return conclude(end, contents);
    },
    close: async () => {
      isClosed = true;
      const { pool } = (await prepared?.catch(() => undefined)) ?? {};
      await pool?.close();
    },
  } satisfies ProcessIsolation);
}

async function prepareHosts(
  { script, node, without, ahead = 0, acceptFileAccess = false }: ProcessIsolationOptions,
  size: number,
): Promise<Prepared> {
  const { plan, source, layers } = await prepareBundle(script, 'executors', {
    ...(node !== undefined && { node }),
    ...(without && { without }),
  });
  if (!barsFiles(layers) && !acceptFileAccess) throw noBarrier();
  const staysAwake = ahead === 0 && size < availableParallelism();
  return { layers, pool: createHostPool(() => startHost(plan, source, staysAwake), size, ahead) };
}

function noBarrier(): InputError {
  return new InputError(
    'usage',
    'nothing on this machine keeps the process of an executor from files: this Node has no permission model, and the system no prlimit; run with Node 20.19 or later, or run in this thread an executor that is trusted',
  );
}

function conclude(end: HostEnd<Ended>, { limits }: JobContents): Outcome {
  if (end.kind === 'answer') return settle(end.answer, limits);
  const completed = GUEST_PHASES.slice(0, Math.max(1, end.progress));
  switch (end.kind) {
    case 'timeout':
      return timedOut(limits, completed);
    case 'cancelled':
      return cancelled(limits, completed);
    case 'lost':
      return hostCrashed(end.reason, limits, completed);
    case 'refused':
    case 'behind':
      return hostCrashed('it was gone before it had the job, again and again', limits, completed);
  }
}
