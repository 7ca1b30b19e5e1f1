import { extname, join } from 'node:path';
import { displayText } from '../../engine/encoding/display.ts';
import { readDocument, resolveInProject } from '../../engine/platform/node/files.ts';
import { isFolder } from '../../engine/platform/node/paths.ts';
import { readManifest } from '../../engine/project/manifest.ts';
import { MANIFEST_NAME } from '../../engine/project/manifest-schema.ts';
import type { JobFailure } from '../analysis/jobs.ts';
import { isFailure } from '../analysis/lane.ts';
import type { Inspection } from '../protocol.ts';
import { makeProject, type Project } from '../workspace/projects.ts';
import { uriOf } from '../workspace/uris.ts';
import { cancelled, RequestError } from './failures.ts';
import type { RequestServing } from './serving.ts';

/**
 * Everything known of the module at a path, or of the artifact of the manifest there. It is read in the
 * analysis thread.
 * @throws {InputError} for a path, manifest or artifact that cannot be used.
 * @throws {RequestError} `unreadable` for a module that cannot be read; `cancelled` when the server ends.
 */
export async function inspectAt({ session }: RequestServing, path: string): Promise<Inspection> {
  const { workspace, files } = session;
  const { module, project } = await moduleAt(workspace.projects, path);
  const result = await files.do({
    kind: 'inspect',
    path: module,
    uri: uriOf(module),
    whitelist: workspace.whitelistOf(project),
  });
  if (isFailure(result)) throw requestError(result);
  return result;
}

/** The error of a request whose job in the analysis thread has failed. */
export function requestError({ failed, message }: JobFailure): RequestError {
  return failed === 'closed' ? cancelled() : new RequestError('unreadable', message);
}

type Projects = RequestServing['session']['workspace']['projects'];

interface FoundModule {
  readonly module: string;
  /** The project that speaks of it. */
  readonly project: Project | undefined;
}

async function moduleAt(projects: Projects, path: string): Promise<FoundModule> {
  if (await isFolder(path)) return artifactOf(projects, join(path, MANIFEST_NAME));
  if (extname(path) === '.json') return artifactOf(projects, path);
  const [project] = [...projects.owning(path), ...projects.builtFrom(path)];
  return { module: path, project };
}

/** What a manifest says of its artifact is enough, whatever is wrong with the rest of it. */
async function artifactOf(projects: Projects, path: string): Promise<FoundModule> {
  const project = projects.get(path) ?? makeProject(path, readManifest(await readDocument(path)));
  const { folder, reading } = project;
  if (reading.artifact === undefined) {
    throw new RequestError('unreadable', `${displayText(path, 500)} names no artifact`);
  }
  await resolveInProject(folder, reading.artifact);
  return { module: join(folder, reading.artifact), project };
}
