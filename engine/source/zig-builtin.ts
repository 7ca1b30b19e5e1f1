import type { Node } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { childOf, insert, quoted, rangeOf, removalOf, replace, textOf } from './syntax.ts';
import type { EditableDeclaration, SourceEdit } from './types.ts';
import { DEFAULT_MODULE, LIBC, spellZigModule } from './zig-function.ts';
import { readZigSignature, retypeZig } from './zig-signature.ts';
import { readZigString } from './zig-strings.ts';

/** The constant whose value an `@extern` is. */
interface Constant {
  readonly name: Node;
  /** The whole declaration, with its documentation. */
  readonly range: TextRange;
  readonly isBroken: boolean;
}

/**
 * Reads `@extern(*const fn (i32) callconv(.c) void, .{ .name = "n", .library_name = "m" })`.
 * @returns `undefined` for other built-in functions, for variables, and for names that are computed.
 */
export function readZigBuiltin(
  call: Node,
  constant: Constant | undefined,
  text: string,
): EditableDeclaration | undefined {
  const [builtin, list] = call.namedChildren;
  if (builtin === undefined || textOf(builtin, text) !== '@extern') return undefined;
  const [type, options] = list?.namedChildren.filter((child) => child.type !== 'comment') ?? [];
  const pointee = type && functionBehind(type, text);
  if (pointee === undefined || options === undefined) return undefined;
  const fields = readFields(options, text);
  const nameNode = fields.get('name');
  const moduleNode = fields.get('library_name');
  const name = nameNode && readZigString(nameNode, text);
  const module = moduleNode === undefined ? DEFAULT_MODULE : readZigString(moduleNode, text);
  if (nameNode === undefined || name === undefined) return undefined;
  if (module === undefined || module === LIBC) return undefined;
  const signature = pointee === 'named' ? undefined : readZigSignature(pointee, text);
  const isBroken = constant?.isBroken ?? call.hasError;
  const range = constant?.range ?? rangeOf(call);
  const nameRange = rangeOf(nameNode);
  const moduleRange = moduleNode && rangeOf(moduleNode);
  return {
    module,
    name,
    kind: 'function',
    ...(signature?.type !== undefined && { type: signature.type }),
    identifier: constant === undefined ? '' : textOf(constant.name, text),
    range,
    mark: nameRange,
    importing(target) {
      const as = target.name === '' ? undefined : quoted(target.name);
      const from = target.module === module ? [] : naming(nameRange, moduleRange, target.module);
      if (as === undefined || from === undefined) return undefined;
      return target.name === name ? from : [replace(nameRange, as), ...from];
    },
    typedAs: (target) => (isBroken ? undefined : signature && retypeZig(signature, target)),
    removed() {
      // What is no declaration of its own is a value, which something waits for.
      if (isBroken || constant === undefined) return undefined;
      return [replace(removalOf(text, range), '')];
    },
  };
}

function naming(
  name: TextRange,
  module: TextRange | undefined,
  wanted: string,
): readonly SourceEdit[] | undefined {
  const literal = spellZigModule(wanted);
  if (literal === undefined) return undefined;
  if (module !== undefined) return [replace(module, literal)];
  return [insert(name.offset + name.length, `, .library_name = ${literal}`)];
}

/**
 * The type of the function that a type points to; `named` where it has a name, behind which there is
 * no looking. Only a constant can be a function: `*T` is a variable.
 */
function functionBehind(type: Node, text: string): Node | 'named' | undefined {
  if (type.type === 'nullable_type') {
    const [inner] = type.namedChildren;
    return inner && functionBehind(inner, text);
  }
  if (type.type === 'identifier' || type.type === 'field_expression') return 'named';
  const isConstant = type.children.some((child) => child.type === 'const');
  if (type.type !== 'pointer_type' || !isConstant || type.firstChild?.type !== '*')
    return undefined;
  const pointee = type.namedChildren.at(-1);
  if (pointee?.type === 'function_signature') return pointee;
  return pointee?.type === 'identifier' || pointee?.type === 'field_expression'
    ? 'named'
    : undefined;
}

/** The values of `.{ .name = …, … }`. */
function readFields(options: Node, text: string): ReadonlyMap<string, Node> {
  const fields = new Map<string, Node>();
  const [list] = options.namedChildren;
  if (options.type !== 'anonymous_struct_initializer' || list === undefined) return fields;
  for (const assignment of list.namedChildren) {
    const member = childOf(assignment, 'left')?.childForFieldName('member');
    const value = childOf(assignment, 'right');
    if (member && value !== undefined) fields.set(textOf(member, text), value);
  }
  return fields;
}
