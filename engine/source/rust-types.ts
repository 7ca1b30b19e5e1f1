// The WebAssembly types of Rust's, in a function of the C ABI on a 32-bit target.

import type { Node } from 'web-tree-sitter';
import type { ValueType } from '../whitelist/types.ts';
import type { Lowered } from './parameters.ts';
import { childOf, textOf } from './syntax.ts';

const I32: Lowered = ['i32'];
/** `()` is passed as nothing at all. */
const NOTHING: Lowered = [];

const NAMED: ReadonlyMap<ValueType, string> = new Map([
  [
    'i32',
    'i8 i16 i32 u8 u16 u32 isize usize bool char c_char c_schar c_uchar c_short c_ushort c_int ' +
      'c_uint c_long c_ulong size_t ssize_t ptrdiff_t intptr_t uintptr_t int8_t int16_t int32_t ' +
      'uint8_t uint16_t uint32_t NonZeroI8 NonZeroI16 NonZeroI32 NonZeroU8 NonZeroU16 NonZeroU32 ' +
      'NonZeroIsize NonZeroUsize',
  ],
  ['i64', 'i64 u64 c_longlong c_ulonglong int64_t uint64_t NonZeroI64 NonZeroU64'],
  ['f32', 'f32 c_float'],
  ['f64', 'f64 c_double'],
]);

/** Primitive types, and the names that `core::ffi`, `core::num` and `libc` give to such. */
const LOWERED: ReadonlyMap<string, Lowered> = new Map(
  [...NAMED].flatMap(([value, names]) => names.split(' ').map((name) => [name, [value]] as const)),
);

/** Pointers to these are two words wide. */
const UNSIZED: readonly string[] = ['str', 'CStr', 'OsStr', 'Path'];

/** `Option` of these has the null that they lack, and no more. */
const NEVER_NULL: readonly string[] = ['NonNull', 'Box'];

/**
 * What a type becomes.
 * @returns `undefined` where the text does not tell: structures, aliases, pointers of two words, and
 *   128-bit integers, which compilers of different years pass differently.
 */
export function lowerRustType(type: Node, text: string): Lowered {
  switch (type.type) {
    case 'primitive_type':
    case 'type_identifier':
      return LOWERED.get(textOf(type, text));
    case 'scoped_type_identifier':
      return LOWERED.get(nameOf(type, text));
    case 'unit_type':
    case 'never_type':
      return NOTHING;
    case 'pointer_type':
    case 'reference_type':
      return isSized(childOf(type, 'type'), text) ? I32 : undefined;
    case 'function_type':
      return I32;
    case 'generic_type':
      return lowerGeneric(type, text);
    default:
      return undefined;
  }
}

function lowerGeneric(type: Node, text: string): Lowered {
  const name = genericName(type, text);
  const argument = onlyArgument(type);
  if (argument === undefined) return undefined;
  if (NEVER_NULL.includes(name)) return isSized(argument, text) ? I32 : undefined;
  if (name !== 'Option') return undefined;
  switch (argument.type) {
    case 'reference_type':
    case 'function_type':
      return lowerRustType(argument, text);
    case 'generic_type':
      return NEVER_NULL.includes(genericName(argument, text))
        ? lowerGeneric(argument, text)
        : undefined;
    default:
      return nameOf(argument, text).startsWith('NonZero')
        ? lowerRustType(argument, text)
        : undefined;
  }
}

function onlyArgument(generic: Node): Node | undefined {
  const [argument, ...more] = childOf(generic, 'type_arguments')?.namedChildren ?? [];
  return more.length === 0 ? argument : undefined;
}

function genericName(generic: Node, text: string): string {
  const name = childOf(generic, 'type');
  return name === undefined ? '' : nameOf(name, text);
}

/** The last part of a path. */
function nameOf(type: Node, text: string): string {
  return textOf(childOf(type, 'name') ?? type, text);
}

function isSized(pointee: Node | undefined, text: string): boolean {
  if (pointee === undefined || pointee.type === 'dynamic_type') return false;
  if (pointee.type === 'array_type') return childOf(pointee, 'length') !== undefined;
  return !UNSIZED.includes(nameOf(pointee, text));
}

const SPELLED: ReadonlyMap<ValueType, string> = new Map([
  ['i32', 'i32'],
  ['i64', 'i64'],
  ['f32', 'f32'],
  ['f64', 'f64'],
]);

/** How Rust spells a value type; `undefined` for vectors and references, which it has no stable way for. */
export function spellInRust(type: ValueType): string | undefined {
  return SPELLED.get(type);
}
