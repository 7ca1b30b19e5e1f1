import type { EditableDeclaration } from '../types.ts';
import type { WatDocument } from './document.ts';

/**
 * The import that a text speaks of at an offset: by its declaration, anywhere in it, or by a use of
 * it, such as the `$f` of `call $f`.
 */
export function importAt(document: WatDocument, offset: number): EditableDeclaration | undefined {
  const used = document.definitionAt(offset);
  if (used !== undefined) {
    const declared = document.importOf(used);
    if (declared !== undefined) return declared;
  }
  const field = document.fieldAt(offset);
  const { offset: start = 0, length = 0 } = field?.range ?? {};
  return field && offset <= start + length ? document.importOf(field) : undefined;
}
