// Takes from the tree what an edit of a function's type needs: which tokens spell which part of it.

import type { Node } from 'web-tree-sitter';
import type { DeclaratorReader } from './c-declarators.ts';
import type { FunctionParts, ResultParts, Span } from './c-functions.ts';
import type { PlainText } from './c-plain-text.ts';
import { type FunctionType, isValueType, valueTypeOf } from './c-types.ts';
import { childOf } from './syntax.ts';

/** The tokens of a node; of one without any, the token behind it. */
export function spanOf(node: Node, plain: PlainText): Span {
  const first = plain.indexAt(node.startIndex);
  return { first, last: Math.max(first, plain.indexAt(node.endIndex) - 1) };
}

/** What a declaration begins with, of which its functions make their results. */
export function specifiersOf(declaration: Node, plain: PlainText): ResultParts {
  const type = childOf(declaration, 'type');
  const qualifiers = declaration.namedChildren.filter((child) => child.type === 'type_qualifier');
  return {
    qualifiers: qualifiers.map((qualifier) => spanOf(qualifier, plain)),
    ...(type && { type: spanOf(type, plain) }),
  };
}

/** Reads the parts of the functions of one text. */
export class PartsReader {
  readonly #plain: PlainText;
  readonly #reader: DeclaratorReader;

  constructor(plain: PlainText, reader: DeclaratorReader) {
    this.#plain = plain;
    this.#reader = reader;
  }

  /**
   * The parts of a function.
   * @param declarator its whole declarator, asterisks of its result included.
   * @param ofFunction the node inside that with the name and the parameters.
   */
  read(
    specifiers: ResultParts,
    type: FunctionType,
    declarator: Span,
    ofFunction: Node,
  ): FunctionParts | undefined {
    const list = childOf(ofFunction, 'parameters');
    if (list === undefined) return undefined;
    const start = this.#plain.indexAt(ofFunction.startIndex);
    const hasPointers = start > declarator.first;
    return {
      list: spanOf(list, this.#plain),
      // `(void)` is a list of none.
      parameters: type.parameters.length === 0 ? [] : this.#parametersOf(list),
      isOpen: type.list !== 'closed',
      result: {
        ...specifiers,
        value: valueTypeOf(type.result),
        ...(hasPointers && { pointers: { first: declarator.first, last: start - 1 } }),
      },
      isTrailing: ofFunction.namedChildren.some((child) => child.type === 'trailing_return_type'),
    };
  }

  #parametersOf(list: Node): FunctionParts['parameters'] {
    return this.#reader.parameters(list).map(({ node, declared }) => {
      const value = valueTypeOf(declared.type);
      return {
        ...spanOf(node, this.#plain),
        hasDefault: node.type === 'optional_parameter_declaration',
        ...(declared.name && { name: this.#plain.wordOf(declared.name) }),
        ...(isValueType(value) && { value }),
      };
    });
  }
}
