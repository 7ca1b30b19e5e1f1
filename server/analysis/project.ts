// Makes plain data of an examination.

import type { Position, Range } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';
import { tryDecodeUtf8 } from '../../engine/encoding/utf8.ts';
import { lineAndColumn, readJsonDocument } from '../../engine/project/json-document.ts';
import type { Examination } from '../../engine/rules/examine.ts';
import type { CertificateState, Diagnostic, Location } from '../../engine/rules/types.ts';
import type { AnalysedCertificate, AnalysedFinding, Analysis, Place } from './results.ts';

/** The beginning of a file: where what is about all of it shows. */
export const FILE_START: Range = Object.freeze({
  start: Object.freeze({ line: 0, character: 0 }),
  end: Object.freeze({ line: 0, character: 0 }),
});

/** An examination of a binary module as an analysis. */
export function toAnalysis(examination: Examination): Analysis {
  const { artifact, report, certificateBytes } = examination;
  const certificateText = certificateBytes && tryDecodeUtf8(certificateBytes);
  const locate = (location: Location | undefined): Place => {
    if (location?.file === 'manifest') {
      return { file: 'manifest', path: [...(location.path ?? ['artifact'])] };
    }
    if (location?.file === 'certificate') {
      return { file: 'certificate', range: rangeInJson(certificateText, location) };
    }
    return { file: 'artifact', range: rangeOfBytes(location) };
  };
  const state = examination.certificate && certificateOf(examination.certificate);
  return {
    path: artifact.path,
    sha256: artifact.sha256,
    size: report?.size ?? null,
    whitelist: { ...artifact.whitelist },
    imports: artifact.imports.map((entry) => ({ ...entry })),
    allImportsPure: artifact.allImportsPure,
    findings: artifact.diagnostics.map((found) => toFinding(found, locate)),
    ...(state && { certificate: state }),
  };
}

function toFinding(
  { code, severity, message, subject, help, location, related = [], importIndex }: Diagnostic,
  locate: (location: Location | undefined) => Place,
): AnalysedFinding {
  return {
    code,
    severity,
    message,
    subject,
    ...(help !== undefined && { help }),
    place: locate(location),
    related: related.map((other) => ({ message: other.message, place: locate(other.location) })),
    ...(importIndex !== undefined && { importIndex }),
  };
}

function rangeOfBytes(location: Location | undefined): Range {
  const { offset = 0, length = 0 } = location ?? {};
  return { start: { line: 0, character: offset }, end: { line: 0, character: offset + length } };
}

/** Certificates are written on one line, but nobody has to. */
function rangeInJson(text: string | undefined, { path = [] }: Location): Range {
  if (text === undefined) return FILE_START;
  const found = path.length === 0 ? undefined : readJsonDocument(text).locate(path);
  if (found === undefined) return FILE_START;
  return {
    start: positionAt(text, found.offset),
    end: positionAt(text, found.offset + found.length),
  };
}

function positionAt(text: string, offset: number): Position {
  const { line, column } = lineAndColumn(text, offset);
  return { line: line - 1, character: column - 1 };
}

function certificateOf(state: CertificateState): AnalysedCertificate {
  if (state.state === 'missing') return { state: 'missing' };
  if (state.state === 'unreadable') return { state: 'unreadable', detail: state.error.message };
  const { issuedAt, certifier } = state.certificate.proof.metadata;
  const facts = { issuedAt: displayText(issuedAt), certifier };
  if (!state.bindsArtifact) return { state: 'stale', ...facts };
  if (state.gate === undefined) return { state: 'untrusted', ...facts };
  if (state.gate.admits) return { state: 'admitted', ...facts };
  const { failed, isUntrusted } = state.gate;
  const detail = `${failed.code}: ${failed.detail ?? ''}`;
  return { state: isUntrusted ? 'untrusted' : 'refused', detail, ...facts };
}
