import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';
import { type LeftRun, leftContent } from '../provenance/journal.ts';
import { parseJournalEntry } from '../provenance/journal-entry.ts';
import type { Findings } from './findings.ts';
import type { AuditedOpenRun } from './sources.ts';

/** A run that the journal knows of. */
export interface OpenRunEntry extends LeftRun {
  readonly file: string;
  readonly chain: string;
}

/**
 * Reads what the journal knows of a run that has no receipt yet.
 * @returns `undefined` where nothing can have begun: its first line was cut off.
 */
export async function readOpenRun(
  { file, chain, read }: AuditedOpenRun,
  findings: Findings,
): Promise<OpenRunEntry | undefined> {
  const what = displayText(file, 300);
  try {
    const entry = parseJournalEntry(decodeUtf8(await read(), what), file);
    if (entry?.run === undefined) return undefined;
    const { content, notes, commit } = entry.run;
    // Whether the machine itself ended meanwhile cannot be told from the files.
    return { file, chain, commit, content: leftContent(content, { ...notes, mayLack: false }) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    findings.add('unreadable-file', { file }, error.message);
    return undefined;
  }
}
