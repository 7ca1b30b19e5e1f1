// Who holds what lies on the disk: a process, told from a later one that has its pid.

import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { errnoOf } from './receipt-store-files.ts';

/** A process. `started` tells it from a later one with the same pid, where known. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  readonly started: string | null;
}

/** The process that asks. */
export async function thisProcess(): Promise<Owner> {
  const { started } = await processOf(process.pid);
  return { host: hostname(), pid: process.pid, started };
}

/** Whether a process has ended, as far as can be told from here. */
export async function isGone({ host, pid, started: since }: Owner): Promise<boolean> {
  if (host !== hostname()) return false; // its processes cannot be seen from here
  if (!isAlive(pid)) return true;
  const { state, started } = await processOf(pid);
  // One that has ended is there until its parent asks, and does nothing more.
  if (state === 'Z') return true;
  return since !== null && started !== null && since !== started;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 asks, and sends nothing
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

interface ProcessState {
  readonly state: string | null;
  /** When it started, in ticks since boot. */
  readonly started: string | null;
}

/** What the system tells of a process; null where it does not. */
async function processOf(pid: number): Promise<ProcessState> {
  if (process.platform !== 'linux') return { state: null, started: null };
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Fields 3 and 22 of proc_pid_stat(5); the second one, in parentheses, may hold spaces itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? null, started: fields[19] ?? null };
}
