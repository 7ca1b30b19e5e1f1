// The features of a manifest, with what they need of the project around it.

import { basename } from 'node:path';
import { getLocation } from 'jsonc-parser';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type {
  CodeAction,
  CompletionList,
  Diagnostic,
  Position,
  Range,
} from 'vscode-languageserver-types';
import { isFailure } from '../analysis/lane.ts';
import type { Analysis } from '../analysis/results.ts';
import type { Client } from '../client.ts';
import { manifestActions } from '../manifest/code-actions.ts';
import { completeManifest } from '../manifest/completion.ts';
import { toOffset } from '../manifest/places.ts';
import { isShallow } from '../manifest/tree.ts';
import type { Serving } from '../serving.ts';
import type { Session } from '../session.ts';
import { languageOf } from '../workspace/languages.ts';
import { type Listing, listProject } from '../workspace/listing.ts';
import type { Project } from '../workspace/projects.ts';
import { uriOf } from '../workspace/uris.ts';

/** What was found of a project's artifact, where it could be examined. */
export function analysisOf({ outcome }: Project): Analysis | undefined {
  return outcome === undefined || isFailure(outcome) ? undefined : outcome;
}

export async function manifestCompletion(
  document: TextDocument,
  project: Project,
  position: Position,
  { client: { completion }, session }: Serving,
): Promise<CompletionList> {
  const listing = await listProject(project.folder);
  const isAtEntry = fieldAt(document, project, position) === 'entry';
  const entries = isAtEntry ? await entriesOf(project, session) : undefined;
  const world = {
    folderName: basename(project.folder),
    artifacts: modulesIn(listing),
    sources: listing.filter((path) => path.endsWith('/') || isSource(path)),
    cases: listing.filter((path) => /(?:^|\/)cases?\/.*\.json$/.test(path)),
    whitelists: ['mashin@1', ...listing.filter((path) => /whitelist[^/]*\.json$/.test(path))],
    ...(entries && { entries }),
  };
  return completeManifest(document, project.reading, position, world, completion);
}

/** The field of the manifest that a position is in; none in a text that is not for recursive parsers. */
function fieldAt(
  document: TextDocument,
  { reading: { text } }: Project,
  position: Position,
): string | number | undefined {
  return isShallow(text) ? getLocation(text, toOffset(document, position)).path[0] : undefined;
}

/** What the artifact exports that may run; `undefined` where it cannot be read. */
async function entriesOf(
  project: Project,
  { files, workspace }: Session,
): Promise<readonly string[] | undefined> {
  const { artifact: path } = project;
  if (path === undefined) return undefined;
  const whitelist = workspace.whitelistOf(project);
  const found = await files.do({ kind: 'inspect', path, uri: uriOf(path), whitelist });
  if (isFailure(found)) return undefined;
  return found.exports
    .filter(({ kind, type }) => kind === 'function' && type === '() -> ()')
    .map(({ name }) => name);
}

export async function manifestFixes(
  document: TextDocument,
  project: Project,
  {
    range,
    diagnostics,
    only,
  }: {
    readonly range: Range;
    readonly diagnostics: readonly Diagnostic[];
    readonly only?: readonly string[];
  },
  { commands, settings }: Client,
): Promise<CodeAction[]> {
  const { severities } = settings();
  // An editor asks wherever the caret goes, and only a problem of the manifest is mended with a path.
  const { problems } = project.reading;
  const artifacts = problems.length === 0 ? [] : modulesIn(await listProject(project.folder));
  // What is not told is not mended: a rule that is off, and what was found before the manifest broke.
  const findings =
    project.reading.manifest === undefined ? [] : (analysisOf(project)?.findings ?? []);
  return manifestActions({
    document,
    reading: project.reading,
    range,
    diagnostics,
    ...(only && { only }),
    findings: findings.filter(({ code }) => severities.get(code) !== 'off'),
    folderName: basename(project.folder),
    artifacts,
    commands,
  });
}

function modulesIn(listing: Listing): string[] {
  return listing.filter((path) => path.endsWith('.wasm'));
}

function isSource(path: string): boolean {
  return languageOf(path, undefined, true) !== undefined;
}
