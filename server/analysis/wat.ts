// WebAssembly text: its import declarations as they stand, whether it assembles or not, and what the
// rules say of the module it assembles to, shown where the text causes it.

import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { type Assembler, WatError, type WatProblem } from '../../engine/module/wat.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import type { TextRange } from '../../engine/project/json-document.ts';
import { readManifest } from '../../engine/project/manifest.ts';
import { type Examination, examineExecutor, examineModule } from '../../engine/rules/examine.ts';
import type { Diagnostic } from '../../engine/rules/types.ts';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import type { Whitelist } from '../../engine/whitelist/types.ts';
import type { SourceFinding, SourceJob } from './jobs.ts';
import type { Lines } from './lines.ts';
import { placeInWat } from './wat-places.ts';

/** What the assembler and, where it is content, the rules say of a text. */
export interface WatExamination {
  readonly assembles: boolean;
  /** Those about an import name it by its index among the declarations. */
  readonly findings: readonly SourceFinding[];
}

/** A text to examine, as it was read. */
export interface WatInput {
  readonly job: SourceJob;
  readonly text: string;
  readonly document: WatDocument;
  readonly lines: Lines;
}

export async function examineWat(
  input: WatInput,
  whitelist: Whitelist,
  assembler: Assembler,
): Promise<WatExamination> {
  const { job, text, lines } = input;
  const name = displayText(job.path, 500);
  try {
    const contents = await assembler.assemble(text, name);
    const examination = examineAssembled(job, contents, whitelist);
    return { assembles: true, findings: findingsOf(examination, input) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problems = error instanceof WatError ? error.problems : [];
    const findings = problems.map((problem) => problemFinding(problem, lines));
    if (findings.length === 0) {
      findings.push({
        ...INVALID,
        message: error.message,
        range: lines.rangeOf({ offset: 0, length: 1 }),
      });
    }
    return { assembles: false, findings };
  }
}

/** The text of a project is to be what its manifest says of the module. */
function examineAssembled(
  { path, manifest }: SourceJob,
  contents: Uint8Array,
  whitelist: Whitelist,
): Examination {
  const options = { crypto: nodeCrypto, whitelist };
  const reading = manifest && readManifest(manifest.text);
  if (manifest === undefined || reading?.manifest === undefined) {
    return examineModule({ path, contents }, options);
  }
  return examineExecutor(
    { path, contents, manifestPath: manifest.path, manifest: reading.manifest, reading },
    options,
  );
}

const INVALID = Object.freeze({
  code: 'invalid-module',
  severity: 'error',
  subject: 'module',
  related: Object.freeze([]),
} as const);

function problemFinding(
  { line, column, length, message }: WatProblem,
  lines: Lines,
): SourceFinding {
  return { ...INVALID, message, range: lines.rangeOfBytes(line - 1, column - 1, length) };
}

/** What is about the manifest is told there, by the examination of what was built. */
function findingsOf(examination: Examination, input: WatInput): SourceFinding[] {
  return examination.artifact.diagnostics
    .filter(({ location }) => location?.file !== 'manifest')
    .map((found) => toFinding(found, examination, input));
}

function toFinding(
  found: Diagnostic,
  { report }: Examination,
  { document, lines }: WatInput,
): SourceFinding {
  const { code, severity, message, subject, help, importIndex } = found;
  // An assembler keeps the order of imports.
  const declared = importIndex === undefined ? undefined : document.imports[importIndex];
  const place: TextRange = declared?.mark ?? placeInWat(found, report, document);
  return {
    code,
    severity,
    message,
    subject,
    ...(help !== undefined && { help }),
    range: lines.rangeOf(place),
    related: [],
    ...(declared && importIndex !== undefined && { declaration: importIndex }),
  };
}
