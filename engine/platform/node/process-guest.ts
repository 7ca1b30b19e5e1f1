// The host's side of the conversation: takes programs and jobs, runs them, answers. It reads and
// writes one descriptor, with calls that block, and uses nothing else of the machine.

import { readSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import {
  encodeFrame,
  type FrameHead,
  HEADER_BYTES,
  readHeader,
  TO_HOST,
  TO_PARENT,
  writeHeader,
} from './process-frames.ts';

/** What a host does with the bytes that it is sent. */
export interface HostService<Program> {
  /** Makes of a program, as its parent encoded it, what jobs are run with. */
  load(program: Uint8Array): Program;
  /**
   * Runs one job, and answers, at once or later; no other job is begun before.
   * @param job lies in memory that is used again after the answer.
   * @param progress is told how many phases are complete; the count can only grow.
   */
  run(
    program: Program,
    job: Uint8Array,
    progress: (completed: number) => void,
  ): Uint8Array | Promise<Uint8Array>;
}

/** The descriptor that a host shares with its parent. */
export const CHANNEL = 3;

/** Whether Node's permission model is in force here, and grants nothing. */
const isPermissionModelInForce = ['fs.read', 'fs.write', 'child', 'worker'].every(
  (scope) => globalThis.process.permission?.has(scope) === false,
);

/** A host goes back to its event loop after so many frames, for the work that V8 leaves there. */
const FRAMES_A_ROUND = 64;

/** Payloads up to this size are read into memory that is kept. */
const KEPT_BYTES = 256 * 1024;

/**
 * Serves jobs until the parent closes the channel, or is gone. Waiting for a job blocks the thread:
 * the answer to a job is so on its way without a detour over the event loop. Whatever a job or the
 * channel throws ends the process.
 */
export function serveJobs<Program>(service: HostService<Program>): void {
  const programs = new Map<number, Program>();
  const receive = createReceiver();

  /** Deals with a frame; a promise where that takes longer than the call. */
  const answer = (frame: ReceivedFrame): Promise<void> | undefined => {
    const { kind, detail, turn, payload } = frame;
    if (kind === TO_HOST.program) {
      programs.set(detail, service.load(payload));
      send({ kind: TO_PARENT.loaded, detail, turn });
    } else if (kind === TO_HOST.forget) {
      programs.delete(detail);
    } else if (kind === TO_HOST.job) {
      const program = programs.get(detail);
      if (program === undefined) throw new Error('a job names a program that was not sent');
      const progress = (completed: number) =>
        send({ kind: TO_PARENT.progress, detail: completed, turn });
      const conclude = (bytes: Uint8Array) =>
        send({ kind: TO_PARENT.answer, detail: 0, turn }, bytes);
      const bytes = service.run(program, payload, progress);
      if (bytes instanceof Promise) return bytes.then(conclude);
      conclude(bytes);
    } else {
      throw new Error('the parent sent a frame of an unknown kind');
    }
    return undefined;
  };

  const round = () => {
    for (let i = 0; i < FRAMES_A_ROUND; i++) {
      const frame = receive();
      if (frame === undefined) return; // with nothing left to wait for, the process ends
      const answered = answer(frame);
      if (answered !== undefined) {
        answered.then(() => setImmediate(round), fail);
        return;
      }
    }
    setImmediate(round);
  };

  send({ kind: TO_PARENT.ready, detail: isPermissionModelInForce ? 1 : 0, turn: 0 });
  setImmediate(round);
}

/** Ends the process with what a job was rejected with, as if it had been thrown. */
function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

type ReceivedFrame = FrameHead & { readonly payload: Uint8Array };

/** A function that waits for the next frame; it answers nothing when the channel has been closed. */
function createReceiver(): () => ReceivedFrame | undefined {
  const kept = new Uint8Array(HEADER_BYTES + KEPT_BYTES);
  let start = 0;
  let end = 0;

  /** Reads until `count` bytes lie at `start`; false at the end of the stream. */
  const fill = (count: number): boolean => {
    if (start + count > kept.length) {
      kept.copyWithin(0, start, end);
      end -= start;
      start = 0;
    }
    while (end - start < count) {
      const read = readSome(kept, end);
      if (read === 0) return false;
      end += read;
    }
    return true;
  };

  /** A payload that does not fit: what has arrived of it, and then the rest, in memory of its own. */
  const readLarge = (bytes: number): Uint8Array | undefined => {
    const payload = new Uint8Array(bytes);
    payload.set(kept.subarray(start, end));
    let at = end - start;
    start = 0;
    end = 0;
    while (at < bytes) {
      const read = readSome(payload, at);
      if (read === 0) return undefined;
      at += read;
    }
    return payload;
  };

  return () => {
    if (start === end) {
      start = 0;
      end = 0;
    }
    if (!fill(HEADER_BYTES)) return undefined;
    const head = readHeader(kept.subarray(start, start + HEADER_BYTES));
    if (head === undefined) throw new Error('the parent sent bytes that are no frame');
    start += HEADER_BYTES;
    if (head.payloadBytes > KEPT_BYTES) {
      const payload = readLarge(head.payloadBytes);
      return payload && { ...head, payload };
    }
    if (!fill(head.payloadBytes)) return undefined;
    const payload = kept.subarray(start, start + head.payloadBytes);
    start += head.payloadBytes;
    return { ...head, payload };
  };
}

function readSome(target: Uint8Array, at: number): number {
  try {
    return readSync(CHANNEL, target, at, target.length - at, null);
  } catch (error) {
    // How Windows reports the end of a pipe, and every system a parent that died.
    if (error instanceof Error && 'code' in error && ENDS.has(String(error.code))) return 0;
    throw error;
  }
}

const ENDS: ReadonlySet<string> = new Set(['EOF', 'ECONNRESET', 'EPIPE']);

/** Small answers leave in one write with their header. */
const JOINED_BYTES = 64 * 1024;

function send(head: FrameHead, payload?: Uint8Array): void {
  if (payload === undefined || payload.length <= JOINED_BYTES) {
    writeAll(encodeFrame(head, payload));
    return;
  }
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, head, payload.length);
  writeAll(header);
  writeAll(payload);
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(CHANNEL, bytes, at, bytes.length - at);
  }
}
