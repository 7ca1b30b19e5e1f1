import { Command } from 'commander';
import { displayText } from '../../engine/encoding/display.ts';
import { readWhitelist } from '../../engine/platform/node/deciders.ts';
import {
  diffWhitelists,
  staysClassified,
  type WhitelistDiff,
} from '../../engine/whitelist/diff.ts';
import type { Whitelist, WhitelistFunction } from '../../engine/whitelist/types.ts';
import { functionTypeText } from '../../engine/whitelist/whitelist.ts';
import { findCertificates } from '../certificates.ts';
import { type Format, formatOption } from '../options.ts';
import { color, columns, MARK, plural, print, printJson, wrap } from '../terminal.ts';

/** `touchstone whitelist show|diff`. */
export function whitelistCommand(): Command {
  return new Command('whitelist')
    .description('show a whitelist, or what changed between two')
    .addCommand(showCommand())
    .addCommand(diffCommand())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone whitelist show
  $ touchstone whitelist diff mashin@1 ./mashin-2.json examples`,
    );
}

function showCommand(): Command {
  return new Command('show')
    .description('list the functions an executor may import')
    .argument('[whitelist]', 'NAME@VERSION or a file', 'mashin@1')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone whitelist show
  $ touchstone whitelist show ./whitelist.json --format json`,
    )
    .action(async (reference: string, { format }: { format: Format }) => {
      const whitelist = await readWhitelist(reference);
      if (format === 'json') {
        const { name, version, hash, functions } = whitelist;
        printJson({ name, version, hash, functions });
      } else {
        print(describeWhitelist(whitelist));
      }
    });
}

function describeWhitelist(whitelist: Whitelist): string {
  const lines = [`${color.bold(nameOf(whitelist))}  ${color.dim(whitelist.hash)}`];
  for (const category of new Set(whitelist.functions.map((f) => f.category))) {
    lines.push('', color.bold(category));
    for (const f of whitelist.functions.filter((each) => each.category === category)) {
      lines.push(`  ${signature(f)}`, color.dim(wrap(displayText(f.doc, 2000), '    ')));
    }
  }
  return lines.join('\n');
}

function diffCommand(): Command {
  return new Command('diff')
    .description('compare two whitelists; exit 1 unless nothing admitted before is refused after')
    .argument('<before>', 'NAME@VERSION or a file')
    .argument('<after>', 'NAME@VERSION or a file')
    .argument('[path...]', 'certificates, or folders with certificates, to try under the new one')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Example:
  $ touchstone whitelist diff mashin@1 ./mashin-2.json examples`,
    )
    .action(
      async (before: string, after: string, paths: string[], { format }: { format: Format }) => {
        const [old, now] = [await readWhitelist(before), await readWhitelist(after)];
        const diff = diffWhitelists(old, now);
        const certificates = await findCertificates(paths);
        const invalidated = certificates.filter(
          ({ certificate }) => !staysClassified(certificate.proof.imports, now),
        );
        if (format === 'json') {
          printJson({
            before: identify(old),
            after: identify(now),
            ...diff,
            certificates: certificates.length,
            invalidated: invalidated.map(({ path }) => path),
          });
        } else {
          print(describeDiff(old, now, diff));
          if (certificates.length > 0) {
            print(
              describeInvalidated(
                certificates.length,
                invalidated.map(({ path }) => path),
              ),
            );
          }
        }
        if (!diff.monotonic || diff.sameVersionOtherContent) process.exitCode = 1;
      },
    );
}

function describeDiff(before: Whitelist, after: Whitelist, diff: WhitelistDiff): string {
  const rows = [
    ...diff.added.map((f) => [color.green('+ added'), signature(f), f.class]),
    ...diff.removed.map((f) => [color.red('- removed'), signature(f), f.class]),
    ...diff.retyped.map(({ before: b, after: a }) => [
      color.yellow('~ retyped'),
      signature(b),
      `now ${functionTypeText(a)}`,
    ]),
    ...diff.reclassified.map(({ before: b, after: a }) => [
      color.yellow('~ reclassified'),
      signature(b),
      `${b.class} · ${b.category}, now ${a.class} · ${a.category}`,
    ]),
  ];
  const lines = [`${color.bold(nameOf(before))} to ${color.bold(nameOf(after))}`];
  lines.push(...(rows.length > 0 ? columns(rows, '  ') : ['  the same functions']));
  lines.push(
    diff.monotonic
      ? `${MARK.ok} monotonic: what was admitted before stays admitted`
      : `${MARK.fail} not monotonic: some of what was admitted before is refused after`,
  );
  if (diff.sameVersionOtherContent) {
    lines.push(
      `${MARK.fail} both are called ${nameOf(before)} but differ: a changed whitelist needs a new version`,
    );
  }
  return lines.join('\n');
}

function describeInvalidated(count: number, invalidated: readonly string[]): string {
  if (invalidated.length === 0) {
    return `${MARK.ok} of ${plural(count, 'certificate')} at hand none classifies otherwise`;
  }
  const list = invalidated.map((path) => `    ${displayText(path, 500)}`);
  return [
    `${MARK.fail} of ${plural(count, 'certificate')} at hand ${invalidated.length} would be refused:`,
    ...list,
  ].join('\n');
}

function identify({ name, version, hash }: Whitelist) {
  return { name, version, hash };
}

function nameOf({ name, version }: Whitelist): string {
  return `${displayText(name)}@${version}`;
}

function signature(f: WhitelistFunction): string {
  return `${displayText(f.module)}.${displayText(f.name)} ${color.dim(functionTypeText(f))}`;
}
