// The interpreter's side of `code_eval`: keeps the process that evaluates, and gives it what it is to
// evaluate. It never sees code other than as text.

import { readFile } from 'node:fs/promises';
import { InputError } from '../../../../encoding/input-error.ts';
import { prepareBundle } from '../../process-bundle.ts';
import { type HostEnd, startHost } from '../../process-host.ts';
import type { LaunchOptions } from '../../process-launch.ts';
import { barsFiles } from '../../process-layers.ts';
import { createHostPool, type HostPool } from '../../process-pool.ts';
import {
  answerBound,
  decodeAnswer,
  type Evaluation,
  type EvaluationAnswer,
  encodeEvaluation,
} from './evaluation.ts';

export interface EvaluatorOptions {
  /** The bundled `eval-host.js`, whose source is `host-main.ts`. */
  readonly script: URL;
  /** `emscripten-module.wasm` of `@jitl/quickjs-wasmfile-release-sync`, as it is. */
  readonly quickjs: URL;
  /** Other ways to start the process, for tests. */
  readonly launch?: LaunchOptions;
}

/** Evaluates code in a process that holds no right to a file, a socket, a process or a thread. */
export interface Evaluator {
  /**
   * Evaluations begin in the order in which they are asked for. One that is cut off takes the process
   * with it; the next gets a fresh one.
   * @throws {InputError} `usage` where nothing on this machine would keep the process from files,
   *   `unreadable` for parts that cannot be read.
   */
  evaluate(
    evaluation: Evaluation,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<HostEnd<EvaluationAnswer>>;
  /** Ends the process. */
  close(): Promise<void>;
}

interface Prepared {
  readonly pool: HostPool<EvaluationAnswer>;
  readonly quickjs: Uint8Array;
}

/** The process is started with the first evaluation. */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  let isClosed = false;
  let prepared: Promise<Prepared> | undefined;
  const prepareOnce = () => {
    prepared ??= prepare(options).catch((error: unknown) => {
      prepared = undefined; // a later evaluation tries again
      throw error;
    });
    return prepared;
  };

  return {
    evaluate: async (evaluation, { timeoutMs, signal }) => {
      if (isClosed) return CANCELLED;
      const { pool, quickjs } = await prepareOnce();
      const { limits } = evaluation;
      return pool.execute(
        {
          programId: 'quickjs',
          program: () => quickjs,
          job: encodeEvaluation(evaluation),
          answerBytes: answerBound(limits),
          read: (answer) => decodeAnswer(answer, limits),
        },
        { timeoutMs, signal },
      );
    },
    close: async () => {
      isClosed = true;
      const { pool } = (await prepared?.catch(() => undefined)) ?? {};
      await pool?.close();
    },
  };
}

const CANCELLED: HostEnd<never> = Object.freeze({ kind: 'cancelled', progress: 0 });

async function prepare({ script, quickjs, launch }: EvaluatorOptions): Promise<Prepared> {
  const [{ plan, source, layers }, module] = await Promise.all([
    prepareBundle(script, 'evaluations', launch),
    readModule(quickjs),
  ]);
  if (!barsFiles(layers)) {
    throw new InputError(
      'usage',
      'nothing on this machine keeps the process that evaluates code from files: this Node has no permission model, and the system no prlimit; run with Node 20.19 or later',
    );
  }
  return { pool: createHostPool(() => startHost(plan, source), 1), quickjs: module };
}

async function readModule(quickjs: URL): Promise<Uint8Array> {
  try {
    return await readFile(quickjs);
  } catch (cause) {
    const message = `${quickjs.pathname}: the module of QuickJS cannot be read; build it, or install it again`;
    throw new InputError('unreadable', message, { cause });
  }
}
