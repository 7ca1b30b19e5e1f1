// Conditions of `#if` (C17 6.10.1), as far as one text tells them. What clang says for wasm32 is
// known; a name that neither the text nor that settles may be defined on the command line or in
// another file, so that a condition is true, false, or open.

import type { Token } from './c-tokens.ts';
import type { Certainty } from './certainty.ts';

/** What is defined where a condition stands. */
export interface Definitions {
  isDefined(name: string): Certainty;
  /** A condition's tokens with the macros of the text replaced. */
  expand(tokens: readonly Token[]): readonly Token[];
}

/** Macros of `clang --target=wasm32 -dM -E` that texts ask for. */
const TARGET_VALUES: ReadonlyMap<string, bigint> = new Map([
  ['__wasm__', 1n],
  ['__wasm', 1n],
  ['__wasm32__', 1n],
  ['__wasm32', 1n],
  ['__clang__', 1n],
  ['__GNUC__', 4n],
  ['__ILP32__', 1n],
  ['_ILP32', 1n],
  ['__LITTLE_ENDIAN__', 1n],
  ['__STDC__', 1n],
]);
/** Macros of other compilers, processors and systems, which no build for wasm32 has. */
const FOREIGN = new Set(
  (
    '__wasm64__ __wasm64 _WIN32 _WIN64 WIN32 __WIN32__ __MINGW32__ __MINGW64__ __CYGWIN__ _MSC_VER ' +
    '__linux__ __linux linux __gnu_linux__ __ANDROID__ __APPLE__ __MACH__ __FreeBSD__ __NetBSD__ ' +
    '__OpenBSD__ __DragonFly__ __sun __HAIKU__ __x86_64__ __x86_64 __amd64__ _M_X64 _M_IX86 ' +
    '_M_ARM64 __i386__ __i386 i386 __aarch64__ __arm__ __arm64__ __riscv __powerpc__ __mips__ ' +
    '__s390x__ __LP64__ _LP64 __BIG_ENDIAN__'
  ).split(' '),
);
/** Questions that a condition asks like calls, and that are themselves always defined. */
const QUESTION = /^__has_\w+$/;
const IMPORT_ATTRIBUTE = /^(?:__)?import_(?:module|name)(?:__)?$/;

/** Whether a name is defined, as far as the target alone settles it. */
export function targetDefines(name: string, isCpp: boolean): Certainty {
  if (name === '__cplusplus') return isCpp;
  if (TARGET_VALUES.has(name) || QUESTION.test(name)) return true;
  return FOREIGN.has(name) ? false : undefined;
}

/** Whether the condition of an `#if` holds; what is no condition settles nothing. */
export function evaluateCondition(tokens: readonly Token[], definitions: Definitions): Certainty {
  // An operand, an operator or a parenthesis a step: longer ones are machine-made, or hostile.
  if (tokens.length > MAX_TOKENS) return undefined;
  const answered = answerQuestions(tokens, definitions);
  const value = new Evaluation(definitions.expand(answered), definitions).value();
  return value === undefined ? undefined : value !== 0n;
}

const MAX_TOKENS = 4000;
const MAX_DEPTH = 100;

/** Replaces `defined X` and `__has_…(X)`, whose operands are names and no macros to replace. */
function answerQuestions(tokens: readonly Token[], definitions: Definitions): Token[] {
  const out: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    const isDefined = token.text === 'defined';
    if (token.kind !== 'word' || !(isDefined || QUESTION.test(token.text))) {
      out.push(token);
      continue;
    }
    const isCall = tokens[i + 1]?.text === '(';
    let end = i + 1;
    while (isCall && end < tokens.length - 1 && tokens[end]?.text !== ')') end++;
    const asked = tokens.slice(isCall ? i + 2 : i + 1, isCall ? end : end + 1);
    const answer = isDefined
      ? definitions.isDefined(asked[0]?.text ?? '')
      : asked.some((each) => IMPORT_ATTRIBUTE.test(each.text)) || undefined;
    // A name that starts with a digit is no macro's, and no number either: its value is open.
    const text = answer === undefined ? '0open' : answer ? '1' : '0';
    out.push({ ...token, kind: 'number', text });
    i = end;
  }
  return out;
}

/** A value, or `undefined` while it is open. */
type Value = bigint | undefined;

const PRECEDENCE: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};

/** Precedence climbing over the tokens; whatever does not parse leaves the value open. */
class Evaluation {
  readonly #tokens: readonly Token[];
  readonly #definitions: Definitions;
  #at = 0;
  #isBroken = false;

