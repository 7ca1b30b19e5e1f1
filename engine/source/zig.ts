// Imports as Zig declares them: `extern "m" fn`, and `@extern` of a function (Zig language reference,
// "Keyword Reference", "@extern").
//
// Left out: `extern "c" fn`, which the compiler takes for a function of libc and refuses where none is
// linked, so that libc and not the host has it; variables, which the linker resolves as addresses; and
// tests. What `comptime` would decide is not decided here: a branch that no build takes is read too.

import type { Node, Parser, TreeCursor } from 'web-tree-sitter';
import { textOf, walk, withSyntax } from './syntax.ts';
import type { EditableDeclaration } from './types.ts';
import { readZigBuiltin } from './zig-builtin.ts';
import { readZigFunction } from './zig-function.ts';

/**
 * The functions that a Zig source imports, in the order of the text.
 * @returns none for a text longer than `MAX_SOURCE_LENGTH`, or one that takes the parser too long; of
 *   a text that is broken in places, the declarations that stand elsewhere.
 */
export function readZig(parser: Parser, text: string): readonly EditableDeclaration[] {
  if (!text.includes('extern')) return [];
  return withSyntax(parser, text, [], (root) => collect(root, text));
}

function collect(root: Node, text: string): readonly EditableDeclaration[] {
  const found: EditableDeclaration[] = [];
  const docs = new DocComments(text);
  walk(root, (cursor: TreeCursor) => {
    const type = cursor.nodeType;
    if (type === 'comment') {
      docs.add(cursor.currentNode);
      return false;
    }
    if (type === 'test_declaration') return false;
    if (!READ.includes(type)) {
      if (cursor.nodeIsNamed) docs.clear();
      return true;
    }
    const node = cursor.currentNode;
    const read = readNode(node, docs.startOf(node), text);
    docs.clear();
    if (read !== undefined) found.push(read);
    return read === undefined;
  });
  return found;
}

/** The nodes that may be an import. */
const READ: readonly string[] = [
  'function_declaration',
  'variable_declaration',
  'builtin_function',
];

function readNode(node: Node, start: number, text: string): EditableDeclaration | undefined {
  if (node.type === 'function_declaration') return readZigFunction(node, start, text);
  if (node.type === 'builtin_function') return readZigBuiltin(node, undefined, text);
  const { name, value } = initialized(node);
  if (name === undefined || value === undefined) return undefined;
  const range = { offset: start, length: node.endIndex - start };
  if (value.type === 'builtin_function') {
    return readZigBuiltin(value, { name, range, isBroken: node.hasError }, text);
  }
  const { only, member } = wrapped(value);
  if (only === undefined || member === undefined) return undefined;
  const isAlone = textOf(member, text) === textOf(only.name, text);
  return isAlone
    ? readZigFunction(only.declaration, start, text, { name, member, range })
    : undefined;
}

/** The name of a variable, and what it is from the start. */
function initialized(node: Node): {
  readonly name?: Node | undefined;
  readonly value?: Node | undefined;
} {
  const children = node.children.filter((child) => !child.isExtra);
  const sign = children.findIndex(({ type }) => type === '=');
  const name = children.find(({ type }) => type === 'identifier');
  return sign < 0 ? {} : { name, value: children[sign + 1] };
}

/** `struct { extern "m" fn n() void; }.n`, by which a function goes by another name than it has. */
function wrapped(value: Node): {
  readonly only?: { readonly declaration: Node; readonly name: Node };
  readonly member?: Node | undefined;
} {
  const object = value.childForFieldName('object');
  if (value.type !== 'field_expression' || object?.type !== 'struct_declaration') return {};
  const [declaration, ...more] = object.namedChildren;
  const name = declaration?.childForFieldName('name');
  if (declaration?.type !== 'function_declaration' || more.length > 0 || !name) return {};
  return { only: { declaration, name }, member: value.childForFieldName('member') ?? undefined };
}

/** Documentation, `/// …`, that waits for what it stands above. */
class DocComments {
  readonly #text: string;
  #start: number | undefined;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  add(comment: Node): void {
    if (!/^\/\/\/(?!\/)/.test(this.#text.slice(comment.startIndex, comment.startIndex + 4))) return;
    this.#start = this.startOf(comment);
    this.#end = comment.endIndex;
  }

  clear(): void {
    this.#start = undefined;
  }

  /** Where a node begins, with the documentation above it. */
  startOf(node: Node): number {
    if (this.#start === undefined) return node.startIndex;
    const between = this.#text.slice(this.#end, node.startIndex);
    return between.trim() === '' ? this.#start : node.startIndex;
  }
}
