import { displayText } from '../encoding/display.ts';
import type { Tier } from '../gate/types.ts';
import type { ImportEntry } from '../module/types.ts';
import type { Whitelist } from '../whitelist/types.ts';
import { findHostFunction, type HostFunctionName } from './host-functions.ts';
import type { RunProblem } from './types.ts';

/** What one imported function is linked to. */
export type Binding = {
  readonly module: string;
  readonly name: string;
  /** The function's name for messages: `mashin.set_output`. */
  readonly caller: string;
} & (
  | { readonly kind: 'host'; readonly function: HostFunctionName }
  | { readonly kind: 'directive'; readonly tag: string }
  /** Outside the whitelist: calling it ends the run (tier 3). */
  | { readonly kind: 'unlisted' }
);

const CONSTRUCTOR_TYPE = '(i32, i32) -> ()';

/**
 * Decides what each import of an admitted module is linked to, or says why the module cannot be
 * linked: `unlisted-import` for an import that is not a function, or is impure in another tier
 * than 3; `host-function-missing` for one that the whitelist holds and this runtime does not have.
 * @returns one binding for each name that is imported.
 */
export function bindImports(
  imports: readonly ImportEntry[],
  whitelist: Whitelist,
  tier: Tier,
): readonly Binding[] | RunProblem {
  const bindings = new Map<string, Binding>();
  for (const entry of imports) {
    const binding = bind(entry, whitelist, tier);
    if ('code' in binding) return binding;
    const key = JSON.stringify([entry.module, entry.name]);
    // One name can be imported twice with different types, and has one slot in V8: the trap wins.
    if (bindings.get(key)?.kind !== 'unlisted') bindings.set(key, Object.freeze(binding));
  }
  return Object.freeze([...bindings.values()]);
}

function bind(entry: ImportEntry, whitelist: Whitelist, tier: Tier): Binding | RunProblem {
  const { module, name } = entry;
  const linked = { module, name, caller: `${displayText(module)}.${displayText(name)}` };
  const listed = whitelist.classify(entry);
  if (listed.class === 'impure') {
    if (tier === 3 && entry.kind === 'function') return { ...linked, kind: 'unlisted' };
    return {
      code: 'unlisted-import',
      message: `the module imports ${describe(entry)}, which ${whitelist.name}@${whitelist.version} does not hold; it was not started`,
    };
  }
  if (listed.class === 'directive') {
    const { directive } = listed.function;
    return directive !== undefined && entry.type === CONSTRUCTOR_TYPE
      ? { ...linked, kind: 'directive', tag: directive }
      : missing(entry, `a directive constructor has the type ${CONSTRUCTOR_TYPE}`);
  }
  const known = findHostFunction(module, name);
  if (known === undefined) return missing(entry, 'this runtime does not implement it');
  return known.type === entry.type
    ? { ...linked, kind: 'host', function: known.name }
    : missing(entry, `this runtime implements it with the type ${known.type}`);
}

function missing(entry: ImportEntry, why: string): RunProblem {
  return {
    code: 'host-function-missing',
    message: `the whitelist holds ${describe(entry)}, but ${why}; the module was not started`,
  };
}

function describe({ module, name, kind, type }: ImportEntry): string {
  return `${displayText(module)}.${displayText(name)} (${kind} ${displayText(type)})`;
}
