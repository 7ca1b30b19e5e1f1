import {
  createScanner,
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { displayText } from '../encoding/display.ts';
import { type JsonValue, MAX_JSON_DEPTH } from '../encoding/json.ts';

/** Steps from the root of a document: member names and list indices. */
export type JsonPath = readonly (string | number)[];

/** A piece of a text, in UTF-16 units as editors count. */
export interface TextRange {
  readonly offset: number;
  readonly length: number;
}

/** Something wrong at a place of a document. `path` is empty for the document as a whole. */
export interface DocumentProblem extends TextRange {
  readonly path: JsonPath;
  readonly message: string;
}

/** A JSON text with comments, and where each of its values stands. */
export interface JsonDocument {
  /** `undefined` where the text is no JSON at all. Objects have no prototype. */
  readonly value: JsonValue | undefined;
  /** Whether the text is broken, so that a value that is not there may only not have been understood. */
  readonly isBroken: boolean;
  /** Syntax errors, keys written twice and lone surrogates, in the order of the text. */
  readonly problems: readonly DocumentProblem[];
  /** Where the value at `path` stands; `undefined` if it is not there. */
  locate(path: JsonPath): TextRange | undefined;
  /** Where the key of the member at `path` stands; `undefined` if it is not there. */
  locateKey(path: JsonPath): TextRange | undefined;
}

/** No more problems than this are told of one document. */
export const MAX_PROBLEMS = 100;

/**
 * Reads JSON with comments, tolerantly: what can be read is read, and everything wrong is told with
 * its place. Nesting deeper than {@link MAX_JSON_DEPTH} is not read at all.
 */
export function readJsonDocument(text: string): JsonDocument {
  const tooDeep = offsetOfDeepNesting(text);
  if (tooDeep !== undefined) {
    const message = `nesting is deeper than ${MAX_JSON_DEPTH}`;
    return emptyDocument([{ path: [], message, offset: tooDeep, length: 1 }]);
  }
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: false, allowTrailingComma: false });
  const problems: DocumentProblem[] = errors.slice(0, MAX_PROBLEMS).map((e) => ({
    path: [],
    message: text.trim() === '' ? 'the file is empty' : syntaxMessage(e),
    offset: e.offset,
    length: e.length,
  }));
  if (root === undefined) return emptyDocument(problems);
  collectProblems(root, [], problems);
  problems.sort((a, b) => a.offset - b.offset);
  return {
    value: getNodeValue(root),
    isBroken: errors.length > 0,
    problems: problems.slice(0, MAX_PROBLEMS),
    locate: (path) => rangeOf(findNodeAtLocation(root, [...path])),
    locateKey: (path) => {
      const node = path.length === 0 ? undefined : findNodeAtLocation(root, [...path]);
      return node?.parent?.type === 'property' ? rangeOf(node.parent.children?.[0]) : undefined;
    },
  };
}

/** Line and column of an offset, both from 1, the column in UTF-16 units. */
export function lineAndColumn(
  text: string,
  offset: number,
): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A path as people write it: `limits.fuel`, `capabilities[1]`. */
export function pathText(path: JsonPath): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${displayText(step)}`))
    .join('')
    .replace(/^\./, '');
}

function emptyDocument(problems: readonly DocumentProblem[]): JsonDocument {
  return {
    value: undefined,
    isBroken: true,
    problems,
    locate: () => undefined,
    locateKey: () => undefined,
  };
}

function rangeOf(node: Node | undefined): TextRange | undefined {
  return node && { offset: node.offset, length: node.length };
}

/**
 * Where a text nests deeper than {@link MAX_JSON_DEPTH}; `undefined` where it does not, however a
 * parser recovers from brackets that do not match. Parsers and walks over their trees recurse, so
 * this is asked before they start.
 */
export function offsetOfDeepNesting(text: string): number | undefined {
  const scanner = createScanner(text, true);
  const closers: string[] = [];
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const first = text.charAt(scanner.getTokenOffset());
    if (first === '{' || first === '[') {
      if (closers.push(first === '{' ? '}' : ']') > MAX_JSON_DEPTH) return scanner.getTokenOffset();
    } else if (first === closers.at(-1)) {
      // One that closes nothing is passed over: counting it would hide how deep the others go.
      closers.pop();
    }
  }
  return undefined;
}

function collectProblems(node: Node, path: JsonPath, problems: DocumentProblem[]): void {
  if (node.type === 'string') {
    checkText(node, path, problems);
  } else if (node.type === 'array') {
    for (const [i, item] of (node.children ?? []).entries()) {
      collectProblems(item, [...path, i], problems);
    }
  } else if (node.type === 'object') {
    collectMemberProblems(node, path, problems);
  }
}

function collectMemberProblems(node: Node, path: JsonPath, problems: DocumentProblem[]): void {
  const seen = new Set<string>();
  for (const member of node.children ?? []) {
    const [key, value] = member.children ?? [];
    if (key === undefined) continue;
    const name = String(key.value);
    checkText(key, path, problems);
    if (seen.has(name)) {
      const message = `the key "${displayText(name)}" is written twice`;
      problems.push({ path, message, offset: key.offset, length: key.length });
    }
    seen.add(name);
    if (value !== undefined) collectProblems(value, [...path, name], problems);
  }
}

function checkText(node: Node, path: JsonPath, problems: DocumentProblem[]): void {
  if (String(node.value).isWellFormed()) return;
  const message = 'the text holds half of a surrogate pair';
  problems.push({ path, message, offset: node.offset, length: node.length });
}

const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is not JSON',
  InvalidNumberFormat: 'this is not a number as JSON writes it',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected ":"',
  CommaExpected: 'expected ","',
  CloseBraceExpected: 'expected "," or "}"',
  CloseBracketExpected: 'expected "," or "]"',
  EndOfFileExpected: 'expected the end of the file',
  UnexpectedEndOfComment: 'the comment does not end',
  UnexpectedEndOfString: 'the text in quotes does not end on its line',
  UnexpectedEndOfNumber: 'the number ends too early',
  InvalidUnicode: 'expected four hex digits after \\u',
  InvalidEscapeCharacter: 'JSON has no such escape',
  InvalidCharacter: 'a control character must be escaped',
};

function syntaxMessage({ error }: ParseError): string {
  return SYNTAX_MESSAGES[printParseErrorCode(error)] ?? 'this is not valid JSON';
}
