import { z } from 'zod';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { isJsonObject, type JsonValue, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { type Outcome, RUN_STATUSES } from '../runtime/types.ts';
import { type JsonPath, pathText } from './json-document.ts';

const STATUSES = [...RUN_STATUSES, 'denied', 'not-admitted'] as const;

/** How a run may end, as `run --format json` says it (DESIGN 10). */
export type CaseStatus = (typeof STATUSES)[number];

const anyValue = z.unknown().refine((value) => value !== undefined, { error: 'it is missing' });

/** The schema of a case file (DESIGN 9). */
export const caseSchema = z
  .strictObject({
    $schema: z.string().exactOptional().describe('The JSON Schema of this file, for editors.'),
    input: anyValue.describe('What the executor reads: `{ "step_config": …, "context": … }`.'),
    expect: z
      .strictObject({
        result: z.unknown().optional().describe('The `result` of the output, exactly.'),
        directives: z
          .array(z.looseObject({ type: z.string().min(1).describe("The directive's tag.") }))
          .exactOptional()
          .describe('The directives, exactly and in order.'),
        status: z.enum(STATUSES).default('ok').describe('How the run ends; `ok` if left out.'),
      })
      .describe('What is expected of the run; what is left out is not compared.'),
  })
  .meta({ title: 'Case', description: 'An input of an executor, with what is expected of it.' });

/** What a case expects. `result` and `directives` are compared only where they are present. */
export interface Expectation {
  readonly status: CaseStatus;
  readonly result?: JsonValue;
  readonly directives?: readonly JsonValue[];
}

/** An input with what is expected of it. */
export interface ExecutorCase {
  readonly input: JsonValue;
  readonly expect: Expectation;
}

/** What a case is compared with: an outcome, or what governance or the gate made of it. */
export type CaseOutcome = Pick<Outcome, 'result' | 'directives'> & { readonly status: CaseStatus };

/** No more differences than this are told of one case. */
const MAX_DIFFERENCES = 20;

/**
 * Parses a case file.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-json`, with the place or the field at fault.
 */
export function parseCase(source: string | Uint8Array, what: string): ExecutorCase {
  const value = parseJson(source, what);
  const parsed = caseSchema.safeParse(value);
  if (!parsed.success || !isJsonObject(value) || !isJsonObject(value.expect)) {
    const problem = parsed.error ? describeIssues(parsed.error) : 'it is not an object';
    throw new InputError('invalid-json', `${what} is not a case: ${problem}`);
  }
  // The values themselves come from the document: a schema's copy may lose a key such as __proto__.
  const { result, directives } = value.expect;
  return {
    input: value.input ?? null,
    expect: {
      status: parsed.data.expect.status,
      ...(result !== undefined && { result }),
      ...(Array.isArray(directives) && { directives }),
    },
  };
}

/**
 * Compares an outcome with what a case expects. Answers one line for each difference, such as
 * `result.total: expected 3, found 4`; none if the case holds.
 */
export function compareCase(expect: Expectation, outcome: CaseOutcome): readonly string[] {
  const differences: string[] = [];
  if (expect.status !== outcome.status) {
    differences.push(`status: expected ${expect.status}, found ${outcome.status}`);
  }
  if (expect.result !== undefined) {
    compare(expect.result, outcome.result, ['result'], differences);
  }
  if (expect.directives !== undefined) {
    compare(expect.directives, outcome.directives, ['directives'], differences);
  }
  return differences.length > MAX_DIFFERENCES
    ? [
        ...differences.slice(0, MAX_DIFFERENCES),
        `and ${differences.length - MAX_DIFFERENCES} differences more`,
      ]
    : differences;
}

function compare(
  expected: JsonValue,
  found: JsonValue,
  path: JsonPath,
  differences: string[],
): void {
  const where = pathText(path);
  if (Array.isArray(expected) && Array.isArray(found)) {
    compareMembers(Object.entries(expected), Object.entries(found), path, Number, differences);
  } else if (isJsonObject(expected) && isJsonObject(found)) {
    compareMembers(Object.entries(expected), Object.entries(found), path, String, differences);
  } else if (expected !== found) {
    differences.push(`${where}: expected ${short(expected)}, found ${short(found)}`);
  }
}

function compareMembers(
  expected: readonly (readonly [string, JsonValue])[],
  found: readonly (readonly [string, JsonValue])[],
  path: JsonPath,
  toStep: (key: string) => string | number,
  differences: string[],
): void {
  const left = new Map(found);
  for (const [key, value] of expected) {
    const other = left.get(key);
    const step = [...path, toStep(key)];
    if (other === undefined)
      differences.push(`${pathText(step)}: missing, expected ${short(value)}`);
    else compare(value, other, step, differences);
    left.delete(key);
  }
  for (const [key, value] of left) {
    differences.push(`${pathText([...path, toStep(key)])}: not expected, found ${short(value)}`);
  }
}

function short(value: JsonValue): string {
  return displayText(JSON.stringify(value), 80);
}
