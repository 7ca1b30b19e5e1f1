// Attributes and inline assembly, taken out of the tokens of a C or C++ text: they may stand at more
// places than a grammar of C++ knows, and a declaration without them parses.

import type { TextRange } from '../project/json-document.ts';
import { literalText } from './c-strings.ts';
import type { Token, TokenOrigin } from './c-tokens.ts';

/** A name that a string gives, and where an edit would change it. */
export interface NamedBy {
  readonly value: string;
  /** The literals, quotes included, or the argument of a macro that was quoted. */
  readonly range: TextRange;
  readonly origin: TokenOrigin;
}

/** The two names of an import, and what says each. */
export interface ImportNames<T> {
  readonly module?: T;
  readonly name?: T;
}

/** One `import_module("m")` or `import_name("n")`. */
export interface ImportAttribute extends NamedBy {
  readonly gives: 'module' | 'name';
  /** What to write after it for a further attribute of its list, up to the argument's parenthesis. */
  readonly sibling: (gives: 'module' | 'name') => string;
  /** The offset after its closing parenthesis; absent where a macro makes that. */
  readonly end?: number;
}

/** An attribute that concerns imports, or a label, and the place that it was taken from. */
export interface Lifted {
  /** The index among the remaining tokens of the one that it stands before. */
  readonly at: number;
  readonly attributes: readonly ImportAttribute[];
  /** Whether one says what only other files tell, such as `import_module(MODULE)`. */
  readonly isUntold: boolean;
  /** The symbol of `asm("symbol")` on a declarator. */
  readonly label?: string;
}

/** `.import_module symbol, m` or `.import_name symbol, n` of assembly at file scope. */
export interface AssemblyDirective extends NamedBy {
  readonly gives: 'module' | 'name';
  readonly symbol: string;
}

export interface LiftedText {
  /** Indices of the tokens that remain. */
  readonly remaining: readonly number[];
  readonly lifted: readonly Lifted[];
  readonly assembly: readonly AssemblyDirective[];
}

const GNU_ATTRIBUTE = new Set(['__attribute__', '__attribute']);
const ASSEMBLY = new Set(['asm', '__asm__', '__asm']);
/** Words of compilers that say nothing of a type, and that the grammar does not know. */
const SILENT = new Set(['__extension__', '_Nonnull', '_Nullable', '_Null_unspecified']);
const IMPORT_ATTRIBUTE = /^(?:import_(module|name)|__import_(module|name)__)$/;
const CLANG = new Set(['clang', '_Clang', '__clang__']);
const DIRECTIVE = /^\s*\.import_(module|name)[ \t]+([\w.$@]+)[ \t]*,[ \t]*("[^"\n]*"|[^\s;"#]+)/;

/** Takes attributes and assembly out of a text's tokens. */
export function liftAttributes(tokens: readonly Token[]): LiftedText {
  return new Lifter(tokens).run();
}

class Lifter {
  readonly #tokens: readonly Token[];
  readonly #remaining: number[] = [];
  readonly #lifted: Lifted[] = [];
  readonly #assembly: AssemblyDirective[] = [];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  run(): LiftedText {
    for (let token = this.#token(0); token !== undefined; token = this.#token(0)) {
      if (GNU_ATTRIBUTE.has(token.text) && this.#token(1)?.text === '(') {
        this.#liftAttribute(this.#at + 1, '(', ')');
      } else if (token.text === '[' && this.#token(1)?.text === '[') {
        this.#liftAttribute(this.#at, '[', ']');
      } else if (ASSEMBLY.has(token.text)) {
        this.#liftAssembly();
      } else {
        if (!SILENT.has(token.text)) this.#remaining.push(this.#at);
        this.#at++;
      }
    }
    return { remaining: this.#remaining, lifted: this.#lifted, assembly: this.#assembly };
  }

  #token(ahead: number): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  /** Takes a bracketed list out, from its opening bracket on; one without an end goes to the end. */
  #liftAttribute(open: number, opening: string, closing: string): void {
    const end = this.#endOfBrackets(open, opening, closing);
    const read = readAttributes(this.#tokens.slice(open, end));
    if (read.attributes.length > 0 || read.isUntold) {
      this.#lifted.push({ at: this.#remaining.length, ...read });
    }
    this.#at = end;
  }

