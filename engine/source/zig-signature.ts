import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import type { ValueType, WhitelistFunction } from '../whitelist/types.ts';
import {
  type Lowered,
  loweredType,
  respellParameters,
  respellResult,
  type WrittenParameter,
  type WrittenType,
} from './parameters.ts';
import { childOf, rangeOf, replace, textOf } from './syntax.ts';
import type { SourceEdit } from './types.ts';

/** The parameters and the result of a function or of its type; the calling convention is between. */
export interface ZigSignature {
  readonly list: TextRange;
  readonly parameters: readonly WrittenParameter[];
  readonly returned: TextRange;
  readonly result: WrittenType;
  /** The type of the import; absent where the text does not tell. */
  readonly type: string | undefined;
}

/** Reads a `function_declaration` or a `function_signature`. */
export function readZigSignature(node: Node, text: string): ZigSignature | undefined {
  const list = node.namedChildren.find(({ type }) => type === 'parameters');
  const returned = childOf(node, 'type');
  if (list === undefined || returned === undefined) return undefined;
  const nodes = list.namedChildren.filter(({ type }) => type === 'parameter');
  const parameters = nodes.map((parameter) => readParameter(parameter, text));
  const result = { written: textOf(returned, text), lowered: lower(returned, text) };
  const type = node.hasError ? undefined : loweredType(parameters, result);
  return { list: rangeOf(list), parameters, returned: rangeOf(returned), result, type };
}

function readParameter(node: Node, text: string): WrittenParameter {
  const name = childOf(node, 'name');
  const type = childOf(node, 'type');
  return {
    // With `noalias`, if it has that.
    name: name && text.slice(node.startIndex, name.endIndex),
    written: type === undefined ? '' : textOf(type, text),
    lowered: type && lower(type, text),
  };
}

/** The types of Zig that C has as well, on a 32-bit target. */
const LOWERED: ReadonlyMap<string, readonly ValueType[]> = new Map([
  ...'i8 u8 i16 u16 i32 u32 isize usize bool c_char c_short c_ushort c_int c_uint c_long c_ulong'
    .split(' ')
    .map((name): [string, ValueType[]] => [name, ['i32']]),
  ['i64', ['i64']],
  ['u64', ['i64']],
  ['c_longlong', ['i64']],
  ['c_ulonglong', ['i64']],
  ['f32', ['f32']],
  ['f64', ['f64']],
  ['void', []],
  ['noreturn', []],
]);

/** Structures, enumerations and names of other types are not told by the text. */
function lower(type: Node, text: string): Lowered {
  switch (type.type) {
    case 'builtin_type':
      return LOWERED.get(textOf(type, text));
    case 'pointer_type':
      return ['i32'];
    case 'nullable_type': {
      // The null of a pointer is its own; other optionals are not C's.
      const [inner] = type.namedChildren;
      return inner?.type === 'pointer_type' ? ['i32'] : undefined;
    }
    default:
      return undefined;
  }
}

const SPELLED: ReadonlyMap<ValueType, string> = new Map([
  ['i32', 'i32'],
  ['i64', 'i64'],
  ['f32', 'f32'],
  ['f64', 'f64'],
]);

/**
 * Edits that make the parameters and the result those of a listed function.
 * @returns `undefined` for what C's calling convention cannot say: several results, vectors,
 *   references.
 */
export function retypeZig(
  { list, parameters, returned, result }: ZigSignature,
  target: Pick<WhitelistFunction, 'params' | 'results'>,
): readonly SourceEdit[] | undefined {
  const params = respellParameters(parameters, target.params, (type) => SPELLED.get(type));
  const back = respellResult(result, target.results, (type) => SPELLED.get(type));
  if (params === undefined || back === undefined) return undefined;
  const isNameless = parameters.length > 0 && parameters.every(({ name }) => name === undefined);
  const written = params.map(({ name, type }) => (isNameless ? type : `${name}: ${type}`));
  return [replace(list, `(${written.join(', ')})`), replace(returned, back || 'void')];
}
