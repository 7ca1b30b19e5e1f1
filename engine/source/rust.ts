// Imports as Rust declares them: functions of foreign blocks. Beside `rustc` itself (1.95, whose
// output for wasm32 settled what the reference leaves open) see The Rust Reference, "External blocks".
//
// Left out: statics, which the linker resolves as addresses and never imports, so that no module of an
// executor shows one; what a configuration excludes from every build for WebAssembly; and whatever a
// macro makes, be it an attribute's (`#[wasm_bindgen]`) or an invocation's, since its text may mean
// anything.

import type { Node, Parser, TreeCursor } from 'web-tree-sitter';
import {
  type Attribute,
  hasMacro,
  importModule,
  isCompiled,
  linkName,
  readAttribute,
} from './rust-attributes.ts';
import { editRust, type RustBlock, type RustItem } from './rust-edits.ts';
import { readRustLiteral } from './rust-literal.ts';
import { readSafeAsSpaces, startWithSafe } from './rust-safe.ts';
import { readRustSignature } from './rust-signature.ts';
import { childOf, endOf, rangeOf, textOf, walk } from './syntax.ts';
import type { EditableDeclaration } from './types.ts';

/**
 * The ABIs whose functions wasm32 imports. `extern "Rust"` is none: `rustc` disregards its `link`, and
 * what it declares is a function of another crate of the same program. The others are either not
 * compiled for wasm32 (`stdcall`, `win64`, …) or the compiler's own.
 */
const IMPORTING_ABIS: readonly string[] = [
  'C',
  'C-unwind',
  'cdecl',
  'cdecl-unwind',
  'system',
  'system-unwind',
];

/** The module that the linker imports from where the source names none. */
const DEFAULT_MODULE = 'env';

/** Nodes that hold no items: what is in a macro is no Rust yet. */
const OPAQUE: readonly string[] = ['macro_invocation', 'macro_definition', 'token_tree'];

/**
 * The functions that a Rust source imports, in the order of the text.
 * @returns none for a text longer than `MAX_SOURCE_LENGTH`; of a text that is broken in places, the
 *   declarations that stand elsewhere.
 */
export function readRust(parser: Parser, text: string): readonly EditableDeclaration[] {
  if (!text.includes('extern')) return [];
  return readSafeAsSpaces(parser, text, (root, parsed) => collect(root, text, parsed));
}

/** A node on the way down: what stands before its next child, and whether it is compiled at all. */
interface Scope {
  attributes: Attribute[];
  isCompiled: boolean;
}

function collect(root: Node, text: string, parsed: string): readonly EditableDeclaration[] {
  const found: EditableDeclaration[] = [];
  const scopes: Scope[] = [{ attributes: [], isCompiled: true }];
  const enter = (cursor: TreeCursor): boolean => {
    const scope = scopes.at(-1);
    const type = cursor.nodeType;
    if (scope === undefined || !scope.isCompiled || type.endsWith('comment')) return false;
    if (type === 'attribute_item') {
      scope.attributes.push(...attributesOf(cursor.currentNode, text));
      return false;
    }
    if (type === 'inner_attribute_item') {
      scope.isCompiled = isCompiled(attributesOf(cursor.currentNode, text));
      return false;
    }
    const { attributes } = scope;
    if (attributes.length > 0) {
      scope.attributes = [];
      if (!isCompiled(attributes)) return false;
    }
    if (type === 'foreign_mod_item') {
      found.push(...readBlock(cursor.currentNode, attributes, text, parsed));
      return false;
    }
    if (OPAQUE.includes(type)) return false;
    scopes.push({ attributes: [], isCompiled: true });
    return true;
  };
  walk(root, enter, () => scopes.pop());
  return found;
}

function attributesOf(item: Node, text: string): readonly Attribute[] {
  const attribute = readAttribute(item, text);
  return attribute === undefined ? [] : [attribute];
}

function readBlock(
  node: Node,
  outer: readonly Attribute[],
  text: string,
  parsed: string,
): readonly EditableDeclaration[] {
  const body = childOf(node, 'body');
  if (body === undefined || !IMPORTING_ABIS.includes(abiOf(node, text))) return [];
  const inner = body.children
    .filter(({ type }) => type === 'inner_attribute_item')
    .flatMap((item) => attributesOf(item, text));
  const attributes = [...outer, ...inner];
  const module = importModule(attributes);
  if (module === 'unread' || !isCompiled(attributes) || hasMacro(attributes)) return [];
  const items = readItems(body, text, parsed);
  const header = { offset: node.startIndex, length: body.startIndex - node.startIndex };
  const block: RustBlock = { header, end: node.endIndex, outer, inner, module, items };
  return items.flatMap((item) => {
    const name = item.name;
    if (name === undefined || !isCompiled(item.attributes) || hasMacro(item.attributes)) return [];
    const { link } = item;
    if (link === 'unread') return [];
    return {
      module: module?.value ?? DEFAULT_MODULE,
      name: link?.value ?? name.value,
      kind: 'function',
      ...(item.signature?.type !== undefined && { type: item.signature.type }),
      identifier: name.written,
      range: item.range,
      mark: link?.range ?? name.range,
      ...editRust(text, block, item),
    };
  });
}

function abiOf(block: Node, text: string): string {
  const modifier = block.children.find(({ type }) => type === 'extern_modifier');
  const [literal] = modifier?.namedChildren ?? [];
  // `extern` alone is `extern "C"`.
  return literal === undefined ? 'C' : (readRustLiteral(literal, text)?.value ?? '');
}

function readItems(body: Node, text: string, parsed: string): readonly RustItem[] {
  const items: RustItem[] = [];
  let attributes: Attribute[] = [];
  let start: number | undefined;
  for (const child of body.namedChildren) {
    if (child.type === 'inner_attribute_item') continue;
    if (child.type.endsWith('comment')) {
      if (childOf(child, 'outer') !== undefined) start ??= child.startIndex;
      continue;
    }
    if (child.type === 'attribute_item') {
      start ??= child.startIndex;
      attributes.push(...attributesOf(child, text));
      continue;
    }
    if (child.type === 'empty_statement') continue;
    items.push(readItem(child, attributes, start, text, parsed));
    attributes = [];
    start = undefined;
  }
  return items;
}

function readItem(
  node: Node,
  attributes: readonly Attribute[],
  start: number | undefined,
  text: string,
  parsed: string,
): RustItem {
  const own = startWithSafe(node, text, parsed);
  const offset = start ?? own;
  const range = { offset, length: endOf(rangeOf(node)) - offset };
  const isBroken = node.hasError;
  const item = { range, start: own, attributes, isBroken, link: linkName(attributes) };
  const name = childOf(node, 'name');
  if (node.type !== 'function_signature_item' || name === undefined || name.isMissing) return item;
  const written = textOf(name, text);
  return {
    ...item,
    name: { written, value: written.replace(/^r#/, ''), range: rangeOf(name) },
    signature: readRustSignature(node, text),
  };
}
