// Completion by a JSON Schema, as the editor's own JSON support does it.

import { parseTree } from 'jsonc-parser';
import {
  type CompletionItem,
  type CompletionList,
  getLanguageService,
  type JSONSchema,
} from 'vscode-json-languageservice';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { InsertTextFormat, MarkupKind, type Position } from 'vscode-languageserver-types';
import { isShallow, membersOf } from './tree.ts';

/** What the client makes of completion items. */
export interface CompletionClient {
  /** Whether it takes snippets. */
  readonly snippets: boolean;
  /** Whether it shows Markdown beside an item. */
  readonly markdown: boolean;
  /** The editor's own commands that it carries out after an item was taken. */
  readonly commands: ReadonlySet<string>;
}

/** The service keeps what it knows of a document by its URI; each question is about a new one. */
const DOCUMENT_URI = 'touchstone:/document.json';
const SCHEMA_URI = 'touchstone:/schema.json';

/** In characters. The service takes over a second for the largest manifests, and no person wrote those. */
const MAX_COMPLETED_TEXT = 262_144;

/**
 * Fields and values that a schema has for a position. None in a text too large to be answered soon,
 * or too deep for parsers that recurse. A `$schema` in the text counts for nothing.
 */
export async function completeBySchema(
  document: TextDocument,
  position: Position,
  schema: JSONSchema,
  client: CompletionClient,
): Promise<CompletionList> {
  const text = document.getText();
  if (text.length > MAX_COMPLETED_TEXT || !isShallow(text))
    return { isIncomplete: false, items: [] };
  const service = getLanguageService({
    clientCapabilities: {
      textDocument: {
        completion: {
          completionItem: {
            documentationFormat: client.markdown ? [MarkupKind.Markdown] : [MarkupKind.PlainText],
          },
        },
      },
    },
  });
  service.configure({
    allowComments: true,
    schemas: [{ uri: SCHEMA_URI, fileMatch: ['*'], schema }],
  });
  const masked = TextDocument.create(DOCUMENT_URI, 'jsonc', 0, withoutSchemaField(text));
  const list = await service.doComplete(masked, position, service.parseJSONDocument(masked));
  const items = list?.items ?? [];
  return { isIncomplete: false, items: items.map((item) => forClient(item, client)) };
}

/**
 * The same text with an empty value for `$schema`, since the service would follow that to a schema
 * of the file's own choice, and with nothing in place of a byte order mark. No offset changes.
 */
function withoutSchemaField(text: string): string {
  let masked = text.replace(/^\uFEFF/, ' ');
  for (const { key, value } of membersOf(parseTree(masked))) {
    if (key.value !== '$schema' || value === undefined || value.length < 2) continue;
    const end = value.offset + value.length;
    masked = `${masked.slice(0, value.offset)}""${' '.repeat(value.length - 2)}${masked.slice(end)}`;
  }
  return masked;
}

function forClient(item: CompletionItem, { snippets, commands }: CompletionClient): CompletionItem {
  const { command, ...others } = item;
  const kept = command !== undefined && commands.has(command.command) ? { command } : {};
  if (snippets || item.insertTextFormat !== InsertTextFormat.Snippet) return { ...others, ...kept };
  return {
    ...others,
    ...kept,
    insertTextFormat: InsertTextFormat.PlainText,
    ...(item.insertText !== undefined && { insertText: withoutStops(item.insertText) }),
    ...(item.textEdit && {
      textEdit: { ...item.textEdit, newText: withoutStops(item.textEdit.newText) },
    }),
  };
}

/** A snippet as the text that it first shows. */
function withoutStops(snippet: string): string {
  return snippet.replace(
    /\\(.)|\$\{\d+:((?:[^}\\]|\\.)*)\}|\$\d+/gs,
    (_, escaped: string | undefined, shown: string | undefined) =>
      escaped ?? shown?.replace(/\\(.)/gs, '$1') ?? '',
  );
}
