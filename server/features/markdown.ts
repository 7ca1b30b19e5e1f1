// Names in hovers come from strangers' files: none of them may become a link, an image or a heading.

import type { MarkupContent } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';

/** What begins a construct anywhere; an underscore between letters does not (CommonMark 6.2). */
const INLINE = /[\\`*[\]<>|&~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
/** What begins a block: a heading, a list, a quotation, a rule. */
const BLOCK = /^([#+=-]|\d{1,9}(?=[.)]))/;
/** What viewers make a link of by itself (GFM 6.9). */
const LINKS = /:(?=\/\/)|(?<=\bwww)\.|(?<=\b(?:mailto|xmpp)):|@(?=[\w-]+\.)/gi;

/**
 * Text that shows as it is, whatever is in it. Only what would be more than text is escaped: many
 * editors show the source.
 */
export function plain(text: string, max = 300): string {
  return displayText(text, max)
    .replace(INLINE, '\\$&')
    .replace(LINKS, '\\$&')
    .replace(BLOCK, (start) => (/^\d/.test(start) ? `${start}\\` : `\\${start}`));
}

/** Text in the type of code, on one line. */
export function code(text: string, max = 300): string {
  const shown = displayText(text, max);
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

/** Paragraphs, without those that are missing. */
export function markdown(...paragraphs: readonly (string | undefined)[]): MarkupContent {
  const value = paragraphs.filter((each) => each !== undefined && each !== '').join('\n\n');
  return { kind: 'markdown', value };
}
