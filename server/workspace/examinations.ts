import { extname } from 'node:path';
import { projectFiles } from '../../engine/platform/node/project-files.ts';
import type { JobFailure } from '../analysis/jobs.ts';
import { isFailure, type Lane } from '../analysis/lane.ts';
import type { Analysis } from '../analysis/results.ts';
import { signatureOf } from './cache.ts';
import { type Coalescer, createCoalescer } from './coalesce.ts';
import type { Folders } from './folders.ts';
import { type Judging, ownWhitelistFile } from './judging.ts';
import type { Project, Projects } from './projects.ts';

export interface ExaminationsOptions {
  readonly projects: Projects;
  readonly folders: Folders;
  readonly judging: Judging;
  /** Does what is not known from the last time. */
  readonly lane: Lane;
  /** Looks at WebAssembly text that no project speaks of. */
  textFound(path: string): Promise<void>;
  /** Something new is known of a project or a stray module. */
  settled(path: string): void;
}

/** Examines projects and stray modules, by their paths, and settles what was found. */
export function createExaminations(options: ExaminationsOptions): Coalescer {
  const { projects, folders, judging, lane } = options;

  const examineProject = async (project: Project): Promise<void> => {
    const { path, reading, folder } = project;
    const { manifest, text } = reading;
    if (manifest !== undefined) {
      const deciders = judging.decidersFor(path, project);
      const sources = await projectFiles(folder, manifest.source).catch(() => []);
      const { trust, policy, whitelist } = deciders;
      const signature = await signatureOf(
        [
          project.artifact,
          project.certificate,
          trust,
          policy,
          whitelist,
          ownWhitelistFile(project),
        ],
        [text, whitelist, ...sources.map((file) => `${file.path} ${file.modifiedAt}`)],
      );
      const job = { kind: 'project', manifestPath: path, manifestText: text, deciders } as const;
      projects.settle(path, await remembered(path, signature, () => lane.do(job)));
    }
    options.settled(path);
  };

  const examineStray = async (path: string): Promise<void> => {
    if (extname(path) === '.wat') {
      await options.textFound(path);
      return;
    }
    const deciders = judging.decidersFor(path, undefined);
    const signature = await signatureOf([path, deciders.whitelist], [deciders.whitelist]);
    const job = { kind: 'module', path, deciders } as const;
    projects.settleStray(path, await remembered(path, signature, () => lane.do(job)));
    options.settled(path);
  };

  const remembered = async (
    path: string,
    signature: string,
    work: () => Promise<Analysis | JobFailure>,
  ): Promise<Analysis | JobFailure> => {
    const cache = folders.cacheFor(path);
    const known = cache.find(path, signature);
    if (known !== undefined) return known;
    const found = await work();
    if (!isFailure(found)) {
      cache.keep(path, signature, found);
      folders.saveSoon();
    }
    return found;
  };

  return createCoalescer(async (path) => {
    const project = projects.get(path);
    if (project !== undefined) await examineProject(project);
    else if (projects.stray(path) !== undefined) await examineStray(path);
  });
}
