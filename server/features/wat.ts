// The features of WebAssembly text. What is about purity is ours; the rest gives way to another server
// of the language, where the editor has one.

import type { TextDocument } from 'vscode-languageserver-textdocument';
import { InputError } from '../../engine/encoding/input-error.ts';
import { readWhitelist } from '../../engine/platform/node/deciders.ts';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import { importAt } from '../../engine/source/wat/import-at.ts';
import { readWat } from '../../engine/source/wat/read.ts';
import type { Whitelist } from '../../engine/whitelist/types.ts';
import type { Serving } from '../serving.ts';
import { definitionOf } from '../wat/definition.ts';
import { watExtent } from '../wat/extent.ts';
import { completeIdentifier } from '../wat/identifier-completion.ts';
import { completeImport } from '../wat/import-completion.ts';
import { importHints } from '../wat/inlay-hints.ts';
import { highlightsOf, referencesTo } from '../wat/references.ts';
import { symbolsOf } from '../wat/symbols.ts';
import { languageOf } from '../workspace/languages.ts';
import { MAX_TEXT } from '../workspace/sources.ts';
import { keyOf } from '../workspace/uris.ts';

/** A text as it was read last: several features are asked about one state of it. */
const read = new WeakMap<TextDocument, { readonly version: number; readonly wat: WatDocument }>();

/** The text of a document that is one; `undefined` where it is not, or is nobody's reading. */
export function watOf(document: TextDocument): WatDocument | undefined {
  if (languageOf(keyOf(document.uri), document.languageId, false) !== 'wat') return undefined;
  const known = read.get(document);
  if (known?.version === document.version) return known.wat;
  const text = document.getText();
  if (text.length > MAX_TEXT) return undefined;
  const wat = readWat(text);
  read.set(document, { version: document.version, wat });
  return wat;
}

/** Registers what only WebAssembly text has. */
export function registerWat(serving: Serving): void {
  const { connection, client } = serving;

  /** Answers about a text where all is ours to answer. */
  const asked = <T>(
    uri: string,
    answer: (document: TextDocument, wat: WatDocument) => T,
  ): T | null => {
    const document = serving.document(uri);
    if (document === undefined || watExtent(client) !== 'all') return null;
    const wat = watOf(document);
    return wat === undefined ? null : answer(document, wat);
  };

  connection.onDefinition(({ textDocument: { uri }, position }) =>
    asked(uri, (document, wat) => definitionOf(document, wat, document.offsetAt(position)) ?? null),
  );
  connection.onReferences(({ textDocument: { uri }, position, context }) =>
    asked(uri, (document, wat) =>
      referencesTo(document, wat, document.offsetAt(position), context),
    ),
  );
  connection.onDocumentHighlight(({ textDocument: { uri }, position }) =>
    asked(uri, (document, wat) => highlightsOf(document, wat, document.offsetAt(position))),
  );
  connection.onDocumentSymbol(({ textDocument: { uri } }) => asked(uri, symbolsOf));

  connection.languages.inlayHint.on(async ({ textDocument: { uri }, range }) => {
    const document = serving.document(uri);
    if (document === undefined || !client.settings().inlayHints) return null;
    const wat = watExtent(client) === 'nothing' ? undefined : watOf(document);
    const whitelist = wat && (await whitelistFor(document, serving));
    return wat && whitelist ? importHints(document, wat, range, whitelist) : null;
  });
}

/** What may stand at an offset of a text. */
export async function watCompletion(
  document: TextDocument,
  wat: WatDocument,
  offset: number,
  serving: Serving,
) {
  const extent = watExtent(serving.client);
  if (extent === 'nothing') return [];
  const whitelist = await whitelistFor(document, serving);
  return [
    ...(whitelist === undefined ? [] : completeImport(document, wat, offset, whitelist)),
    ...(extent === 'all' ? completeIdentifier(document, wat, offset) : []),
  ];
}

/** The range of the import that a text speaks of at an offset, by its declaration or by a use of it. */
export function importPlace(wat: WatDocument, offset: number) {
  return importAt(wat, offset)?.range;
}

/** What a document is judged by; `undefined` where that cannot be read, which is told elsewhere. */
async function whitelistFor(
  { uri }: TextDocument,
  { session }: Serving,
): Promise<Whitelist | undefined> {
  const { projects, whitelistOf } = session.workspace;
  const [project] = projects.builtFrom(keyOf(uri));
  const { reference, base } = whitelistOf(project);
  try {
    return await readWhitelist(reference, base);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
