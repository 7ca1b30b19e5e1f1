/**
 * Characters that would let a name from an adversary fool a terminal or an editor: controls, line
 * and paragraph separators, bidirectional controls, zero-width and other invisible characters,
 * private use and unassigned code points.
 */
const DECEPTIVE = /[\p{C}\p{Zl}\p{Zp}\u061C\u115F\u1160\u17B4\u17B5\u3164\uFFA0]|[^\P{Zs} ]/gu;

/** Printable ASCII without a backslash: most text, and safe as it is. */
const PLAIN = /^[ -[\]-~]*$/;

/**
 * Makes text from an untrusted file safe to show: deceptive characters are escaped as `\u{…}`, a
 * backslash is doubled so that no escape can be forged, and the middle of a text longer than `max`
 * UTF-16 units is cut out.
 */
export function displayText(text: string, max = 120): string {
  if (text.length <= max && PLAIN.test(text)) return text;
  return cutMiddle(text, max)
    .replaceAll('\\', '\\\\')
    .replace(DECEPTIVE, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

function cutMiddle(text: string, max: number): string {
  if (text.length <= max) return text;
  const half = Math.floor((max - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(text.length - half)}`.toWellFormed();
}

/** The first eight hex digits of a hash or key id: enough to tell two apart for a person. */
export function shortHash(hash: string): string {
  return hash.slice(0, 8);
}
