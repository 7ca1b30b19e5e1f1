import { displayText } from '../../engine/encoding/display.ts';
import { code, markdown, plain } from '../features/markdown.ts';

/** A Markdown table; its cells are Markdown already. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text of strangers for a cell, in the type of code unless it holds what ends a cell. */
export function cell(text: string): string {
  return text === '' || displayText(text).includes('|') ? plain(text) : code(text);
}

/** Markdown paragraphs, without those that are missing. */
export function paragraphs(...parts: readonly (string | undefined)[]): string {
  return markdown(...parts).value;
}
