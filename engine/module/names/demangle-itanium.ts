// Names of the Itanium C++ ABI (section 5.1.3 of its mangling), so far as they need no types:
// nested and plain source names, constructors and destructors. wasm-ld writes names demangled, so
// this serves what other linkers leave.

/** Answers `undefined` for what holds template arguments, substitutions, operators or local names. */
export function demangleItanium(symbol: string): string | undefined {
  const body = symbol.replace(/^_*Z/, '');
  if (body.startsWith('N')) return nestedName(body.slice(1));
  const std = body.startsWith('St');
  const name = sourceName(std ? body.slice(2) : body);
  if (name === undefined || name.rest.startsWith('I')) return undefined;
  return std ? `std::${name.text}` : name.text;
}

function nestedName(encoded: string): string | undefined {
  let rest = encoded.replace(/^[rVK]*[RO]?/, ''); // qualifiers of a member function
  const parts: string[] = [];
  if (rest.startsWith('St')) {
    parts.push('std');
    rest = rest.slice(2);
  }
  while (!rest.startsWith('E')) {
    const structor = /^([CD])[0-9]/.exec(rest);
    const last = parts.at(-1);
    if (structor !== null && last !== undefined) {
      parts.push(structor[1] === 'D' ? `~${last}` : last);
      rest = rest.slice(2);
      continue;
    }
    const name = sourceName(rest);
    if (name === undefined) return undefined;
    parts.push(name.text);
    rest = name.rest;
  }
  return parts.length === 0 ? undefined : parts.join('::');
}

function sourceName(rest: string): { readonly text: string; readonly rest: string } | undefined {
  const digits = /^[1-9]\d{0,3}/.exec(rest)?.[0];
  if (digits === undefined) return undefined;
  const end = digits.length + Number(digits);
  if (end > rest.length) return undefined;
  const text = rest.slice(digits.length, end);
  return {
    text: text.startsWith('_GLOBAL__N') ? '(anonymous namespace)' : text,
    rest: rest.slice(end),
  };
}
