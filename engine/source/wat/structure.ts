// The one pass over the whole text: where the fields of the module stand, and every use of an
// identifier or index. What a field means is read from its own text, when somebody asks.

import type { TextRange } from '../../project/json-document.ts';
import { MAX_WAT_FIELDS, type WatField, type WatFieldKind } from './document.ts';
import {
  beginDraft,
  type DefiningKeyword,
  type Draft,
  EXTERN,
  finishDraft,
  KINDS,
} from './draft.ts';
import { beginsField, type OpenField } from './field-start.ts';
import { References } from './references.ts';
import { Scanner, TOKEN } from './scanner.ts';
import { stringToken } from './string-token.ts';
import { identifierText } from './strings.ts';
import {
  type FieldKeyword,
  FUNCTION_LIST,
  meaningOf,
  ONE_FUNCTION,
  type Uses,
  type WordMeaning,
} from './words.ts';

export interface WatStructure {
  readonly moduleKeyword: TextRange | undefined;
  readonly fields: readonly WatField[];
  readonly references: References;
  /** Whether reading ended at {@link MAX_WAT_FIELDS}. */
  readonly isTooLarge: boolean;
}

/** Reads the first module of a text. Linear in its length, whatever it holds. */
export function readStructure(text: string): WatStructure {
  return new StructureReader(text).read();
}

class StructureReader {
  readonly #text: string;
  readonly #scanner: Scanner;
  readonly #ahead: Scanner;
  readonly #references = new References();
  readonly #fields: WatField[] = [];
  readonly #counts = new Map<WatFieldKind, number>();
  #moduleKeyword: TextRange | undefined;

  constructor(text: string) {
    this.#text = text;
    this.#scanner = new Scanner(text);
    this.#ahead = new Scanner(text);
  }

  read(): WatStructure {
    const scanner = this.#scanner;
    scanner.next();
    // A `)` at this level ends the module, or is one too many: then the next field is read all the same.
    while (scanner.kind !== TOKEN.end && this.#fields.length < MAX_WAT_FIELDS) {
      if (scanner.kind !== TOKEN.open) scanner.next();
      else if (!this.#readTop()) break;
    }
    return {
      moduleKeyword: this.#moduleKeyword,
      fields: this.#fields,
      references: this.#references,
      isTooLarge: this.#fields.length >= MAX_WAT_FIELDS,
    };
  }

  /** Reads what begins with a `(` outside of all fields; answers whether the module goes on. */
  #readTop(): boolean {
    const scanner = this.#scanner;
    const { start, indent } = scanner;
    scanner.next();
    const keyword = scanner.at(TOKEN.word) ? this.#meaning()?.field : undefined;
    // The types of a `rec` are fields of the module like any other.
    if (keyword === 'rec') return true;
    if (keyword === 'module') return this.#enterModule();
    if (keyword === undefined) {
      this.#readGroup({ keyword: 'group', isDescribed: false, indent }, undefined, 1);
    } else {
      this.#readField(keyword, start, indent);
    }
    return true;
  }

  #enterModule(): boolean {
    const scanner = this.#scanner;
    if (this.#moduleKeyword !== undefined || this.#fields.length > 0) return false;
    this.#moduleKeyword = this.#tokenRange();
    if (scanner.next() === TOKEN.identifier) scanner.next();
    return !(scanner.is('binary') || scanner.is('quote') || scanner.is('instance'));
  }

  #readField(keyword: DefiningKeyword, start: number, indent: number): void {
    const scanner = this.#scanner;
    const draft = beginDraft(keyword, start, indent, this.#tokenRange());
    scanner.next();
    const isClosed = this.#readGroup(draft, draft, this.#readHead(draft));
    const index = this.#counts.get(draft.kind) ?? 0;
    this.#counts.set(draft.kind, index + 1);
    this.#fields.push(finishDraft(draft, index, isClosed, scanner.previousEnd));
  }

