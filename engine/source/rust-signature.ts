import type { Node } from 'web-tree-sitter';
import type { WhitelistFunction } from '../whitelist/types.ts';
import {
  loweredType,
  respellParameters,
  respellResult,
  type WrittenParameter,
  type WrittenSignature,
  type WrittenType,
} from './parameters.ts';
import { lowerRustType, spellInRust } from './rust-types.ts';
import { childOf, rangeFrom, textOf } from './syntax.ts';

/** Reads the parameters and the result of a `function_signature_item`. */
export function readRustSignature(item: Node, text: string): WrittenSignature | undefined {
  const list = childOf(item, 'parameters');
  if (list === undefined) return undefined;
  const nodes = list.namedChildren.filter(({ type }) => !type.endsWith('comment'));
  const returned = childOf(item, 'return_type');
  const parameters = nodes
    .filter(({ type }) => type === 'parameter')
    .map((node) => readParameter(node, text));
  const result: WrittenType = {
    written: returned === undefined ? '' : textOf(returned, text),
    lowered: returned === undefined ? [] : lowerRustType(returned, text),
  };
  // Variable arguments, and parameters that a configuration may leave out.
  const isWhole = nodes.length === parameters.length && !item.hasError;
  return {
    range: rangeFrom(list, returned ?? list),
    parameters,
    result,
    type: isWhole ? loweredType(parameters, result) : undefined,
  };
}

function readParameter(node: Node, text: string): WrittenParameter {
  const pattern = childOf(node, 'pattern');
  const type = childOf(node, 'type');
  return {
    name: pattern === undefined ? undefined : textOf(pattern, text),
    written: type === undefined ? '' : textOf(type, text),
    // A type that never is has no value to pass.
    lowered:
      type === undefined || type.type === 'never_type' ? undefined : lowerRustType(type, text),
  };
}

/**
 * Parameters and result of a listed function.
 * @returns `undefined` for what Rust's C ABI cannot say: several results, vectors, references.
 */
export function spellRustSignature(
  { parameters, result }: WrittenSignature,
  target: Pick<WhitelistFunction, 'params' | 'results'>,
): string | undefined {
  const params = respellParameters(parameters, target.params, spellInRust);
  const returned = respellResult(result, target.results, spellInRust);
  if (params === undefined || returned === undefined) return undefined;
  const list = params.map(({ name, type }) => `${name}: ${type}`).join(', ');
  return `(${list})${returned === '' ? '' : ` -> ${returned}`}`;
}
