// What a word of the text format says of what follows it: the fields of a module (core specification
// 3.0, 6.6), and the indices that instructions and uses take (6.5). A word that is not here says
// nothing.

import type { WatSpace } from './document.ts';

/** The words that begin a field; `rec` and `module` hold fields. */
export type FieldKeyword =
  | 'type'
  | 'import'
  | 'func'
  | 'table'
  | 'memory'
  | 'global'
  | 'tag'
  | 'export'
  | 'start'
  | 'elem'
  | 'data'
  | 'rec'
  | 'module';

/**
 * The spaces of the identifiers and indices right after a word. Some words may leave out the first
 * of two, and then mean `alone` by the one that is there.
 */
export interface Uses {
  readonly alone: WatSpace | undefined;
  readonly first: WatSpace | undefined;
  readonly second: WatSpace | undefined;
  /** Whether any number of them may follow, all of `alone`. */
  readonly isList: boolean;
}

export interface WordMeaning {
  readonly field?: FieldKeyword;
  readonly uses?: Uses;
  /** A word that may stand between another and what that one uses, as in `(ref null $t)`. */
  readonly isBetween?: true;
}

const one = (space: WatSpace): Uses => ({
  alone: space,
  first: space,
  second: undefined,
  isList: false,
});
const two = (first: WatSpace, second: WatSpace): Uses => ({
  alone: first,
  first,
  second,
  isList: false,
});
const optional = (
  first: WatSpace,
  second: WatSpace | undefined,
  alone: WatSpace | undefined,
): Uses => ({ alone, first, second, isList: false });

/** Functions until something else comes, as in an element segment. */
export const FUNCTION_LIST: Uses = { ...one('function'), isList: true };
export const ONE_FUNCTION = one('function');

/** Loads and stores; of a lane the first of two numbers is the memory, and one alone is the lane. */
const MEMORY_ACCESS = one('memory');
const LANE_ACCESS = optional('memory', undefined, undefined);

const USES: readonly (readonly [words: string, uses: Uses])[] = [
  ['call return_call ref.func', ONE_FUNCTION],
  ['call_indirect return_call_indirect', one('table')],
  ['call_ref return_call_ref', one('type')],
  ['local.get local.set local.tee', one('local')],
  ['global.get global.set', one('global')],
  ['table.get table.set table.size table.grow table.fill', one('table')],
  ['table.copy', two('table', 'table')],
  ['table.init', optional('table', 'element', 'element')],
  ['memory.size memory.grow memory.fill', one('memory')],
  ['memory.copy', two('memory', 'memory')],
  ['memory.init', optional('memory', 'data', 'data')],
  ['memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64', MEMORY_ACCESS],
  ['elem.drop', one('element')],
  ['data.drop', one('data')],
  ['throw catch catch_ref', one('tag')],
  ['ref ref.null struct.new struct.new_default struct.get struct.get_s', one('type')],
  ['struct.get_u struct.set array.new array.new_default array.new_fixed array.get', one('type')],
  ['array.get_s array.get_u array.set array.fill', one('type')],
  ['array.copy', two('type', 'type')],
  ['array.new_data array.init_data', two('type', 'data')],
  ['array.new_elem array.init_elem', two('type', 'element')],
  ['sub', { ...one('type'), isList: true }],
];

/** What the words of fields mean where they stand inside another field: `(export "f" (func $f))`. */
const FIELDS: readonly (readonly [field: FieldKeyword, uses?: Uses])[] = [
  ['type', one('type')],
  ['func', ONE_FUNCTION],
  ['table', one('table')],
  ['memory', one('memory')],
  ['global', one('global')],
  ['tag', one('tag')],
  ['import'],
  ['export'],
  ['start'],
  ['elem'],
  ['data'],
  ['rec'],
  ['module'],
];

const MEANINGS: ReadonlyMap<string, WordMeaning> = new Map<string, WordMeaning>([
  ...USES.flatMap(([words, uses]) => words.split(' ').map((word) => [word, { uses }] as const)),
  ...FIELDS.map(([field, uses]) => [field, uses ? { field, uses } : { field }] as const),
  ['null', { isBetween: true }],
  ['final', { isBetween: true }],
]);
const ACCESS: WordMeaning = { uses: MEMORY_ACCESS };
const ACCESS_OF_LANE: WordMeaning = { uses: LANE_ACCESS };
const LONGEST = Math.max(...[...MEANINGS.keys()].map((word) => word.length));

/** The first letters of the words that mean something; numeric instructions have others. */
const INITIALS = new Uint8Array(128);
for (const word of MEANINGS.keys()) INITIALS[word.charCodeAt(0)] = 1;

const DOT = 0x2e;
const [A, F, I, L, S, V] = [0x61, 0x66, 0x69, 0x6c, 0x73, 0x76];

/** What the word at an offset means; `undefined` for one that is of no account. */
export function meaningOf(text: string, start: number, end: number): WordMeaning | undefined {
  const first = text.charCodeAt(start);
  const length = end - start;
  // Half of the words of a body are those of numbers, which are told apart without a look-up.
  if (first === I || first === F) {
    if (text.charCodeAt(start + 3) === DOT) return accessOf(text, start + 4, end);
  } else if (first === V && text.charCodeAt(start + 4) === DOT) {
    return accessOf(text, start + 5, end);
  }
  if (first > 127 || INITIALS[first] !== 1 || length > LONGEST || length < 3) return undefined;
  return MEANINGS.get(text.slice(start, end));
}

/** Of an instruction without its type: `load`, `store8_lane`, `atomic.rmw.add`. */
function accessOf(text: string, start: number, end: number): WordMeaning | undefined {
  const first = text.charCodeAt(start);
  if (first !== L && first !== S && first !== A) return undefined;
  const isAccess =
    text.startsWith('load', start) ||
    text.startsWith('store', start) ||
    text.startsWith('atomic.', start);
  if (!isAccess) return undefined;
  return text.startsWith('_lane', end - 5) ? ACCESS_OF_LANE : ACCESS;
}
