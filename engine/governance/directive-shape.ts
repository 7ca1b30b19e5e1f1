import { displayText } from '../encoding/display.ts';
import { isJsonObject, type JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import {
  type DirectiveKind,
  type DirectiveParameter,
  EFFECT_ID,
  MAX_EFFECT_ID,
} from '../whitelist/directives.ts';

/**
 * Says what is wrong with a directive's parameters (REFERENCE 2): one that is missing, of another
 * type, not among the texts allowed, or unknown; the first in the table's order, in a few words.
 * `undefined` means that the directive has exactly the shape of its kind.
 */
export function describeMisshape(directive: Directive, kind: DirectiveKind): string | undefined {
  const parameters = kind.capability === null ? kind.parameters : [...kind.parameters, EFFECT_ID];
  for (const parameter of parameters) {
    const problem = describeParameter(directive, parameter);
    if (problem !== undefined) return `"${parameter.name}" ${problem}`;
  }
  const unknown = Object.keys(directive).find(
    (key) => key !== 'type' && !parameters.some(({ name }) => name === key),
  );
  return unknown === undefined ? undefined : `"${displayText(unknown, 60)}" is not a parameter`;
}

function describeParameter(
  directive: Directive,
  { name, type, optional, oneOf }: DirectiveParameter,
): string | undefined {
  const value = Object.hasOwn(directive, name) ? directive[name] : undefined;
  if (value === undefined) return optional ? undefined : 'is missing';
  if (!TYPE_TESTS[type](value)) return `must be ${TYPE_WORDS[type]}`;
  if (name === EFFECT_ID.name && !isEffectId(value)) {
    return `must have 1 to ${MAX_EFFECT_ID} characters`;
  }
  if (oneOf === undefined || oneOf.some((text) => text === value)) return undefined;
  return `must be one of ${oneOf.join(', ')}`;
}

function isEffectId(value: JsonValue): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_EFFECT_ID;
}

type ParameterType = DirectiveParameter['type'];

const TYPE_TESTS: Readonly<Record<ParameterType, (value: JsonValue) => boolean>> = {
  string: (value) => typeof value === 'string',
  object: isJsonObject,
  array: Array.isArray,
  any: () => true,
};

const TYPE_WORDS: Readonly<Record<ParameterType, string>> = {
  string: 'a text',
  object: 'an object',
  array: 'a list',
  any: 'present',
};
