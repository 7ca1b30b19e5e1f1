import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { DocumentLink } from 'vscode-languageserver-types';
import { URI, Utils } from 'vscode-uri';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { WHITELIST_NAME } from '../../engine/project/manifest-schema.ts';
import { isPattern, patternProblem } from '../../engine/project/pattern.ts';
import {
  normalizeRelativePath,
  type PathReach,
  relativePathProblem,
} from '../../engine/project/relative-path.ts';
import { toRange } from './places.ts';
import { manifestTree, textNodesAt } from './tree.ts';

/** More entries than the schema lets a list have are not linked. */
const MAX_LINKS_IN_FIELD = 1000;

const LINKED: readonly {
  readonly field: string;
  readonly isList: boolean;
  readonly reach: PathReach;
  readonly tooltip: string;
}[] = [
  {
    field: 'artifact',
    isList: false,
    reach: 'inside the project',
    tooltip: 'Open the artifact',
  },
  { field: 'source', isList: true, reach: 'anywhere', tooltip: 'Open this source' },
  { field: 'whitelist', isList: false, reach: 'anywhere', tooltip: 'Open the whitelist' },
  { field: 'cases', isList: true, reach: 'inside the project', tooltip: 'Open this case' },
];

/**
 * Links from the paths of a manifest to their files and folders. Patterns and paths that the
 * manifest may not hold are no links; whether a file exists is not asked.
 */
export function manifestLinks(document: TextDocument, reading: ManifestReading): DocumentLink[] {
  const folder = Utils.dirname(URI.parse(document.uri));
  // Only of a folder can a path be relative to: a manifest that is not saved yet lies in none.
  if (!folder.path.startsWith('/')) return [];
  const root = manifestTree(reading);
  return LINKED.flatMap(({ field, isList, reach, tooltip }) =>
    textNodesAt(root, [field])
      .slice(0, MAX_LINKS_IN_FIELD)
      .filter(({ node, text }) => {
        return isList === (node.parent?.type === 'array') && isLinked(field, text, reach);
      })
      .map(({ node, text }) => ({
        range: toRange(document, {
          offset: node.offset + 1,
          length: Math.max(0, node.length - 2),
        }),
        target: Utils.joinPath(folder, normalizeRelativePath(text)).toString(),
        tooltip,
      })),
  );
}

function isLinked(field: string, path: string, reach: PathReach): boolean {
  // Half of a surrogate pair has no form in a URI.
  if (!path.isWellFormed()) return false;
  if (field === 'artifact') return relativePathProblem(path, reach) === undefined;
  if (field === 'whitelist') {
    return !WHITELIST_NAME.test(path) && relativePathProblem(path, reach) === undefined;
  }
  return !isPattern(path) && patternProblem(path, reach) === undefined;
}
