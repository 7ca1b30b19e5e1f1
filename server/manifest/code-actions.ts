import type { Edit } from 'jsonc-parser';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import {
  type CodeAction,
  CodeActionKind,
  type Diagnostic,
  type Range,
  type TextEdit,
  type WorkspaceEdit,
} from 'vscode-languageserver-types';
import type { DocumentProblem, TextRange } from '../../engine/project/json-document.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import type { AnalysedFinding } from '../analysis/results.ts';
import { INVALID_MANIFEST, problemText } from './diagnostics.ts';
import { findingRemedies, type Remedy } from './finding-actions.ts';
import { type FixContext, fixesOf } from './fixes.ts';
import { rangeOnManifest, toOffset, toRange, touches } from './places.ts';
import { manifestTree } from './tree.ts';
import { parsesNoWorse, takesAway } from './trial.ts';

/** What an editor asks for, and what the answer needs of the world. */
export interface CodeActionRequest {
  readonly document: TextDocument;
  /** Of the document's text. */
  readonly reading: ManifestReading;
  readonly range: Range;
  /** What the editor shows in the range; actions name those that they fix. */
  readonly diagnostics: readonly Diagnostic[];
  /** Kinds asked for; all if absent. */
  readonly only?: readonly string[];
  /** Of the analysis of the artifact; none if there is no analysis. */
  readonly findings: readonly AnalysedFinding[];
  readonly folderName: string;
  /** Modules in the project, relative to the manifest, the likeliest first. */
  readonly artifacts: readonly string[];
  /** What the client can do; no other command is offered. */
  readonly commands: ReadonlySet<string>;
}

/** Every fix is tried before it is offered, which would take long in a text that no person wrote. */
const MAX_FIXED_TEXT = 65_536;
const MAX_FIXED_PROBLEMS = 20;

/** Quick fixes for what is wrong with a manifest, and for findings that it or a command can mend. */
export function manifestActions(request: CodeActionRequest): CodeAction[] {
  if (!isAskedFor(request.only)) return [];
  const { document, range } = request;
  const start = toOffset(document, range.start);
  const asked = { offset: start, length: Math.max(0, toOffset(document, range.end) - start) };
  return [...problemActions(request, asked), ...findingActions(request, asked)];
}

/** Kinds are hierarchical: the empty one asks for all. */
function isAskedFor(only: readonly string[] | undefined): boolean {
  return only === undefined || only.some((kind) => kind === '' || kind === CodeActionKind.QuickFix);
}

function problemActions(request: CodeActionRequest, asked: TextRange): CodeAction[] {
  const { document, reading, folderName, artifacts } = request;
  const root = manifestTree(reading);
  if (root === undefined || reading.text.length > MAX_FIXED_TEXT) return [];
  const context: FixContext = { text: reading.text, root, folderName, artifacts };
  const actions = new Map<string, CodeAction>();
  const problems = reading.problems.filter((problem) => touches(problem, asked));
  for (const problem of problems.slice(0, MAX_FIXED_PROBLEMS)) {
    const fixes = fixesOf(problem, context).filter(({ edits }) =>
      takesAway(problem, edits, reading),
    );
    for (const { title, edits } of fixes) {
      // One mistake may be two problems, such as a comma before a brace.
      const same = JSON.stringify(edits);
      if (actions.has(same)) continue;
      actions.set(same, {
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: shownFor(problem, request),
        isPreferred: fixes.length === 1,
        edit: workspaceEdit(document, edits),
      });
    }
  }
  return [...actions.values()];
}

/** The diagnostics in the editor that show a problem as it is now. */
function shownFor(
  problem: DocumentProblem,
  { document, diagnostics }: CodeActionRequest,
): Diagnostic[] {
  const message = problemText(problem);
  const { start } = toRange(document, problem);
  return diagnostics.filter(
    (shown) =>
      shown.code === INVALID_MANIFEST &&
      textOf(shown) === message &&
      shown.range.start.line === start.line &&
      shown.range.start.character === start.character,
  );
}

function textOf({ message }: Diagnostic): string {
  return typeof message === 'string' ? message : message.value;
}

function findingActions(request: CodeActionRequest, asked: TextRange): CodeAction[] {
  const { reading, findings } = request;
  const root = manifestTree(reading);
  const actions = new Map<string, CodeAction>();
  // A module may import one function any number of times; it takes one remedy.
  for (const finding of new Map(findings.map((each) => [keyOf(each), each])).values()) {
    for (const remedy of findingRemedies(finding, reading, root)) {
      if (!touches(rangeOnManifest(reading, finding.place), asked)) continue;
      const action = remedyAction(remedy, finding, request);
      const same = actions.get(remedy.title);
      if (same !== undefined)
        same.diagnostics = [...(same.diagnostics ?? []), ...(action?.diagnostics ?? [])];
      else if (action !== undefined) actions.set(remedy.title, action);
    }
  }
  return [...actions.values()];
}

function keyOf({ code, subject }: AnalysedFinding): string {
  return `${code} ${subject}`;
}

function remedyAction(
  remedy: Remedy,
  { code, message }: AnalysedFinding,
  { document, reading, diagnostics, commands }: CodeActionRequest,
): CodeAction | undefined {
  const { title } = remedy;
  const action: CodeAction = {
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: diagnostics.filter(
      (shown) => shown.code === code && textOf(shown).startsWith(message),
    ),
    isPreferred: true,
  };
  if (remedy.kind === 'edit') {
    const { edits } = remedy;
    const isSound = reading.text.length <= MAX_FIXED_TEXT && parsesNoWorse(edits, reading);
    return isSound ? { ...action, edit: workspaceEdit(document, edits) } : undefined;
  }
  const { command } = remedy;
  if (!commands.has(command)) return undefined;
  return { ...action, command: { title, command, arguments: [document.uri] } };
}

function workspaceEdit(document: TextDocument, edits: readonly Edit[]): WorkspaceEdit {
  const changes: TextEdit[] = edits.map((edit) => ({
    range: toRange(document, edit),
    newText: edit.content,
  }));
  return { changes: { [document.uri]: changes } };
}
