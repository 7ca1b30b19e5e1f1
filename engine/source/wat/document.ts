import type { ExternKind } from '../../module/types.ts';
import type { TextRange } from '../../project/json-document.ts';
import type { EditableDeclaration } from '../types.ts';

/** The largest text that is read, in UTF-16 units; as much as is assembled. */
export const MAX_WAT_TEXT = 16 * 1024 * 1024;

/** No more fields than this are read of one text, so that a hostile one cannot fill the memory. */
export const MAX_WAT_FIELDS = 100_000;

/** The index spaces of a module (core specification 3.0, 6.6.3), and the locals of a function. */
export type WatSpace = ExternKind | 'type' | 'element' | 'data' | 'local';

/**
 * What a field of a module is: what it defines, imported or not. `import` is an import that does
 * not say yet what it imports.
 */
export type WatFieldKind = Exclude<WatSpace, 'local'> | 'export' | 'start' | 'import';

/** Something that a text defines. Offsets count UTF-16 units of the text. */
export interface WatSymbol {
  readonly kind: WatFieldKind | 'local';
  /** In its index space, imports first; for the other kinds, its place among those of its kind. */
  readonly index: number;
  /** With its dollar, `$f`; what `$"a b"` means, `$a b`. Empty where it has none. */
  readonly identifier: string;
  /** All of it, with its parentheses. */
  readonly range: TextRange;
  /** The identifier as it is written; where it has none, the keyword of the field. */
  readonly mark: TextRange;
}

/** A name under which a field is exported. */
export interface WatExport {
  /** `undefined` where the string stands for bytes that are no UTF-8. */
  readonly name: string | undefined;
  /** The contents of the string; where they are empty, the string with its quotes. */
  readonly mark: TextRange;
}

/** A field of the module. The types of a `(rec …)` are a field each. */
export interface WatField extends WatSymbol {
  readonly kind: WatFieldKind;
  /** Whether it is imported, by `(import …)` or inline. */
  readonly isImport: boolean;
  /** Whether its own parenthesis ends it; otherwise it lasts until the next field. */
  readonly isClosed: boolean;
  /** Its inline exports; of an `export` field, itself. */
  readonly exports: readonly WatExport[];
}

/** A parameter or a local variable; one without an identifier is marked by its type. */
export interface WatLocal extends WatSymbol {
  readonly kind: 'local';
  readonly role: 'param' | 'local';
}

/** A use of an identifier or an index. */
export interface WatReference {
  readonly space: WatSpace;
  readonly range: TextRange;
}

/**
 * What a text says, as far as it says it: a text that is broken in one place is understood in the
 * others. Labels are not followed.
 */
export interface WatDocument {
  readonly text: string;
  /** Above {@link MAX_WAT_TEXT} nothing is read, above {@link MAX_WAT_FIELDS} no further field. */
  readonly isTooLarge: boolean;
  /** The word `module`, where the module has its own parentheses. */
  readonly moduleKeyword: TextRange | undefined;
  /** In the order of the text. None for a module in binary or quoted form. */
  readonly fields: readonly WatField[];
  /**
   * Every import that has both names and says what it imports, in the order of the text, which is
   * that of the module's import section. One whose names are no UTF-8 is left out: the module that
   * is made from it is not valid.
   */
  readonly imports: readonly EditableDeclaration[];

  /** The field around an offset, or the unclosed one before it. Its first and last edge count. */
  fieldAt(offset: number): WatField | undefined;
  /** The field with an index. Constant time. */
  fieldOf(kind: WatFieldKind, index: number): WatField | undefined;
  /** The field that an import was read from. */
  fieldOfImport(declaration: EditableDeclaration): WatField | undefined;
  /** The import that a field is. */
  importOf(field: WatSymbol): EditableDeclaration | undefined;
  /** The parameters and variables of a function, by index. */
  localsOf(field: WatField): readonly WatLocal[];
  /** The use of an identifier or an index at an offset; its edges count. */
  referenceAt(offset: number): WatReference | undefined;
  /** What is defined or used at an offset; its edges count. */
  definitionAt(offset: number): WatSymbol | undefined;
  /** Every use of a symbol, by identifier or by index, in the order of the text. Linear. */
  referencesOf(symbol: WatSymbol): readonly WatReference[];
}
