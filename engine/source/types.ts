import type { ExternKind } from '../module/types.ts';
import type { TextRange } from '../project/json-document.ts';
import type { WhitelistFunction } from '../whitelist/types.ts';

/** The languages whose import declarations are read. */
export type SourceLanguage = 'wat' | 'rust' | 'assemblyscript' | 'c' | 'cpp' | 'zig' | 'go';

/** An import as a source declares it. Offsets count UTF-16 units of the text. */
export interface ImportDeclaration {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /**
   * The type as `ImportEntry.type` spells it, such as `(i32, i32) -> i32`. Absent where the text
   * alone does not tell it (an alias, a structure, a type of another file): then no type is wrong.
   */
  readonly type?: string;
  /** What the source itself calls it: `get_input_len`, `$len`. Empty where it has no name of its own. */
  readonly identifier: string;
  /** The declaration, with its own attributes and without those of a block around it. */
  readonly range: TextRange;
  /** What a finding about it marks: the imported name where it is written, else the identifier. */
  readonly mark: TextRange;
}

/** Text to put in the place of a piece of a source; an empty piece inserts. */
export interface SourceEdit {
  readonly range: TextRange;
  readonly text: string;
}

/** A declaration together with the edits that change it, in the terms of its language. */
export interface EditableDeclaration extends ImportDeclaration {
  /**
   * Edits that make it import another function: its module and its name, while the source goes on
   * calling it what it does. `undefined` where the language has no way that is sure to work here,
   * such as a name that a macro makes.
   */
  importing(target: {
    readonly module: string;
    readonly name: string;
  }): readonly SourceEdit[] | undefined;
  /** Edits that give it the type of a listed function. `undefined` as above, or if it is no function. */
  typedAs(target: WhitelistFunction): readonly SourceEdit[] | undefined;
  /** Edits that remove it; `undefined` where that would break what stands around it. */
  removed(): readonly SourceEdit[] | undefined;
}
