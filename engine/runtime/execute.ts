import { displayText } from '../encoding/display.ts';
import { BY_SIZE, ENTRY_CALL } from '../metering/costs.ts';
import { type Meter, openMeter, STACK_UNIT_BYTES } from '../metering/meter.ts';
import type { Ended } from './ended.ts';
import { GuestMemory } from './guest-memory.ts';
import { createHost, type Host } from './host.ts';
import type { GuestJob } from './job.ts';
import { borrowMemory, giveMemoryBack } from './memory-pool.ts';
import { outOfFuel, type Session } from './session.ts';
import { captureState, type GuestState, readState, restoreState } from './state.ts';
import { HostStop, hostTrap, limitReached, type Stop } from './stop.ts';
import { describeFailure, describeMeterStop, isOfMachine } from './trap.ts';
import type { Phase } from './types.ts';

/**
 * Runs one fresh instance of a program to its end, on this thread: instance, start function, entry
 * function, and what the host functions were given. Never throws for anything the guest does. Only
 * isolations call this; they get their jobs from `createJob`.
 * @param module the job's program, compiled.
 * @param onPhase is told of each phase when it is complete.
 */
export function execute(
  job: GuestJob,
  module: WebAssembly.Module,
  onPhase?: (completed: readonly Phase[]) => void,
): Ended {
  const host = createHost(job);
  const completed: Phase[] = ['gate'];
  const complete = (phase: Phase) => {
    completed.push(phase);
    onPhase?.(completed);
  };
  const guest: Guest = {
    meter: undefined,
    session: undefined,
    state: undefined,
    memory: undefined,
  };
  let stop: Stop | undefined;
  try {
    run(job, module, host, guest, complete);
  } catch (error) {
    stop = reasonOf(host.failure() ?? error, guest.meter, job);
  } finally {
    host.close();
  }
  const used = fuelUsed(job, guest.meter, stop);
  if (guest.memory !== undefined && job.program.fixedMemory !== undefined) {
    giveMemoryBack(guest.memory, job.program.fixedMemory.pages);
  }
  return {
    ...(stop && { stop }),
    fuelUsed: used,
    output: guest.session?.output,
    constructed: guest.session?.constructed ?? [],
    logs: guest.session?.logs ?? [],
    completed,
    ...(guest.state !== undefined && { state: guest.state }),
  };
}

/** What a run has reached so far. */
interface Guest {
  meter: Meter | undefined;
  session: Session | undefined;
  /** What the run left, saved. */
  state: Uint8Array | undefined;
  /** The memory that it was lent, where its size is fixed. */
  memory: WebAssembly.Memory | undefined;
}

function run(
  job: GuestJob,
  module: WebAssembly.Module,
  host: Host,
  guest: Guest,
  complete: (phase: Phase) => void,
): void {
  const { program, limits } = job;
  const before = job.state?.before && readState(job.state.before);
  const { fuel, pages, elements } = allowance(job, before);
  guest.memory = program.fixedMemory && borrowMemory(program.fixedMemory.pages);
  const { exports } = new WebAssembly.Instance(module, host.link(guest.memory));
  guest.meter = openMeter(exports, program.meter);
  guest.meter.set({
    fuel,
    stack: Math.floor(limits.stackBytes / STACK_UNIT_BYTES),
    pages,
    elements,
  });
  // What the start function did is part of a state that is restored.
  if (before !== undefined) restoreState(exports, program, before);
  else if (program.start !== undefined) functionOf(exports, program.start)();
  if (host.failure() !== undefined) throw host.failure();
  complete('instantiate');
  const memory = new GuestMemory(findMemory(exports));
  const entry = findEntry(exports, job.entry);
  guest.session = host.open(memory, guest.meter);
  const returned = entry();
  if (host.failure() !== undefined) throw host.failure();
  if (returned !== undefined) throw mistypedEntry(job.entry);
  if (job.state !== undefined) guest.state = captureState(exports, program);
  complete('plan');
}

/** What is left of the limits once the module has what it starts with. */
function allowance({ program, limits }: GuestJob, before: GuestState | undefined) {
  const { initialElements } = program;
  const initialPages = before?.size ?? program.initialPages;
  // A state is paid for like the segments of a module that held it.
  const restoring = (before?.blocks.length ?? 0) >>> BY_SIZE.dataShift;
  const spent = program.instantiationFuel + restoring + ENTRY_CALL;
  if (initialPages > limits.memoryPages) {
    const message = `the module starts with ${initialPages} pages of 64 KiB; ${limits.memoryPages} are allowed`;
    throw limitReached('memory-limit', message);
  }
  if (initialElements > limits.tableElements) {
    const message = `the module's tables start with ${initialElements} elements; ${limits.tableElements} are allowed`;
    throw new HostStop('memory-limit', 'table-limit', message);
  }
  if (spent > limits.fuel) throw limitReached('out-of-fuel', outOfFuel(limits));
  return {
    fuel: limits.fuel - spent,
    pages: limits.memoryPages - initialPages,
    elements: limits.tableElements - initialElements,
  };
}

/** Units used, where the run's end depends on the module and its input alone. */
function fuelUsed({ limits }: GuestJob, meter: Meter | undefined, stop: Stop | undefined) {
  if (stop?.status === 'out-of-fuel') return limits.fuel;
  if (stop !== undefined && isOfMachine(stop)) return null;
  return meter === undefined ? 0 : limits.fuel - meter.read().fuel;
}

/** What ended a run: the host, else the meter, else what V8 says. */
function reasonOf(error: unknown, meter: Meter | undefined, { limits }: GuestJob): Stop {
  const stop = error instanceof HostStop ? undefined : meter?.read().stop;
  return stop === undefined ? describeFailure(error) : describeMeterStop(stop, limits, error);
}

function functionOf(exports: WebAssembly.Exports, name: string): () => unknown {
  const found = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof found === 'function') return () => found();
  throw hostTrap('missing-entry', `the module exports no function called "${displayText(name)}"`);
}

function findMemory({ memory }: WebAssembly.Exports): WebAssembly.Memory {
  if (memory instanceof WebAssembly.Memory) return memory;
  throw hostTrap('missing-memory', 'the module exports no memory called "memory"');
}

function findEntry(exports: WebAssembly.Exports, name: string): () => unknown {
  const entry = functionOf(exports, name);
  const found = exports[name];
  if (typeof found === 'function' && found.length !== 0) throw mistypedEntry(name);
  return entry;
}

function mistypedEntry(name: string) {
  return hostTrap(
    'missing-entry',
    `the exported function "${displayText(name)}" is not of the type () -> ()`,
  );
}
