// Who answers what about a document: by its kind, the features of manifests, of WebAssembly text and
// of declarations in any source.

import { basename } from 'node:path';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver-types';
import { MANIFEST_NAME } from '../../engine/project/manifest-schema.ts';
import { isFailure } from '../analysis/lane.ts';
import { manifestLenses } from '../manifest/code-lenses.ts';
import { manifestHover } from '../manifest/hover.ts';
import { manifestLinks } from '../manifest/links.ts';
import type { Serving } from '../serving.ts';
import type { Project } from '../workspace/projects.ts';
import { keyOf } from '../workspace/uris.ts';
import { declarationHover } from './declaration-hover.ts';
import { analysisOf, manifestCompletion, manifestFixes } from './manifest.ts';
import { soon } from './soon.ts';
import { overlap, sourceFixes } from './source-fixes.ts';
import { importPlace, registerWat, watCompletion, watOf } from './wat.ts';

/** Answers what editors ask about open documents. Of a document that is not open nothing is said. */
export function registerFeatures(serving: Serving): void {
  const { connection, session, client } = serving;
  registerWat(serving);

  connection.onHover(async ({ textDocument: { uri }, position }) => {
    const document = serving.document(uri);
    if (document === undefined) return null;
    const project = projectOf(document, serving);
    if (project !== undefined) {
      return manifestHover(document, project.reading, position, analysisOf(project)) ?? null;
    }
    await soon(session.settled(document));
    const wat = watOf(document);
    const place = wat && importPlace(wat, document.offsetAt(position));
    const at = place ? document.positionAt(place.offset) : position;
    return hoverInSource(document, { start: at, end: at }, serving) ?? null;
  });

  connection.onDocumentLinks(({ textDocument: { uri } }) => {
    const document = serving.document(uri);
    if (document === undefined) return [];
    const project = projectOf(document, serving);
    return project === undefined ? [] : manifestLinks(document, project.reading);
  });

  connection.onCodeLens(async ({ textDocument: { uri } }) => {
    const document = serving.document(uri);
    if (document === undefined || !client.settings().codeLenses) return [];
    await soon(session.settled(document));
    const project = projectOf(document, serving);
    if (project === undefined) return [];
    const { commands } = client;
    return manifestLenses(document, project.reading, analysisOf(project), {
      commands,
      icons: client.icons,
    });
  });

  connection.onCompletion(async ({ textDocument: { uri }, position }) => {
    const document = serving.document(uri);
    if (document === undefined) return null;
    const project = projectOf(document, serving);
    if (project !== undefined) return manifestCompletion(document, project, position, serving);
    const wat = watOf(document);
    return wat === undefined
      ? null
      : watCompletion(document, wat, document.offsetAt(position), serving);
  });

  connection.onCodeAction(async ({ textDocument: { uri }, range, context }) => {
    const document = serving.document(uri);
    if (document === undefined) return [];
    const isCurrent = await soon(session.settled(document));
    const project = projectOf(document, serving);
    if (project !== undefined)
      return manifestFixes(document, project, { range, ...context }, client);
    const key = keyOf(document.uri);
    const entries = session.entries(key);
    const source = session.sources.get(key);
    // A fix for what the text was would spoil what it is.
    if (!isCurrent || source?.version !== document.version) return [];
    const { analysis } = source;
    const isSound = analysis !== undefined && !isFailure(analysis) && analysis.assembles;
    return sourceFixes(document, entries, range, isSound ? assembles : undefined);
  });

  const assembles = async (texts: readonly string[]): Promise<readonly boolean[]> => {
    const answer = await session.documents.do({ kind: 'assemble', texts });
    return isFailure(answer) ? texts.map(() => false) : answer;
  };
}

/** The project of a document that is its manifest. */
function projectOf(document: TextDocument, { session }: Serving): Project | undefined {
  const key = keyOf(document.uri);
  return basename(key) === MANIFEST_NAME ? session.workspace.projects.get(key) : undefined;
}

function hoverInSource(document: TextDocument, at: Range, { session }: Serving) {
  const key = keyOf(document.uri);
  const source = session.sources.get(key);
  const analysis = source?.version === document.version ? source.analysis : undefined;
  if (analysis === undefined || isFailure(analysis)) return undefined;
  const declaration = analysis.declarations.find(({ range }) => overlap(range, at));
  if (declaration === undefined) return undefined;
  const problem = session
    .entries(key)
    .find(({ diagnostic }) => overlap(diagnostic.range, declaration.mark))?.diagnostic;
  // The message is text: markup is for clients that say they take it.
  const message = typeof problem?.message === 'string' ? problem.message : undefined;
  return declarationHover(declaration, message);
}
