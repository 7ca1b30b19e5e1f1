/**
 * Decodes Punycode (RFC 3492 section 6.2), or answers `undefined` for what is none.
 * @param mark stands where the standard has `-`, between the plain characters and the encoded.
 */
export function decodePunycode(text: string, mark: string): string | undefined {
  const delimiter = text.lastIndexOf(mark);
  const output = delimiter < 0 ? [] : [...text.slice(0, delimiter)].map((c) => c.charCodeAt(0));
  const input = text.slice(delimiter + 1);
  let [n, i, bias] = [128, 0, 72];
  for (let at = 0; at < input.length; ) {
    const before = i;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(input[at++] ?? '!');
      if (digit < 0) return undefined;
      i += digit * weight;
      const threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const length = output.length + 1;
    bias = adapt(i - before, length, before === 0);
    n += Math.floor(i / length);
    i %= length;
    if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) return undefined;
    output.splice(i++, 0, n);
  }
  return String.fromCodePoint(...output);
}

function adapt(delta: number, length: number, first: boolean): number {
  let scaled = first ? Math.floor(delta / 700) : delta >> 1;
  scaled += Math.floor(scaled / length);
  let k = 0;
  for (; scaled > 455; k += 36) scaled = Math.floor(scaled / 35);
  return k + Math.floor((36 * scaled) / (scaled + 38));
}