  /** Reads what comes right after the word of a field; answers how many groups are open then. */
  #readHead(draft: Draft): number {
    const scanner = this.#scanner;
    switch (draft.keyword) {
      case 'start':
        return 1;
      case 'export':
        if (scanner.kind === TOKEN.string) this.#addExport(draft);
        return 1;
      case 'import':
        return this.#readImportHead(draft);
      default:
        if (scanner.at(TOKEN.identifier)) this.#takeIdentifier(draft);
        // Before segments had names, a number named the table or the memory.
        if (scanner.kind === TOKEN.number && (draft.kind === 'element' || draft.kind === 'data')) {
          const space = draft.kind === 'element' ? 'table' : 'memory';
          this.#references.add(scanner.start, scanner.end, space);
          scanner.next();
        }
        return 1;
    }
  }

  #readImportHead(draft: Draft): number {
    const scanner = this.#scanner;
    while (scanner.kind === TOKEN.string) scanner.next();
    if (scanner.kind !== TOKEN.open) return 1;
    const { start, previousEnd, isFirst, lineStart } = scanner;
    scanner.next();
    const keyword = scanner.at(TOKEN.word) ? this.#meaning()?.field : undefined;
    const isDescriptor =
      keyword !== undefined &&
      keyword !== 'rec' &&
      keyword !== 'module' &&
      EXTERN.has(keyword) &&
      !this.#begins(draft, keyword, isFirst ? start - lineStart : undefined);
    if (!isDescriptor) {
      this.#backTo(start, previousEnd, isFirst);
      return 1;
    }
    draft.isDescribed = true;
    draft.kind = KINDS[keyword];
    scanner.next();
    if (scanner.at(TOKEN.identifier)) this.#takeIdentifier(draft);
    return 2;
  }

  #takeIdentifier(draft: Draft): void {
    const scanner = this.#scanner;
    draft.identifier = identifierText(this.#text.slice(scanner.start, scanner.end));
    draft.mark = this.#tokenRange();
    scanner.next();
  }

  /**
   * Reads to the end of a field or of another group, or to where the next field begins.
   * @param depth how many groups are open, that one included.
   * @returns whether its parenthesis was there.
   */
  #readGroup(field: OpenField, draft: Draft | undefined, depth: number): boolean {
    const scanner = this.#scanner;
    let open = depth;
    // Where identifiers name functions without any word before each: in element segments.
    let listDepth = field.keyword === 'elem' ? 1 : 0;
    let uses: Uses | undefined;
    if (field.keyword === 'start') uses = ONE_FUNCTION;
    else if (listDepth === open) uses = FUNCTION_LIST;
    let used = 0;
    for (;;) {
      switch (scanner.kind) {
        case TOKEN.end:
          return false;
        case TOKEN.close:
          scanner.next();
          if (--open === 0) return true;
          uses = open === listDepth ? FUNCTION_LIST : undefined;
          continue;
        case TOKEN.open: {
          const { start, previousEnd, isFirst, lineStart } = scanner;
          open++;
          uses = undefined;
          used = 0;
          if (scanner.next() !== TOKEN.word) continue;
          const meaning = this.#meaning();
          if (meaning === undefined) break;
          uses = meaning.uses;
          if (meaning.field === undefined) break;
          const column = isFirst ? start - lineStart : undefined;
          if (this.#begins(field, meaning.field, column)) {
            this.#backTo(start, previousEnd, isFirst);
            return false;
          }
          if (draft !== undefined && open === 2 && EXTERN.has(draft.keyword)) {
            this.#readInline(draft, meaning.field);
            if (!scanner.at(TOKEN.word)) continue;
          }
          if (meaning.field === 'elem') {
            listDepth = open;
            uses = FUNCTION_LIST;
          }
          break;
        }
        case TOKEN.word: {
          if (open === listDepth) break;
          const meaning = this.#meaning();
          if (meaning?.isBetween) break;
          uses = meaning?.uses;
          used = 0;
          break;
        }
        case TOKEN.identifier:
        case TOKEN.number:
          if (uses === undefined) break;
          this.#addUse(uses, used++);
          if (used === 2 && !uses.isList) uses = undefined;
          break;
      }
      scanner.next();
    }
  }

  /** An inline import or export; the scanner stands on its word, and may be left behind it. */
  #readInline(draft: Draft, keyword: FieldKeyword): void {
    const scanner = this.#scanner;
    if (keyword === 'import') draft.isImport = true;
    if (keyword === 'export' && scanner.next() === TOKEN.string) this.#addExport(draft);
  }

  #addExport(draft: Draft): void {
    const { name, mark } = stringToken(this.#scanner);
    draft.exports.push({ name, mark });
    this.#scanner.next();
  }

  /** @param used how many uses stand before this one, behind the same word. */
  #addUse(uses: Uses, used: number): void {
    const { kind, start, end } = this.#scanner;
    const references = this.#references;
    if (used === 0) {
      // Only a number may be something else than the first of the two, such as a lane.
      const space = uses.alone ?? (kind === TOKEN.identifier ? uses.first : undefined);
      references.add(start, end, space);
    } else if (uses.isList) {
      references.add(start, end, uses.alone);
    } else {
      if (uses.first !== uses.alone) references.setLastSpace(uses.first);
      if (uses.second !== undefined) references.add(start, end, uses.second);
    }
  }

  #begins(field: OpenField, keyword: FieldKeyword, column: number | undefined): boolean {
    this.#ahead.moveTo(this.#scanner.end);
    return beginsField(field, keyword, column, this.#ahead);
  }

  /** Goes back to a `(` as it was read, so that its group is read again, as what it is. */
  #backTo(open: number, previousEnd: number, isFirst: boolean): void {
    const scanner = this.#scanner;
    scanner.moveTo(open);
    scanner.next();
    scanner.previousEnd = previousEnd;
    scanner.isFirst = isFirst;
  }

  #meaning(): WordMeaning | undefined {
    return meaningOf(this.#text, this.#scanner.start, this.#scanner.end);
  }

  #tokenRange(): TextRange {
    const { start, end } = this.#scanner;
    return { offset: start, length: end - start };
  }
}
