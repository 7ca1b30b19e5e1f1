import type { Place } from '../engine/audit/findings.ts';
import type { EnvironmentName } from '../engine/audit/report.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import { color, plural } from './terminal.ts';

/** So many of a kind are listed, unless all are asked for. */
const MAX_LISTED = 50;

/** The first ones as lines, and how many there are beside them. */
export function describeList<Item>(
  items: readonly Item[],
  { all, one, more = 0 }: { readonly all: boolean; readonly one: string; readonly more?: number },
  describe: (item: Item) => string,
): readonly string[] {
  const listed = all ? items : items.slice(0, MAX_LISTED);
  const left = items.length - listed.length + more;
  return [...listed.map(describe), ...describeMore(left, one)];
}

/** How many of something there are beside those that are told. */
export function describeMore(count: number, one: string): readonly string[] {
  return count > 0 ? [color.dim(`  … and ${plural(count, `more ${one}`)}`)] : [];
}

/** `12,345`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** `receipts/travel.jsonl, receipt 4, directive 1`. */
export function describePlace({ file, epoch, directive }: Place): string {
  return [
    displayText(file, 300),
    ...(epoch === undefined ? [] : [`receipt ${epoch}`]),
    ...(directive === undefined ? [] : [`directive ${directive}`]),
  ].join(', ');
}

/** `Acme (3fa1b2c4…)`, or the key alone where the trust store has no name for it. */
export function describeEnvironment({ keyId, label }: EnvironmentName): string {
  const key = `${shortHash(keyId)}…`;
  return label === undefined ? key : `${displayText(label, 100)} (${key})`;
}
