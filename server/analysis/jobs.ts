// What goes to an analysis thread, and what comes back.

import type { Range } from 'vscode-languageserver-types';
import type { CertifiableReport } from '../../engine/certificate/certify.ts';
import type { InputErrorCode } from '../../engine/encoding/input-error.ts';
import type { ExternKind } from '../../engine/module/types.ts';
import type { Deciders } from '../../engine/platform/node/examine.ts';
import type { Severity } from '../../engine/rules/types.ts';
import type { SourceLanguage } from '../../engine/source/types.ts';
import type { ImportClass } from '../../engine/whitelist/types.ts';
import type { Inspection } from '../protocol.ts';
import type { Analysis, Place } from './results.ts';

/** Where the thread finds what it loads when it first needs it. Both are URLs as text. */
export interface ThreadData {
  readonly grammars: string;
}

/** An executor: its artifact and its certificate, from their files. */
export interface ProjectJob {
  readonly kind: 'project';
  readonly manifestPath: string;
  /** The manifest as it is now, saved or not. */
  readonly manifestText: string;
  readonly deciders: Deciders;
}

/** A binary module by itself, from its file. */
export interface ModuleJob {
  readonly kind: 'module';
  readonly path: string;
  readonly deciders: Deciders;
}

/** Everything the inspector shows of a module in a file. */
export interface InspectJob {
  readonly kind: 'inspect';
  /** A `.wasm` or `.wat`. */
  readonly path: string;
  readonly uri: string;
  readonly whitelist: WhitelistChoice;
}

/** What certifying needs to know of a binary module in a file. */
export interface ReportJob {
  readonly kind: 'report';
  readonly path: string;
}

/** A source text. */
export interface SourceJob {
  readonly kind: 'source';
  readonly path: string;
  readonly language: SourceLanguage;
  /** The text as an editor has it; else it is read. */
  readonly text?: string;
  readonly whitelist: WhitelistChoice;
  /** The manifest of the project it belongs to, which says what WebAssembly text is to be. */
  readonly manifest?: { readonly path: string; readonly text: string };
}

/** Which of these texts assemble. */
export interface AssembleJob {
  readonly kind: 'assemble';
  readonly texts: readonly string[];
}

/** A whitelist by `NAME@VERSION`, or by file relative to a folder. */
export interface WhitelistChoice {
  readonly reference: string;
  readonly base: string;
}

export type Job = ProjectJob | ModuleJob | InspectJob | ReportJob | SourceJob | AssembleJob;

/** What each kind of job is answered with. */
export interface JobResults {
  readonly project: Analysis;
  readonly module: Analysis;
  readonly inspect: Inspection;
  readonly report: CertifiableReport;
  readonly source: SourceAnalysis;
  readonly assemble: readonly boolean[];
}

/** Why there is no result. `timeout` and `crashed` are the thread's end, by its deadline or by itself. */
export interface JobFailure {
  readonly failed: InputErrorCode | 'timeout' | 'crashed' | 'closed';
  readonly message: string;
}

/** What a source declares, and what is wrong with it. Ranges are those of the text that was given. */
export interface SourceAnalysis {
  readonly declarations: readonly SourceDeclaration[];
  readonly findings: readonly SourceFinding[];
  /** Whether it is WebAssembly text that assembles. */
  readonly assembles: boolean;
}

export interface SourceDeclaration {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Absent where the text does not tell it. */
  readonly type?: string;
  readonly range: Range;
  readonly mark: Range;
  readonly class: ImportClass;
  /** Of the whitelisted function of that name, whatever its type. */
  readonly listed?: {
    readonly type: string;
    readonly class: ImportClass;
    readonly category: string;
    readonly directive?: string;
    readonly capability?: string;
    readonly doc: string;
  };
  /** Its finding's fixes: also used where the compiled module says more of it. */
  readonly fixes: readonly SourceFixes[];
}

export interface SourceFixes {
  readonly title: string;
  readonly edits: readonly { readonly range: Range; readonly newText: string }[];
}

export interface SourceFinding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly subject: string;
  readonly help?: string;
  readonly range: Range;
  readonly related: readonly { readonly message: string; readonly place: Place }[];
  /** The declaration it is about, as an index. */
  readonly declaration?: number;
}
