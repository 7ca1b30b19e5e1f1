import { dirname, join } from 'node:path';
import { CERTIFICATE_SUFFIX } from '../../engine/certificate/certificate.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { matcherOf } from '../../engine/project/pattern.ts';
import type { JobFailure } from '../analysis/jobs.ts';
import type { Analysis } from '../analysis/results.ts';
import { isWithin, pathFrom } from './uris.ts';

/** An executor's project, as it is known now. */
export interface Project {
  /** Of the manifest. */
  readonly path: string;
  readonly folder: string;
  /** The manifest as the editor has it, else as it is on disk. */
  readonly reading: ManifestReading;
  /** Absolute paths, where the manifest says at least that much. */
  readonly artifact: string | undefined;
  readonly certificate: string | undefined;
  /** What the last examination found; absent before the first. */
  readonly outcome: Analysis | JobFailure | undefined;
  /** Whether a file, by its absolute path, is one that the artifact is built from. */
  covers(path: string): boolean;
}

/** A module that no project speaks of. */
export interface StrayModule {
  readonly path: string;
  readonly outcome: Analysis | JobFailure | undefined;
}

/** The projects and stray modules of a workspace. */
export interface Projects {
  all(): Iterable<Project>;
  strays(): Iterable<StrayModule>;
  get(manifestPath: string): Project | undefined;
  stray(path: string): StrayModule | undefined;
  /**
   * Adds a project, or changes its manifest; what was found before stays until it is found anew.
   * @returns the stray modules that it speaks of, which are strays no more.
   */
  set(manifestPath: string, reading: ManifestReading): readonly string[];
  addStray(path: string): StrayModule;
  settle(manifestPath: string, outcome: Analysis | JobFailure): void;
  settleStray(path: string, outcome: Analysis | JobFailure): void;
  /** Forgets the project of a manifest, or a stray module. */
  remove(path: string): void;
  /** The projects whose artifact or certificate a file is. */
  owning(path: string): readonly Project[];
  /** The projects that are built from a file, the nearest first. */
  builtFrom(path: string): readonly Project[];
  /** Everything at or below a folder. */
  within(folder: string): readonly string[];
}

export function createProjects(): Projects {
  const projects = new Map<string, Project>();
  const strays = new Map<string, StrayModule>();
  /** Manifests, by the artifacts and certificates that they name. */
  const owners = new Map<string, Set<string>>();
  const ownedBy = ({ artifact, certificate }: Project): string[] =>
    artifact === undefined || certificate === undefined ? [] : [artifact, certificate];
  const drop = (path: string): void => {
    const project = projects.get(path);
    for (const file of project === undefined ? [] : ownedBy(project)) {
      const manifests = owners.get(file);
      manifests?.delete(path);
      if (manifests?.size === 0) owners.delete(file);
    }
    projects.delete(path);
  };
  return {
    all: () => projects.values(),
    strays: () => strays.values(),
    get: (path) => projects.get(path),
    stray: (path) => strays.get(path),
    set(path, reading) {
      const project = makeProject(path, reading, projects.get(path)?.outcome);
      drop(path);
      projects.set(path, project);
      for (const file of ownedBy(project)) {
        owners.set(file, (owners.get(file) ?? new Set()).add(path));
      }
      const claimed = [...strays.keys()].filter(
        (file) => file === project.artifact || project.covers(file),
      );
      for (const file of claimed) strays.delete(file);
      return claimed;
    },
    addStray(path) {
      const stray = strays.get(path) ?? { path, outcome: undefined };
      strays.set(path, stray);
      return stray;
    },
    settle(path, outcome) {
      const project = projects.get(path);
      if (project !== undefined) projects.set(path, { ...project, outcome });
    },
    settleStray(path, outcome) {
      if (strays.has(path)) strays.set(path, { path, outcome });
    },
    remove(path) {
      drop(path);
      strays.delete(path);
    },
    owning: (path) =>
      [...(owners.get(path) ?? [])].flatMap((manifest) => projects.get(manifest) ?? []),
    builtFrom: (path) =>
      [...projects.values()]
        .filter((project) => project.covers(path))
        .sort((a, b) => b.folder.length - a.folder.length),
    within: (folder) =>
      [...projects.keys(), ...strays.keys()].filter((path) => isWithin(folder, path)),
  };
}

/** A project as its manifest describes it. */
export function makeProject(
  path: string,
  reading: ManifestReading,
  outcome?: Analysis | JobFailure,
): Project {
  const folder = dirname(path);
  const artifact = reading.artifact === undefined ? undefined : join(folder, reading.artifact);
  const matches = matcherOf(reading.manifest?.source ?? []);
  return {
    path,
    folder,
    reading,
    artifact,
    certificate: artifact === undefined ? undefined : artifact + CERTIFICATE_SUFFIX,
    outcome,
    covers: (file) => {
      const inside = pathFrom(folder, file);
      return inside !== undefined && inside !== '' && matches(inside);
    },
  };
}
