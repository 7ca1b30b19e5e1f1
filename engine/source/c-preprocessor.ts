// What of a C or C++ text is compiled for WebAssembly, and what its macros make of it. Of a condition
// that other files or the command line decide, all branches are kept.

import type { TextRange } from '../project/json-document.ts';
import { type Definitions, evaluateCondition, targetDefines } from './c-conditions.ts';
import { type Macro, MacroExpander, parseDefinition } from './c-macros.ts';
import { type Token, tokenize } from './c-tokens.ts';
import { type Certainty, notSo } from './certainty.ts';

/** A branch of conditions that are open, the outermost last. Certain ones make no branch. */
export interface Branch {
  readonly parent: Branch | undefined;
  readonly depth: number;
}

/** A text after its preprocessor. */
export interface PreprocessedText {
  readonly tokens: readonly Token[];
  readonly comments: readonly TextRange[];
  /** The branch that the token with an index stands in; `undefined` outside of any. */
  branchOf(index: number): Branch | undefined;
}

/** Whether what stands in `inner` is compiled only where what stands in `outer` is too. */
export function isWithin(inner: Branch | undefined, outer: Branch | undefined): boolean {
  let branch = inner;
  while (branch !== undefined && branch.depth > (outer?.depth ?? 0)) branch = branch.parent;
  return branch === outer;
}

/** Runs the preprocessor over a text. */
export function preprocess(text: string, isCpp: boolean): PreprocessedText {
  const { tokens, comments } = tokenize(text);
  return { ...new Preprocessor(tokens, isCpp).run(), comments };
}

/** An `#if` with its branches, up to its `#endif`. */
interface Conditional {
  readonly outer: Branch | undefined;
  /** Whether the text around it is compiled at all. */
  readonly isLive: boolean;
  /** Whether a branch so far was taken. */
  taken: Certainty;
}

/** Nesting past this has a single fate: its branches share the one around them. */
const MAX_BRANCH_DEPTH = 200;

class Preprocessor {
  readonly #source: readonly Token[];
  readonly #macros: MacroTable;
  readonly #expander: MacroExpander;
  readonly #conditionExpander: MacroExpander;
  readonly #conditionals: Conditional[] = [];
  readonly #out: Token[] = [];
  /** Where branches begin in the output, in order. */
  readonly #turns: { readonly index: number; readonly branch: Branch | undefined }[] = [];
  #at = 0;
  #isLive = true;
  #branch: Branch | undefined;

  constructor(source: readonly Token[], isCpp: boolean) {
    this.#source = source;
    this.#macros = new MacroTable(isCpp);
    const { length } = source;
    this.#expander = new MacroExpander(length, (name) => this.#macros.lookUp(name, this.#branch));
    this.#conditionExpander = new MacroExpander(length, (name) =>
      this.#macros.lookUpSettled(name, this.#branch),
    );
  }

  run(): Omit<PreprocessedText, 'comments'> {
    // The end of the text and a directive end the arguments of a call alike.
    const peek = () => (this.#isDirective() ? undefined : this.#source[this.#at]);
    const take = () => (this.#isDirective() ? undefined : this.#source[this.#at++]);
    while (this.#at < this.#source.length) {
      const token = this.#source[this.#at];
      if (this.#isDirective()) this.#runDirective();
      else if (this.#isLive && token !== undefined && this.#macros.has(token.text))
        this.#expander.expandNext({ peek, take }, this.#out);
      else this.#pass();
    }
    const turns = this.#turns;
    return { tokens: this.#out, branchOf: (index) => branchAt(turns, index) };
  }

  /** Goes past a token that calls nothing. */
  #pass(): void {
    const token = this.#source[this.#at++];
    if (this.#isLive && token !== undefined) this.#out.push(token);
  }

  #isDirective(): boolean {
    const token = this.#source[this.#at];
    return token?.text === '#' && token.opensLine;
  }

  #runDirective(): void {
    const start = this.#at + 1;
    do this.#at++;
    while (this.#at < this.#source.length && this.#source[this.#at]?.opensLine === false);
    const [name, ...rest] = this.#source.slice(start, this.#at);
    const condition = conditionOf(name?.text ?? '');
    if (condition !== undefined) {
      if (name?.text.startsWith('if')) this.#open();
      this.#turn(() => this.#decide(condition, rest));
    } else if (name?.text === 'endif') {
      this.#close();
    } else if (name?.text === 'define' && this.#isLive) {
      this.#macros.define(parseDefinition(rest), this.#branch);
    } else if (name?.text === 'undef' && this.#isLive) {
      this.#macros.undefine(rest[0]?.text ?? '', this.#branch);
    }
  }

  #decide(condition: Condition, tokens: readonly Token[]): Certainty {
    if (condition === 'else') return true;
    if (condition === 'if') return evaluateCondition(tokens, this.#definitions());
    const isDefined = this.#macros.isDefined(tokens[0]?.text ?? '', this.#branch);
    return condition === 'ifdef' ? isDefined : notSo(isDefined);
  }

  #definitions(): Definitions {
    const branch = this.#branch;
    return {
      isDefined: (name) => this.#macros.isDefined(name, branch),
      // A macro that only some builds have leaves open what a condition makes of it.
      expand: (tokens) => this.#conditionExpander.expandAll(tokens),
    };
  }

  #open(): void {
    this.#conditionals.push({ outer: this.#branch, isLive: this.#isLive, taken: false });
  }

  #turn(condition: () => Certainty): void {
    const conditional = this.#conditionals.at(-1);
    if (conditional === undefined) return;
    const { outer, isLive, taken } = conditional;
    this.#enter(outer);
    const holds = isLive && taken !== true ? condition() : false;
    this.#isLive = holds !== false;
    const isOpen = this.#isLive && (holds === undefined || taken === undefined);
    const depth = (outer?.depth ?? 0) + 1;
    if (isOpen && depth <= MAX_BRANCH_DEPTH) this.#enter({ parent: outer, depth });
    if (holds !== false) conditional.taken = holds;
  }

  #close(): void {
    const conditional = this.#conditionals.pop();
    if (conditional === undefined) return;
    this.#enter(conditional.outer);
    this.#isLive = conditional.isLive;
  }

  #enter(branch: Branch | undefined): void {
    this.#branch = branch;
    this.#turns.push({ index: this.#out.length, branch });
  }
}

