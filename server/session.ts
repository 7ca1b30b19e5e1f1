import { basename, join } from 'node:path';
import type { PublishDiagnosticsParams } from 'vscode-languageserver';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { projectFiles } from '../engine/platform/node/project-files.ts';
import type { ManifestReading } from '../engine/project/manifest.ts';
import { MANIFEST_NAME } from '../engine/project/manifest-schema.ts';
import { createLane, type Lane } from './analysis/lane.ts';
import { entriesOf, filesOf, needsSources } from './diagnostics/compute.ts';
import type { Entry } from './diagnostics/diagnostic.ts';
import { createPublisher, type Publisher } from './diagnostics/publisher.ts';
import type { Settings } from './settings.ts';
import type { WatExtent } from './wat/extent.ts';
import { languageOf } from './workspace/languages.ts';
import type { Project } from './workspace/projects.ts';
import { createSources, type Sources } from './workspace/sources.ts';
import { keyOf, uriOf } from './workspace/uris.ts';
import { createWorkspace, type Workspace } from './workspace/workspace.ts';

/** What a session is made of. */
export interface SessionOptions {
  /** The script of an analysis thread, and the folder of the grammars it loads. */
  readonly thread: URL;
  readonly grammars: URL;
  /** URI of the folder of the rules' pages, with a final slash. */
  readonly pages: string;
  readonly version: string;
  readonly cacheFolder: string | undefined;
  /** The document that is open under a key ({@link keyOf}). */
  open(key: string): TextDocument | undefined;
  allOpen(): Iterable<TextDocument>;
  settings(): Settings;
  watExtent(): WatExtent;
  isTrusted(): boolean;
  /** For clients that are told of diagnostics, and for those that ask. */
  push?(diagnostics: PublishDiagnosticsParams): void;
  refresh?(): void;
  /** Lenses and hints may be others now, for clients that can be told so. */
  refreshViews?(): void;
}

/** Everything the server knows while it runs, kept current. */
export interface Session {
  readonly workspace: Workspace;
  readonly sources: Sources;
  readonly publisher: Publisher;
  readonly documents: Lane;
  readonly files: Lane;
  /** A document was opened, or its text changed. */
  edited(document: TextDocument): void;
  closed(document: TextDocument): void;
  filesChanged(paths: readonly string[]): Promise<void>;
  /** Resolves when a document is known as it is now. */
  settled(document: TextDocument): Promise<void>;
  /** What is found in a file. */
  entries(key: string): readonly Entry[];
  /** Everything is judged anew: settings, trust or folders have changed. */
  judgeAll(): Promise<void>;
  close(): Promise<void>;
}

/** One text has so long, in milliseconds; what is not open may take longer. */
const DOCUMENT_DEADLINE = 3_000;
const FILE_DEADLINE = 30_000;
const IDLE = 30_000;
/** MiB. */
const DOCUMENT_HEAP = 256;
const FILE_HEAP = 1024;

/** More sources of one project than this are not looked at for a declaration. */
const MAX_SOURCES = 500;

