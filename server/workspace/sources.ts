import type { SourceLanguage } from '../../engine/source/types.ts';
import type { JobFailure, SourceAnalysis, WhitelistChoice } from '../analysis/jobs.ts';
import type { Lane } from '../analysis/lane.ts';
import { createCoalescer } from './coalesce.ts';

/** A source, open or not, and what was last found in it. */
export interface Source {
  readonly path: string;
  readonly uri: string;
  readonly language: SourceLanguage;
  /** Of the open document that was analysed; absent for one that is read from its file. */
  readonly version?: number;
  readonly analysis: SourceAnalysis | JobFailure | undefined;
}

/** A document that an editor has open. */
export interface OpenSource {
  readonly uri: string;
  readonly version: number;
  readonly text: string;
}

export interface SourcesOptions {
  /** For what is open, and for what is not. */
  readonly documents: Lane;
  readonly files: Lane;
  /** The document that is open under a path. */
  open(path: string): OpenSource | undefined;
  /** What a source is judged by, and the manifest that it is built for. */
  contextOf(path: string): {
    readonly whitelist: WhitelistChoice;
    readonly manifest?: { readonly path: string; readonly text: string };
  };
  /** Something new is known of a source. */
  changed(source: Source): void;
}

/** The sources that somebody looks at: those that are open, and those that a finding leads to. */
export interface Sources {
  get(path: string): Source | undefined;
  all(): Iterable<Source>;
  /** Looks at a source, anew where it is known already. */
  look(path: string, uri: string, language: SourceLanguage): Promise<void>;
  /** Resolves when a source is known as it is now. */
  settled(path: string): Promise<void>;
  forget(path: string): void;
}

/** A text longer than this is not looked at, in UTF-16 units. */
export const MAX_TEXT = 4_194_304;

export function createSources(options: SourcesOptions): Sources {
  const sources = new Map<string, Source>();

  const analyse = async (path: string): Promise<void> => {
    const source = sources.get(path);
    if (source === undefined) return;
    const open = options.open(path);
    const { language } = source;
    const analysis =
      open !== undefined && open.text.length > MAX_TEXT
        ? tooLong(open.text.length)
        : await (open === undefined ? options.files : options.documents).do({
            kind: 'source',
            path,
            language,
            ...options.contextOf(path),
            ...(open && { text: open.text }),
          });
    const { path: _, version: __, ...same } = source;
    const now = { ...same, path, analysis, ...(open && { version: open.version }) };
    // What was forgotten meanwhile stays so; what was edited meanwhile is looked at again.
    if (!sources.has(path) || options.open(path)?.version !== open?.version) return;
    sources.set(path, now);
    options.changed(now);
  };
  const work = createCoalescer(analyse);

  return {
    get: (path) => sources.get(path),
    all: () => sources.values(),
    look(path, uri, language) {
      const known = sources.get(path);
      if (known?.language !== language || known.uri !== uri) {
        sources.set(path, { path, uri, language, analysis: undefined });
      }
      return work.ask(path);
    },
    settled: (path) => work.settled(path),
    forget: (path) => {
      sources.delete(path);
    },
  };
}

function tooLong(length: number): JobFailure {
  const message = `not analysed: ${length.toLocaleString('en')} characters, at most ${MAX_TEXT.toLocaleString('en')} are read`;
  return { failed: 'too-large', message };
}
