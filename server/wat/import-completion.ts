// What an import may say, from the whitelist: its module, its name, its type, or all of it.

import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type CompletionItem, CompletionItemKind, TextEdit } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';
import type { TextRange } from '../../engine/project/json-document.ts';
import type { WatDocument, WatField } from '../../engine/source/wat/document.ts';
import { signatureText, typingEdits } from '../../engine/source/wat/import-edits.ts';
import type { ImportSyntax } from '../../engine/source/wat/import-syntax.ts';
import { encodeString } from '../../engine/source/wat/strings.ts';
import type { Whitelist, WhitelistFunction } from '../../engine/whitelist/types.ts';
import { functionTypeText } from '../../engine/whitelist/whitelist.ts';
import { code, markdown, plain } from '../features/markdown.ts';
import {
  type DescriptorPlace,
  importPlaceAt,
  type ModulePlace,
  type NamePlace,
  type SignaturePlace,
} from './import-place.ts';
import { listedText } from './listed-text.ts';
import { rangeIn } from './ranges.ts';

/** What the whitelist has for an offset in an import, or where an import may stand. */
export function completeImport(
  source: TextDocument,
  document: WatDocument,
  offset: number,
  whitelist: Whitelist,
): CompletionItem[] {
  const place = importPlaceAt(document, offset);
  if (place === undefined) return [];
  const taken = new Set(document.fields.map(({ identifier }) => identifier));
  const context: Context = { source, document, offset, whitelist, taken };
  switch (place.at) {
    case 'field':
      return wholeImports(place.replaced, context);
    case 'module':
      return modules(place, context);
    case 'name':
      return names(place, context);
    case 'descriptor':
      return descriptors(place, context);
    case 'signature':
      return signatures(place, context);
  }
}

interface Context {
  readonly source: TextDocument;
  readonly document: WatDocument;
  readonly offset: number;
  readonly whitelist: Whitelist;
  /** The identifiers of the text. */
  readonly taken: ReadonlySet<string>;
}

/** Lines for what is not imported yet. */
function wholeImports(replaced: TextRange, context: Context): CompletionItem[] {
  const { document, whitelist, source } = context;
  const isImported = new Set(document.imports.map(({ module, name }) => keyOf({ module, name })));
  const range = rangeIn(source, replaced);
  return whitelist.functions
    .filter((listed) => !isImported.has(keyOf(listed)))
    .map((listed) => {
      const names = `"${encodeString(listed.module)}" "${encodeString(listed.name)}"`;
      const newText = `(import ${names} ${descriptorText(listed, context)})`;
      return {
        label: `import ${displayText(listed.module)}.${displayText(listed.name)}`,
        kind: CompletionItemKind.Snippet,
        ...explained(listed),
        filterText: newText,
        textEdit: TextEdit.replace(range, newText),
      };
    });
}

function keyOf({ module, name }: Pick<WhitelistFunction, 'module' | 'name'>): string {
  return JSON.stringify([module, name]);
}

function modules({ token, replaced }: ModulePlace, context: Context): CompletionItem[] {
  const { whitelist, source } = context;
  const range = rangeIn(source, replaced);
  const counts = new Map<string, number>();
  for (const { module } of whitelist.functions) counts.set(module, (counts.get(module) ?? 0) + 1);
  return [...counts].map(([module, count]) => {
    const newText = quoted(module, token, context);
    return {
      label: displayText(module),
      kind: CompletionItemKind.Module,
      detail: `${count} ${count === 1 ? 'function' : 'functions'} of ${displayText(whitelist.name)}@${whitelist.version}`,
      filterText: newText,
      textEdit: TextEdit.replace(range, newText),
    };
  });
}

/** The names of the module, or of every one where it is none that is listed, and it is put right. */
function names(place: NamePlace, context: Context): CompletionItem[] {
  const { whitelist, source } = context;
  const { module, token, syntax, field, replaced } = place;
  const range = rangeIn(source, replaced);
  const ofModule = whitelist.functions.filter((listed) => listed.module === module.name);
  const isListed = ofModule.length > 0;
  return (isListed ? ofModule : whitelist.functions).map((listed) => {
    const name = quoted(listed.name, token, context);
    const { inserted, edits } = describing(listed, place, syntax, field, context);
    if (!isListed && module.isClosed) {
      const moduleRange = rangeIn(source, module.contents);
      edits.push(TextEdit.replace(moduleRange, encodeString(listed.module)));
    }
    return {
      label: displayText(listed.name),
      kind: CompletionItemKind.Function,
      ...explained(listed),
      filterText: name,
      textEdit: TextEdit.replace(range, `${name}${inserted}`),
      ...(edits.length > 0 && { additionalTextEdits: edits }),
    };
  });
}

