// What the readers that stand on tree-sitter share: the bounded parse, the walk over a tree, and
// pieces of text. A node lives as long as its tree: nothing here or in a reader keeps one.

import type { Node, Parser, TreeCursor } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import type { SourceEdit, SourceLanguage } from './types.ts';

/**
 * The longest source that is read, in UTF-16 units. A longer one has no declarations. A parser takes
 * up to 600 bytes a unit, and a runtime's memory never shrinks.
 */
export const MAX_SOURCE_LENGTH = 1_048_576;

/** The languages that a tree-sitter grammar reads. */
export type GrammarLanguage = Exclude<SourceLanguage, 'wat'>;

/** Where parsers come from: loading a grammar is a matter of the platform. */
export interface Grammars {
  /**
   * The parser of a language: one for all who ask, as a parse neither waits nor leaves anything in it.
   * It gives up (`parse` answers `null`) on a text that takes it too long: some texts of a few
   * thousand units take time in their square.
   * @throws {Error} if the runtime or the grammar cannot be loaded; asking again tries again.
   */
  parser(language: GrammarLanguage): Promise<Parser>;
}

/**
 * Parses a text, hands the root of its tree to `read`, and frees the tree, whose memory nothing else
 * would collect. Offsets of nodes count UTF-16 units of the text.
 * @returns what `read` makes of it, or `otherwise` if the text is longer than
 *   {@link MAX_SOURCE_LENGTH} or the parser gives up on it.
 */
export function withSyntax<T>(
  parser: Parser,
  text: string,
  otherwise: T,
  read: (root: Node) => T,
): T {
  if (text.length > MAX_SOURCE_LENGTH) return otherwise;
  const tree = parser.parse(text);
  if (tree === null) {
    // Without this the next parse would go on with where this one stopped.
    parser.reset();
    return otherwise;
  }
  try {
    return read(tree.rootNode);
  } finally {
    tree.delete();
  }
}

/**
 * Walks a tree in the order of the text, without recursion: nesting is as deep as a text likes.
 * @param enter is told of each node on the way down; it says whether to go on to its children. The
 *   cursor is the walk's own: it may be asked, and must not be moved.
 * @param leave is told of each node whose children were walked, on the way up.
 */
export function walk(
  root: Node,
  enter: (cursor: TreeCursor) => boolean,
  leave?: (cursor: TreeCursor) => void,
): void {
  const cursor = root.walk();
  try {
    let down = true;
    for (;;) {
      if (down && enter(cursor)) {
        if (cursor.gotoFirstChild()) continue;
        leave?.(cursor);
      }
      if (cursor.gotoNextSibling()) {
        down = true;
      } else {
        if (!cursor.gotoParent()) return;
        leave?.(cursor);
        down = false;
      }
    }
  } finally {
    cursor.delete();
  }
}

/** Where a node stands. */
export function rangeOf(node: Node | TreeCursor): TextRange {
  return { offset: node.startIndex, length: node.endIndex - node.startIndex };
}

/** The range from the start of one node to the end of another, or of itself. */
export function rangeFrom(first: Node, last: Node): TextRange {
  return { offset: first.startIndex, length: last.endIndex - first.startIndex };
}

/** The offset just past a range. */
export function endOf(range: TextRange): number {
  return range.offset + range.length;
}

/** The piece of a text that a range is. */
export function sliceOf(text: string, range: TextRange): string {
  return text.slice(range.offset, endOf(range));
}

/** The text of a node. (`Node.text` copies through the runtime; this does not.) */
export function textOf(node: Node, text: string): string {
  return text.slice(node.startIndex, node.endIndex);
}

/** The child that a grammar calls by a field name. */
export function childOf(node: Node, field: string): Node | undefined {
  return node.childForFieldName(field) ?? undefined;
}

/** The white space that a line begins with, for the line that holds `offset`. */
export function indentAt(text: string, offset: number): string {
  const start = lineStart(text, offset);
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** The line break that a text uses, by its first: CRLF or LF. */
export function lineBreakOf(text: string): string {
  const first = text.indexOf('\n');
  return first > 0 && text[first - 1] === '\r' ? '\r\n' : '\n';
}

/** The offset at which the line that holds `offset` begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/**
 * The range that goes when something is removed: with its whole lines where nothing else stands on
 * them, else itself with the spaces after it.
 */
export function removalOf(text: string, range: TextRange): TextRange {
  let start = range.offset;
  let end = endOf(range);
  while (isBlank(text[end])) end++;
  const rest = /^\r?\n/.exec(text.slice(end, end + 2))?.[0];
  if ((rest !== undefined || end === text.length) && isFirstOnLine(text, start)) {
    start = lineStart(text, start);
    end += rest?.length ?? 0;
  }
  return { offset: start, length: end - start };
}

/** Whether only blanks stand before `offset` on its line. */
export function isFirstOnLine(text: string, offset: number): boolean {
  let start = offset;
  while (isBlank(text[start - 1])) start--;
  return start === 0 || text[start - 1] === '\n';
}

function isBlank(unit: string | undefined): boolean {
  return unit === ' ' || unit === '\t';
}

/** An edit that writes `replacement` in the place of a range. */
export function replace(range: TextRange, replacement: string): SourceEdit {
  return { range, text: replacement };
}

/** An edit that writes `insertion` at an offset. */
export function insert(offset: number, insertion: string): SourceEdit {
  return { range: { offset, length: 0 }, text: insertion };
}

/** What an editor could not show, or would let fool its reader, if it stood in a source as it is. */
const UNSHOWN = /[\p{C}\p{Zl}\p{Zp}"\\]|[^\P{Zs} ]/gu;

/**
 * A string literal for a value, with escapes that Rust and Zig both have.
 * @returns `undefined` for a value that no compiler takes as a name: one with a NUL in it, or with
 *   half of a surrogate pair.
 */
export function quoted(value: string): string | undefined {
  if (!value.isWellFormed() || value.includes('\0')) return undefined;
  const escaped = (c: string) =>
    c === '"' || c === '\\' ? `\\${c}` : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`;
  return `"${value.replace(UNSHOWN, escaped)}"`;
}
