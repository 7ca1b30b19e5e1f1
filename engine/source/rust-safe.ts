import type { Node, Parser } from 'web-tree-sitter';
import { textOf, walk, withSyntax } from './syntax.ts';
import type { EditableDeclaration } from './types.ts';

/** `safe` where it may qualify an item of a foreign block. */
const QUALIFIER = /\bsafe(?=\s+(?:fn|static)\b)/;

/**
 * Parses Rust with spaces in the place of the qualifier `safe`, which Rust has since 2024 and the
 * grammar has not. A first parse tells the word from a piece of a string or a comment; offsets stay.
 * @param read is handed the text as it was parsed, too.
 */
export function readSafeAsSpaces(
  parser: Parser,
  text: string,
  read: (root: Node, parsed: string) => readonly EditableDeclaration[],
): readonly EditableDeclaration[] {
  const source = QUALIFIER.test(text)
    ? withSyntax(parser, text, text, (root) => withoutQualifiers(root, text))
    : text;
  return withSyntax(parser, source, [], (root) => read(root, source));
}

function withoutQualifiers(root: Node, text: string): string {
  const pieces: string[] = [];
  let end = 0;
  walk(root, (cursor) => {
    if (cursor.nodeType !== 'identifier' && cursor.nodeType !== 'type_identifier') return true;
    const node = cursor.currentNode;
    if (textOf(node, text) !== 'safe') return false;
    if (!/^\s+(?:fn|static)\b/.test(text.slice(node.endIndex, node.endIndex + 200))) return false;
    pieces.push(text.slice(end, node.startIndex), '    ');
    end = node.endIndex;
    return false;
  });
  return pieces.join('') + text.slice(end);
}

/** Where an item begins, with the qualifier that its tree does not show. */
export function startWithSafe(node: Node, text: string, parsed: string): number {
  const end = node.startIndex;
  const [blank = ''] = /\s*$/.exec(parsed.slice(Math.max(0, end - 200), end)) ?? [];
  const hidden = text.slice(end - blank.length, end).indexOf('safe');
  return hidden < 0 ? end : end - blank.length + hidden;
}
