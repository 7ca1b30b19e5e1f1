// Build constraints (Go command documentation, "Build constraints"), as far as they decide whether a
// file is compiled for WebAssembly at all.

import { allOf, anyOf, type Certainty, notSo } from './certainty.ts';

/** `js` and `wasip1` are systems of WebAssembly; these are not. */
const OTHER_SYSTEMS =
  'aix android darwin dragonfly freebsd hurd illumos ios linux nacl netbsd openbsd plan9 solaris windows zos unix';

/** The one that holds is `wasm`. */
const OTHER_ARCHITECTURES =
  '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64';

/**
 * TinyGo's target `wasm-unknown` passes for `linux` on `arm`, so that the standard library compiles.
 * Nobody who writes these names means WebAssembly, and here they do not.
 */
const FALSE_TAGS: ReadonlySet<string> = new Set(
  `${OTHER_SYSTEMS} ${OTHER_ARCHITECTURES}`.split(' '),
);

/** A longer constraint is not read: nobody writes it, and each parenthesis takes a call. */
const MAX_LENGTH = 2000;

/**
 * Whether a file with these line comments before its package clause is compiled for WebAssembly.
 * @param comments each with its slashes; those that are no constraints are passed over.
 */
export function isBuiltForWasm(comments: readonly string[]): Certainty {
  const constraint = comments.find((comment) => /^\/\/go:build\s/.test(comment));
  if (constraint !== undefined) return evaluate(constraint.slice('//go:build'.length));
  // The older form counts where there is no newer one.
  const older = comments.flatMap((comment) => /^\/\/\s*\+build\s(.*)$/s.exec(comment)?.[1] ?? []);
  return allOf(older.map(evaluateOlder));
}

/** `a,!b c` is (a and not b) or c. */
function evaluateOlder(line: string): Certainty {
  const options = line.split(/\s+/).filter((option) => option !== '');
  return anyOf(options.map((option) => allOf(option.split(',').map(evaluateTerm))));
}

function evaluateTerm(term: string): Certainty {
  return term.startsWith('!') ? notSo(tagHolds(term.slice(1))) : tagHolds(term);
}

function tagHolds(tag: string): Certainty {
  if (FALSE_TAGS.has(tag)) return false;
  return tag === 'wasm' || undefined;
}

function evaluate(expression: string): Certainty {
  if (expression.length > MAX_LENGTH) return undefined;
  const tokens = expression.match(/\|\||&&|[!()]|[^\s!()|&]+|\S/g) ?? [];
  let at = 0;
  const either = (): Certainty => {
    const parts = [both()];
    while (tokens[at] === '||') {
      at++;
      parts.push(both());
    }
    return anyOf(parts);
  };
  const both = (): Certainty => {
    const parts = [one()];
    while (tokens[at] === '&&') {
      at++;
      parts.push(one());
    }
    return allOf(parts);
  };
  const one = (): Certainty => {
    const token = tokens[at++];
    if (token === '!') return notSo(one());
    if (token !== '(') return token === undefined ? undefined : tagHolds(token);
    const inner = either();
    if (tokens[at] === ')') at++;
    return inner;
  };
  const result = either();
  // What does not parse is no constraint that settles anything.
  return at === tokens.length ? result : undefined;
}
