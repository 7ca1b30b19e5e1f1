import pc from 'picocolors';

/** Colours for the terminal; plain text where there is none, or where NO_COLOR is set. */
export const color = pc;

export const MARK = {
  ok: color.green('✔'),
  fail: color.red('✖'),
  warning: color.yellow('▲'),
  info: color.blue('●'),
  skipped: color.dim('–'),
} as const;

/** Writes text to stdout: a command's answer, and nothing else. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Writes one JSON document to stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

/** Writes a message to stderr: progress, hints, errors. */
export function message(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `1,347 bytes`, `121.3 KB`, `9.8 MB`: a size for people. */
export function formatBytes(bytes: number): string {
  if (bytes < 10_000) return `${bytes.toLocaleString('en-US')} bytes`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** `1 import`, `4 imports`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/**
 * Aligns rows of cells into columns, two spaces apart; the width of a cell leaves colours out.
 * Lines end without trailing blanks.
 */
export function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell));
  }
  return rows.map((row) =>
    (
      indent + row.map((cell, i) => cell + ' '.repeat((widths[i] ?? 0) - width(cell))).join('  ')
    ).trimEnd(),
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an ANSI colour starts with a control
const ANSI = /\u001b\[[0-9;]*m/g;

function width(cell: string): number {
  return [...cell.replace(ANSI, '')].length;
}

/** Breaks a sentence at blanks so that no line passes the terminal's width, each line indented. */
export function wrap(sentence: string, indent: string): string {
  const room = Math.max(40, Math.min(process.stdout.columns ?? 100, 110)) - width(indent);
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > room) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((each) => indent + each).join('\n');
}
