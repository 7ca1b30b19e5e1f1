// The WebAssembly types of Go's. Where Go and TinyGo differ, one of them refuses the type: `int` is
// 64 bits wide in Go for WebAssembly, but no parameter of an import there; in TinyGo it has 32.

import type { Node } from 'web-tree-sitter';
import type { ValueType } from '../whitelist/types.ts';
import type { Lowered } from './parameters.ts';
import { textOf } from './syntax.ts';

const LOWERED: ReadonlyMap<string, readonly ValueType[]> = new Map([
  ...'bool byte rune int int8 int16 int32 uint uint8 uint16 uint32 uintptr unsafe.Pointer'
    .split(' ')
    .map((name): [string, ValueType[]] => [name, ['i32']]),
  ['int64', ['i64']],
  ['uint64', ['i64']],
  ['float32', ['f32']],
  ['float64', ['f64']],
]);

/** A string is passed as its address and its length. */
const STRING: readonly ValueType[] = ['i32', 'i32'];

/** What a parameter of a type becomes; `undefined` for named types, slices, structures and the like. */
export function lowerGoParameter(type: Node, text: string): Lowered {
  return textOf(type, text) === 'string' ? STRING : lowerGoResult(type, text);
}

/** What a result of a type becomes. A string is none: two values do not come back in C's way. */
export function lowerGoResult(type: Node, text: string): Lowered {
  if (type.type === 'pointer_type') return ['i32'];
  return LOWERED.get(textOf(type, text).replace(/\s/g, ''));
}

const SPELLED: ReadonlyMap<ValueType, string> = new Map([
  ['i32', 'int32'],
  ['i64', 'int64'],
  ['f32', 'float32'],
  ['f64', 'float64'],
]);

/** How Go spells a value type; `undefined` for vectors and references, which it has not. */
export function spellInGo(type: ValueType): string | undefined {
  return SPELLED.get(type);
}
