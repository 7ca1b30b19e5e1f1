import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CodeLens } from 'vscode-languageserver-types';
import type { Manifest, ManifestReading } from '../../engine/project/manifest.ts';
import type { Analysis } from '../analysis/results.ts';
import { COMMANDS } from '../protocol.ts';
import { openingOf, toRange } from './places.ts';
import {
  blockingFinding,
  certificateStanding,
  impureCount,
  impureText,
  type Standing,
} from './standing.ts';

export interface LensOptions {
  /** What the client can do; a lens for anything else is not shown. */
  readonly commands: ReadonlySet<string>;
  /** Whether the client draws `$(name)` in a title as an icon. */
  readonly icons: boolean;
}

type Lens = readonly [title: string, command: string];

/**
 * The lenses over a manifest: how the executor stands, then what can be done about it. None while
 * the manifest is broken or its artifact has not been analysed.
 */
export function manifestLenses(
  document: TextDocument,
  reading: ManifestReading,
  analysis: Analysis | undefined,
  { commands, icons }: LensOptions,
): CodeLens[] {
  const { manifest } = reading;
  if (manifest === undefined || analysis === undefined) return [];
  const range = toRange(document, openingOf(reading));
  const lenses: Lens[] = [
    [titleOf(standingOf(analysis, manifest), icons), COMMANDS.inspect],
    ...actions(analysis, manifest),
  ];
  return lenses
    .filter(([, command]) => commands.has(command))
    .map(([title, command]) => ({
      range,
      command: { title, command, arguments: [document.uri] },
    }));
}

function standingOf(analysis: Analysis, { tier }: Manifest): Standing {
  const blocking = blockingFinding(analysis);
  if (blocking !== undefined) return { icon: 'error', words: blocking.message };
  if (impureCount(analysis) > 0) {
    return tier === 3
      ? { icon: 'unverified', words: `tier 3, unchecked: ${impureText(analysis)}` }
      : { icon: 'error', words: impureText(analysis) };
  }
  const { certificate } = analysis;
  return certificate === undefined
    ? { icon: 'circle-outline', words: 'certificate not checked' }
    : certificateStanding(certificate.state, tier);
}

const MAX_TITLE = 100;

function titleOf({ icon, words }: Standing, icons: boolean): string {
  const shown =
    words.length > MAX_TITLE ? `${words.slice(0, MAX_TITLE - 1).toWellFormed()}…` : words;
  // Names from a module may look like icons; a backslash keeps them text.
  return icons ? `$(${icon}) ${shown.replaceAll('$(', '\\$(')}` : shown;
}

function* actions(analysis: Analysis, manifest: Manifest): Iterable<Lens> {
  const isBlocked = blockingFinding(analysis) !== undefined;
  const state = analysis.certificate?.state;
  const isBuildNeeded = analysis.findings.some(
    ({ code }) => code === 'artifact-missing' || code === 'artifact-stale',
  );
  if (isBuildNeeded && manifest.build !== undefined) yield ['Build…', COMMANDS.build];
  if (!isBlocked && analysis.allImportsPure && state !== undefined && state !== 'admitted') {
    yield [state === 'stale' ? 'Certify Again' : 'Certify…', COMMANDS.certify];
  }
  if (!isBlocked && isRunnable(analysis, manifest)) yield ['Run…', COMMANDS.run];
  if (state !== undefined && state !== 'missing') yield ['Verify', COMMANDS.verify];
}

/** Whether the gate would let it run at its tier: what is designated tier 1 runs at no other. */
function isRunnable({ allImportsPure, certificate }: Analysis, { tier }: Manifest): boolean {
  return certificate?.state === 'admitted' || tier === 3 || (tier === 2 && allImportsPure);
}
