import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { coverInherited } from './process-descriptors.ts';
import { CHANNEL } from './process-guest.ts';
import type { LaunchPlan } from './process-launch.ts';

/** A process that was started, and the stream to it. */
export interface SpawnedHost {
  readonly pid: number | undefined;
  /** Writes to the host; the parts leave as one. */
  write(parts: readonly Uint8Array[]): void;
  /** Whether the process keeps its parent alive. */
  hold(isHeld: boolean): void;
  /** Ends the process, in the middle of whatever it does. */
  kill(): void;
  /** Resolves when the process is gone, with what is known of why. */
  readonly gone: Promise<string>;
}

export interface SpawnListener {
  readonly onBytes: (bytes: Uint8Array) => void;
  /**
   * The stream broke: a write failed, or the process went away with bytes unread (which the kernel
   * reports as a reset). The process did not have all that was written to it.
   */
  readonly onRefusal: () => void;
}

/** Bytes of what a host wrote to its standard error that are kept: the last ones. */
const TAIL_BYTES = 4_096;

/** How long a process may outlive its channel, in milliseconds. */
const GRACE = 1_000;

/**
 * Starts a host. It gets its script on its standard input, an empty environment, no terminal, and
 * one stream to this process.
 */
export function spawnHost(
  { command: [program = '', ...args], env, cwd }: LaunchPlan,
  script: Uint8Array,
  { onBytes, onRefusal }: SpawnListener,
): SpawnedHost {
  const child = spawn(program, args, {
    env,
    cwd,
    // Its own session: no terminal, and no part in the signals that a terminal sends its group.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: ['pipe', 'ignore', 'pipe', 'pipe', ...coverInherited()],
  });
  const channel = child.stdio[CHANNEL];
  const hold = (isHeld: boolean) => {
    for (const each of [child, channel instanceof Socket ? channel : child]) {
      isHeld ? each.ref() : each.unref();
    }
  };

  let hasClosedChannel = false;
  const tail = keepTail(child);
  const gone = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it did not start: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(hasClosedChannel ? 'it closed its channel' : describeExit(code, signal, tail())),
    );
  });

  // Writing to a process that is gone fails here too; why it is gone is told above.
  for (const each of [child.stdin, child.stderr]) {
    each?.on('error', ignore);
    if (each instanceof Socket) each.unref();
  }
  if (channel instanceof Socket) {
    channel.on('data', onBytes);
    channel.on('error', onRefusal);
    channel.once('end', () => {
      // As a rule it is gone, which is told in a moment. One that lives on without it is of no use.
      const end = () => {
        hasClosedChannel = true;
        child.kill('SIGKILL');
      };
      setTimeout(end, GRACE).unref();
    });
  }
  child.stdin?.end(script);
  hold(false);

  return {
    pid: child.pid,
    write: (parts) => {
      if (!(channel instanceof Socket)) return;
      channel.cork();
      for (const part of parts) channel.write(part);
      channel.uncork();
    },
    hold,
    kill: () => {
      child.kill('SIGKILL');
    },
    gone,
  };
}

function ignore(): void {}

function keepTail(child: ChildProcess): () => string {
  let tail = Buffer.alloc(0);
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
  });
  return () => tail.toString('utf8');
}

/** What Node and V8 write of the reason for an end, among a stack and a summary of the heap. */
const REASON = /^(?:FATAL ERROR: .*|\w*Error\b.*)$/m;

function describeExit(code: number | null, signal: string | null, errors: string): string {
  const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
  const why = REASON.exec(errors)?.[0] ?? errors.trim().split('\n').at(-1) ?? '';
  return why === '' ? how : `${how}: ${why}`;
}
