// The features of a manifest, with what they need of the project around it.

import { basename } from 'node:path';
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
import { languageOf } from '../workspace/languages.ts';
import { type Listing, listProject } from '../workspace/listing.ts';
import type { Project } from '../workspace/projects.ts';

/** What was found of a project's artifact, where it could be examined. */
export function analysisOf({ outcome }: Project): Analysis | undefined {
  return outcome === undefined || isFailure(outcome) ? undefined : outcome;
}

export async function manifestCompletion(
  document: TextDocument,
  project: Project,
  position: Position,
  { completion }: Client,
): Promise<CompletionList> {
  const listing = await listProject(project.folder);
  const world = {
    folderName: basename(project.folder),
    artifacts: modulesIn(listing),
    sources: listing.filter((path) => path.endsWith('/') || isSource(path)),
    cases: listing.filter((path) => /(?:^|\/)cases?\/.*\.json$/.test(path)),
    whitelists: ['mashin@1', ...listing.filter((path) => /whitelist[^/]*\.json$/.test(path))],
  };
  return completeManifest(document, project.reading, position, world, completion);
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
  { commands }: Client,
): Promise<CodeAction[]> {
  return manifestActions({
    document,
    reading: project.reading,
    range,
    diagnostics,
    ...(only && { only }),
    findings: analysisOf(project)?.findings ?? [],
    folderName: basename(project.folder),
    artifacts: modulesIn(await listProject(project.folder)),
    commands,
  });
}

function modulesIn(listing: Listing): string[] {
  return listing.filter((path) => path.endsWith('.wasm'));
}

function isSource(path: string): boolean {
  return languageOf(path, undefined, true) !== undefined;
}
