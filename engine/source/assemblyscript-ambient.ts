// Finds what an AssemblyScript text declares without a body, and the types that it names.

import type { Node, TreeCursor } from 'web-tree-sitter';
import type { TextRange } from '../project/json-document.ts';
import { TypeNames } from './assemblyscript-types.ts';
import { childOf, endOf, rangeOf, textOf } from './syntax.ts';

/** A declaration without a body, as the tree has it. */
export interface Ambient {
  readonly node: Node;
  readonly declarator: Node;
  readonly place: 'only' | 'first' | 'later';
  /** The statement or member, from `export` or `declare` on. */
  readonly statement: TextRange;
  /** Namespaces, and last the class, around it. */
  readonly names: readonly string[];
  readonly isMember: boolean;
  /** Whether it is compiled once for each set of type arguments. */
  readonly isGeneric: boolean;
}

interface Frame {
  readonly statement?: TextRange;
  readonly isAmbient: boolean;
  readonly names: readonly string[];
  readonly isClass: boolean;
  readonly isGeneric: boolean;
}

const OUTERMOST: Frame = { isAmbient: false, names: [], isClass: false, isGeneric: false };

/** Walks to ambient declarations, and remembers the types that the text names. */
export class AmbientFinder {
  readonly found: Ambient[] = [];
  readonly types: TypeNames;
  readonly #text: string;
  readonly #frames: Frame[] = [];
  /** Where a `declare` stands that its line break has parted from what it declares. */
  #partedDeclare: number | undefined;

  constructor(text: string) {
    this.#text = text;
    this.types = new TypeNames(text);
  }

  leave(): void {
    this.#frames.pop();
  }

  enter(cursor: TreeCursor): boolean {
    const type = cursor.nodeType;
    if (type === 'comment') return false;
    const parted = this.#partedDeclare;
    if (cursor.nodeIsNamed) this.#partedDeclare = undefined;
    const node = cursor.currentNode;
    const frame = this.#frameAt(node, parted);
    switch (type) {
      case 'export_statement':
        return this.#push({ ...frame, statement: frame.statement ?? rangeOf(node) });
      case 'ambient_declaration':
        return this.#push({
          ...frame,
          statement: frame.statement ?? rangeOf(node),
          isAmbient: true,
        });
      case 'internal_module':
      case 'module':
        return this.#enterNamed(node, frame, false);
      case 'class_declaration':
      case 'abstract_class_declaration':
        this.types.add(node);
        return frame.isAmbient ? this.#enterNamed(node, frame, true) : this.#enterBroken(node);
      case 'interface_declaration':
      case 'enum_declaration':
      case 'type_alias_declaration':
        this.types.add(node);
        return false;
      case 'function_signature':
      case 'method_signature':
      case 'abstract_method_signature':
        this.#addFunction(node, frame);
        return false;
      case 'public_field_definition':
        this.#addVariables(node, [node], frame);
        return false;
      case 'lexical_declaration':
      case 'variable_declaration':
        this.#addVariables(node, childrenOf(node, 'variable_declarator'), frame);
        return false;
      case 'expression_statement':
        if (textOf(node, this.#text).trim() === 'declare') this.#partedDeclare = node.startIndex;
        return node.firstNamedChild?.type === 'internal_module'
          ? this.#push(frame)
          : this.#enterBroken(node);
      case 'program':
      case 'ERROR':
      case 'class_body':
        return this.#push(frame);
      case 'statement_block':
        return frame.names.length > 0 ? this.#push(frame) : this.#enterBroken(node);
      default:
        return this.#enterBroken(node);
    }
  }

  /** What is around a node: inside of a body statements begin anew. */
  #frameAt(node: Node, parted: number | undefined): Frame {
    const frame = this.#frames.at(-1) ?? OUTERMOST;
    if (parted === undefined) return frame;
    const statement = { offset: parted, length: node.endIndex - parted };
    return { ...frame, statement, isAmbient: true };
  }

  #push(frame: Frame): true {
    this.#frames.push(frame);
    return true;
  }

  /** What stands behind something broken may have come to lie inside it. */
  #enterBroken(node: Node): boolean {
    return node.hasError && this.#push({ ...OUTERMOST, names: this.#frames.at(-1)?.names ?? [] });
  }

  #enterNamed(node: Node, frame: Frame, isClass: boolean): boolean {
    const name = childOf(node, 'name');
    if (name === undefined) return false;
    const { isAmbient } = frame;
    const names = [...frame.names, textOf(name, this.#text).replace(/\s/g, '')];
    const isGeneric = childOf(node, 'type_parameters') !== undefined;
    return this.#push({ isAmbient, names, isClass, isGeneric });
  }

  #addFunction(node: Node, { statement, isAmbient, names, isClass, isGeneric }: Frame): void {
    if (!isAmbient || isClass !== (node.type !== 'function_signature')) return;
    const range = this.#whole(statement ?? rangeOf(node));
    const own = isGeneric || childOf(node, 'type_parameters') !== undefined;
    this.found.push({
      node,
      declarator: node,
      place: 'only',
      statement: range,
      names,
      isMember: isClass,
      isGeneric: own,
    });
  }

  #addVariables(
    node: Node,
    declarators: readonly Node[],
    { statement, isAmbient, names, isClass, isGeneric }: Frame,
  ): void {
    const isField = node.type === 'public_field_definition';
    // Fields of objects lie in memory, and are no globals.
    if (!isAmbient || isClass !== isField || (isField && !hasWord(node, 'static'))) return;
    const range = this.#whole(statement ?? rangeOf(node));
    for (const [i, declarator] of declarators.entries()) {
      const place = declarators.length === 1 ? 'only' : i === 0 ? 'first' : 'later';
      this.found.push({
        node,
        declarator,
        place,
        statement: range,
        names,
        isMember: isClass,
        isGeneric,
      });
    }
  }

  /** A statement with the semicolon that the grammar leaves outside of some. */
  #whole(range: TextRange): TextRange {
    const hasSemicolon = this.#text[endOf(range)] === ';';
    return hasSemicolon ? { offset: range.offset, length: range.length + 1 } : range;
  }
}

function childrenOf(node: Node, type: string): readonly Node[] {
  return node.namedChildren.filter((child) => child.type === type);
}

/** Whether a keyword stands in a declaration before its name. */
export function hasWord(node: Node, word: string): boolean {
  return node.children.some((child) => child.type === word && !child.isNamed);
}
