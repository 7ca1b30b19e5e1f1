import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { isJsonObject, type JsonValue, parseJson } from '../encoding/json.ts';
import type { Directive } from './types.ts';

/**
 * Reads the directive that a constructor makes of its JSON parameters: an object, to which the tag
 * is added as `type`.
 * @throws {InputError} `invalid-json` for text that is not strict JSON or no object, or whose own
 * `type` is another than the tag.
 */
export function readDirective(tag: string, text: string): Directive {
  const what = `the parameters of ${displayText(tag)}`;
  const parameters = parseJson(text, what);
  if (!isJsonObject(parameters)) {
    throw new InputError('invalid-json', `${what} are not a JSON object`);
  }
  if (Object.hasOwn(parameters, 'type') && parameters.type !== tag) {
    throw new InputError('invalid-json', `${what} hold a "type" other than the tag`);
  }
  return { type: tag, ...parameters };
}

/** Whether a JSON value is a directive: an object with a text `type`. */
export function isDirective(value: JsonValue): value is Directive {
  return isJsonObject(value) && Object.hasOwn(value, 'type') && typeof value.type === 'string';
}
