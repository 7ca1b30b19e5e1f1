// The edits of an import. Each leaves a text that assembles, if it did before and nothing else of
// the module depends on what is changed.

import type { WhitelistFunction } from '../../whitelist/types.ts';
import type { SourceEdit } from '../types.ts';
import type { WatField } from './document.ts';
import type { FunctionDescriptor, ImportSyntax } from './import-syntax.ts';
import { encodeString } from './strings.ts';
import type { Usage } from './usage.ts';

/** Other names between the quotes; `undefined` where those are not all there. */
export function importingEdits(
  { module, name }: ImportSyntax,
  target: { readonly module: string; readonly name: string },
): readonly SourceEdit[] | undefined {
  if (!module?.isClosed || !name?.isClosed) return undefined;
  return [
    { range: module.contents, text: encodeString(target.module) },
    { range: name.contents, text: encodeString(target.name) },
  ];
}

/** The type of a listed function, spelled out; `undefined` for what is no function. */
export function typingEdits(
  { descriptor }: ImportSyntax,
  target: Pick<WhitelistFunction, 'params' | 'results'>,
): readonly SourceEdit[] | undefined {
  if (descriptor?.kind !== 'function') return undefined;
  const { range } = descriptor.signature;
  const text = signatureText(target, parameterNames(descriptor));
  if (range.length > 0) return [{ range, text }];
  return text === '' ? [] : [{ range, text: ` ${text}` }];
}

function parameterNames({ signature }: FunctionDescriptor): readonly string[] {
  return signature.params?.map(({ identifier }) => identifier) ?? [];
}

/**
 * A function type as it is written: `(param i32 i32) (result i32)`.
 * @param names identifiers for the first parameters, as they are compared; empty for none.
 */
export function signatureText(
  { params, results }: Pick<WhitelistFunction, 'params' | 'results'>,
  names: readonly string[] = [],
): string {
  const groups: string[] = [];
  let unnamed: string[] = [];
  const flush = () => {
    if (unnamed.length > 0) groups.push(`(param ${unnamed.join(' ')})`);
    unnamed = [];
  };
  for (const [i, type] of params.entries()) {
    const name = names[i] ?? '';
    if (name === '') {
      unnamed.push(type);
    } else {
      flush();
      groups.push(`(param ${writtenIdentifier(name)} ${type})`);
    }
  }
  flush();
  if (results.length > 0) groups.push(`(result ${results.join(' ')})`);
  return groups.join(' ');
}

/** What an identifier without quotes may hold (6.3.5). */
const PLAIN_IDENTIFIER = /^\$[\w!#$%&'*+\-./:<=>?@\\^`|~]+$/;

/** An identifier as it may be written: in quotes where it must. */
export function writtenIdentifier(identifier: string): string {
  if (PLAIN_IDENTIFIER.test(identifier)) return identifier;
  return `$"${encodeString(identifier.slice(1))}"`;
}

/** What else a module says, as far as it decides whether an import may go. */
export interface Surroundings {
  readonly text: string;
  readonly usage: Usage;
  /** How many types the text defines. */
  readonly typeCount: number;
}

/**
 * The field and, where it stands there alone, its line; `undefined` where something else uses it, or
 * counts on the index of what comes after it.
 */
export function removingEdits(
  surroundings: Surroundings,
  field: WatField,
): readonly SourceEdit[] | undefined {
  if (!field.isClosed || isNeeded(surroundings, field)) return undefined;
  return [{ range: withItsLine(surroundings.text, field), text: '' }];
}

function isNeeded({ usage, typeCount }: Surroundings, field: WatField): boolean {
  const { kind, index, exports } = field;
  if (kind === 'import' || kind === 'export' || kind === 'start') return true;
  // Most instructions mean the first memory or table without saying so.
  const isImplied = (kind === 'memory' || kind === 'table') && index === 0;
  if (isImplied || exports.length > 0 || usage.isUsed(field)) return true;
  if (usage.greatestNumber(kind) >= index) return true;
  // A type that is spelled out is defined behind those of the text, unless there is one like it.
  return usage.greatestNumber('type') >= typeCount;
}

function withItsLine(text: string, { range }: WatField): SourceEdit['range'] {
  let start = range.offset;
  let end = start + range.length;
  while (start > 0 && isBlank(text.charAt(start - 1))) start--;
  while (end < text.length && isBlank(text.charAt(end))) end++;
  const isLineStart = start === 0 || isBreak(text.charAt(start - 1));
  if (!isLineStart || (end < text.length && !isBreak(text.charAt(end)))) return range;
  if (text.charAt(end) === '\r') end++;
  if (text.charAt(end) === '\n') end++;
  return { offset: start, length: end - start };
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t';
}

function isBreak(character: string): boolean {
  return character === '\n' || character === '\r';
}
