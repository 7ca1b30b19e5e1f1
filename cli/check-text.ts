import { basename } from 'node:path';
import { displayText } from '../engine/encoding/display.ts';
import type { Examination, ExaminedImport } from '../engine/rules/examine.ts';
import type { Diagnostic, Severity } from '../engine/rules/types.ts';
import type { ImportClass } from '../engine/whitelist/types.ts';
import { color, columns, formatBytes, lineWidth, MARK, plural, wrap } from './terminal.ts';

const CLASS_MARKS: Readonly<Record<ImportClass, string>> = {
  pure: MARK.ok,
  directive: color.blue('→'),
  impure: MARK.fail,
};

const SEVERITY_MARKS: Readonly<Record<Severity, string>> = {
  error: MARK.fail,
  warning: MARK.warning,
  info: MARK.info,
};

/** More imports than this are counted, not listed; the impure ones always have a finding each. */
const MAX_LISTED = 40;

/** One artifact for people: its imports with their class, the verdict, the findings. */
export function describeExamination({ artifact, report }: Examination): string {
  const size = report === undefined ? '' : color.dim(` ${formatBytes(report.size)}`);
  const lines = [color.bold(displayText(artifact.path, 500)) + size];
  lines.push(...describeImports(artifact.imports));
  if (report !== undefined) lines.push(`  ${describeVerdict(artifact)}`);
  lines.push(
    ...artifact.diagnostics.map((each, i, all) => describeDiagnostic(each, all[i - 1]?.help)),
  );
  return lines.join('\n');
}

function describeImports(imports: readonly ExaminedImport[]): string[] {
  const listed = imports.slice(0, MAX_LISTED);
  const lines = columns(fitRows(listed), '  ');
  const left = imports.length - listed.length;
  if (left > 0)
    lines.push(color.dim(`  … and ${plural(left, 'more import')} (--format json lists all)`));
  return lines;
}

/** One row an import. Where they are too wide for the line, the category goes first, then the type. */
function fitRows(imports: readonly ExaminedImport[]): string[][] {
  const names = imports.map(
    ({ module, name }) => `${displayText(module, 60)}.${displayText(name, 60)}`,
  );
  const types = imports.map(({ kind, type }) =>
    displayText(kind === 'function' ? type : `${kind} ${type}`, 80),
  );
  const longest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const room = lineWidth() - '  x directive  '.length - longest(names) - 2;
  const hasCategories = longest(types) + '  serialization'.length <= room;
  return imports.map((entry, i) => [
    `${CLASS_MARKS[entry.class]} ${entry.class}`,
    names[i] ?? '',
    color.dim(cut(types[i] ?? '', Math.max(room, 16))),
    color.dim((hasCategories && entry.category) || ''),
  ]);
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

function describeVerdict({ imports, allImportsPure, whitelist }: Examination['artifact']): string {
  const name = `${displayText(whitelist.name)}@${whitelist.version}`;
  if (imports.length === 0) return color.green('pure: no imports, so it cannot ask for any effect');
  if (allImportsPure) {
    return color.green(
      `pure: ${imports.length === 1 ? 'its one import is' : `all ${imports.length} imports are`} on ${name}`,
    );
  }
  const impure = imports.filter((entry) => entry.class === 'impure').length;
  return color.red(`impure: ${impure} of ${plural(imports.length, 'import')} outside ${name}`);
}

/** @param helpBefore what the finding before said to do: the same is not told twice in a row. */
function describeDiagnostic(
  { code, severity, message, help }: Diagnostic,
  helpBefore: string | undefined,
): string {
  const head = wrap(`${SEVERITY_MARKS[severity]} ${color.bold(code)}  ${message}`, '  ', '    ');
  if (help === undefined) return head;
  const fix = help === helpBefore ? 'as above' : help;
  return `${head}\n${wrap(`${color.cyan('fix')} ${fix}`, '    ', '        ')}`;
}

const CLASS_COLORS = {
  pure: color.green,
  directive: color.blue,
  impure: color.red,
} as const satisfies Readonly<Record<ImportClass, (text: string) => string>>;

/** One artifact in a few lines: its imports by class, and how many findings there are. */
export function describeBriefly({ artifact }: Examination): string {
  const { imports, allImportsPure, diagnostics } = artifact;
  const classes = (['pure', 'directive', 'impure'] as const).filter((each) =>
    imports.some((entry) => entry.class === each),
  );
  const rows = classes.map((each) =>
    wrap(
      `${CLASS_COLORS[each](each.padEnd(9))}  ${namesOf(imports.filter((entry) => entry.class === each))}`,
      '    ',
      '               ',
    ),
  );
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const found = errors === 0 ? '' : color.dim(`  ${plural(errors, 'error')}`);
  const mark = allImportsPure ? MARK.ok : MARK.fail;
  return [`${mark} ${displayText(artifact.path, 500)}${found}`, ...rows].join('\n');
}

/** `mashin.get_input get_input_len, env.abort`: the module's name once for its functions. */
function namesOf(imports: readonly ExaminedImport[]): string {
  const modules = new Set(imports.map((entry) => entry.module));
  return [...modules]
    .map((module) => {
      const names = imports.filter((entry) => entry.module === module).map((entry) => entry.name);
      const shown = names.slice(0, MAX_LISTED).map((name) => displayText(name, 60));
      const more = names.length > MAX_LISTED ? ` … ${names.length - MAX_LISTED} more` : '';
      return `${color.dim(`${displayText(module, 60)}.`)}${shown.join(' ')}${more}`;
    })
    .join(', ');
}

/** The last line: how many were examined, and how many of them are pure. */
export function describeSummary(examinations: readonly Examination[]): string {
  const pure = examinations.filter(({ artifact }) => artifact.allImportsPure).length;
  const errors = count(examinations, 'error');
  const warnings = count(examinations, 'warning');
  const [only] = examinations;
  const what =
    examinations.length === 1 && only !== undefined
      ? displayText(basename(only.artifact.path))
      : plural(examinations.length, 'module');
  const verdict = examinations.length === 1 ? (pure === 1 ? 'pure' : 'not pure') : `${pure} pure`;
  return `${errors > 0 ? MARK.fail : MARK.ok} ${what}: ${verdict}, ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
}

function count(examinations: readonly Examination[], severity: Severity): number {
  return examinations
    .flatMap(({ artifact }) => artifact.diagnostics)
    .filter((diagnostic) => diagnostic.severity === severity).length;
}
