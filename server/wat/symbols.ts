import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';
import type { WatDocument, WatField, WatFieldKind } from '../../engine/source/wat/document.ts';
import { rangeIn } from './ranges.ts';

const KINDS: Readonly<Record<WatFieldKind, SymbolKind>> = {
  type: SymbolKind.Struct,
  import: SymbolKind.Interface,
  function: SymbolKind.Function,
  table: SymbolKind.Array,
  memory: SymbolKind.Array,
  global: SymbolKind.Variable,
  tag: SymbolKind.Event,
  export: SymbolKind.Property,
  start: SymbolKind.Event,
  element: SymbolKind.Array,
  data: SymbolKind.Constant,
};

/** The fields of the module, each under the name it goes by, in the order of the text. */
export function symbolsOf(source: TextDocument, document: WatDocument): DocumentSymbol[] {
  return document.fields.map((field) => ({
    name: nameOf(field, document),
    detail: detailOf(field, document),
    kind: KINDS[field.kind],
    range: rangeIn(source, field.range),
    selectionRange: rangeIn(source, field.mark),
  }));
}

/** Its identifier, else the name it is imported or exported by, else its kind and index. */
function nameOf(field: WatField, document: WatDocument): string {
  if (field.identifier !== '') return displayText(field.identifier);
  const imported = document.importOf(field);
  if (imported !== undefined) return displayText(`"${imported.name}"`);
  const [exported] = field.exports;
  if (exported?.name !== undefined) return displayText(`"${exported.name}"`);
  return field.kind === 'start' || field.kind === 'import'
    ? field.kind
    : `${field.kind} ${field.index}`;
}

function detailOf(field: WatField, document: WatDocument): string {
  const imported = document.importOf(field);
  if (imported !== undefined) {
    return displayText(`import ${imported.module}.${imported.name} ${imported.type ?? ''}`.trim());
  }
  if (field.kind === 'start' || field.kind === 'import') return '';
  const [exported] = field.identifier === '' ? [] : field.exports;
  const name = exported?.name;
  return name === undefined ? field.kind : displayText(`${field.kind} exported as "${name}"`);
}
