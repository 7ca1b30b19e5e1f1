// The text format of WebAssembly (core specification 3.0, chapter 6), read for an editor: while it
// is written it is broken most of the time, and is understood as far as it goes.

import type { EditableDeclaration } from '../types.ts';
import {
  MAX_WAT_TEXT,
  type WatDocument,
  type WatField,
  type WatFieldKind,
  type WatLocal,
  type WatReference,
  type WatSymbol,
} from './document.ts';
import { importingEdits, removingEdits, type Surroundings, typingEdits } from './import-edits.ts';
import { type ImportSyntax, readImportSyntax } from './import-syntax.ts';
import { IndexSpaces, parseIndex } from './index-spaces.ts';
import { readLocals } from './locals.ts';
import { textOfType } from './signature.ts';
import { identifierText } from './strings.ts';
import { readStructure, type WatStructure } from './structure.ts';
import { DefinedTypes } from './types.ts';
import { Usage } from './usage.ts';

/**
 * Reads a text. Never throws; takes time and memory linear in its length, and none for one above
 * {@link MAX_WAT_TEXT}.
 */
export function readWat(text: string): WatDocument {
  const isTooLarge = text.length > MAX_WAT_TEXT;
  return new ReadDocument(text, readStructure(isTooLarge ? '' : text), isTooLarge);
}

class ReadDocument implements WatDocument {
  readonly text: string;
  readonly isTooLarge: boolean;
  readonly moduleKeyword: WatDocument['moduleKeyword'];
  readonly fields: readonly WatField[];
  readonly imports: readonly EditableDeclaration[];
  readonly #references: WatStructure['references'];
  readonly #spaces: IndexSpaces;
  readonly #types: DefinedTypes;
  readonly #importOfField = new Map<WatSymbol, EditableDeclaration>();
  readonly #fieldOfImport = new Map<EditableDeclaration, WatField>();
  #usage: Usage | undefined;
  readonly #locals = new Map<WatField, readonly WatLocal[]>();

