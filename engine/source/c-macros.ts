// Macros that a text defines itself, and what calls of them stand for (C17 6.10.3). What is defined
// in other files stays as it is written.

import type { MacroTrail, Token } from './c-tokens.ts';

/** A macro as its `#define` gives it. */
export interface Macro {
  readonly name: string;
  /** Names of the parameters; `undefined` for a macro that is called without parentheses. */
  readonly parameters: readonly string[] | undefined;
  /** Whether the last parameter takes all that is left: `...` or `args...`. */
  readonly isVariadic: boolean;
  readonly body: readonly Token[];
}

/** Reads what follows `#define` on its line; `undefined` if that is no definition. */
export function parseDefinition(tokens: readonly Token[]): Macro | undefined {
  const [name, open] = tokens;
  if (name?.kind !== 'word') return undefined;
  if (open?.text !== '(' || open.isSpaced) {
    return { name: name.text, parameters: undefined, isVariadic: false, body: tokens.slice(1) };
  }
  const close = tokens.findIndex((token) => token.text === ')');
  if (close < 0) return undefined;
  const list = tokens.slice(2, close);
  const parameters = list.filter((token) => token.kind === 'word').map((token) => token.text);
  const isVariadic = list.at(-1)?.text === '...';
  if (isVariadic && list.at(-2)?.kind !== 'word') parameters.push('__VA_ARGS__');
  return { name: name.text, parameters, isVariadic, body: tokens.slice(close + 1) };
}

/** Where tokens are taken from: a list, or the text, whose arguments end where a directive begins. */
export interface TokenSource {
  peek(): Token | undefined;
  take(): Token | undefined;
}

/** A source of the tokens of a list, without what follows it. */
export function sourceOf(tokens: readonly Token[]): TokenSource {
  let at = 0;
  return { peek: () => tokens[at], take: () => tokens[at++] };
}

/** Macros nested deeper than this are not called: each level may double what comes out. */
const MAX_DEPTH = 48;
/** Steps that one text may take beyond its own length. A text past that keeps its calls as written. */
const SPARE_STEPS = 1_000_000;

/** Calls macros, within a budget for the whole text. */
export class MacroExpander {
  #steps: number;
  readonly #lookUp: (name: string) => Macro | undefined;

  /** @param lookUp the macro that has a name where the text stands. */
  constructor(length: number, lookUp: (name: string) => Macro | undefined) {
    this.#steps = length + SPARE_STEPS;
    this.#lookUp = lookUp;
  }

  /** Takes one token from `source` and what it calls for, and adds to `out` what that stands for. */
  expandNext(source: TokenSource, out: Token[], depth = 0): void {
    const queue = new Queue(source);
    do {
      const token = queue.take();
      if (token === undefined) return;
      this.#steps--;
      const macro = this.#macroAt(token, depth);
      const made = macro && this.#call(macro, token, queue, depth);
      if (made === undefined) out.push(token);
      else queue.putBack(placedAs(token, made));
    } while (queue.hasPending);
  }

  /** What a list of tokens stands for. */
  expandAll(tokens: readonly Token[], depth = 0): Token[] {
    const out: Token[] = [];
    const source = sourceOf(tokens);
    while (source.peek() !== undefined) this.expandNext(source, out, depth);
    return out;
  }

  #macroAt(token: Token, depth: number): Macro | undefined {
    if (token.kind !== 'word' || this.#steps <= 0 || depth > MAX_DEPTH) return undefined;
    if ((token.outOf?.depth ?? 0) > MAX_DEPTH || isOutOf(token, token.text)) return undefined;
    return this.#lookUp(token.text);
  }

  /** The tokens that a call becomes; `undefined` if it is none, or its arguments do not fit. */
  #call(macro: Macro, name: Token, queue: Queue, depth: number): Token[] | undefined {
    if (macro.parameters === undefined) {
      return this.#substitute(macro, new Map(), { name, end: name.end }, depth);
    }
    if (queue.peek()?.text !== '(') return undefined;
    const taken = this.#takeArguments(queue);
    const close = taken.tokens.at(-1);
    const given = taken.isClosed ? matchArguments(macro, macro.parameters, taken) : undefined;
    if (given === undefined || close === undefined) {
      queue.putBack(taken.tokens);
      return undefined;
    }
    const end = name.origin === 'written' && close.origin === 'written' ? close.end : name.end;
    return this.#substitute(macro, given, { name, end }, depth);
  }

  #takeArguments(queue: Queue): TakenArguments {
    const tokens: Token[] = [];
    const list: Token[][] = [[]];
    const commas: Token[] = [];
    let depth = 0;
    while (this.#steps-- > 0) {
      const token = queue.take();
      if (token === undefined) break;
      tokens.push(token);
      if (token.text === '(' && depth++ === 0) continue;
      if (token.text === ')' && --depth === 0) {
        return { tokens, list, commas, isClosed: true };
      }
      if (token.text === ',' && depth === 1) {
        commas.push(token);
        list.push([]);
      } else {
        list.at(-1)?.push(token);
      }
    }
    return { tokens, list, commas, isClosed: false };
  }

  #substitute(
    macro: Macro,
    given: ReadonlyMap<string, readonly Token[]>,
    call: { readonly name: Token; readonly end: number },
    depth: number,
  ): Token[] {
    const expanded = new Map<string, readonly Token[]>();
    const outOf = trailOf(macro.name, call.name.outOf);
    const at = { origin: 'made', start: call.name.start, end: call.end, opensLine: false } as const;
    const out: Token[] = [];
    const { body } = macro;
    for (let i = 0; i < body.length; i++) {
      const token = body[i];
      if (token === undefined) break;
      const next = body[i + 1];
      const quoted = token.text === '#' && next !== undefined ? given.get(next.text) : undefined;
      const argument = given.get(token.text);
      if (quoted !== undefined) {
        out.push({ ...at, ...quote(quoted), isSpaced: token.isSpaced, outOf });
        i++;
      } else if (token.text === '##' && next !== undefined && out.length > 0) {
        paste(out, given.get(next.text) ?? [{ ...next, ...at, outOf }]);
        i++;
      } else if (argument !== undefined) {
        const isPasted = next?.text === '##';
        const known = expanded.get(token.text);
        const whole = isPasted ? argument : (known ?? this.expandAll(argument, depth + 1));
        if (!isPasted) expanded.set(token.text, whole);
        this.#steps -= whole.length;
        if (this.#steps <= 0) return out;
        for (const [j, each] of whole.entries()) {
          const isSpaced = j === 0 ? token.isSpaced : each.isSpaced || each.opensLine;
          out.push({ ...each, isSpaced, opensLine: false, outOf: joinTrails(each.outOf, outOf) });
        }
      } else {
        out.push({ ...token, ...at, outOf });
      }
    }
    this.#steps -= out.length;
    return out;
  }
}

