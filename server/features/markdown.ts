// Names in hovers come from strangers' files: none of them may become a link, an image or a heading.

import type { MarkupContent } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';

/** Text that shows as it is, whatever is in it. */
export function plain(text: string, max = 300): string {
  return displayText(text, max).replace(
    /[\\`*_{}[\]()#+\-.!|<>~&:]/g,
    (c) => `&#${c.charCodeAt(0)};`,
  );
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
