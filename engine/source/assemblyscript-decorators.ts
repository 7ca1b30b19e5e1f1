// Decorators of an AssemblyScript text. The grammar of TypeScript takes none on most declarations that
// `asc` does: so they are found first, and the text is parsed again with spaces in their place.

import type { Node, Parser } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { literalValue } from './assemblyscript-strings.ts';
import { childOf, endOf, rangeOf, textOf, walk, withSyntax } from './syntax.ts';

/** A string among a decorator's arguments. */
export interface Argument {
  readonly value: string;
  /** The literal, quotes included. */
  readonly range: TextRange;
}

export interface Decorator {
  readonly range: TextRange;
  /** `external`, `external.js`, `builtin`, … */
  readonly name: string;
  /** Absent if they are not strings alone, or there is no list at all. */
  readonly strings?: readonly Argument[];
}

/** What decorates declarations, and the text without it, all offsets as they were. */
export interface DecoratedText {
  readonly bare: string;
  /** The decorators of what begins at an offset, `export` and `declare` included, in order. */
  decoratorsAt(offset: number): readonly Decorator[];
}

/** Finds the decorators of a text. */
export function readDecorators(parser: Parser, text: string): DecoratedText {
  const decorators = text.includes('@')
    ? withSyntax(parser, text, [], (root) => collect(root, text))
    : [];
  const byNext = new Map<number, Decorator>();
  const pieces: string[] = [];
  let at = 0;
  for (const decorator of decorators) {
    const { range } = decorator;
    byNext.set(skipTrivia(text, endOf(range)), decorator);
    pieces.push(text.slice(at, range.offset), ' '.repeat(range.length));
    at = endOf(range);
  }
  pieces.push(text.slice(at));
  return {
    bare: pieces.join(''),
    decoratorsAt(offset) {
      const found: Decorator[] = [];
      for (
        let next = byNext.get(offset);
        next !== undefined;
        next = byNext.get(next.range.offset)
      ) {
        found.unshift(next);
      }
      return found;
    },
  };
}

function collect(root: Node, text: string): readonly Decorator[] {
  const found: Decorator[] = [];
  walk(root, (cursor) => {
    if (cursor.nodeType !== 'decorator') return true;
    found.push(decoratorOf(cursor.currentNode, text));
    return false;
  });
  return found;
}

function decoratorOf(node: Node, text: string): Decorator {
  const range = rangeOf(node);
  const [expression] = node.namedChildren.filter(({ type }) => type !== 'comment');
  if (expression?.type !== 'call_expression') {
    return { range, name: expression === undefined ? '' : textOf(expression, text) };
  }
  const callee = childOf(expression, 'function');
  const list = childOf(expression, 'arguments');
  const given = list?.namedChildren.filter(({ type }) => type !== 'comment') ?? [];
  const isStrings = given.every(({ type, hasError }) => type === 'string' && !hasError);
  return {
    range,
    name: callee === undefined ? '' : textOf(callee, text),
    ...(isStrings && {
      strings: given.map((each) => ({
        value: literalValue(textOf(each, text)),
        range: rangeOf(each),
      })),
    }),
  };
}

/** The offset of the first thing from `offset` on that is neither white space nor a comment. */
function skipTrivia(text: string, offset: number): number {
  let at = offset;
  for (;;) {
    const pair = text.slice(at, at + 2);
    if (pair === '//') {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (pair === '/*') {
      const end = text.indexOf('*/', at + 2);
      at = end < 0 ? text.length : end + 2;
    } else if (pair !== '' && /^\s/.test(pair)) {
      at++;
    } else {
      return at;
    }
  }
}
