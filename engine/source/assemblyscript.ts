// Imports as AssemblyScript declares them: what is ambient (`declare`), a function, a variable, or a
// member of a class or namespace, under the names that `@external` gives it, else under those that
// `asc` 0.28 makes of the file's name and its own.

import type { Node, Parser } from 'web-tree-sitter';
import { functionTypeText } from '../module/type-text.ts';
import { type Ambient, AmbientFinder, hasWord } from './assemblyscript-ambient.ts';
import { type DecoratedText, type Decorator, readDecorators } from './assemblyscript-decorators.ts';
import { editAssemblyScript, type Parameter, type Written } from './assemblyscript-edits.ts';
import type { TypeNames } from './assemblyscript-types.ts';
import { childOf, endOf, MAX_SOURCE_LENGTH, rangeOf, textOf, walk, withSyntax } from './syntax.ts';
import type { EditableDeclaration } from './types.ts';

/**
 * What an AssemblyScript text imports, in the order of the text. What `asc` refuses to compile is left
 * out: `@external` with other arguments than one or two strings, or twice on a declaration.
 * @param fileName the file's name or path: imports that name no module are from `index` for
 *   `assembly/index.ts`.
 * @returns none for a text longer than `MAX_SOURCE_LENGTH`; of a text that is broken in places, the
 *   declarations that stand elsewhere.
 */
export function readAssemblyScript(
  parser: Parser,
  text: string,
  fileName: string,
): readonly EditableDeclaration[] {
  if (text.length > MAX_SOURCE_LENGTH || !text.includes('declare')) return [];
  const decorated = readDecorators(parser, text);
  const defaultModule = fileName.replace(/^.*[/\\]/s, '').replace(/\.ts$/, '');
  return withSyntax(parser, decorated.bare, [], (root) => {
    const finder = new AmbientFinder(text);
    walk(
      root,
      (cursor) => finder.enter(cursor),
      () => finder.leave(),
    );
    const reader = new Reader(text, decorated, finder.types, defaultModule);
    return finder.found.flatMap((ambient) => reader.read(ambient));
  });
}

/** Makes imports of what is ambient. */
class Reader {
  readonly #text: string;
  readonly #decorated: DecoratedText;
  readonly #types: TypeNames;
  readonly #defaultModule: string;

  constructor(text: string, decorated: DecoratedText, types: TypeNames, defaultModule: string) {
    this.#text = text;
    this.#decorated = decorated;
    this.#types = types;
    this.#defaultModule = defaultModule;
  }

  /** The import that a declaration is, or none. */
  read(ambient: Ambient): readonly EditableDeclaration[] {
    const { node, declarator, place, statement } = ambient;
    const name = childOf(declarator, 'name');
    const decorators = this.#decorated.decoratorsAt(statement.offset);
    const external = externalOf(decorators);
    if (name === undefined || name.startIndex === name.endIndex || external === 'refused')
      return [];
    const identifier = textOf(name, this.#text);
    const [first, second] = external?.strings ?? [];
    const explicit = second ?? first;
    const module = second === undefined ? this.#defaultModule : (first?.value ?? '');
    const isFunction = node.type.endsWith('_signature');
    const signature = isFunction && !ambient.isGeneric ? this.#signatureOf(ambient) : undefined;
    const type = isFunction ? signature?.type : this.#globalType(ambient);
    const start = decorators[0]?.range.offset ?? statement.offset;
    const range =
      place === 'only' ? { offset: start, length: endOf(statement) - start } : rangeOf(declarator);
    const isMarkInside = explicit !== undefined && place === 'only';
    const written: Written = {
      text: this.#text,
      range,
      place,
      defaultModule: this.#defaultModule,
      ...(external && { external }),
      ...(signature && { signature }),
    };
    return [
      {
        module,
        name: explicit?.value ?? this.#nameOf(ambient, identifier),
        kind: isFunction ? 'function' : 'global',
        ...(type !== undefined && { type }),
        identifier,
        range,
        mark: isMarkInside ? explicit.range : rangeOf(name),
        ...editAssemblyScript(written, { module, name: explicit?.value }),
      },
    ];
  }

  /** The name by which `asc` imports what no decorator names. */
  #nameOf({ node, names, isMember }: Ambient, identifier: string): string {
    // Each instance goes by its type arguments, which stand elsewhere.
    const parameters = childOf(node, 'type_parameters');
    const generic = parameters === undefined ? '' : textOf(parameters, this.#text);
    const accessor = hasWord(node, 'get') ? 'get:' : hasWord(node, 'set') ? 'set:' : '';
    const own = `${accessor}${identifier}${generic}`;
    if (names.length === 0) return own;
    return `${names.join('.')}${isMember && !hasWord(node, 'static') ? '#' : '.'}${own}`;
  }

  #globalType({ node, declarator }: Ambient): string | undefined {
    const type = this.#types.typeOf(childOf(declarator, 'type'));
    if (type === undefined || type === 'void') return undefined;
    return hasWord(node, 'const') || hasWord(node, 'readonly') ? type : `mut ${type}`;
  }

  #signatureOf({ node, isMember }: Ambient): Written['signature'] {
    const list = childOf(node, 'parameters');
    if (list === undefined) return undefined;
    const isOnObject = isMember && !hasWord(node, 'static');
    const isConstructor = isOnObject && this.#isNamed(node, 'constructor');
    const result = childOf(node, 'return_type');
    const isSilent = result === undefined && (isConstructor || hasWord(node, 'set'));
    const resultType = isSilent ? (isConstructor ? 'i32' : 'void') : this.#types.typeOf(result);
    const parameters = list.namedChildren
      .filter(({ type }) => type === 'required_parameter' || type === 'optional_parameter')
      .map((parameter) => this.#parameterOf(parameter));
    const params = parameters.flatMap(({ type }) => (type === undefined ? [] : type));
    const isKnown =
      params.length === parameters.length && !params.includes('void') && !list.hasError;
    const passed = isOnObject ? ['i32', ...params] : params;
    const resultNode = result?.namedChild(0);
    return {
      list: rangeOf(list),
      parameters,
      // An object that is passed, or made, is not written.
      isPlain: !isOnObject,
      ...(resultNode && { result: rangeOf(resultNode) }),
      ...(resultType !== undefined && { resultType }),
      ...(isKnown &&
        resultType !== undefined && {
          type: functionTypeText(passed, resultType === 'void' ? [] : [resultType]),
        }),
    };
  }

  #parameterOf(parameter: Node): Parameter {
    const pattern = childOf(parameter, 'pattern');
    const type = this.#types.typeOf(childOf(parameter, 'type'));
    const isName = pattern?.type === 'identifier';
    return {
      range: rangeOf(parameter),
      isOptional:
        parameter.type === 'optional_parameter' ||
        pattern?.type === 'rest_pattern' ||
        childOf(parameter, 'value') !== undefined,
      ...(isName && { name: textOf(pattern, this.#text) }),
      ...(type !== undefined && { type }),
    };
  }

  #isNamed(node: Node, word: string): boolean {
    const name = childOf(node, 'name');
    return name !== undefined && textOf(name, this.#text) === word;
  }
}

/** The `@external` of a declaration; `refused` where `asc` compiles none of this. */
function externalOf(decorators: readonly Decorator[]): Decorator | 'refused' | undefined {
  if (decorators.some(({ name }) => name === 'builtin')) return 'refused';
  const [external, another] = decorators.filter(({ name }) => name === 'external');
  if (external === undefined) return undefined;
  const count = external.strings?.length ?? 0;
  return another === undefined && (count === 1 || count === 2) ? external : 'refused';
}
