import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { childOf, insert, quoted, rangeOf, removalOf, replace, textOf } from './syntax.ts';
import type { EditableDeclaration, SourceEdit } from './types.ts';
import { readZigSignature, retypeZig } from './zig-signature.ts';
import { readZigIdentifier, readZigString, spellZigIdentifier } from './zig-strings.ts';

/** The module that the linker imports from where the source names none. */
export const DEFAULT_MODULE = 'env';

/** What stands for libc in the place of a module (`wasm-import-module` is set for all others). */
export const LIBC = 'c';

/** What is around a function that stands in a structure for its name's sake. */
interface Wrapper {
  /** The constant that the function is known by. */
  readonly name: Node;
  /** The name of the function, after the structure. */
  readonly member: Node;
  /** The whole. */
  readonly range: TextRange;
}

/** Where the parts of a declaration stand, for edits. */
interface Parts {
  readonly own: number;
  readonly keyword: TextRange;
  readonly module: TextRange | undefined;
  readonly name: TextRange;
  readonly member: TextRange | undefined;
  readonly end: number;
}

/**
 * Reads a `function_declaration`.
 * @param start the offset at which it begins, with its documentation.
 * @returns `undefined` if it is no import.
 */
export function readZigFunction(
  node: Node,
  start: number,
  text: string,
  wrapper?: Wrapper,
): EditableDeclaration | undefined {
  const keyword = node.children.find(({ type }) => type === 'extern');
  const nameNode = childOf(node, 'name');
  if (keyword === undefined || nameNode === undefined || nameNode.isMissing) return undefined;
  if (childOf(node, 'body') !== undefined) return undefined;
  const literal = node.children.find(({ type }) => type === 'string');
  const module = literal === undefined ? DEFAULT_MODULE : readZigString(literal, text);
  const name = readZigIdentifier(textOf(nameNode, text));
  if (module === undefined || name === undefined || module === LIBC) return undefined;
  const signature = readZigSignature(node, text);
  const range = wrapper?.range ?? { offset: start, length: node.endIndex - start };
  const identifier = textOf(wrapper?.name ?? nameNode, text);
  const parts: Parts = {
    own: node.startIndex,
    keyword: rangeOf(keyword),
    module: literal && rangeOf(literal),
    name: rangeOf(nameNode),
    member: wrapper && rangeOf(wrapper.member),
    end: node.endIndex,
  };
  // A broken declaration may have taken in what stands behind it.
  const isBroken = node.hasError;
  return {
    module,
    name,
    kind: 'function',
    ...(signature?.type !== undefined && { type: signature.type }),
    identifier,
    range,
    mark: parts.name,
    importing(target) {
      const from = target.module === module ? [] : naming(parts, target.module);
      const as = target.name === name ? [] : renaming(text, parts, identifier, target.name);
      return isBroken || from === undefined || as === undefined ? undefined : [...from, ...as];
    },
    typedAs: (target) => (isBroken ? undefined : signature && retypeZig(signature, target)),
    removed: () => (isBroken ? undefined : [replace(removalOf(text, range), '')]),
  };
}

/** The literal for a module that a source can name; libc's name and the empty one mean others. */
export function spellZigModule(module: string): string | undefined {
  return module === LIBC || module === '' ? undefined : quoted(module);
}

function naming({ module, keyword }: Parts, wanted: string): readonly SourceEdit[] | undefined {
  const literal = spellZigModule(wanted);
  if (literal === undefined) return undefined;
  if (module !== undefined) return [replace(module, literal)];
  return [insert(keyword.offset + keyword.length, ` ${literal}`)];
}

/**
 * A function is imported by its own name. So that the source can go on calling it what it did, it is
 * put in a structure where it has the other name: `const f = struct { extern fn n() void; }.n;`.
 */
function renaming(
  text: string,
  { own, keyword, name, member, end }: Parts,
  identifier: string,
  wanted: string,
): readonly SourceEdit[] | undefined {
  const spelled = spellZigIdentifier(wanted);
  if (spelled === undefined) return undefined;
  if (member !== undefined) return [replace(name, spelled), replace(member, spelled)];
  const visibility = text.slice(own, keyword.offset);
  return [
    replace(
      { offset: own, length: keyword.offset - own },
      `${visibility}const ${identifier} = struct { `,
    ),
    replace(name, spelled),
    insert(end, ` }.${spelled};`),
  ];
}
