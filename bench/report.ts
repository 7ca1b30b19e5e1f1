import { cpus, totalmem } from 'node:os';

/** What a benchmark answers: rows of named figures, and the machine they were measured on. */
export interface BenchReport {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What the figures are compared with, and the bound they must keep, in words. */
  readonly note: string;
}

/** Prints a report as a table, or with `--json` as one document. */
export function printReport(report: BenchReport): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  if (process.argv.includes('--json')) {
    const rows = report.rows.map((row) =>
      Object.fromEntries(report.columns.map((column, i) => [column, row[i]])),
    );
    process.stdout.write(
      `${JSON.stringify({ name: report.name, machine, note: report.note, rows })}\n`,
    );
    return;
  }
  const cells = [report.columns, ...report.rows].map((row) => row.map(String));
  const widths = report.columns.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  // Names and words stand to the left, figures to the right.
  const isWords = report.columns.map((_, i) =>
    cells.slice(1).every((row) => !/\d$/.test(row[i] ?? '')),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, i) =>
        i === 0 || isWords[i] ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`\n${report.name}: ${machine}\n\n${lines.join('\n')}\n\n${report.note}\n`);
}