  /** The index past the bracket that closes the one at `open`. What ends a declaration ends it too. */
  #endOfBrackets(open: number, opening: string, closing: string): number {
    let depth = 0;
    for (let i = open; i < this.#tokens.length; i++) {
      const text = this.#tokens[i]?.text;
      if (text === opening) depth++;
      else if (text === closing && --depth === 0) return i + 1;
      else if (text === ';' || text === '{' || text === '}') return i;
    }
    return this.#tokens.length;
  }

  #liftAssembly(): void {
    let open = this.#at + 1;
    while (/^(?:volatile|__volatile__|goto|inline)$/.test(this.#tokens[open]?.text ?? '')) open++;
    if (this.#tokens[open]?.text !== '(') {
      this.#at++;
      return;
    }
    const end = this.#endOfBrackets(open, '(', ')');
    const strings = stringsFrom(this.#tokens, open + 1);
    const before = this.#tokens[this.#remaining.at(-1) ?? -1]?.text;
    const isLabel = before !== undefined && !/^[;{}]$/.test(before);
    if (isLabel) {
      const label = strings.map((token) => literalText(token.text).value).join('');
      if (strings.length > 0) {
        const at = this.#remaining.length;
        this.#lifted.push({ at, attributes: [], isUntold: false, label });
      }
    } else {
      this.#assembly.push(...strings.flatMap(directivesOf));
    }
    this.#at = end;
  }
}

/** The attributes of one `__attribute__((…))` or `[[…]]` that concern imports. */
function readAttributes(tokens: readonly Token[]): Pick<Lifted, 'attributes' | 'isUntold'> {
  const isGnu = tokens[0]?.text === '(';
  const isUsing = tokens[2]?.text === 'using' && CLANG.has(tokens[3]?.text ?? '');
  const attributes: ImportAttribute[] = [];
  let isUntold = false;
  for (const [i, token] of tokens.entries()) {
    const match = IMPORT_ATTRIBUTE.exec(token.text);
    if (match === null || tokens[i + 1]?.text !== '(') continue;
    const scope = tokens[i - 1]?.text === '::' ? tokens[i - 2]?.text : undefined;
    if (scope === undefined ? !(isGnu || isUsing) : !CLANG.has(scope)) continue;
    const strings = stringsFrom(tokens, i + 2);
    const close = tokens[i + 2 + strings.length];
    const given = namedBy(strings);
    if (given === undefined || close?.text !== ')') {
      isUntold = true;
      continue;
    }
    const prefix = scope === undefined ? '' : `${scope}::`;
    const isGuarded = match[1] === undefined;
    attributes.push({
      ...given,
      gives: (match[1] ?? match[2]) === 'module' ? 'module' : 'name',
      sibling: (gives) => `, ${prefix}${isGuarded ? `__import_${gives}__` : `import_${gives}`}`,
      ...(close.origin === 'written' ? { end: close.end } : {}),
    });
  }
  return { attributes, isUntold };
}

function stringsFrom(tokens: readonly Token[], start: number): readonly Token[] {
  let end = start;
  while (tokens[end]?.kind === 'string') end++;
  return tokens.slice(start, end);
}

/** What adjacent literals name together. They are one piece only if all of them are written. */
function namedBy(strings: readonly Token[]): NamedBy | undefined {
  const [first, last] = [strings[0], strings.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const isWritten = strings.every((token) => token.origin === 'written');
  return {
    value: strings.map((token) => literalText(token.text).value).join(''),
    range: { offset: first.start, length: Math.max(last.end, first.end) - first.start },
    origin: isWritten ? 'written' : strings.length === 1 ? first.origin : 'made',
  };
}

/** The directives in one literal of assembly. A statement does not go on in the next literal. */
function directivesOf(token: Token): AssemblyDirective[] {
  const { value, offsets } = literalText(token.text);
  const found: AssemblyDirective[] = [];
  let start = 0;
  for (const statement of value.split(/[\n;]/)) {
    const match = DIRECTIVE.exec(statement);
    const [whole, gives, symbol, operand] = match ?? [];
    if (whole !== undefined && symbol !== undefined && operand !== undefined) {
      const end = start + whole.length;
      const [from, to] = [offsets[end - operand.length] ?? 0, offsets[end] ?? token.text.length];
      const isWritten = token.origin === 'written';
      found.push({
        gives: gives === 'module' ? 'module' : 'name',
        symbol,
        value: operand.startsWith('"') ? operand.slice(1, -1) : operand,
        range: isWritten
          ? { offset: token.start + from, length: to - from }
          : { offset: token.start, length: token.end - token.start },
        origin: isWritten ? 'written' : 'made',
      });
    }
    start += statement.length + 1;
  }
  return found;
}
