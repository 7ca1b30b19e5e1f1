import type { Node } from 'web-tree-sitter';
import type { WhitelistFunction } from '../whitelist/types.ts';
import { lowerGoParameter, lowerGoResult, spellInGo } from './go-types.ts';
import {
  loweredType,
  respellParameters,
  respellResult,
  type WrittenParameter,
  type WrittenSignature,
  type WrittenType,
} from './parameters.ts';
import { childOf, rangeFrom, textOf } from './syntax.ts';

/** Reads the parameters and the result of a `function_declaration`. */
export function readGoSignature(node: Node, text: string): WrittenSignature | undefined {
  const list = childOf(node, 'parameters');
  if (list === undefined) return undefined;
  const nodes = list.namedChildren.filter(({ type }) => type !== 'comment');
  const declarations = nodes.filter(({ type }) => type === 'parameter_declaration');
  const parameters = declarations.flatMap((declaration) => readParameters(declaration, text));
  const returned = childOf(node, 'result');
  const result = readResult(returned, text);
  // Not with variable arguments.
  const isWhole = nodes.length === declarations.length && !node.hasError;
  return {
    range: rangeFrom(list, returned ?? list),
    parameters,
    result,
    type: isWhole ? loweredType(parameters, result) : undefined,
  };
}

/** `a, b int32` is two of one type, `int32` one without a name. */
function readParameters(declaration: Node, text: string): readonly WrittenParameter[] {
  const type = childOf(declaration, 'type');
  const written = type === undefined ? '' : textOf(type, text);
  const lowered = type && lowerGoParameter(type, text);
  const names = declaration.childrenForFieldName('name').filter(({ isNamed }) => isNamed);
  if (names.length === 0) return [{ name: undefined, written, lowered }];
  return names.map((name) => ({ name: textOf(name, text), written, lowered }));
}

function readResult(node: Node | undefined, text: string): WrittenType {
  if (node === undefined) return { written: '', lowered: [] };
  const written = textOf(node, text);
  if (node.type !== 'parameter_list') return { written, lowered: lowerGoResult(node, text) };
  const declarations = node.namedChildren.filter(({ type }) => type !== 'comment');
  const [only] = declarations;
  if (only === undefined) return { written, lowered: [] };
  const type = childOf(only, 'type');
  const isOne = declarations.length === 1 && only.childrenForFieldName('name').length <= 1;
  return { written, lowered: isOne && type ? lowerGoResult(type, text) : undefined };
}

/**
 * Parameters and result of a listed function.
 * @returns `undefined` for what Go cannot say of an import: several results, vectors, references.
 */
export function spellGoSignature(
  { parameters, result }: WrittenSignature,
  target: Pick<WhitelistFunction, 'params' | 'results'>,
): string | undefined {
  const params = respellParameters(parameters, target.params, spellInGo);
  const returned = respellResult(result, target.results, spellInGo);
  if (params === undefined || returned === undefined) return undefined;
  // Go names all parameters or none.
  const isNameless = parameters.length > 0 && parameters.every(({ name }) => name === undefined);
  const list = params.map(({ name, type }) => (isNameless ? type : `${name} ${type}`)).join(', ');
  return `(${list})${returned === '' ? '' : ` ${returned}`}`;
}
