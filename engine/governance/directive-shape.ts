import { displayText } from '../encoding/display.ts';
import { isJsonObject, type JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import type { DirectiveKind, DirectiveParameter } from '../whitelist/directives.ts';

/**
 * Says what is wrong with a directive's parameters (REFERENCE 2): one that is missing, of another
 * type, not among the texts allowed, or unknown; the first in the table's order, in a few words.
 * `undefined` means that the directive has exactly the shape of its kind.
 */
export function describeMisshape(directive: Directive, kind: DirectiveKind): string | undefined {
  for (const parameter of kind.parameters) {
    const problem = describeParameter(directive, parameter);
    if (problem !== undefined) return `"${parameter.name}" ${problem}`;
  }
  const unknown = Object.keys(directive).find(
    (key) => key !== 'type' && !kind.parameters.some(({ name }) => name === key),
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
  if (oneOf === undefined || oneOf.some((text) => text === value)) return undefined;
  return `must be one of ${oneOf.join(', ')}`;
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
