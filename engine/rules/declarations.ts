// Import declarations in sources, judged as their imports will be: the same rules in the same words,
// before anything is built. A call path they cannot have.

import type { TextRange } from '../project/json-document.ts';
import type { EditableDeclaration, ImportDeclaration, SourceEdit } from '../source/types.ts';
import { suggestFunction } from '../whitelist/suggest.ts';
import type { Classification, Whitelist, WhitelistFunction } from '../whitelist/types.ts';
import { functionTypeText } from '../whitelist/whitelist.ts';
import { mismatchFinding } from './import-type-mismatch.ts';
import { impureFinding } from './impure-import.ts';
import { hostModulesOf, verdictOf } from './judge.ts';
import type { RuleCode } from './rules.ts';
import type { Finding, JudgedImport } from './types.ts';
import { unknownFunctionFinding } from './unknown-host-function.ts';
import { importName } from './words.ts';

/** A declaration as it stands against a whitelist. */
export interface JudgedDeclaration {
  readonly declaration: EditableDeclaration;
  readonly classification: Classification;
  /** What is wrong with it; absent where nothing is. */
  readonly finding?: DeclarationFinding;
}

export interface DeclarationFinding extends Pick<Finding, 'message' | 'subject' | 'help'> {
  readonly code: RuleCode;
  /** Where it shows, in UTF-16 units of the source. */
  readonly range: TextRange;
  /** The likeliest first. */
  readonly fixes: readonly SourceFix[];
}

/** A change of one source that removes a finding. */
export interface SourceFix {
  /** What it does, as an imperative sentence without a full stop. */
  readonly title: string;
  readonly edits: readonly SourceEdit[];
}

/**
 * Classifies declarations, and says of those outside the whitelist what is wrong and what helps.
 * @param text the source that they were read from.
 */
export function judgeDeclarations(
  text: string,
  declarations: readonly EditableDeclaration[],
  whitelist: Whitelist,
): readonly JudgedDeclaration[] {
  const hostModules = hostModulesOf(whitelist);
  return declarations.map((declaration, index) => {
    const classification = classifyDeclaration(declaration, whitelist);
    if (classification.class !== 'impure') return { declaration, classification };
    const finding = findingOf(declaration, classification, { text, index, hostModules, whitelist });
    return { declaration, classification, finding };
  });
}

/**
 * How a declaration stands against a whitelist. A type that the text does not tell counts as the right
 * one: only the module shows what it is.
 */
export function classifyDeclaration(
  declaration: ImportDeclaration,
  whitelist: Whitelist,
): Classification {
  const { module, name, kind, type } = declaration;
  const found = whitelist.classify({ module, name, kind, type: type ?? '' });
  const isUntold = type === undefined && kind === 'function' && 'function' in found;
  return isUntold ? { class: found.function.class, function: found.function } : found;
}

interface Surroundings {
  readonly text: string;
  readonly index: number;
  readonly hostModules: ReadonlySet<string>;
  readonly whitelist: Whitelist;
}

function findingOf(
  declaration: EditableDeclaration,
  classification: Classification & { readonly class: 'impure' },
  { text, index, hostModules, whitelist }: Surroundings,
): DeclarationFinding {
  const { module, name, kind, type = '', range, mark } = declaration;
  const verdict = verdictOf(declaration, classification, hostModules, false);
  const entry = { module, name, kind, type, offset: range.offset };
  const judged: JudgedImport = { entry, index, classification, verdict, callPath: undefined };
  const near = kind === 'function' ? suggestFunction(whitelist, declaration) : undefined;
  const common = { range: mark };
  if (classification.mismatch === 'type') {
    const listed = classification.function;
    const { message, subject, help } = mismatchFinding(judged, listed, whitelist);
    const fixes = [...retyping(declaration, listed), ...removing(declaration, text)];
    return { code: 'import-type-mismatch', message, subject, ...helpOf(help), ...common, fixes };
  }
  const isUnknown = verdict === 'unknown-host-function';
  const { message, subject, help } = isUnknown
    ? unknownFunctionFinding(judged, whitelist)
    : impureFinding(judged, whitelist);
  const fixes = [...renaming(declaration, near), ...removing(declaration, text)];
  const code = isUnknown ? 'unknown-host-function' : 'impure-import';
  return { code, message, subject, ...helpOf(help), ...common, fixes };
}

function helpOf(help: string | undefined) {
  return help === undefined ? {} : { help };
}

function retyping(declaration: EditableDeclaration, listed: WhitelistFunction): SourceFix[] {
  const edits = declaration.typedAs(listed);
  return edits === undefined
    ? []
    : [{ title: `Declare ${importName(listed)} as ${functionTypeText(listed)}`, edits }];
}

/** One whose type is another would only exchange the finding for the next. */
function renaming(
  declaration: EditableDeclaration,
  near: WhitelistFunction | undefined,
): SourceFix[] {
  if (near === undefined) return [];
  const { type } = declaration;
  if (type !== undefined && type !== functionTypeText(near)) return [];
  const edits = declaration.importing(near);
  return edits === undefined ? [] : [{ title: `Import ${importName(near)} instead`, edits }];
}

/** Not of what the source uses: it would no longer build. */
function removing(declaration: EditableDeclaration, text: string): SourceFix[] {
  if (isMentioned(declaration, text)) return [];
  const edits = declaration.removed();
  return edits === undefined
    ? []
    : [{ title: `Remove the import of ${importName(declaration)}`, edits }];
}

/** Whether the text names it outside of its own declaration, be it in a comment only. */
function isMentioned({ identifier, range }: EditableDeclaration, text: string): boolean {
  if (identifier === '') return false;
  let at = text.indexOf(identifier);
  while (at >= 0 && at >= range.offset && at < range.offset + range.length) {
    at = text.indexOf(identifier, at + 1);
  }
  return at >= 0;
}
