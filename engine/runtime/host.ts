import { displayText } from '../encoding/display.ts';
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
  /** Only what the module imports, in objects without a prototype. */
  readonly imports: WebAssembly.Imports;
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
export function createHost({ bindings, input, limits }: GuestJob): Host {
  let session: Session | undefined;
  let state: 'starting' | 'open' | 'closed' = 'starting';
  let failure: unknown;

  const guard =
    (binding: Binding, caller: string): HostFunction =>
    (a = 0, b = 0, c = 0) => {
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
    imports: importTable(bindings, guard),
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
  bindings: readonly Binding[],
  guard: (binding: Binding, caller: string) => HostFunction,
): WebAssembly.Imports {
  const table: Record<string, Record<string, HostFunction>> = Object.create(null);
  const unlistedNames = new Set(
    bindings.filter((b) => b.kind === 'unlisted').map((b) => JSON.stringify([b.module, b.name])),
  );
  for (const binding of bindings) {
    const { module, name } = binding;
    table[module] ??= Object.create(null) as Record<string, HostFunction>;
    // One name can be imported twice with different types, and has one slot here: the trap wins.
    const taken = unlistedNames.has(JSON.stringify([module, name]));
    table[module][name] = guard(
      taken ? { module, name, kind: 'unlisted' } : binding,
      `${displayText(module)}.${displayText(name)}`,
    );
  }
  return table;
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
