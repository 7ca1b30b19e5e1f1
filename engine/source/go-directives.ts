// Compiler directives in the comments above a function (`go doc compile`; for TinyGo its reference,
// "Go compiler directives").

import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { endOf, isFirstOnLine, rangeOf, sliceOf } from './syntax.ts';

/** A word of a directive, such as the name of a function. */
export interface Word {
  readonly value: string;
  readonly range: TextRange;
}

/** What makes a function an import. */
export interface GoImport {
  /** The offset of the first comment of the declaration. */
  readonly start: number;
  /** The offset of the directive that holds the name. */
  readonly directive: number;
  /** The module it names, if it does. */
  readonly module: Word | undefined;
  readonly name: Word;
}

/** A line comment that stands on lines of its own, or a block comment. */
interface Comment {
  readonly range: TextRange;
  /** Its words, if it is a directive. */
  readonly words: readonly Word[];
}

/** The comments since the last declaration, as they come. */
export class CommentsAbove {
  readonly #text: string;
  readonly #comments: Comment[] = [];
  /** Those before this index are parted from what follows by a blank line, or by code. */
  #attachedFrom = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Takes the next comment, a node of the tree. */
  add(node: Node): void {
    // A remark at the end of a line belongs to that line.
    if (!isFirstOnLine(this.#text, node.startIndex)) return;
    this.#part(node.startIndex);
    const range = rangeOf(node);
    this.#comments.push({ range, words: directiveWords(sliceOf(this.#text, range), range.offset) });
  }

  /** Forgets all: a declaration has them, or is between them and the next. */
  clear(): void {
    this.#comments.length = 0;
    this.#attachedFrom = 0;
  }

  /**
   * What makes a function without a body, which begins at `offset`, an import, if anything does.
   * `//go:wasmimport` counts with blank lines below it too, as Go has it; TinyGo's `//export` only
   * where it is documentation. (`//go:linkname` alone imports nothing: it names a function of another
   * package.)
   */
  importAt(offset: number): GoImport | undefined {
    this.#part(offset);
    const attached = this.#comments.slice(this.#attachedFrom);
    const start = attached[0]?.range.offset ?? offset;
    const wasm = this.#comments.findLast((c) => isDirective(c, 3, '//go:wasmimport'));
    if (wasm !== undefined) return importOf(wasm, start, wasm.words[1], wasm.words[2]);
    if (attached.some(({ words }) => words[0]?.value === '//go:wasmexport')) return undefined;
    const exported = attached.findLast((c) => isDirective(c, 2, '//export', '//go:export'));
    const module = attached.findLast((c) => isDirective(c, 2, '//go:wasm-module'));
    return exported && importOf(exported, start, module?.words[1], exported.words[1]);
  }

  /** Parts the comments from what begins at `offset`, unless that is on the next line. */
  #part(offset: number): void {
    const last = this.#comments.at(-1);
    const isNext = last !== undefined && isAttached(this.#text, endOf(last.range), offset);
    if (!isNext) this.#attachedFrom = this.#comments.length;
  }
}

function isAttached(text: string, end: number, next: number): boolean {
  return /^[ \t\r]*\n[ \t]*$/.test(text.slice(end, next));
}

/** What Go takes for white space (`unicode.IsSpace`). */
const SPACE =
  '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const WORD = new RegExp(`[^${SPACE}]+`, 'g');

/** A space after the slashes makes it a remark. */
function directiveWords(comment: string, offset: number): readonly Word[] {
  if (!comment.startsWith('//go:') && !comment.startsWith('//export ')) return [];
  return [...comment.matchAll(WORD)].map(({ 0: value, index }) => ({
    value,
    range: { offset: offset + index, length: value.length },
  }));
}

function importOf(
  { range }: Comment,
  start: number,
  module: Word | undefined,
  name: Word | undefined,
): GoImport | undefined {
  return name && { start: Math.min(start, range.offset), directive: range.offset, module, name };
}

function isDirective({ words }: Comment, length: number, ...names: readonly string[]): boolean {
  return words.length === length && names.includes(words[0]?.value ?? '');
}

/**
 * Whether a name can stand in a directive, where nothing is quoted: not if it is empty, or has white
 * space in it, or what an editor would not show.
 */
export function canStandInDirective(name: string): boolean {
  return /^[^\p{C}\p{Z}]+$/u.test(name);
}
