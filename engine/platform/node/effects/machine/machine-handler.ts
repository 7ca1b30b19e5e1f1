import { displayText } from '../../../../encoding/display.ts';
import { isJsonObject, type JsonObject } from '../../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  type Refusal,
} from '../../../../governance/effect.ts';
import type { MachineEntry, MachineGrant } from '../../../../governance/grants/machine.ts';
import type { Directive } from '../../../../runtime/types.ts';

/** Calls a machine that the grant lists. */
export interface MachineCaller {
  /** Calls it; never rejects. */
  call(entry: MachineEntry, call: MachineCall): Promise<EffectOutcome>;
  close?(): Promise<void>;
}

/** One call of a machine. */
export interface MachineCall extends Pick<EffectRequest, 'signal' | 'effectId' | 'allowance'> {
  /** Becomes the callee's `context`. */
  readonly inputs: JsonObject;
  /** How deep the callee is nested. */
  readonly depth: number;
  /** Milliseconds that the call may take. */
  readonly timeoutMs: number;
  /** Bytes that the answer may have, as JSON. */
  readonly resultBytes: number;
}

/**
 * Performs `call_machine`: another executor, by the name that the grant gives it, here or at another
 * organisation. Calls nest at most as deep as the grant says, and never deeper than 5.
 */
export function createMachineHandler(
  grant: MachineGrant,
  { local, remote }: { readonly local: MachineCaller; readonly remote: MachineCaller },
): EffectHandler {
  const entries = new Map(grant.machines.map((entry) => [entry.name, entry]));
  const entryOf = ({ machine }: Directive) =>
    typeof machine === 'string' ? entries.get(machine) : undefined;
  return {
    tags: ['call_machine'],
    capability: 'machine.call',
    judge: (directive) => (entryOf(directive) === undefined ? unknown(directive) : undefined),
    perform: async ({ directive, caller, signal, effectId, allowance }) => {
      const entry = entryOf(directive);
      if (entry === undefined) return { kind: 'refused', ...unknown(directive) };
      const depth = caller.depth + 1;
      if (depth > grant.depth) {
        const message = `calls of machines nest ${grant.depth} deep at most; plan with fewer`;
        return { kind: 'refused', code: 'too-deep', message };
      }
      const limit = AbortSignal.timeout(grant.timeoutMs);
      const outcome = await ('path' in entry ? local : remote).call(entry, {
        ...{ depth, effectId, allowance },
        inputs: isJsonObject(directive.inputs ?? null) ? (directive.inputs as JsonObject) : {},
        signal: AbortSignal.any([signal, limit]),
        timeoutMs: grant.timeoutMs,
        resultBytes: grant.resultBytes,
      });
      return limit.aborted && outcome.kind === 'failed' && outcome.code === 'cancelled'
        ? { ...outcome, ...failed('timeout', `no answer within ${grant.timeoutMs} ms`) }
        : outcome;
    },
    close: async () => {
      await Promise.all([local.close?.(), remote.close?.()]);
    },
  };
}

function unknown({ machine }: Directive): Refusal {
  const name = typeof machine === 'string' ? displayText(machine, 100) : '';
  return { code: 'machine-not-granted', message: `${name} is not among the machines of the grant` };
}
