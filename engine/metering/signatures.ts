import { InputError } from '../encoding/input-error.ts';
import type { Declarations } from './declarations.ts';

/** How many operands are taken, and how many are given. */
export interface Signature {
  readonly params: number;
  readonly results: number;
}

/**
 * Of a function's type.
 * @throws {InputError} `invalid-module` where the index is not that of one.
 */
export function signatureOf({ types }: Declarations, typeIndex: number): Signature {
  const type = types[typeIndex];
  if (type?.kind !== 'function') throw unknownType(typeIndex);
  return { params: type.params, results: type.results.length };
}

/** Of a block's type, as the instruction reader has it: negative where it is written inline. */
export function blockSignature(declarations: Declarations, blockType: number): Signature {
  if (blockType < 0) return { params: 0, results: blockType === -2 ? 1 : 0 };
  return signatureOf(declarations, blockType);
}

/** Operands that a handler of a tag's exceptions begins with. */
export function tagParams(declarations: Declarations, tag: number): number {
  return signatureOf(declarations, declarations.tags[tag] ?? -1).params;
}

function unknownType(typeIndex: number): InputError {
  return new InputError(
    'invalid-module',
    `type ${typeIndex} is used as a function's, and is not one; the module cannot be metered`,
  );
}
