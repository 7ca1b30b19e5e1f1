// Changes to a JSON text with comments that leave the rest of it as its author wrote it.

import type { Edit, Node } from 'jsonc-parser';
import type { TextRange } from '../../engine/project/json-document.ts';
import { nextToken, tokensFrom } from './tokens.ts';

/**
 * Adds a member or an item to an object or a list, in the style of those that are there: on a line of
 * its own where they are, below a comment that stands behind the one before.
 * @param after the child that it follows; `undefined` to make it the first.
 * @param content the member or the item, without a comma.
 */
export function insertChild(
  text: string,
  container: Node,
  after: Node | undefined,
  content: string,
): Edit[] {
  const [first] = container.children ?? [];
  if (first === undefined) return [insertOnly(text, container, content)];
  const indent = indentOf(text, first);
  const separator = indent === undefined ? ' ' : `${lineEndOf(text)}${indent}`;
  if (after === undefined) return [insertion(first.offset, `${content},${separator}`)];
  const end = after.offset + after.length;
  const comma = commaAfter(text, end);
  if (comma !== undefined) {
    const at = indent === undefined ? comma + 1 : afterComments(text, comma + 1);
    return [insertion(at, `${separator}${content},`)];
  }
  const at = indent === undefined ? end : afterComments(text, end);
  return at === end
    ? [insertion(end, `,${separator}${content}`)]
    : [insertion(end, ','), insertion(at, `${separator}${content}`)];
}

/** Removes a member or an item with its comma, and its line where nothing else stands on it. */
export function removeChild(text: string, child: Node): Edit[] {
  const end = child.offset + child.length;
  const after = commaAfter(text, end);
  if (after !== undefined) return removals(text, [child, { offset: after, length: 1 }]);
  const siblings = child.parent?.children ?? [];
  const previous = siblings[siblings.indexOf(child) - 1];
  const before = previous && commaAfter(text, previous.offset + previous.length);
  return removals(text, before === undefined ? [child] : [{ offset: before, length: 1 }, child]);
}

/** Removes a piece of a text. */
export function removal({ offset, length }: TextRange): Edit {
  return { offset, length, content: '' };
}

/** Writes a JSON value in place of a piece of a text. */
export function replacement({ offset, length }: TextRange, value: string | number): Edit {
  return { offset, length, content: JSON.stringify(value) };
}

function insertion(offset: number, content: string): Edit {
  return { offset, length: 0, content };
}

/** A list stays on its line; an object gets lines, as does whatever holds a comment. */
function insertOnly(text: string, { type, offset, length }: Node, content: string): Edit {
  const start = offset + 1;
  const inside = text.slice(start, offset + length - 1);
  const kept = inside.trimEnd();
  if (type === 'array' && kept === '') return { offset: start, length: inside.length, content };
  const lineEnd = lineEndOf(text);
  const base = /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? '';
  return {
    offset: start + kept.length,
    length: inside.length - kept.length,
    content: `${lineEnd}${base}${unitOf(base)}${content}${lineEnd}${base}`,
  };
}

function unitOf(indent: string): string {
  return indent.includes('\t') ? '\t' : '  ';
}

/** The white space before the first child, if that begins its line. */
function indentOf(text: string, first: Node): string | undefined {
  const start = lineStart(text, first.offset);
  const before = text.slice(start, first.offset);
  return start > 0 && before.trim() === '' ? before : undefined;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** Where the next token is, if it is a comma. */
function commaAfter(text: string, offset: number): number | undefined {
  const token = nextToken(text, offset);
  return token?.kind === ',' ? token.offset : undefined;
}

/** The end of the comments that follow on the same line, where nothing else does. */
function afterComments(text: string, offset: number): number {
  let reached = offset;
  for (const { kind, offset: start, end } of tokensFrom(text, offset)) {
    if (kind === 'line break') return reached;
    if (kind === 'comment') {
      if (/[\r\n]/.test(text.slice(start, end))) return reached;
      reached = end;
    } else if (kind !== 'space') {
      return offset;
    }
  }
  return reached;
}

/** Removes pieces that follow each other, with the white space between them and the line they leave empty. */
function removals(text: string, pieces: readonly TextRange[]): Edit[] {
  const joined: TextRange[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const between = last && text.slice(last.offset + last.length, piece.offset);
    if (last !== undefined && between?.trim() === '') {
      joined[joined.length - 1] = {
        offset: last.offset,
        length: piece.offset + piece.length - last.offset,
      };
    } else {
      joined.push(piece);
    }
  }
  return joined.map((piece) => removal(piece.length > 1 ? withEmptyLine(text, piece) : piece));
}

/** The piece with the space before what follows it; with its whole line, where it is alone there. */
function withEmptyLine(text: string, { offset, length }: TextRange): TextRange {
  const start = lineStart(text, offset);
  const end = offset + length;
  const spaces = /^[ \t]*/.exec(text.slice(end))?.[0].length ?? 0;
  const lineBreak = /^\r?\n/.exec(text.slice(end + spaces))?.[0].length ?? 0;
  if (lineBreak > 0 && start > 0 && text.slice(start, offset).trim() === '') {
    return { offset: start, length: end + spaces + lineBreak - start };
  }
  const isFollowed = text.charAt(end - 1) === ',' && lineBreak === 0;
  return { offset, length: length + (isFollowed ? spaces : 0) };
}
