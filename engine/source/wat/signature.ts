import { functionTypeText } from '../../module/type-text.ts';
import type { TextRange } from '../../project/json-document.ts';
import { type Scanner, TOKEN } from './scanner.ts';
import { identifierText } from './strings.ts';
import { type FindType, MAX_VALUES, readValues, type Value } from './value-types.ts';

/** The types of what a function takes and gives. */
export interface FunctionType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** A type use (core specification 3.0, 6.4.9): `(type $t) (param i32) (result i32)`, or a part of it. */
export interface Signature {
  /** What `(type …)` names: `$t` or `3`; where it stands is `typeMark`. */
  readonly type: string | undefined;
  readonly typeMark: TextRange | undefined;
  /** `undefined` where they are more than a function may have. */
  readonly params: readonly Value[] | undefined;
  readonly results: readonly Value[] | undefined;
  /** From the first of its groups to the last; without any, an empty range where it belongs. */
  readonly range: TextRange;
}

/** Reads a type use where a scanner stands, and leaves the scanner behind it. */
export function readSignature(scanner: Scanner, findType: FindType): Signature {
  let type: string | undefined;
  let typeMark: TextRange | undefined;
  let params: Value[] | undefined = [];
  let results: Value[] | undefined = [];
  let start = scanner.previousEnd;
  let end = start;
  while (scanner.kind === TOKEN.open) {
    const open = scanner.start;
    const before = scanner.previousEnd;
    scanner.next();
    if (scanner.is('type')) {
      scanner.next();
      if (scanner.at(TOKEN.identifier) || scanner.at(TOKEN.number)) {
        type = identifierText(scanner.text.slice(scanner.start, scanner.end));
        typeMark = { offset: scanner.start, length: scanner.end - scanner.start };
      }
      scanner.skipGroup();
    } else if (scanner.is('param')) {
      params = joined(params, readValues(scanner, findType));
    } else if (scanner.is('result')) {
      results = joined(results, readValues(scanner, findType));
    } else {
      scanner.moveTo(open);
      scanner.next();
      scanner.previousEnd = before;
      break;
    }
    if (start === end) start = open;
    end = scanner.previousEnd;
  }
  return { type, typeMark, params, results, range: { offset: start, length: end - start } };
}

function joined(
  values: Value[] | undefined,
  more: readonly Value[] | undefined,
): Value[] | undefined {
  if (values === undefined || more === undefined) return undefined;
  values.push(...more);
  return values.length > MAX_VALUES ? undefined : values;
}

/** The function type that parameters and results spell out; `undefined` where one is not known. */
export function spelledType({ params, results }: Signature): FunctionType | undefined {
  const [taken, given] = [typesOf(params), typesOf(results)];
  return taken && given && { params: taken, results: given };
}

function typesOf(values: readonly Value[] | undefined): readonly string[] | undefined {
  const types = values?.flatMap(({ type }) => type ?? []);
  return types?.length === values?.length ? types : undefined;
}

/** A function type as `ImportEntry.type` spells it. */
export function textOfType({ params, results }: FunctionType): string {
  return functionTypeText(params, results);
}
