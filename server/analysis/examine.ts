import { dirname } from 'node:path';
import { createExaminer } from '../../engine/platform/node/examine.ts';
import { readDocument, readFileBounded } from '../../engine/platform/node/files.ts';
import { readManifest } from '../../engine/project/manifest.ts';
import { MAX_MANIFEST_BYTES } from '../../engine/project/manifest-schema.ts';
import type { ModuleJob, ProjectJob } from './jobs.ts';
import { toAnalysis } from './project.ts';
import type { Analysis } from './results.ts';

/**
 * Examines an executor from its files, with its manifest as it is given.
 * @throws {InputError} for a manifest, whitelist, trust store, policy or artifact that cannot be used.
 */
export async function examineProject(job: ProjectJob): Promise<Analysis> {
  const { manifestPath: path, deciders } = job;
  const text = job.manifestText ?? (await readFileBounded(path, MAX_MANIFEST_BYTES, 'a manifest'));
  const reading = readManifest(text);
  const folder = dirname(path);
  const examination = await createExaminer(deciders).project({ path, folder, reading });
  const { certificatePath } = examination;
  const certificate =
    certificatePath === undefined || examination.certificate?.state === 'missing'
      ? undefined
      : await readDocument(certificatePath).catch(() => undefined);
  return toAnalysis(examination, certificate);
}

/**
 * Examines a binary module by itself.
 * @throws {InputError} for a whitelist or file that cannot be read.
 */
export async function examineModuleFile({ path, deciders }: ModuleJob): Promise<Analysis> {
  return toAnalysis(await createExaminer(deciders).file(path), undefined);
}