/** Tokens put back, to be taken again before those of the source. */
class Queue {
  readonly #pending: Token[] = [];
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  peek(): Token | undefined {
    return this.#pending.at(-1) ?? this.#source.peek();
  }

  take(): Token | undefined {
    return this.#pending.pop() ?? this.#source.take();
  }

  putBack(tokens: readonly Token[]): void {
    for (let i = tokens.length - 1; i >= 0; i--) {
      const token = tokens[i];
      if (token !== undefined) this.#pending.push(token);
    }
  }
}

interface TakenArguments {
  /** All that was taken, parentheses included. */
  readonly tokens: readonly Token[];
  readonly list: readonly (readonly Token[])[];
  /** What separates the arguments: one fewer than there are. */
  readonly commas: readonly Token[];
  readonly isClosed: boolean;
}

function matchArguments(
  macro: Macro,
  parameters: readonly string[],
  { list, commas }: TakenArguments,
): ReadonlyMap<string, readonly Token[]> | undefined {
  const isEmpty = list.length === 1 && list[0]?.length === 0;
  const count = isEmpty && parameters.length === 0 ? 0 : list.length;
  const fixed = macro.isVariadic ? parameters.length - 1 : parameters.length;
  if (macro.isVariadic ? count < fixed : count !== fixed) return undefined;
  const given = new Map<string, readonly Token[]>();
  for (const [i, name] of parameters.entries()) {
    const takesRest = macro.isVariadic && i === fixed;
    given.set(name, takesRest ? joined(list.slice(i), commas.slice(i)) : (list[i] ?? []));
  }
  return given;
}

/** The arguments that `__VA_ARGS__` stands for, commas included. */
function joined(list: readonly (readonly Token[])[], commas: readonly Token[]): readonly Token[] {
  return list.flatMap((tokens, i) => {
    const comma = commas[i];
    return comma === undefined ? tokens : [...tokens, comma];
  });
}

/** `#parameter` (6.10.3.2): its spelling as a literal, at the place where the argument is written. */
function quote(tokens: readonly Token[]): Pick<Token, 'kind' | 'text'> & Partial<Token> {
  const spelling = tokens
    .map((token, i) => {
      const isLiteral = token.kind === 'string' || token.kind === 'character';
      const text = isLiteral ? token.text.replace(/["\\]/g, '\\$&') : token.text;
      return i > 0 && (token.isSpaced || token.opensLine) ? ` ${text}` : text;
    })
    .join('');
  const [first, last] = [tokens[0], tokens.at(-1)];
  const isWritten = tokens.every((token) => token.origin === 'written');
  return {
    kind: 'string',
    text: `"${spelling}"`,
    ...(first && last && isWritten ? { origin: 'quoted', start: first.start, end: last.end } : {}),
  };
}

/** `left ## right` (6.10.3.3): one token out of the last of `out` and the first of `right`. */
function paste(out: Token[], right: readonly Token[]): void {
  const [left, [first, ...rest]] = [out.pop(), right];
  if (left === undefined) return;
  if (first === undefined) out.push(left);
  else out.push({ ...left, text: left.text + first.text, origin: 'made' }, ...rest);
}

/** What a call becomes stands where its name stood. */
function placedAs({ isSpaced, opensLine }: Token, [first, ...rest]: readonly Token[]): Token[] {
  return first === undefined ? [] : [{ ...first, isSpaced, opensLine }, ...rest];
}

function trailOf(name: string, rest: MacroTrail | undefined): MacroTrail {
  return { name, rest, depth: (rest?.depth ?? 0) + 1 };
}

function isOutOf(token: Token, name: string): boolean {
  for (let trail = token.outOf; trail !== undefined; trail = trail.rest) {
    if (trail.name === name) return true;
  }
  return false;
}

/** A token of an argument has been through its own macros, and is now inside the called one. */
function joinTrails(own: MacroTrail | undefined, call: MacroTrail): MacroTrail {
  if (own === undefined) return call;
  let joined = call;
  for (let trail: MacroTrail | undefined = own; trail !== undefined; trail = trail.rest) {
    if (joined.depth > MAX_DEPTH) break;
    joined = trailOf(trail.name, joined);
  }
  return joined;
}
