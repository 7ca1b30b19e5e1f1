import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, isJsonObject, type JsonValue } from '../encoding/json.ts';

const FIELDS: ReadonlySet<string> = new Set(['step_config', 'context']);

/**
 * The bytes that an executor reads: `{ "step_config": …, "context": … }` in RFC 8785 form, UTF-8.
 * A field that is absent is an empty object. Receipts hash these bytes.
 * @throws {InputError} `invalid-json` for another field, a `context` that is no object, or a value
 * that has no canonical form.
 */
export function inputBytes(input: JsonValue): Uint8Array {
  if (!isJsonObject(input)) throw invalid('it is not a JSON object');
  const stray = Object.keys(input).some((key) => !FIELDS.has(key));
  if (stray) throw invalid('it has a field other than "step_config" and "context"');
  const { step_config = {}, context = {} } = input;
  if (!isJsonObject(context)) throw invalid('"context" is not an object');
  return canonicalBytes({ step_config, context });
}

/** An input document that was read once and for all: whoever has it need not read it again. */
export class InputDocument {
  /** What the executor reads. */
  readonly bytes: Uint8Array;

  /** Errors as {@link inputBytes}. */
  constructor(input: JsonValue) {
    this.bytes = inputBytes(input);
    Object.freeze(this);
  }
}

function invalid(problem: string): InputError {
  return new InputError('invalid-json', `the input is not an input document: ${problem}`);
}
