import { displayText } from '../encoding/display.ts';
import type { Ended } from './ended.ts';
import { GuestMemory } from './guest-memory.ts';
import { createHost } from './host.ts';
import type { JobContents } from './job.ts';
import type { Session } from './session.ts';
import { hostTrap, type Stop } from './stop.ts';
import { describeFailure } from './trap.ts';
import type { Phase } from './types.ts';

/**
 * Runs one fresh instance of a module to its end, on this thread: instance, entry function, and
 * what the host functions were given. Never throws for anything the guest does. Only isolations
 * call this; they get their jobs from `createJob`.
 * @param onPhase is told of each phase when it is complete.
 */
export function execute(job: JobContents, onPhase?: (completed: readonly Phase[]) => void): Ended {
  const host = createHost(job);
  const completed: Phase[] = ['gate'];
  const complete = (phase: Phase) => {
    completed.push(phase);
    onPhase?.(completed);
  };
  let session: Session | undefined;
  let stop: Stop | undefined;
  try {
    const { exports } = new WebAssembly.Instance(job.module, host.imports);
    if (host.failure() !== undefined) throw host.failure();
    complete('instantiate');
    const memory = new GuestMemory(findMemory(exports), job.limits.memoryPages);
    const entry = findEntry(exports, job.entry);
    memory.checkSize();
    session = host.open(memory);
    const returned = entry();
    if (host.failure() !== undefined) throw host.failure();
    if (returned !== undefined) throw mistypedEntry(job.entry);
    memory.checkSize();
    complete('plan');
  } catch (error) {
    stop = describeFailure(host.failure() ?? error);
  } finally {
    host.close();
  }
  return {
    ...(stop && { stop }),
    output: session?.output,
    constructed: session?.constructed ?? [],
    logs: session?.logs ?? [],
    completed,
  };
}

function findMemory(exports: WebAssembly.Exports): WebAssembly.Memory {
  const memory = exports.memory;
  if (memory instanceof WebAssembly.Memory) return memory;
  throw hostTrap('missing-memory', 'the module exports no memory called "memory"');
}

function findEntry(exports: WebAssembly.Exports, name: string): () => unknown {
  const entry = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof entry !== 'function') {
    throw hostTrap('missing-entry', `the module exports no function called "${displayText(name)}"`);
  }
  if (entry.length !== 0) throw mistypedEntry(name);
  return () => entry();
}

function mistypedEntry(name: string) {
  return hostTrap(
    'missing-entry',
    `the exported function "${displayText(name)}" is not of the type () -> ()`,
  );
}
