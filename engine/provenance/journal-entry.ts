import { z } from 'zod';
import { isSha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import type { JournalNotes } from './journal.ts';
import { receiptDirectiveSchema, unplacedSchema } from './receipt.ts';
import type { ChainTip, ReceiptDirective, UnplacedContent } from './types.ts';

export const JOURNAL_FORMAT = 'run-journal/1';

/** The process that a run is in. `started` tells it from a later one with the same pid, where known. */
export interface JournalOwner {
  readonly host: string;
  readonly pid: number;
  readonly started: string | null;
}

/** The first line of an entry: whose it is. */
export interface JournalHead {
  readonly format: typeof JOURNAL_FORMAT;
  readonly owner: JournalOwner;
  /** Names the start of the machine; null where it has no name. */
  readonly boot: string | null;
}

/** A further line of it: `content` comes first, and is what the receipt says if no more is known. */
export type JournalNote =
  | { readonly content: UnplacedContent }
  | { readonly begin: number }
  | { readonly decide: number; readonly entry: ReceiptDirective }
  | { readonly commit: ChainTip };

const place = z.int().min(0);

const headSchema = z.strictObject({
  format: z.literal(JOURNAL_FORMAT),
  owner: z.strictObject({ host: z.string(), pid: z.int(), started: z.string().nullable() }),
  boot: z.string().nullable(),
});

const startSchema = z.strictObject({ content: unplacedSchema });

const noteSchema = z.union([
  z.strictObject({ begin: place }),
  z.strictObject({ decide: place, entry: receiptDirectiveSchema }),
  z.strictObject({
    commit: z.strictObject({
      epoch: place,
      hash: z.string().refine(isSha256, 'not a SHA-256 in hex'),
    }),
  }),
]);

/** An entry of the journal. */
export interface JournalEntry extends Omit<JournalHead, 'format'> {
  /** The run that performs effects and has no receipt yet; absent where no effect can have begun. */
  readonly run?: JournalledNotes;
}

export interface JournalledNotes {
  readonly content: UnplacedContent;
  readonly notes: Omit<JournalNotes, 'mayLack'>;
  /** The receipt that was about to be made durable. */
  readonly commit: ChainTip | undefined;
}

/**
 * Reads an entry. A last line without its end does not count: nobody waited for it.
 * @returns `undefined` where the first line is cut off: nothing can have begun then.
 * @throws {InputError} `invalid-receipt` or `invalid-json` for what is no entry.
 */
export function parseJournalEntry(text: string, what: string): JournalEntry | undefined {
  const [first, second, ...lines] = text.split('\n').slice(0, -1);
  if (first === undefined) return undefined;
  const { owner, boot } = read(headSchema, first, what);
  if (second === undefined) return { owner, boot };
  const { content } = read(startSchema, second, what);
  const begun = new Set<number>();
  const decided = new Map<number, ReceiptDirective>();
  let commit: ChainTip | undefined;
  for (const line of lines) {
    const note = read(noteSchema, line, what);
    if ('begin' in note) begun.add(note.begin);
    else if ('commit' in note) commit = note.commit;
    else decided.set(note.decide, note.entry);
  }
  return { owner, boot, run: { content, notes: { begun, decided }, commit } };
}

function read<Schema extends z.ZodType>(
  schema: Schema,
  line: string,
  what: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(parseJson(line, what));
  if (parsed.success) return parsed.data;
  throw new InputError(
    'invalid-receipt',
    `${displayText(what, 300)} is not the entry of a run: ${describeIssues(parsed.error)}; move it away once you know what the run did`,
  );
}
