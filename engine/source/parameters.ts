// Parameters and results as sources write them, and the WebAssembly values they become.

import { functionTypeText } from '../module/type-text.ts';
import type { TextRange } from '../project/json-document.ts';
import type { ValueType } from '../whitelist/types.ts';

/** The values that a type of a source becomes in order; `undefined` where the text does not tell. */
export type Lowered = readonly ValueType[] | undefined;

/** The type of a parameter or of the result. */
export interface WrittenType {
  /** As the source spells it; empty where it says nothing. */
  readonly written: string;
  readonly lowered: Lowered;
}

/** A parameter. */
export interface WrittenParameter extends WrittenType {
  /** `undefined` where the source gives it none. */
  readonly name: string | undefined;
}

/** What stands behind the name of a function, where result follows parameters. */
export interface WrittenSignature {
  readonly range: TextRange;
  readonly parameters: readonly WrittenParameter[];
  readonly result: WrittenType;
  /** The type of the import; absent where the text does not tell. */
  readonly type: string | undefined;
}

/** The type of an import of these; `undefined` where the text does not tell. */
export function loweredType(
  parameters: readonly WrittenParameter[],
  result: WrittenType,
): string | undefined {
  const params: ValueType[] = [];
  for (const { lowered } of parameters) {
    if (lowered === undefined) return undefined;
    params.push(...lowered);
  }
  return result.lowered && functionTypeText(params, result.lowered);
}

/**
 * Parameters that become `params`. Names stay as far as they go, then they are `arg3`, `arg4`, and so
 * does each type that is already right: `*const u8` says more than `i32`.
 * @param spell how the language writes a value type, if it can.
 * @returns `undefined` where it cannot.
 */
export function respellParameters(
  old: readonly WrittenParameter[],
  params: readonly ValueType[],
  spell: (type: ValueType) => string | undefined,
): readonly { readonly name: string; readonly type: string }[] | undefined {
  const taken = new Set(old.map(({ name }) => name));
  const result: { name: string; type: string }[] = [];
  for (let at = 0; at < params.length; ) {
    const type = params[at];
    const parameter = old[result.length];
    const name = parameter?.name ?? freeName(`arg${result.length}`, taken);
    if (parameter !== undefined && becomes(parameter, params, at)) {
      result.push({ name, type: parameter.written });
      at += parameter.lowered.length;
    } else {
      const spelling = type && spell(type);
      if (spelling === undefined) return undefined;
      result.push({ name, type: spelling });
      at += 1;
    }
  }
  return result;
}

/**
 * A result that becomes `results`: as it was if that is right.
 * @returns empty for none; `undefined` for several, which no function of C's calling convention has,
 *   and for what the language cannot write.
 */
export function respellResult(
  old: WrittenType,
  results: readonly ValueType[],
  spell: (type: ValueType) => string | undefined,
): string | undefined {
  const [type, ...more] = results;
  if (more.length > 0) return undefined;
  if (type === undefined) return old.lowered?.length === 0 ? old.written : '';
  return old.lowered?.length === 1 && old.lowered[0] === type ? old.written : spell(type);
}

function becomes(
  parameter: WrittenParameter,
  params: readonly ValueType[],
  at: number,
): parameter is WrittenParameter & { readonly lowered: readonly ValueType[] } {
  const { lowered } = parameter;
  if (lowered === undefined || lowered.length === 0) return false;
  return lowered.every((type, i) => type === params[at + i]);
}

function freeName(wanted: string, taken: ReadonlySet<string | undefined>): string {
  let name = wanted;
  while (taken.has(name)) name += '_';
  return name;
}
