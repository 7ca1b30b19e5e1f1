import { shortHash } from '../../engine/encoding/display.ts';
import { plural, whitelistText } from '../../engine/rules/words.ts';
import type { AnalysedImport, Analysis } from '../analysis/results.ts';
import { code, plain } from '../features/markdown.ts';
import { cell, paragraphs, table } from './blocks.ts';
import { blockingFinding, certificateSentence, impureCount, impureText } from './standing.ts';
import { capabilitiesNeededBy, capabilityOf } from './words.ts';

const MAX_ROWS = 12;
const CLASSES = ['impure', 'directive', 'pure'] as const;

/** What is known of an artifact, verdict first, as Markdown. */
export function artifactText(analysis: Analysis): string {
  return paragraphs(
    verdict(analysis),
    analysis.certificate && plain(certificateSentence(analysis.certificate)),
    importTable(analysis.imports),
    measures(analysis),
  );
}

function verdict(analysis: Analysis): string {
  const { imports, allImportsPure, certificate } = analysis;
  if (impureCount(analysis) > 0) {
    return answer('Impure: this module cannot be certified', impureText(analysis));
  }
  if (!allImportsPure) {
    return answer('Not read: what this module imports is not known', unreadReason(analysis));
  }
  if (imports.length === 0) {
    return answer(admitted(analysis) ?? 'No imports', 'this module cannot ask for any effect');
  }
  const canCertify = certificate?.state === 'missing' && blockingFinding(analysis) === undefined;
  const pure = canCertify ? 'Pure: this module can be certified' : 'Pure';
  return answer(admitted(analysis) ?? pure, effects(analysis));
}

function admitted({ certificate }: Analysis): string | undefined {
  return certificate?.state === 'admitted'
    ? 'Certified: the gate admits this module at tier 1'
    : undefined;
}

function unreadReason(analysis: Analysis): string {
  return blockingFinding(analysis)?.message ?? 'there is no module to read';
}

function effects({ imports, whitelist }: Analysis): string {
  const directives = imports.filter((entry) => entry.class === 'directive');
  const [only] = directives;
  if (only === undefined) {
    const subject =
      imports.length === 1 ? 'its only import is' : `its ${imports.length} imports are`;
    return `${subject} pure in the whitelist ${whitelistText(whitelist)}`;
  }
  const needed = capabilitiesNeededBy(directives);
  const needs =
    needed.length === 0
      ? 'no capability'
      : `the ${needed.length === 1 ? 'capability' : 'capabilities'} ${needed.join(', ')}`;
  return directives.length === 1
    ? `the one effect it can ask for is ${only.name}, which needs ${needs}`
    : `it can ask for ${directives.length} effects, which need ${needs}`;
}

/** The answer in bold, its reason as a sentence below. */
function answer(words: string, reason: string): string {
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1).replace(/\.$/, '');
  return `**${plain(words)}**\n\n${plain(sentence)}.`;
}

function importTable(imports: readonly AnalysedImport[]): string | undefined {
  if (imports.length === 0) return undefined;
  const sorted = CLASSES.flatMap((name) => imports.filter((entry) => entry.class === name));
  const rows = sorted
    .slice(0, MAX_ROWS)
    .map((entry) => [
      classText(entry),
      cell(`${entry.module}.${entry.name}`),
      cell(entry.kind === 'function' ? entry.type : `${entry.kind} ${entry.type}`),
    ]);
  const more = sorted.length - rows.length;
  return paragraphs(
    table(['class', 'import', 'type'], rows),
    more > 0 ? `and ${more.toLocaleString('en')} more` : undefined,
  );
}

function classText(entry: AnalysedImport): string {
  const capability = capabilityOf(entry);
  return capability === undefined ? entry.class : `${entry.class}, needs ${code(capability)}`;
}

function measures({ size, sha256 }: Analysis): string | undefined {
  if (size === null || sha256 === null) return undefined;
  return `${plural(size, 'byte')} · SHA-256 ${code(shortHash(sha256))}…`;
}
