// Imports as Go and TinyGo declare them: functions without a body, below a directive
// (`//go:wasmimport m n`, TinyGo's `//export n`).

import type { Node, Parser, TreeCursor } from 'web-tree-sitter';
import { isBuiltForWasm } from './go-constraints.ts';
import { CommentsAbove, canStandInDirective, type GoImport } from './go-directives.ts';
import { readGoSignature, spellGoSignature } from './go-signature.ts';
import type { WrittenSignature } from './parameters.ts';
import {
  childOf,
  indentAt,
  insert,
  lineBreakOf,
  removalOf,
  replace,
  textOf,
  walk,
  withSyntax,
} from './syntax.ts';
import type { EditableDeclaration, SourceEdit } from './types.ts';

/** The module that the linker imports from where the source names none. */
const DEFAULT_MODULE = 'env';

/** Go's own module, whose functions are handed the stack pointer instead of their parameters. */
const RUNTIME_MODULE = 'gojs';

/**
 * The functions that a Go source imports, in the order of the text; none if its build constraints
 * keep it out of every build for WebAssembly. (The name of the file may too; that is not known here.)
 * @returns none for a text longer than `MAX_SOURCE_LENGTH`; of a text that is broken in places, the
 *   declarations that stand elsewhere.
 */
export function readGo(parser: Parser, text: string): readonly EditableDeclaration[] {
  if (!text.includes('//go:wasmimport') && !/\/\/(?:go:)?export\s/.test(text)) return [];
  return withSyntax(parser, text, [], (root) => collect(root, text));
}

function collect(root: Node, text: string): readonly EditableDeclaration[] {
  const found: EditableDeclaration[] = [];
  const constraints: string[] = [];
  let isBeforePackage = true;
  const above = new CommentsAbove(text);
  walk(root, (cursor: TreeCursor) => {
    const type = cursor.nodeType;
    // Functions stand at the top, or where the text is broken.
    if (type === 'source_file' || type === 'ERROR') return true;
    if (type === 'comment') {
      const node = cursor.currentNode;
      if (isBeforePackage) constraints.push(textOf(node, text));
      above.add(node);
      return false;
    }
    if (type === 'function_declaration') {
      found.push(...readFunction(cursor.currentNode, above, text));
    }
    if (cursor.nodeIsNamed) {
      isBeforePackage = false;
      above.clear();
    }
    return false;
  });
  return isBuiltForWasm(constraints) === false ? [] : found;
}

function readFunction(
  node: Node,
  above: CommentsAbove,
  text: string,
): readonly EditableDeclaration[] {
  const name = childOf(node, 'name');
  const isBodiless = childOf(node, 'body') === undefined;
  if (name === undefined || name.isMissing || !isBodiless) return [];
  // A function of any type is no import: there is no saying which.
  if (childOf(node, 'type_parameters') !== undefined) return [];
  const source = above.importAt(node.startIndex);
  const signature = readGoSignature(node, text);
  if (source === undefined || signature === undefined) return [];
  const range = { offset: source.start, length: node.endIndex - source.start };
  // A broken declaration may have taken in what stands behind it.
  const isBroken = node.hasError;
  const isPassed = source.module?.value !== RUNTIME_MODULE;
  return [
    {
      module: source.module?.value ?? DEFAULT_MODULE,
      name: source.name.value,
      kind: 'function',
      ...(isPassed && signature.type !== undefined && { type: signature.type }),
      identifier: textOf(name, text),
      range,
      mark: source.name.range,
      importing: (target) => importing(text, source, target),
      typedAs: (target) => (isBroken ? undefined : typedAs(signature, target)),
      removed: () => (isBroken ? undefined : [replace(removalOf(text, range), '')]),
    },
  ];
}

function importing(
  text: string,
  { directive, module, name }: GoImport,
  target: { readonly module: string; readonly name: string },
): readonly SourceEdit[] | undefined {
  if (!canStandInDirective(target.module) || !canStandInDirective(target.name)) return undefined;
  const edits: SourceEdit[] = [];
  if (module !== undefined) {
    if (module.value !== target.module) edits.push(replace(module.range, target.module));
  } else if (target.module !== DEFAULT_MODULE) {
    // TinyGo takes more types below `//export` than below `//go:wasmimport`, so that stays.
    const line = `//go:wasm-module ${target.module}${lineBreakOf(text)}`;
    edits.push(insert(directive, line + indentAt(text, directive)));
  }
  if (name.value !== target.name) edits.push(replace(name.range, target.name));
  return edits;
}

function typedAs(
  signature: WrittenSignature,
  target: Parameters<EditableDeclaration['typedAs']>[0],
): readonly SourceEdit[] | undefined {
  const spelled = spellGoSignature(signature, target);
  return spelled === undefined ? undefined : [replace(signature.range, spelled)];
}
