/** A set of lines, one bit for each. */
export function createLineSet(lines: number): {
  add(line: number): void;
  has(line: number): boolean;
} {
  const bits = new Uint8Array(Math.ceil((lines + 1) / 8));
  return {
    add: (line) => {
      bits[line >> 3] = (bits[line >> 3] ?? 0) | (1 << (line & 7));
    },
    has: (line) => ((bits[line >> 3] ?? 0) & (1 << (line & 7))) !== 0,
  };
}
