import assert from 'node:assert/strict';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompletionItem } from 'vscode-languageserver-types';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import type { WatDocument } from '../../../engine/source/wat/document.ts';
import { readWat } from '../../../engine/source/wat/read.ts';
import { builtInWhitelist } from '../../../engine/whitelist/whitelist.ts';

export const MASHIN = builtInWhitelist(nobleCrypto);

export interface Opened {
  readonly source: TextDocument;
  readonly document: WatDocument;
  /** Where the caret is. */
  readonly offset: number;
}

/** A text with one `|` where the caret is. */
export function openAt(marked: string): Opened {
  const offset = marked.indexOf('|');
  assert.ok(offset >= 0);
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  const source = TextDocument.create('file:///a.wat', 'wat', 1, text);
  return { source, document: readWat(text), offset };
}

/** The text after an item is chosen, as an editor does it. */
export function chosen({ source, offset }: Opened, item: CompletionItem): string {
  const { textEdit, additionalTextEdits = [] } = item;
  assert.ok(textEdit && 'range' in textEdit);
  const { start, end } = textEdit.range;
  assert.equal(start.line, end.line);
  assert.ok(source.offsetAt(start) <= offset && offset <= source.offsetAt(end));
  return TextDocument.applyEdits(source, [textEdit, ...additionalTextEdits]);
}
