import { type ChildProcess, spawn } from 'node:child_process';
import { coverInherited } from '../../process-descriptors.ts';
import { errnoOf } from '../../receipt-store-files.ts';
import { signalGroup } from './group-kill.ts';

/** What is to be run. */
export interface ProgramPlan {
  /** An absolute path. */
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

export interface ProgramLimits {
  /** Bytes of standard output and standard error together. */
  readonly outputBytes: number;
  readonly timeoutMs: number;
}

/** How a program came to its end. */
export type ProgramEnd =
  | {
      readonly kind: 'exited';
      /** Null where a signal ended it. */
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly stdout: Uint8Array;
      readonly stderr: Uint8Array;
    }
  /** It was ended from here, when it had printed so many bytes. */
  | { readonly kind: Interruption; readonly bytes: number }
  /** It never ran, for a reason of the system: `ENOENT`. */
  | { readonly kind: 'not-started'; readonly errno: string };

type Interruption = 'cancelled' | 'timeout' | 'too-large';

/** How long a program that was told to end may take for it, in milliseconds. */
const GRACE_MS = 500;

/** How long output may still come when the program is gone, in milliseconds. */
const DRAIN_MS = 500;

/**
 * Runs a program to its end, without a shell, with an empty standard input, exactly the environment
 * given (Windows adds a few variables of its own) and no descriptor of this process. It leads a group
 * of its own, and what is left of that when it has ended, or was ended because it printed too much,
 * took too long or was cancelled, is ended too. Only a process that left the group, and on Windows one
 * whose parent is gone, can stay.
 */
export async function runProgram(
  plan: ProgramPlan,
  limits: ProgramLimits,
  signal: AbortSignal,
): Promise<ProgramEnd> {
  const child = await start(plan);
  if ('errno' in child) return { kind: 'not-started', errno: child.errno };
  return new Promise((resolve) => {
    let interruption: Interruption | undefined;
    let exit: readonly [exitCode: number | null, signal: string | null] | undefined;
    const timers: NodeJS.Timeout[] = [];
    const later = (act: () => void, ms: number) => timers.push(setTimeout(act, ms));
    const output = collectOutput(child, limits.outputBytes, () => interrupt('too-large'));
    const cancel = () => interrupt('cancelled');

    const interrupt = (reason: Interruption) => {
      if (interruption !== undefined) return;
      interruption = reason;
      output.stop();
      signalAll('SIGTERM');
      later(() => signalAll('SIGKILL'), GRACE_MS);
      // One that the system cannot end now, since it waits for a device, is not waited for.
      later(settle, GRACE_MS + DRAIN_MS);
    };

    const signalAll = (name: 'SIGTERM' | 'SIGKILL') => {
      // Once it is gone, its number may be another's.
      if (exit === undefined && child.pid !== undefined) signalGroup(child.pid, name);
    };

    const settle = () => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      output.stop();
      const [exitCode, by] = exit ?? [null, null];
      const { bytes, stdout, stderr } = output.collected();
      resolve(
        interruption === undefined
          ? { kind: 'exited', exitCode, signal: by, stdout, stderr }
          : { kind: interruption, bytes },
      );
    };

    child.once('exit', (...how) => {
      signalAll('SIGKILL'); // what it started in its group, and left behind
      exit = how;
      later(settle, DRAIN_MS);
    });
    child.once('close', settle);
    later(() => interrupt('timeout'), limits.timeoutMs);
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
  });
}

/** Starts a program; answers once it runs, or could not be started. */
function start(plan: ProgramPlan): Promise<ChildProcess | { readonly errno: string }> {
  return new Promise((resolve) => {
    const fail = (error: unknown) => resolve({ errno: errnoOf(error) ?? 'unknown' });
    try {
      const child = spawn(plan.path, plan.args, {
        cwd: plan.cwd,
        // Node hands this variable of its own on, unless it is named.
        env: { NODE_V8_COVERAGE: undefined, ...plan.env },
        detached: process.platform !== 'win32',
        windowsHide: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ignore', ...coverInherited()],
      });
      child.on('error', fail);
      child.once('spawn', () => resolve(child));
    } catch (error) {
      fail(error);
    }
  });
}

interface Output {
  /** Reads no more. */
  stop(): void;
  collected(): { readonly bytes: number; readonly stdout: Uint8Array; readonly stderr: Uint8Array };
}

/** @param onOverflow is called once more than `maxBytes` have come; they are not kept. */
function collectOutput(child: ChildProcess, maxBytes: number, onOverflow: () => void): Output {
  const streams = [child.stdout, child.stderr].map((stream) => {
    const pieces: Uint8Array[] = [];
    stream?.on('error', () => {}); // it ends the stream, which is seen
    stream?.on('data', (piece: Uint8Array) => {
      bytes += piece.length;
      if (bytes > maxBytes) onOverflow();
      else pieces.push(piece);
    });
    return { stream, pieces };
  });
  let bytes = 0;
  return {
    stop: () => {
      for (const { stream } of streams) stream?.destroy();
    },
    collected: () => {
      const [stdout, stderr] = streams.map(({ pieces }) => Buffer.concat(pieces));
      return { bytes, stdout: stdout ?? new Uint8Array(), stderr: stderr ?? new Uint8Array() };
    },
  };
}
