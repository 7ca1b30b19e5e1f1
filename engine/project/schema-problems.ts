import type { z } from 'zod';
import { displayText } from '../encoding/display.ts';
import { isJsonObject, type JsonValue } from '../encoding/json.ts';
import {
  type DocumentProblem,
  type JsonDocument,
  type JsonPath,
  MAX_PROBLEMS,
} from './json-document.ts';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/**
 * The problems a schema found in a document, in words and with their places.
 * @param fieldsAt the known field names of the object at a path, for "did you mean …?".
 */
export function problemsOf(
  error: z.ZodError,
  document: JsonDocument,
  fieldsAt: (path: JsonPath) => readonly string[],
): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  for (const issue of error.issues) {
    const path = issue.path.filter((step) => typeof step !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys.slice(0, MAX_PROBLEMS)) {
        const near = nearest(key, fieldsAt(path));
        const hint = near === undefined ? '' : `; did you mean "${near}"?`;
        const message = `there is no field "${displayText(key)}"${hint}`;
        problems.push({ path: [...path, key], message, ...placeOfKey(document, [...path, key]) });
      }
    } else if (!document.isBroken || valueAt(document, path) !== undefined) {
      problems.push({
        path,
        message: describe(issue, valueAt(document, path)),
        ...placeOf(document, path),
      });
    }
  }
  return problems.slice(0, MAX_PROBLEMS);
}

function describe(issue: Issue, value: JsonValue | undefined): string {
  if (value === undefined) return 'it is missing';
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${EXPECTED[issue.expected] ?? issue.expected}, found ${kindOf(value)}`;
    case 'invalid_value':
      return describeChoice(issue.values.map(String), value);
    case 'too_small':
      return `it is too ${sizeWord(issue.origin, 'small', 'short')}: at least ${issue.minimum}`;
    case 'too_big':
      return `it is too ${sizeWord(issue.origin, 'great', 'long')}: at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function describeChoice(values: readonly string[], value: JsonValue): string {
  const near = typeof value === 'string' ? nearest(value, values) : undefined;
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  const found = typeof value === 'string' ? `"${displayText(value)}"` : kindOf(value);
  return `expected one of ${values.join(', ')}, found ${found}${hint}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function sizeWord(origin: string, number: string, length: string): string {
  return origin === 'number' || origin === 'int' ? number : length;
}

function kindOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `the text "${displayText(value, 40)}"`;
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}

function valueAt(document: JsonDocument, path: JsonPath): JsonValue | undefined {
  let value = document.value;
  for (const step of path) {
    if (isJsonObject(value)) value = Object.hasOwn(value, step) ? value[step] : undefined;
    else value = Array.isArray(value) ? value[Number(step)] : undefined;
  }
  return value;
}

/** The value's own place; for one that is missing, the opening brace of where it belongs. */
function placeOf(document: JsonDocument, path: JsonPath): { offset: number; length: number } {
  const found = document.locate(path);
  if (found !== undefined) return found;
  return path.length === 0
    ? { offset: 0, length: 0 }
    : { offset: placeOf(document, path.slice(0, -1)).offset, length: 1 };
}

function placeOfKey(document: JsonDocument, path: JsonPath): { offset: number; length: number } {
  return document.locateKey(path) ?? placeOf(document, path);
}
