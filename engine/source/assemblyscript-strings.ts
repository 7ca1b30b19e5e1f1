// String literals as AssemblyScript's tokenizer reads and takes them.

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const ESCAPE =
  /\\(?:u\{([\da-fA-F]{1,6})\}|u([\da-fA-F]{4})|x([\da-fA-F]{2})|(\r\n|[\n\r\u2028\u2029])|([\s\S]))/g;

/** What a literal in quotes stands for. */
export function literalValue(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(
      ESCAPE,
      (_, braced?: string, unit?: string, byte?: string, lineBreak?: string, other?: string) => {
        const hex = braced ?? unit ?? byte;
        if (hex !== undefined) {
          const code = Number.parseInt(hex, 16);
          return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
        }
        if (lineBreak !== undefined || other === undefined) return '';
        return Object.hasOwn(ESCAPES, other) ? (ESCAPES[other] ?? other) : other;
      },
    );
}

/** A literal for a name; `undefined` for one that is no Unicode text, which no module can import. */
export function literalOf(name: string): string | undefined {
  if (!name.isWellFormed()) return undefined;
  return JSON.stringify(name).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
