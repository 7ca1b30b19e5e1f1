// What an editor may write in a Rust source to mend an import.

import type { TextRange } from '../project/json-document.ts';
import type { WrittenSignature } from './parameters.ts';
import type { Attribute } from './rust-attributes.ts';
import type { RustLiteral } from './rust-literal.ts';
import { spellRustSignature } from './rust-signature.ts';
import {
  endOf,
  indentAt,
  insert,
  isFirstOnLine,
  lineBreakOf,
  quoted,
  removalOf,
  replace,
  sliceOf,
} from './syntax.ts';
import type { EditableDeclaration, SourceEdit } from './types.ts';

/** A foreign block. */
export interface RustBlock {
  /** `unsafe extern "C" `, up to the brace. */
  readonly header: TextRange;
  /** The offset after its last brace. */
  readonly end: number;
  /** The attributes before it, and those that stand in it for all of it. */
  readonly outer: readonly Attribute[];
  readonly inner: readonly Attribute[];
  /** The module it names, if it does. */
  readonly module: RustLiteral | undefined;
  readonly items: readonly RustItem[];
}

/** What stands in a foreign block; a function if it has a name. */
export interface RustItem {
  /** With its attributes and its documentation. */
  readonly range: TextRange;
  /** The offset after those. */
  readonly start: number;
  readonly attributes: readonly Attribute[];
  /** A broken item may have taken in what stands behind it. */
  readonly isBroken: boolean;
  /** The name that an attribute gives it. */
  readonly link: RustLiteral | 'unread' | undefined;
  readonly name?: {
    readonly written: string;
    /** Without the `r#` of a raw identifier. */
    readonly value: string;
    readonly range: TextRange;
  };
  readonly signature?: WrittenSignature | undefined;
}

type Edits = readonly SourceEdit[] | undefined;

/** The edits of one item of a block. */
export function editRust(
  text: string,
  block: RustBlock,
  item: RustItem,
): Pick<EditableDeclaration, 'importing' | 'typedAs' | 'removed'> {
  return {
    importing({ module, name }) {
      const renamed = renaming(text, item, name);
      if (renamed === undefined) return undefined;
      if (module === (block.module?.value ?? 'env')) return renamed;
      if (block.items.length > 1) return moving(text, block, item, module, renamed);
      const moved = naming(text, block, module);
      return moved && [...moved, ...renamed];
    },
    typedAs(target) {
      const spelled = item.signature && spellRustSignature(item.signature, target);
      if (item.signature === undefined || spelled === undefined || item.isBroken) return undefined;
      return [replace(item.signature.range, spelled)];
    },
    removed() {
      if (item.isBroken) return undefined;
      if (block.items.length > 1) return [replace(removalOf(text, item.range), '')];
      // A block that declares nothing would only puzzle. What others documented on it goes with it.
      const start = block.outer[0]?.range.offset ?? block.header.offset;
      return [replace(removalOf(text, { offset: start, length: block.end - start }), '')];
    },
  };
}

/** Makes an item be another function of its module. */
function renaming(text: string, { link, name, start }: RustItem, wanted: string): Edits {
  if (link === 'unread' || name === undefined) return undefined;
  if ((link?.value ?? name.value) === wanted) return [];
  const literal = quoted(wanted);
  if (literal === undefined) return undefined;
  if (link !== undefined) return [replace(link.range, literal)];
  return [insert(start, attributeBefore(text, start, `#[link_name = ${literal}]`))];
}

/** Makes a block name another module. */
function naming(text: string, { module, header, inner }: RustBlock, wanted: string): Edits {
  const literal = quoted(wanted);
  if (literal === undefined) return undefined;
  if (module !== undefined) return [replace(module.range, literal)];
  // The last `link` counts, and an inner one would stand after this one.
  if (inner.length > 0) return undefined;
  const attribute = `#[link(wasm_import_module = ${literal})]`;
  return [insert(header.offset, attributeBefore(text, header.offset, attribute))];
}

/** An attribute as it is written before what stands at `offset`: on a line of its own, if that is. */
function attributeBefore(text: string, offset: number, attribute: string): string {
  const isFirst = isFirstOnLine(text, offset);
  return attribute + (isFirst ? lineBreakOf(text) + indentAt(text, offset) : ' ');
}

/** Moves an item out of its block into a new one, below, of another module. */
function moving(
  text: string,
  block: RustBlock,
  item: RustItem,
  module: string,
  renamed: readonly SourceEdit[],
): Edits {
  const literal = quoted(module);
  const kept = keptAttributes(block);
  if (literal === undefined || kept === undefined || item.isBroken) return undefined;
  const lineBreak = lineBreakOf(text);
  const indent = indentAt(text, block.header.offset);
  const isOnOwnLine = isFirstOnLine(text, item.range.offset);
  const lines = [
    '',
    '',
    ...kept.map(({ range }) => indent + sliceOf(text, range)),
    `${indent}#[link(wasm_import_module = ${literal})]`,
    `${indent}${sliceOf(text, block.header).trimEnd()} {`,
    (isOnOwnLine ? indentAt(text, item.range.offset) : `${indent}    `) +
      edited(text, item, renamed),
    `${indent}}`,
  ];
  return [replace(removalOf(text, item.range), ''), insert(block.end, lines.join(lineBreak))];
}

/**
 * The attributes that a block beside this one needs as well: all but the one that names the module.
 * @returns `undefined` where that is not told from the others.
 */
function keptAttributes({ outer, inner }: RustBlock): readonly Attribute[] | undefined {
  const kept = outer.filter(({ meta }) => meta.path !== 'link');
  const links = outer.filter(({ meta }) => meta.path === 'link');
  const isPlain = links.every(({ meta }) =>
    meta.list?.every((m) => m.path === 'wasm_import_module'),
  );
  const isClear = inner.length === 0 && kept.every(({ meta }) => meta.path !== 'cfg_attr');
  return isPlain && isClear ? kept : undefined;
}

/** The text of an item after an edit within it. */
function edited(text: string, { range }: RustItem, edits: readonly SourceEdit[]): string {
  let result = '';
  let done = range.offset;
  for (const edit of edits) {
    result += text.slice(done, edit.range.offset) + edit.text;
    done = endOf(edit.range);
  }
  return result + text.slice(done, endOf(range));
}
