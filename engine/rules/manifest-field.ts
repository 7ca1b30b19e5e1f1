import type { JsonPath } from '../project/json-document.ts';
import type { Location, ProjectState } from './types.ts';

/** Where a field of the manifest stands, or where it would go: at the beginning. */
export function manifestField(project: ProjectState, path: JsonPath): Location {
  const range = project.locate(path) ?? { offset: project.locate([])?.offset ?? 0, length: 1 };
  return { file: 'manifest', path, ...range };
}
