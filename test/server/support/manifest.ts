// An `executor.json` that is open in a client, in a workspace of its own.

import assert from 'node:assert/strict';
import {
  type CodeAction,
  type CodeLens,
  type CompletionItem,
  type CompletionList,
  type Diagnostic,
  type Hover,
  MarkupContent,
} from 'vscode-languageserver-protocol/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { serializeTrustStore } from '../../../engine/gate/trust-store.ts';
import { environment } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';
import { type Client, type ClientOptions, codesOf, makeFolder, startClient } from './client.ts';

const plan = (imports: string, body = '') => `(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  ${imports}
  (memory (export "memory") 1 4)
  (func (export "plan") (drop (call $len)) ${body}))`;

/** Modules that have nothing wrong with them but what their names say. */
export const PURE = assemble(plan(''));
export const ASKING = assemble(plan('(import "mashin" "http_request" (func (param i32 i32)))'));
export const IMPURE = assemble(
  plan('(import "env" "now" (func $now (result i64)))', '(drop (call $now))'),
);

/** A trust store that the tests' certifier and publisher are in. */
export const TRUST = serializeTrustStore(environment().trust);

/** A good manifest of an artifact that lies where the tests put it, with what differs. */
export function manifest(more: object = {}): string {
  const fields = { name: 'tried', version: '1.0.0', artifact: 'build/tried.wasm', ...more };
  return `${JSON.stringify(fields, undefined, 2)}\n`;
}

export interface OpenManifest extends AsyncDisposable {
  readonly client: Client;
  readonly folder: ReturnType<typeof makeFolder>;
  readonly uri: string;
  /** As it is in the editor now. */
  document(): TextDocument;
  /** Changes the text in the editor, not on disk. */
  edit(text: string): void;
  /** Writes a file of the workspace, and tells of it as the editor's watcher does. */
  save(name: string, contents: string | Uint8Array): void;
  until(isAsExpected: (found: readonly Diagnostic[]) => boolean): Promise<readonly Diagnostic[]>;
  /** What a person reads over a piece of the text, which may be a `piece|` of another. */
  hover(piece: string): Promise<string | undefined>;
  /** The completions where the text has a `|`; the text is put into the editor without it. */
  complete(marked: string): Promise<CompletionItem[]>;
  actions(about: readonly Diagnostic[]): Promise<CodeAction[]>;
  lenses(): Promise<CodeLens[]>;
}

/** Opens a manifest that is on disk as well, beside other files. */
export async function openManifest(
  text: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  options: ClientOptions = {},
): Promise<OpenManifest> {
  const folder = makeFolder({ 'executor.json': text, ...files });
  const client = await startClient({ folders: [folder.root], ...options });
  const uri = folder.uri('executor.json');
  const textDocument = { uri };
  let document = TextDocument.create(uri, 'jsonc', 1, text);
  client.open(uri, 'jsonc', text);
  const self: OpenManifest = {
    client,
    folder,
    uri,
    document: () => document,
    edit(next) {
      document = TextDocument.create(uri, 'jsonc', document.version + 1, next);
      client.change(uri, next);
    },
    save(name, contents) {
      folder.write(name, contents);
      client.fileChanged(folder.uri(name));
    },
    until: (isAsExpected) => client.until(uri, isAsExpected),
    async hover(piece) {
      const at = document.getText().indexOf(piece);
      assert.ok(at >= 0, piece);
      const position = document.positionAt(at + 1);
      const hover: Hover | null = await client.connection.sendRequest('textDocument/hover', {
        textDocument,
        position,
      });
      if (hover === null) return undefined;
      assert.ok(MarkupContent.is(hover.contents));
      // Names of strangers are written in entities, so that none of them is markup.
      return hover.contents.value.replaceAll(/\\([^\w\s])/g, '$1');
    },
    async complete(marked) {
      const offset = marked.indexOf('|');
      self.edit(marked.slice(0, offset) + marked.slice(offset + 1));
      const position = document.positionAt(offset);
      const list: CompletionList = await client.connection.sendRequest('textDocument/completion', {
        textDocument,
        position,
      });
      return list.items.toSorted((a, b) => (sortTextOf(a) < sortTextOf(b) ? -1 : 1));
    },
    actions(about) {
      const starts = about.map(({ range }) => document.offsetAt(range.start));
      const ends = about.map(({ range }) => document.offsetAt(range.end));
      const range = {
        start: document.positionAt(Math.min(...starts)),
        end: document.positionAt(Math.max(...ends)),
      };
      return client.connection.sendRequest('textDocument/codeAction', {
        textDocument,
        range,
        context: { diagnostics: about },
      });
    },
    lenses: () => client.connection.sendRequest('textDocument/codeLens', { textDocument }),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
  return self;
}

function sortTextOf({ sortText, label }: CompletionItem): string {
  return sortText ?? label;
}

export const has = (code: string) => (found: readonly Diagnostic[]) =>
  codesOf(found).includes(code);
export const lacks = (code: string) => (found: readonly Diagnostic[]) =>
  !codesOf(found).includes(code);
