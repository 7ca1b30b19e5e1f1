// By which documents a project, or a module of nobody's, is judged. A workspace that nobody trusts
// decides about nothing: there the built-in whitelist holds, and the user's own trust store.

import { join, resolve } from 'node:path';
import { decidingFiles, isWhitelistName } from '../../engine/platform/node/deciders.ts';
import type { Deciders } from '../../engine/platform/node/examine.ts';
import type { WhitelistChoice } from '../analysis/jobs.ts';
import type { Settings } from '../settings.ts';
import type { Folders } from './folders.ts';
import type { Project } from './projects.ts';

export interface Judging {
  /** What a project's sources, or those of no project, are judged by. */
  whitelistOf(project: Project | undefined): WhitelistChoice;
  /** What an artifact is judged by: that of a project, or a module at a path. */
  decidersFor(path: string, project: Project | undefined): Deciders;
}

export interface JudgingOptions {
  readonly folders: Pick<Folders, 'paths' | 'around'>;
  isTrusted(): boolean;
  settings(): Settings;
}

export function createJudging({ folders, isTrusted, settings }: JudgingOptions): Judging {
  const whitelistOf = (project: Project | undefined): WhitelistChoice => {
    const own = project?.reading.manifest?.whitelist;
    if (own?.kind === 'named') return { reference: `${own.name}@${own.version}`, base: '.' };
    if (!isTrusted()) return BUILT_IN;
    if (project !== undefined && own?.kind === 'file') {
      return { reference: own.path, base: project.folder };
    }
    return { reference: settings().whitelist, base: folders.paths[0] ?? '.' };
  };
  return {
    whitelistOf,
    decidersFor(path, project) {
      const files = decidingFiles(isTrusted() ? folders.around(path) : undefined);
      const isOwn = isTrusted() && project !== undefined;
      return isOwn ? files : { ...files, whitelist: absolute(whitelistOf(project)) };
    },
  };
}

const BUILT_IN: WhitelistChoice = Object.freeze({ reference: 'mashin@1', base: '.' });

/** A whitelist's name stays a name. */
function absolute({ reference, base }: WhitelistChoice): string {
  return isWhitelistName(reference) ? reference : resolve(base, reference);
}

/** The whitelist document that a project names. */
export function ownWhitelistFile({ reading, folder }: Project): string | undefined {
  const own = reading.manifest?.whitelist;
  return own?.kind === 'file' ? join(folder, own.path) : undefined;
}
