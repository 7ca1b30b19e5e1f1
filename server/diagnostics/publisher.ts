import { createHash } from 'node:crypto';
import type { Diagnostic } from 'vscode-languageserver-types';
import { createLater } from '../later.ts';

/** How a client gets its diagnostics. */
export interface Publisher {
  /** These files may have other diagnostics now. */
  changed(paths: Iterable<string>): void;
  /** All files may. */
  allChanged(): void;
  /** The diagnostics of a file now, with what tells them from others of it. */
  report(path: string): Report;
  /** The files that have diagnostics, or had some that were told. */
  files(): readonly string[];
}

export interface Report {
  readonly resultId: string;
  readonly items: Diagnostic[];
}

export interface PublisherOptions {
  compute(path: string): readonly Diagnostic[];
  /** Every file that may have diagnostics. */
  files(): Iterable<string>;
  /** Sends the diagnostics of a file to a client that does not ask for them; absent for one that does. */
  push?(path: string, diagnostics: Diagnostic[]): void;
  /** Tells a client that asks that it should ask again. */
  refresh?(): void;
}

/** Refreshes within so many milliseconds are one. */
const REFRESH_AFTER = 30;

export function createPublisher({ compute, files, push, refresh }: PublisherOptions): Publisher {
  /** What was told last, by file, as text. */
  const told = new Map<string, string>();
  const refreshing = createLater(REFRESH_AFTER, () => refresh?.());
  const now = (path: string): { items: Diagnostic[]; text: string } => {
    const items = [...compute(path)];
    return { items, text: JSON.stringify(items) };
  };
  const changed = (paths: Iterable<string>): void => {
    if (push === undefined) {
      refreshing.ask();
      return;
    }
    for (const path of paths) {
      const { items, text } = now(path);
      const before = told.get(path) ?? '[]';
      if (text === before) continue;
      if (items.length === 0) told.delete(path);
      else told.set(path, text);
      push(path, items);
    }
  };
  return {
    changed,
    allChanged: () => changed(new Set([...files(), ...told.keys()])),
    report(path) {
      const { items, text } = now(path);
      if (items.length === 0) told.delete(path);
      else told.set(path, text);
      return { resultId: digest(text), items };
    },
    files: () => [...new Set([...files(), ...told.keys()])].sort(),
  };
}

/** Tells two results of one file apart. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
