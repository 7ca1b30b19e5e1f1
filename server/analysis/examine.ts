import { dirname } from 'node:path';
import { createExaminer } from '../../engine/platform/node/examine.ts';
import { readManifest } from '../../engine/project/manifest.ts';
import type { ModuleJob, ProjectJob } from './jobs.ts';
import { toAnalysis } from './project.ts';
import type { Analysis } from './results.ts';

/**
 * Examines an executor from its files, with its manifest as it is given.
 * @throws {InputError} for a manifest, whitelist, trust store, policy or artifact that cannot be used.
 */
export async function examineProject(job: ProjectJob): Promise<Analysis> {
  const { manifestPath: path, manifestText, deciders } = job;
  const reading = readManifest(manifestText);
  const folder = dirname(path);
  return toAnalysis(await createExaminer(deciders).project({ path, folder, reading }));
}

/**
 * Examines a binary module by itself.
 * @throws {InputError} for a whitelist or file that cannot be read.
 */
export async function examineModuleFile({ path, deciders }: ModuleJob): Promise<Analysis> {
  return toAnalysis(await createExaminer(deciders).file(path));
}
