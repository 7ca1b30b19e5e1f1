import { TextDocument } from 'vscode-languageserver-textdocument';
import { type ManifestReading, readManifest } from '../../../engine/project/manifest.ts';
import type {
  AnalysedFinding,
  AnalysedImport,
  Analysis,
} from '../../../server/analysis/results.ts';
import { COMMANDS } from '../../../server/protocol.ts';

export const URI = 'file:///work%20space/call/executor.json';
export const ALL_COMMANDS: ReadonlySet<string> = new Set(Object.values(COMMANDS));

export interface Opened {
  readonly document: TextDocument;
  readonly reading: ManifestReading;
}

/** A manifest as an editor holds it. */
export function open(text: string): Opened {
  return { document: TextDocument.create(URI, 'jsonc', 1, text), reading: readManifest(text) };
}

/** The same, with the offset that `|` marks. */
export function openAt(marked: string): Opened & { readonly offset: number } {
  const offset = marked.indexOf('|');
  return { ...open(marked.slice(0, offset) + marked.slice(offset + 1)), offset };
}

export const MINIMAL = { name: 'call', version: '1.0.0', artifact: 'build/call.wasm' };

export function manifest(more: object = {}): string {
  return JSON.stringify({ ...MINIMAL, ...more }, null, 2);
}

export function imported(more: Partial<AnalysedImport> = {}): AnalysedImport {
  const plain = { module: 'mashin', name: 'log', kind: 'function', class: 'pure' } as const;
  return { ...plain, type: '(i32, i32, i32) -> ()', offset: 40, ...more };
}

export const CALL_MACHINE = imported({
  name: 'call_machine',
  class: 'directive',
  type: '(i32, i32) -> ()',
});
export const FD_WRITE = imported({ module: 'wasi', name: 'fd_write', class: 'impure' });

/** What is known of a pure module that nobody has certified, with what differs. */
export function analysis(more: Partial<Analysis> = {}): Analysis {
  return {
    path: '/work space/call/build/call.wasm',
    sha256: 'b2021bc8'.repeat(8),
    size: 109_544,
    whitelist: { name: 'mashin', version: 1, hash: 'ab'.repeat(32) },
    imports: [imported(), CALL_MACHINE],
    allImportsPure: true,
    findings: [],
    certificate: { state: 'missing' },
    ...more,
  };
}

export function finding(code: string, more: Partial<AnalysedFinding> = {}): AnalysedFinding {
  return {
    code,
    severity: 'warning',
    message: `about ${code}`,
    subject: 'certificate',
    place: { file: 'artifact', range: { start: ORIGIN, end: ORIGIN } },
    related: [],
    ...more,
  };
}

const ORIGIN = { line: 0, character: 0 };

/** The finding that a directive's capability is not declared. */
export function undeclared(tag: string): AnalysedFinding {
  return finding('capability-undeclared', {
    subject: tag,
    place: { file: 'manifest', path: ['capabilities'] },
  });
}
