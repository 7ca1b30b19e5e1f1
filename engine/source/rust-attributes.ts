// Attributes as `rustc` reads them, as far as they decide what is imported: `cfg`, `cfg_attr`, `link`
// and `link_name` (The Rust Reference, "Attributes", "Conditional compilation", "External blocks").

import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { allOf, anyOf, type Certainty, notSo } from './certainty.ts';
import { type RustLiteral, readRustLiteral } from './rust-literal.ts';
import { rangeOf, textOf } from './syntax.ts';

/** What stands between the brackets of an attribute, or between two commas of another's list. */
export interface Meta {
  /** Without white space: `link`, `rustfmt::skip`. Empty for a literal that stands alone. */
  readonly path: string;
  /** What follows `=`; a value that is no string is only known to be there. */
  readonly value?: RustLiteral | 'unread';
  /** What stands in the parentheses. */
  readonly list?: readonly Meta[];
}

/** An attribute, `#[…]` or `#![…]`. */
export interface Attribute {
  readonly range: TextRange;
  readonly meta: Meta;
}

/** Lists within lists are read to this depth; what is deeper is unknown. */
const MAX_DEPTH = 32;

/** Reads an `attribute_item` or an `inner_attribute_item`. */
export function readAttribute(item: Node, text: string): Attribute | undefined {
  const attribute = item.namedChildren.find((child) => child.type === 'attribute');
  if (attribute === undefined) return undefined;
  const tokens = attribute.children.filter((child) => !child.isExtra);
  return { range: rangeOf(item), meta: readMeta(tokens, text, 0) };
}

function readMeta(tokens: readonly Node[], text: string, depth: number): Meta {
  const end = tokens.findIndex(({ type }) => type === '=' || type === 'token_tree');
  const words = end < 0 ? tokens : tokens.slice(0, end);
  const isPath = words.every(({ type }) => !type.endsWith('literal') || type === 'boolean_literal');
  const path = isPath ? words.map((word) => textOf(word, text).replace(/\s/g, '')).join('') : '';
  const [sign, value, ...more] = end < 0 ? [] : tokens.slice(end);
  if (sign?.type === 'token_tree') {
    return depth < MAX_DEPTH ? { path, list: readList(sign, text, depth + 1) } : { path };
  }
  if (sign === undefined) return { path };
  const literal =
    value !== undefined && more.length === 0 ? readRustLiteral(value, text) : undefined;
  return { path, value: literal ?? 'unread' };
}

function readList(tree: Node, text: string, depth: number): readonly Meta[] {
  const list: Meta[] = [];
  let tokens: Node[] = [];
  for (const token of tree.children.slice(1, -1)) {
    if (token.type === ',') {
      list.push(readMeta(tokens, text, depth));
      tokens = [];
    } else if (!token.isExtra) {
      tokens.push(token);
    }
  }
  if (tokens.length > 0) list.push(readMeta(tokens, text, depth));
  return list;
}

/** One attribute that applies, out of any `cfg_attr` around it. */
interface Applied {
  readonly meta: Meta;
  /** Whether it applies to every build, or to some. */
  readonly isCertain: boolean;
}

function applied(attributes: readonly Attribute[]): readonly Applied[] {
  const found: Applied[] = [];
  const open: Applied[] = attributes.map(({ meta }) => ({ meta, isCertain: true })).reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { meta, isCertain } = next;
    if (meta.path !== 'cfg_attr') {
      found.push(next);
      continue;
    }
    const [condition, ...others] = meta.list ?? [];
    const holds = condition && holdsForWasm(condition);
    if (holds === false) continue;
    for (const other of others.reverse()) {
      open.push({ meta: other, isCertain: isCertain && holds === true });
    }
  }
  return found;
}

/** Whether some build for WebAssembly compiles what bears these attributes. */
export function isCompiled(attributes: readonly Attribute[]): boolean {
  return !applied(attributes).some(({ meta, isCertain }) => {
    if (!isCertain) return false;
    // What the test harness alone compiles is not in an executor.
    if (meta.path === 'test' || meta.path === 'bench') return true;
    const [condition] = meta.list ?? [];
    return meta.path === 'cfg' && condition !== undefined && holdsForWasm(condition) === false;
  });
}

/**
 * Facts of `rustc --print cfg` that are the same on each of the targets executors are built for:
 * `wasm32-unknown-unknown`, `wasm32v1-none` and the `wasm32-wasip…` family. A key with other values
 * than these is false for sure.
 */
const FACTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['target_arch', ['wasm32']],
  ['target_family', ['wasm']],
  ['target_pointer_width', ['32']],
  ['target_endian', ['little']],
]);

/** Values that some of the targets have; all others are false for sure. */
const POSSIBLE: ReadonlyMap<string, readonly string[]> = new Map([
  ['target_os', ['unknown', 'none', 'wasi', 'emscripten']],
]);

/** Names that are set for no executor: other targets, and programs that only tools build. */
const UNSET: readonly string[] = [
  'unix',
  'windows',
  'test',
  'doc',
  'doctest',
  'miri',
  'proc_macro',
  'false',
];

/** Evaluates a configuration predicate; features and the like are unknown. */
export function holdsForWasm(predicate: Meta): Certainty {
  const { path, value, list } = predicate;
  if (list !== undefined) {
    const parts = list.map(holdsForWasm);
    if (path === 'all') return allOf(parts);
    if (path === 'any') return anyOf(parts);
    return path === 'not' && parts.length === 1 ? notSo(parts[0]) : undefined;
  }
  if (value === undefined) return UNSET.includes(path) ? false : path === 'true' || undefined;
  if (value === 'unread') return undefined;
  const fact = FACTS.get(path);
  if (fact !== undefined) return fact.includes(value.value);
  return POSSIBLE.get(path)?.includes(value.value) === false ? false : undefined;
}

/**
 * The module that the `link` attributes of a block name: the last of them counts, even if it names
 * none.
 * @returns `undefined` where they name none, `unread` where what they name is not told by the text.
 */
export function importModule(attributes: readonly Attribute[]): RustLiteral | 'unread' | undefined {
  const link = applied(attributes).findLast(({ meta }) => meta.path === 'link');
  return link?.meta.list?.find(({ path }) => path === 'wasm_import_module')?.value;
}

/** The name that the `link_name` attributes of an item give it: the first of them counts. */
export function linkName(attributes: readonly Attribute[]): RustLiteral | 'unread' | undefined {
  return applied(attributes).find(({ meta }) => meta.path === 'link_name')?.meta.value;
}

/** Attributes of `rustc` that may stand on a block, an item of one, or both. */
const BUILT_IN =
  /^(?:link|link_name|link_ordinal|link_section|linkage|cfg|cfg_attr|allow|warn|deny|forbid|expect|doc|deprecated|must_use|cold|inline|no_mangle|export_name|unsafe|target_feature|track_caller|used|ffi_const|ffi_pure|stable|unstable|rustc_\w+|(?:rustfmt|clippy|diagnostic|rust_analyzer|miri)::.*)$/;

/**
 * Whether an attribute is a macro (`#[wasm_bindgen]`, `#[host_fn]`): what it makes of the text it
 * stands on is not told by the text.
 */
export function hasMacro(attributes: readonly Attribute[]): boolean {
  return applied(attributes).some(({ meta, isCertain }) => isCertain && !BUILT_IN.test(meta.path));
}