  constructor(text: string, structure: WatStructure, isTooLarge: boolean) {
    this.text = text;
    this.isTooLarge = isTooLarge || structure.isTooLarge;
    this.moduleKeyword = structure.moduleKeyword;
    this.fields = structure.fields;
    this.#references = structure.references;
    this.#spaces = new IndexSpaces(structure.fields);
    this.#types = new DefinedTypes(text, this.#spaces);
    for (const field of structure.fields) if (field.isImport) this.#declare(field);
    this.imports = [...this.#fieldOfImport.keys()];
  }

  fieldAt(offset: number): WatField | undefined {
    const field = this.fields[firstAfter(this.fields, offset) - 1];
    if (field === undefined) return undefined;
    const end = field.range.offset + field.range.length;
    return offset <= end || !field.isClosed ? field : undefined;
  }

  fieldOf(kind: WatFieldKind, index: number): WatField | undefined {
    return this.#spaces.of(kind)[index];
  }

  fieldOfImport(declaration: EditableDeclaration): WatField | undefined {
    return this.#fieldOfImport.get(declaration);
  }

  importOf(field: WatSymbol): EditableDeclaration | undefined {
    return this.#importOfField.get(field);
  }

  localsOf(field: WatField): readonly WatLocal[] {
    if (field.kind !== 'function') return [];
    const known = this.#locals.get(field);
    if (known !== undefined) return known;
    const locals = readLocals(this.text, field, this.#types);
    this.#locals.set(field, locals);
    return locals;
  }

  referenceAt(offset: number): WatReference | undefined {
    return this.#references.around(offset);
  }

  definitionAt(offset: number): WatSymbol | undefined {
    const reference = this.referenceAt(offset);
    if (reference !== undefined) return this.#resolve(reference);
    const field = this.fieldAt(offset);
    if (field === undefined) return undefined;
    if (holds(field.mark, offset)) return field;
    return this.localsOf(field).find(({ identifier, mark }) => identifier && holds(mark, offset));
  }

  referencesOf(symbol: WatSymbol): readonly WatReference[] {
    const { kind, mark } = symbol;
    if (kind === 'export' || kind === 'start' || kind === 'import') return [];
    const scope = kind === 'local' ? this.fieldAt(mark.offset)?.range : undefined;
    const from = scope?.offset ?? 0;
    const to = scope === undefined ? this.text.length : scope.offset + scope.length;
    const isOf = kind === 'local' ? this.#localUse(symbol) : this.#fieldUse(symbol, kind);
    const found: WatReference[] = [];
    for (const reference of this.#references.within(kind, from, to)) {
      if (isOf(this.#useOf(reference))) found.push(reference);
    }
    return found;
  }

  /** Whether a use means a field. */
  #fieldUse({ index }: WatSymbol, kind: WatFieldKind): (use: string) => boolean {
    return (use) => this.#spaces.find(kind, use) === index;
  }

  /** Whether a use in its function means a local. Of two with one identifier the first has it. */
  #localUse(local: WatSymbol): (use: string) => boolean {
    const field = this.fieldAt(local.mark.offset);
    const named =
      field && this.localsOf(field).find((each) => each.identifier === local.identifier);
    const identifier = named?.index === local.index ? local.identifier : undefined;
    return (use) => (use.startsWith('$') ? use === identifier : parseIndex(use) === local.index);
  }

  /** A use as it is compared. */
  #useOf({ range }: WatReference): string {
    return identifierText(this.text.slice(range.offset, range.offset + range.length));
  }

  #resolve(reference: WatReference): WatSymbol | undefined {
    const use = this.#useOf(reference);
    if (reference.space === 'local') {
      const field = this.fieldAt(reference.range.offset);
      if (field === undefined) return undefined;
      const locals = this.localsOf(field);
      if (use.startsWith('$')) return locals.find(({ identifier }) => identifier === use);
      return locals[parseIndex(use) ?? -1];
    }
    const index = this.#spaces.find(reference.space, use);
    return index === undefined ? undefined : this.fieldOf(reference.space, index);
  }

  #declare(field: WatField): void {
    // An edit reads the parts again: few are asked for, and those of every import take much room.
    const syntax = () => readImportSyntax(this.text, field, this.#types.find);
    const { module, name, descriptor } = syntax();
    if (descriptor === undefined || !module?.isClosed || !name?.isClosed) return;
    if (module.name === undefined || name.name === undefined) return;
    const type = this.#typeText(descriptor);
    const declaration: EditableDeclaration = {
      module: module.name,
      name: name.name,
      kind: descriptor.kind,
      ...(type !== undefined && { type }),
      identifier: field.identifier,
      range: field.range,
      mark: name.mark,
      importing: (target) => importingEdits(syntax(), target),
      typedAs: (target) => typingEdits(syntax(), target),
      removed: () => removingEdits(this.#surroundings(), field),
    };
    this.#importOfField.set(field, declaration);
    this.#fieldOfImport.set(declaration, field);
  }

  #surroundings(): Surroundings {
    this.#usage ??= new Usage(this.text, this.#references, this.#spaces);
    return { text: this.text, usage: this.#usage, typeCount: this.#spaces.of('type').length };
  }

  #typeText(descriptor: NonNullable<ImportSyntax['descriptor']>): string | undefined {
    if (!('signature' in descriptor)) return descriptor.type;
    const type = this.#types.typeOf(descriptor.signature);
    return type && textOfType(type);
  }
}

/** The place of the first field that begins behind an offset. */
function firstAfter(fields: readonly WatField[], offset: number): number {
  let low = 0;
  let high = fields.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((fields[middle]?.range.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function holds(range: WatSymbol['mark'], offset: number): boolean {
  return range.offset <= offset && offset <= range.offset + range.length;
}
