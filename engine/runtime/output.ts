import { InputError } from '../encoding/input-error.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../encoding/json.ts';
import { isDirective } from './directive.ts';
import type { Directive } from './types.ts';

/** What an output document says (DESIGN 6). */
export type OutputDocument =
  | {
      readonly kind: 'result';
      readonly result: JsonValue;
      readonly directives: readonly Directive[];
    }
  | { readonly kind: 'error'; readonly message: string };

/**
 * Reads an output document strictly: `{ result, directives? }` or `{ error: { message } }`, and no
 * other field.
 * @throws {InputError} `invalid-json` or `invalid-utf8`, saying what is wrong.
 */
export function readOutput(bytes: Uint8Array): OutputDocument {
  const document = parseJson(bytes, 'the output');
  if (!isJsonObject(document)) throw invalid('it is not a JSON object');
  return Object.hasOwn(document, 'error') ? readError(document) : readResult(document);
}

function readError(document: JsonObject): OutputDocument {
  const { error } = document;
  if (Object.keys(document).length !== 1) throw invalid('"error" stands beside other fields');
  if (
    !isJsonObject(error) ||
    Object.keys(error).length !== 1 ||
    !Object.hasOwn(error, 'message') ||
    typeof error.message !== 'string'
  ) {
    throw invalid('"error" is not an object with exactly a text "message"');
  }
  return { kind: 'error', message: error.message };
}

function readResult(document: JsonObject): OutputDocument {
  const { result } = document;
  if (result === undefined) throw invalid('it has neither "result" nor "error"');
  const listed = Object.hasOwn(document, 'directives');
  if (Object.keys(document).length !== (listed ? 2 : 1)) {
    throw invalid('it has a field other than "result" and "directives"');
  }
  return { kind: 'result', result, directives: listed ? readDirectives(document.directives) : [] };
}

function readDirectives(value: JsonValue | undefined): readonly Directive[] {
  if (!Array.isArray(value)) throw invalid('"directives" is not a list');
  const items: readonly JsonValue[] = value;
  const wrong = items.findIndex((item) => !isDirective(item));
  if (wrong >= 0) throw invalid(`"directives.${wrong}" is not an object with a text "type"`);
  return items.filter(isDirective);
}

function invalid(problem: string): InputError {
  return new InputError('invalid-json', `the output is not an output document: ${problem}`);
}