export function createSession(options: SessionOptions): Session {
  const thread = { script: options.thread, data: { grammars: options.grammars.href }, idle: IDLE };
  const documents = createLane({ ...thread, deadline: DOCUMENT_DEADLINE, heap: DOCUMENT_HEAP });
  const files = createLane({ ...thread, deadline: FILE_DEADLINE, heap: FILE_HEAP });

  const workspace = createWorkspace({
    files,
    cacheFolder: options.cacheFolder,
    version: options.version,
    isTrusted: options.isTrusted,
    settings: options.settings,
    openText: (path) => options.open(path)?.getText(),
    textFound: (path) =>
      options.watExtent() === 'nothing'
        ? Promise.resolve()
        : sources.look(path, uriOf(path), 'wat'),
    settled: (path) => void projectSettled(path),
    removed: (path, was) => projectRemoved(path, was),
  });
  const { projects } = workspace;

  const sources = createSources({
    documents,
    files,
    open(key) {
      const document = options.open(key);
      return document && { uri: document.uri, version: document.version, text: document.getText() };
    },
    contextOf(key) {
      const [project] = projects.builtFrom(key);
      const { manifest, text } = project?.reading ?? {};
      return {
        whitelist: workspace.whitelistOf(project),
        ...(project &&
          manifest &&
          text !== undefined && { manifest: { path: project.path, text } }),
      };
    },
    changed: ({ path }) => publisher.changed([path]),
  });

  const known = () => ({
    projects,
    sources,
    pages: options.pages,
    severities: options.settings().severities,
    watExtent: options.watExtent(),
  });

  const publisher = createPublisher({
    compute: (key) => entriesOf(key, known()).map(({ diagnostic }) => diagnostic),
    files: () => [
      ...[...projects.all()].flatMap(filesOf),
      ...[...projects.strays()].map(({ path }) => path),
      ...[...sources.all()].map(({ path }) => path),
    ],
    ...(options.push && {
      push(key, diagnostics) {
        const document = options.open(key);
        options.push?.({
          uri: document?.uri ?? uriOf(key),
          diagnostics,
          ...(document && { version: document.version }),
        });
      },
    }),
    ...(options.refresh && { refresh: options.refresh }),
  });

  /** The files that a project's findings were told in last: another artifact may be named since. */
  const toldIn = new Map<string, readonly string[]>();
  /** The manifests by which sources were judged last. */
  const judgedBy = new Map<string, ManifestReading>();

  const sourcesOf = (project: Project): string[] =>
    [...sources.all()].map(({ path }) => path).filter((path) => project.covers(path));

  const projectSettled = async (path: string): Promise<void> => {
    const project = projects.get(path);
    if (project === undefined) {
      publisher.changed([path]);
      return;
    }
    if (judgedBy.get(path) !== project.reading) {
      judgedBy.set(path, project.reading);
      judgeSources(project);
    }
    const files = filesOf(project);
    publisher.changed(new Set([...(toldIn.get(path) ?? []), ...files, ...sourcesOf(project)]));
    toldIn.set(path, files);
    options.refreshViews?.();
    if (project.outcome !== undefined && needsSources(project.outcome))
      await lookAtSources(project);
    else forgetSources(project);
  };

  /** Sources are judged by what their manifest says now; some are sources only since it says so. */
  const judgeSources = (project: Project): void => {
    for (const path of sourcesOf(project)) {
      if (options.open(path) === undefined) void again(path);
    }
    for (const document of options.allOpen()) {
      const key = keyOf(document.uri);
      if (project.covers(key) || sources.get(key) !== undefined) void look(document);
    }
  };

  const lookAtSources = async ({ folder, reading }: Project): Promise<void> => {
    const found = await projectFiles(folder, reading.manifest?.source ?? []).catch(() => []);
    for (const file of found.slice(0, MAX_SOURCES)) {
      const path = join(folder, file.path);
      const language = languageOf(path, undefined, true);
      if (language === undefined || sources.get(path) !== undefined) continue;
      void sources.look(path, uriOf(path), language);
    }
  };

  /** Of closed sources nobody wants to know anything any more. */
  const forgetSources = (project: Project): void => {
    for (const path of sourcesOf(project)) {
      if (options.open(path) === undefined && !isNeeded(path)) forget(path);
    }
  };

  const isNeeded = (path: string): boolean =>
    projects.stray(path) !== undefined ||
    projects.builtFrom(path).some(({ outcome }) => outcome !== undefined && needsSources(outcome));

  const forget = (path: string): void => {
    sources.forget(path);
    publisher.changed([path]);
  };

  const projectRemoved = (path: string, was: Project | undefined): void => {
    judgedBy.delete(path);
    toldIn.delete(path);
    if (was !== undefined) forgetSources(was);
    else if (options.open(path) === undefined) sources.forget(path);
    publisher.changed(was === undefined ? [path] : [path, ...filesOf(was), ...sourcesOf(was)]);
  };

  const look = (document: TextDocument): Promise<void> => {
    const key = keyOf(document.uri);
    const inProject = projects.builtFrom(key).length > 0;
    const language = languageOf(key, document.languageId, inProject);
    const isOurs = language !== 'wat' || options.watExtent() !== 'nothing';
    if (language !== undefined && isOurs) return sources.look(key, document.uri, language);
    if (sources.get(key) !== undefined) forget(key);
    return Promise.resolve();
  };

  const isManifest = ({ uri }: TextDocument) => basename(keyOf(uri)) === MANIFEST_NAME;

  const edited = (document: TextDocument): void => {
    if (!isManifest(document)) {
      void look(document);
      return;
    }
    void workspace.manifestChanged(keyOf(document.uri));
  };

  const again = async (path: string): Promise<void> => {
    const source = sources.get(path);
    if (source !== undefined) await sources.look(path, source.uri, source.language);
  };

  return {
    workspace,
    sources,
    publisher,
    documents,
    files,
    edited,
    closed(document) {
      const key = keyOf(document.uri);
      if (isManifest(document)) void workspace.manifestChanged(key);
      else if (sources.get(key) === undefined) return;
      else if (isNeeded(key)) void again(key);
      else forget(key);
    },
    async filesChanged(paths) {
      await workspace.filesChanged(paths);
      await Promise.all(paths.filter((path) => options.open(path) === undefined).map(again));
    },
    async settled(document) {
      const key = keyOf(document.uri);
      await workspace.settled(key);
      await sources.settled(key);
    },
    entries: (key) => entriesOf(key, known()),
    async judgeAll() {
      await workspace.examineAll();
      const left = options.watExtent() === 'nothing' ? 'wat' : undefined;
      for (const { path, language } of [...sources.all()]) {
        if (options.open(path) !== undefined) continue;
        if (language === left) forget(path);
        else void again(path);
      }
      await Promise.all([...options.allOpen()].filter((each) => !isManifest(each)).map(look));
      publisher.allChanged();
      options.refreshViews?.();
    },
    async close() {
      await workspace.close();
      await Promise.all([documents.close(), files.close()]);
    },
  };
}