type Condition = 'if' | 'ifdef' | 'ifndef' | 'else';

/** What decides a branch that a directive begins: `elif` is as `if`, and so on. */
function conditionOf(directive: string): Condition | undefined {
  switch (directive) {
    case 'if':
    case 'elif':
      return 'if';
    case 'ifdef':
    case 'elifdef':
      return 'ifdef';
    case 'ifndef':
    case 'elifndef':
      return 'ifndef';
    case 'else':
      return 'else';
    default:
      return undefined;
  }
}

function branchAt(
  turns: readonly { readonly index: number; readonly branch: Branch | undefined }[],
  index: number,
): Branch | undefined {
  let low = 0;
  let high = turns.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle]?.index ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return turns[low - 1]?.branch;
}

/** `#define` (with its macro) or `#undef` of a name, in its branch. */
interface Definition {
  readonly macro: Macro | undefined;
  readonly branch: Branch | undefined;
}

/** Alternatives that branches give one name; more than these are forgotten, the oldest first. */
const MAX_ALTERNATIVES = 16;

class MacroTable {
  readonly #entries = new Map<string, Definition[]>();
  readonly #isCpp: boolean;

  constructor(isCpp: boolean) {
    this.#isCpp = isCpp;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  define(macro: Macro | undefined, branch: Branch | undefined): void {
    if (macro !== undefined) this.#add(macro.name, { macro, branch });
  }

  undefine(name: string, branch: Branch | undefined): void {
    this.#add(name, { macro: undefined, branch });
  }

  #add(name: string, definition: Definition): void {
    // What is defined in every build replaces whatever was before.
    const before = definition.branch === undefined ? [] : (this.#entries.get(name) ?? []);
    this.#entries.set(name, [...before.slice(1 - MAX_ALTERNATIVES), definition]);
  }

  isDefined(name: string, branch: Branch | undefined): Certainty {
    const entries = this.#entries.get(name);
    if (entries === undefined) return targetDefines(name, this.#isCpp);
    const last = entries.at(-1);
    if (last === undefined || !isWithin(branch, last.branch)) return undefined;
    return last.macro !== undefined;
  }

  /** The macro of a name that has one and the same in all builds of a branch. */
  lookUpSettled(name: string, branch: Branch | undefined): Macro | undefined {
    const last = this.#entries.get(name)?.at(-1);
    return last !== undefined && isWithin(branch, last.branch) ? last.macro : undefined;
  }

  /**
   * The macro that a name calls: where only some builds have the last one, rather one that declares
   * imports, so that a build that has them is read.
   */
  lookUp(name: string, branch: Branch | undefined): Macro | undefined {
    const entries = this.#entries.get(name);
    const last = entries?.at(-1);
    if (entries === undefined || last === undefined) return undefined;
    if (isWithin(branch, last.branch)) return last.macro;
    return (
      entries.findLast(({ macro }) => macro !== undefined && mentionsImport(macro))?.macro ??
      last?.macro
    );
  }
}

function mentionsImport({ body }: Macro): boolean {
  return body.some(({ text }) => /import_(?:module|name)/.test(text));
}