/** What makes the import one of a function of the listed type, whatever it says of that by now. */
function describing(
  listed: WhitelistFunction,
  { token }: NamePlace,
  syntax: ImportSyntax,
  field: WatField,
  context: Context,
): { readonly inserted: string; readonly edits: TextEdit[] } {
  const { source, document } = context;
  if (syntax.descriptor !== undefined) {
    const isRight = document.importOf(field)?.type === functionTypeText(listed);
    const edits = isRight ? [] : (typingEdits(syntax, listed) ?? []);
    return {
      inserted: '',
      edits: edits.map(({ range, text }) => TextEdit.replace(rangeIn(source, range), text)),
    };
  }
  const text = ` ${descriptorText(listed, context)}${closing(field, token?.isClosed !== false, context)}`;
  if (token === undefined || !token.isClosed) return { inserted: text, edits: [] };
  const { contents } = token;
  const behind = source.positionAt(contents.offset + contents.length + 1);
  return { inserted: '', edits: [TextEdit.insert(behind, text)] };
}

function descriptors(
  { syntax, field, replaced }: DescriptorPlace,
  context: Context,
): CompletionItem[] {
  const listed = listedOf(syntax, context);
  if (listed === undefined) return [];
  const text = `${gapBefore(replaced, context)}${descriptorText(listed, context)}`;
  return typeItem(listed, replaced, { text, after: closing(field, true, context) }, context);
}

function signatures({ syntax, replaced }: SignaturePlace, context: Context): CompletionItem[] {
  const listed = listedOf(syntax, context);
  const text = listed && signatureText(listed);
  if (listed === undefined || text === undefined || text === '') return [];
  const spaced = `${gapBefore(replaced, context)}${text}`;
  return typeItem(listed, replaced, { text: spaced, after: '' }, context);
}

function typeItem(
  listed: WhitelistFunction,
  replaced: TextRange,
  { text, after }: { readonly text: string; readonly after: string },
  { source }: Context,
): CompletionItem[] {
  const range = rangeIn(source, replaced);
  // The protocol takes no choice that replaces more than a line.
  if (range.start.line !== range.end.line) return [];
  const item: CompletionItem = {
    label: text.trim(),
    kind: CompletionItemKind.Struct,
    ...explained(listed),
    filterText: text.trim(),
    textEdit: TextEdit.replace(range, text + after),
    preselect: true,
  };
  return [item];
}

function listedOf(
  { module, name }: ImportSyntax,
  { whitelist }: Context,
): WhitelistFunction | undefined {
  return whitelist.functions.find(
    (listed) => listed.module === module?.name && listed.name === name?.name,
  );
}

/** `(func $log (param i32 i32 i32))`, under an identifier that nothing in the text has. */
function descriptorText(listed: WhitelistFunction, { taken }: Context): string {
  const base = `$${listed.name.replace(/[^\w.-]/g, '_')}`;
  let identifier = base;
  for (let n = 2; taken.has(identifier); n++) identifier = `${base}_${n}`;
  const signature = signatureText(listed);
  return `(func ${identifier}${signature === '' ? '' : ` ${signature}`})`;
}

/** What goes between quotes, with those of them that are missing. */
function quoted(
  text: string,
  token: { readonly isClosed: boolean } | undefined,
  context: Context,
): string {
  const contents = encodeString(text);
  if (token !== undefined) return token.isClosed ? contents : `${contents}"`;
  return `${gapBefore({ offset: context.offset, length: 0 }, context)}"${contents}"`;
}

/** A space, where a piece of the text follows right on another. */
function gapBefore({ offset }: TextRange, { document }: Context): string {
  return /[\s(]/.test(document.text.charAt(offset - 1)) ? '' : ' ';
}

/**
 * The `)` of an import, where it is missing. One further left than the import on a line of its own is
 * the module's, though there is none before it.
 */
function closing(field: WatField, isStringClosed: boolean, { document }: Context): string {
  if (!field.isClosed || !isStringClosed) return ')';
  const { text } = document;
  const last = field.range.offset + field.range.length - 1;
  const [own, its] = [columnOf(text, field.range.offset), columnOf(text, last)];
  const isFirst = text.slice(last - its, last).trim() === '';
  return isFirst && its < own ? ')' : '';
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function explained(listed: WhitelistFunction): Pick<CompletionItem, 'detail' | 'documentation'> {
  return {
    detail: functionTypeText(listed),
    documentation: markdown(
      `**${plain(listedText(listed))}**`,
      code(`${listed.module}.${listed.name} ${functionTypeText(listed)}`),
      plain(listed.doc, 1000),
    ),
  };
}
