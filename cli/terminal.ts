import pc from 'picocolors';

/** Whether the answer is coloured: on a terminal, or where FORCE_COLOR asks for it; NO_COLOR wins. */
function wantsColor({ NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): boolean {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && TERM !== 'dumb';
}

/** Colours for the answer. Messages on stderr are plain. */
export const color = pc.createColors(wantsColor(process.env));

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

/** How many columns a line of the answer may have: those of the terminal, within reason. */
export function lineWidth(): number {
  return Math.max(40, Math.min(process.stdout.columns ?? 100, 110));
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
  return rows.map((row) => {
    // An empty cell in colour is not an empty string, so trimming the line would not do.
    const cells = row.slice(0, row.findLastIndex((cell) => width(cell) > 0) + 1);
    const padded = cells.map((cell, i) =>
      i === cells.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - width(cell)),
    );
    return indent + padded.join('  ');
  });
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: an ANSI colour starts with a control
const ANSI = /\u001b\[[0-9;]*m/g;

function width(cell: string): number {
  return [...cell.replace(ANSI, '')].length;
}

/**
 * Breaks a sentence at blanks so that no line passes {@link lineWidth}; only a word that is longer by
 * itself does.
 * @param hanging the indent of every line but the first.
 */
export function wrap(sentence: string, indent: string, hanging = indent): string {
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of sentence.split(' ')) {
    if (!isEmpty && width(line) + 1 + width(word) > lineWidth()) {
      lines.push(line);
      line = hanging + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  lines.push(line);
  return lines.map((each) => each.trimEnd()).join('\n');
}

/**
 * Rows of a label and a value, the values below each other; a long value goes on under its
 * beginning.
 */
export function labelled(rows: readonly (readonly [string, string])[], indent = '  '): string {
  const labels = Math.max(...rows.map(([label]) => width(label)));
  const hanging = ' '.repeat(indent.length + labels + 2);
  return rows
    .map(([label, value]) =>
      wrap(value, `${indent}${label}${' '.repeat(labels - width(label))}  `, hanging),
    )
    .join('\n');
}
