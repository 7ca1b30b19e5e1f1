// How findings speak of imports and call paths. Names come from strangers' files and are made safe.

import { displayText } from '../encoding/display.ts';
import type { CallPath, ImportEntry } from '../module/types.ts';
import type { Whitelist } from '../whitelist/types.ts';
import type { Related } from './types.ts';

/** `wasi_snapshot_preview1.fd_write`. */
export function importName(entry: Pick<ImportEntry, 'module' | 'name'>): string {
  return `${nameText(entry.module)}.${nameText(entry.name)}`;
}

/** `env.now () -> i64`; for other kinds `env.memory (memory i32 1)`; without a type that is not known. */
export function importText(entry: ImportEntry): string {
  const type = displayText(entry.type, 200);
  if (type === '') return importName(entry);
  return entry.kind === 'function'
    ? `${importName(entry)} ${type}`
    : `${importName(entry)} (${entry.kind} ${type})`;
}

/** `mashin@1`. */
export function whitelistText({ name, version }: Pick<Whitelist, 'name' | 'version'>): string {
  return `${displayText(name)}@${version}`;
}

/** `3 functions`, `1 function`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** An offset in a module: `0x1a2f`. */
export function offsetText(offset: number): string {
  return `0x${offset.toString(16).padStart(4, '0')}`;
}

const ALL_SHOWN = 6;

/**
 * A call path in one line: `plan → report → std::io::_print → … → fd_write`. Long ones keep their
 * beginning, the step from the author's code into a library, and their end.
 */
export function callPathText(path: CallPath, entry: ImportEntry): string {
  const names = path.frames.map((frame) => displayText(frame.name, 80));
  const first = path.root.kind === 'export' ? nameText(path.root.name) : names[0];
  if (first !== undefined) names[0] = first;
  if (entry.kind === 'function') names[names.length - 1] = nameText(entry.name);
  const author = path.frames.findIndex((frame) => frame.lastOfAuthor);
  return [...rootWords(path), ...shortened(names, author)].join(' → ');
}

/** The place where the author's own code is left, if the path has one. */
export function lastOfAuthor(path: CallPath): Related | undefined {
  const author = path.frames.findIndex((frame) => frame.lastOfAuthor);
  const [from, to] = [path.frames[author], path.frames[author + 1]];
  if (from === undefined || to?.offset === undefined) return undefined;
  const how = to.via === 'reference' ? 'refers to' : 'calls';
  return {
    message: `${displayText(from.name)} ${how} ${displayText(to.name)} here, the last step in code of this project`,
    location: { file: 'artifact', offset: to.offset },
  };
}

function rootWords({ root }: CallPath): string[] {
  if (root.kind === 'table') return [`table ${root.tableIndex}`];
  return root.kind === 'start' ? ['start'] : [];
}

function shortened(names: readonly string[], author: number): string[] {
  if (names.length <= ALL_SHOWN) return [...names];
  const last = names.length - 1;
  const kept = [...new Set([0, 1, author, author + 1, last])]
    .filter((i) => i >= 0 && i <= last)
    .sort((a, b) => a - b);
  const parts: string[] = [];
  let before = -1;
  for (const i of kept) {
    if (i - before === 2) parts.push(names[before + 1] ?? '…');
    else if (i - before > 2) parts.push('…');
    parts.push(names[i] ?? '');
    before = i;
  }
  return parts;
}

function nameText(name: string): string {
  return name === '' ? '""' : displayText(name);
}
