import { HOST_CALL } from '../metering/costs.ts';
import type { Meter } from '../metering/meter.ts';
import type { Binding } from './bindings.ts';
import type { GuestMemory } from './guest-memory.ts';
import { callConstructor, callHostFunction, type HostCall } from './host-functions.ts';
import type { GuestJob } from './job.ts';
import { charge, createSession, type Session } from './session.ts';
import { hostTrap } from './stop.ts';

/** The host's side of one run: the functions the guest may call, and what came of the calls. */
export interface Host {
  /**
   * Only what the module imports, in objects without a prototype.
   * @param memory is lent to a program whose memory is fixed, which imports it.
   */
  link(memory: WebAssembly.Memory | undefined): WebAssembly.Imports;
  /** Opens the host functions: from here on the guest's memory is known. */
  open(memory: GuestMemory, meter: Meter): Session;
  /** Closes the host functions for good. */
  close(): void;
  /**
   * The first thing a host function threw. The guest can catch an exception of the host
   * (`catch_all`), but it cannot go on: every later call throws the same again, and the run ends
   * with it.
   */
  failure(): unknown;
}

type HostFunction = (a?: number, b?: number, c?: number) => number | undefined;

/** Makes the host side of one run; its functions refuse until it is opened. */
export function createHost({ program, input, limits }: GuestJob): Host {
  let session: Session | undefined;
  let state: 'starting' | 'open' | 'closed' = 'starting';
  let failure: unknown;

  const guard =
    (binding: Binding): HostFunction =>
    (a = 0, b = 0, c = 0) => {
      const { caller } = binding;
      if (failure !== undefined) throw failure;
      try {
        if (binding.kind === 'unlisted') throw unlisted(caller);
        if (session === undefined || state !== 'open') throw refusal(caller, state);
        charge(session, HOST_CALL);
        return call(binding, { session, caller }, a, b, c);
      } catch (error) {
        failure = error;
        throw error;
      }
    };

  return {
    link: (memory) => importTable(program, guard, memory),
    open: (memory, meter) => {
      state = 'open';
      session = createSession(input, limits, memory, meter);
      return session;
    },
    close: () => {
      state = 'closed';
    },
    failure: () => failure,
  };
}

function call(
  binding: Exclude<Binding, { readonly kind: 'unlisted' }>,
  hostCall: HostCall,
  a: number,
  b: number,
  c: number,
): number | undefined {
  if (binding.kind === 'host') return callHostFunction(binding.function, hostCall, a, b, c);
  callConstructor(binding.tag, hostCall, a, b);
  return undefined;
}

/**
 * Objects without a prototype, so that an import called `constructor` or `__proto__` finds what was
 * put there and nothing else.
 */
function importTable(
  { bindings, fixedMemory }: GuestJob['program'],
  guard: (binding: Binding) => HostFunction,
  memory: WebAssembly.Memory | undefined,
): WebAssembly.Imports {
  const table: WebAssembly.Imports = Object.create(null);
  for (const binding of bindings) namespace(table, binding.module)[binding.name] = guard(binding);
  if (fixedMemory !== undefined && memory !== undefined) {
    namespace(table, fixedMemory.module)[fixedMemory.name] = memory;
  }
  return table;
}

function namespace(table: WebAssembly.Imports, module: string): WebAssembly.ModuleImports {
  table[module] ??= Object.create(null) as WebAssembly.ModuleImports;
  return table[module];
}

function unlisted(caller: string) {
  return hostTrap(
    'unlisted-import',
    `the executor called ${caller}, which the whitelist does not hold`,
  );
}

function refusal(caller: string, state: 'starting' | 'open' | 'closed') {
  return state === 'starting'
    ? hostTrap(
        'host-call-in-start',
        `${caller} was called by the start function; host functions open when the module has started`,
      )
    : hostTrap('host-closed', `${caller} was called after the run had ended`);
}