  constructor(tokens: readonly Token[], definitions: Definitions) {
    this.#tokens = tokens;
    this.#definitions = definitions;
  }

  value(): Value {
    const value = this.#conditional(0);
    return this.#isBroken || this.#at < this.#tokens.length ? undefined : value;
  }

  #next(): string | undefined {
    return this.#tokens[this.#at]?.text;
  }

  #accept(text: string): boolean {
    if (this.#next() !== text) return false;
    this.#at++;
    return true;
  }

  #conditional(depth: number): Value {
    const condition = this.#binary(1, depth);
    if (!this.#accept('?')) return condition;
    const yes = this.#nested(depth);
    if (!this.#accept(':')) return this.#fail();
    const no = this.#nested(depth);
    if (condition === undefined) return yes === no ? yes : undefined;
    return condition !== 0n ? yes : no;
  }

  #nested(depth: number): Value {
    return depth >= MAX_DEPTH ? this.#fail() : this.#conditional(depth + 1);
  }

  #binary(lowest: number, depth: number): Value {
    let left = this.#unary(depth);
    for (;;) {
      const operator = this.#next() ?? '';
      const precedence = Object.hasOwn(PRECEDENCE, operator) ? PRECEDENCE[operator] : undefined;
      if (precedence === undefined || precedence < lowest || this.#isBroken) return left;
      this.#at++;
      left = combine(operator, left, this.#binary(precedence + 1, depth));
    }
  }

  #unary(depth: number): Value {
    const signs: string[] = [];
    while (/^[!~+-]$/.test(this.#next() ?? '')) signs.push(this.#tokens[this.#at++]?.text ?? '');
    let value = this.#primary(depth);
    for (const sign of signs.reverse()) {
      if (value === undefined) return undefined;
      if (sign === '!') value = value === 0n ? 1n : 0n;
      else if (sign === '~') value = ~value;
      else if (sign === '-') value = BigInt.asIntN(64, -value);
    }
    return value;
  }

  #primary(depth: number): Value {
    const token = this.#tokens[this.#at++];
    if (token?.text === '(') {
      const value = this.#nested(depth);
      return this.#accept(')') ? value : this.#fail();
    }
    if (token?.kind === 'number') return numberValue(token.text);
    if (token?.kind !== 'word') return token?.kind === 'character' ? undefined : this.#fail();
    if (this.#next() === '(') this.#skipCall();
    return this.#valueOf(token.text);
  }

  /** A name that no macro of the text replaces: 0 if no macro at all has it (6.10.1.4). */
  #valueOf(name: string): Value {
    if (name === 'true') return 1n;
    const isUndefined = name === 'false' || this.#definitions.isDefined(name) === false;
    return isUndefined ? 0n : TARGET_VALUES.get(name);
  }

  /** A call of what is defined elsewhere. */
  #skipCall(): void {
    let depth = 0;
    do {
      const text = this.#tokens[this.#at++]?.text;
      if (text === '(') depth++;
      else if (text === ')') depth--;
    } while (depth > 0 && this.#at < this.#tokens.length);
  }

  #fail(): undefined {
    this.#isBroken = true;
    return undefined;
  }
}

function numberValue(text: string): Value {
  const digits = /^(0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)[uUlLzZ]*$/.exec(text)?.[1];
  if (digits === undefined || digits.length > 80) return undefined;
  const plain = digits.replaceAll("'", '');
  return BigInt.asIntN(64, BigInt(/^0\d/.test(plain) ? `0o${plain.replace(/[89]/g, '7')}` : plain));
}

function combine(operator: string, left: Value, right: Value): Value {
  if (operator === '&&' && (left === 0n || right === 0n)) return 0n;
  if (operator === '||' && (isTrue(left) || isTrue(right))) return 1n;
  if (left === undefined || right === undefined) return undefined;
  const value = arithmetic(operator, left, right);
  return typeof value === 'boolean' ? (value ? 1n : 0n) : value && BigInt.asIntN(64, value);
}

function isTrue(value: Value): boolean {
  return value !== undefined && value !== 0n;
}

function arithmetic(operator: string, a: bigint, b: bigint): bigint | boolean | undefined {
  switch (operator) {
    case '||':
      return a !== 0n || b !== 0n;
    case '&&':
      return a !== 0n && b !== 0n;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '&':
      return a & b;
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    case '<<':
      return b >= 0n && b < 64n ? a << b : undefined;
    case '>>':
      return b >= 0n && b < 64n ? a >> b : undefined;
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return b === 0n ? undefined : a / b;
    default:
      return b === 0n ? undefined : a % b;
  }
}
